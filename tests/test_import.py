"""From a REST API's id to a resource: `pulumi import`, the option `import`, and `.get()`."""

import json

import pytest
import yaml
from botocore.exceptions import ClientError

from harness.engine import PROXY, Fleet, Result, Stack
from harness.faults import Error
from harness.rpc import Plugin, Resource, plain
from test_lifecycle import BOUNDARY, DOCUMENTED, FUNCTION, KEY, LINE, LOG_GROUP, POLICY, POOL, TLS13, left, look

FULL = {
    "path": "v1/models", "stageName": "v2", "description": "models", "operations": ["HEAD"], "tags": {"team": "data"},
    "bucket": {"name": "import-full-data", "secureTransportOnly": False},
}
EVERYTHING = {
    "operations": ["GET", "LIST", "PUT"], "cors": {
        "allowOrigins": ["https://a.example", "https://b.example"], "maxAgeSeconds": 5, "allowCredentials": True},
    "bucket": {"name": "import-all-data", "prefix": "a/b", "versioning": True, "kmsKeyArn": KEY},
}
SET = {"throttle": {"rateLimit": 50, "burstLimit": 20}, "metricsEnabled": True, "tracingEnabled": True}
SIGNED = {"authorization": "AWS_IAM"}
USERS = {"authorization": "COGNITO_USER_POOLS", "authorizer": {"userPoolArns": [POOL], "scopes": ["data/read"]}}
LETIN = {"authorization": "CUSTOM", "authorizer": {
    "functionArn": FUNCTION, "roleArn": "arn:aws:iam::000000000000:role/invoke", "type": "REQUEST",
    "identitySources": ["method.request.header.X-Key", "context.path"], "resultTtlInSeconds": 60}}
KEYED = {"apiKeys": ["alice", "lab-7"], "quota": {"limit": 9, "period": "WEEK"}, "throttle": {"rateLimit": 5, "burstLimit": 2}}
LOGGED = {"accessLog": {"retentionInDays": 7}, "executionLog": {"level": "INFO", "dataTrace": True}}
PRIVATE = {"endpoint": {"type": "PRIVATE", "vpcEndpointIds": ["vpce-1", "vpce-2"]}}
TLS = {"endpoint": {"securityPolicy": TLS13}}
HIDDEN = {"endpoint": {"ipAddressType": "dualstack", "disableExecuteApi": True}}
GIVEN = {"role": {"arn": "arn:aws:iam::000000000000:role/made/elsewhere"}}
LOGGED_ELSEWHERE = {"accessLog": {"destinationArn": LOG_GROUP, "format": LINE}, "executionLog": {}}
BOUND = {"role": {"path": "/research/models/", "permissionsBoundaryArn": BOUNDARY}}
RANGES = {"allowedIpRanges": ["192.0.2.0/24", "2001:db8::/32"]}
SITE = {"indexDocument": "index.html", "cors": {"allowOrigins": ["*"], "exposeHeaders": ["ETag"]}}
ELSEWHERE = {"operations": ["LIST"], "bucket": {
    "name": "made-elsewhere", "existing": True, "prefix": "p", "kmsKeyArn": KEY}}


def canonical(policy: str) -> str:
    """As AWS may have changed it: sorted, and a list of one as the one."""
    policy = json.loads(policy)
    return json.dumps(policy | {"Statement": policy["Statement"][0]}, sort_keys=True, separators=(",", ":"))


# name in the second program, the inputs it was made with, what is imported, and the inputs that come of it but `name`
IMPORTS = {
    "plain": ({}, "{id}", {}),
    "plain-name": ({}, "{name}", {}),
    "full": (FULL, "{id}", FULL),
    "full-stage": (FULL | {"bucket": {"name": "import-staged-data"}}, "{id}/v2",
                   FULL | {"bucket": {"name": "import-staged-data"}}),
    "everything": (EVERYTHING, "{id}", EVERYTHING),
    "set": (SET, "{id}", SET),
    "signed": (SIGNED, "{id}", SIGNED),
    "users": (USERS, "{id}", USERS),
    "function": (LETIN, "{id}", LETIN),
    "ranges": (RANGES, "{id}", RANGES),
    "signed-ranges": (SIGNED | RANGES | SITE, "{id}", SIGNED | RANGES | SITE),
    "policy": (RANGES | {"policy": POLICY}, "{id}", RANGES | {"policy": canonical(POLICY)}),
    "keys": (KEYED, "{id}", KEYED),
    "logged": (LOGGED, "{id}", LOGGED),
    "logged-elsewhere": (LOGGED_ELSEWHERE, "{id}", LOGGED_ELSEWHERE),
    "private": (PRIVATE, "{id}", PRIVATE),
    "private-addresses": (PRIVATE | SIGNED | {"allowedIpRanges": ["10.0.0.0/8"]}, "{id}",
                          PRIVATE | SIGNED | {"allowedIpRanges": ["10.0.0.0/8"]}),
    "edge": ({"endpoint": {"type": "EDGE"}}, "{id}", {"endpoint": {"type": "EDGE"}}),
    "hidden": (HIDDEN, "{id}", HIDDEN),
    "cached": ({"cache": {"sizeGb": 6.1, "ttlSeconds": 0}}, "{id}", {"cache": {"sizeGb": 6.1, "ttlSeconds": 0}}),
    "tls13": (TLS, "{id}", TLS),
    "given": (GIVEN, "{id}", GIVEN),
    "bound": (BOUND, "{id}", BOUND),
    "site": (SITE, "{id}", SITE),
    # The role has nothing to do with a key for lists.
    "elsewhere": (ELSEWHERE, "{id}", ELSEWHERE | {"bucket": {
        key: value for key, value in ELSEWHERE["bucket"].items() if key != "kmsKeyArn"}}),
    "elsewhere-read": (ELSEWHERE | {"operations": ["GET"]}, "{id}", ELSEWHERE | {"operations": ["GET"]}),
    "root": ({"path": "/"}, "{id}", {"path": "/"}),
    # What is a default, or means nothing to AWS, is left out.
    "verbose": ({"path": "verbose", "stageName": "prod", "operations": ["GET", "HEAD"], "waitForReady": True,
                 "tags": {}, "bucket": {"forceDestroy": True, "secureTransportOnly": True}}, "{id}", {}),
}
OPTION = {"option": ({}, "{id}"), "option-full": (FULL | {"bucket": {"name": "import-option-data"}}, "{id}/v2")}
DEFAULT_TAGS = json.dumps({"cost": "research"})


def stack_with_default_tags(stack: Stack) -> Stack:
    stack.set_config("s3dataproxy:defaultTags", DEFAULT_TAGS)
    return stack


@pytest.fixture(scope="module")
def orphans(aws, tmp_path_factory):
    """The outputs of resources whose stack has forgotten them."""
    aws.client("s3").create_bucket(Bucket="made-elsewhere")
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    aws.client("iam").create_role(RoleName="elsewhere", Path="/made/", AssumeRolePolicyDocument=json.dumps(trust))
    with Fleet(aws.url, tmp_path_factory.mktemp("first")) as first:
        stack_with_default_tags(first.stack)
        made = {name: inputs for name, (inputs, *_) in (IMPORTS | OPTION).items()}
        made |= {f"renamed-{kind}": {} for kind in ("import", "get")}
        first.write(made)
        first.stack.up()
        outputs = first.outputs()
        first.stack.run("state", "delete", "--all", "--yes", "--stack", first.stack.name)
        yield outputs
    # Nobody has deleted it.
    aws.client("s3").delete_bucket(Bucket="made-elsewhere")
    aws.client("iam").delete_role(RoleName="elsewhere")


def fill(template: str, outputs: dict) -> str:
    return template.format(id=outputs["restApiId"], name=outputs["name"])


def import_all(stack: Stack, ids: dict[str, str], *args: str, fails: bool = False) -> Result:
    """One import of several: name to id. All at the same time, as the engine starts nothing more after an error."""
    file = stack.folder / "import.json"
    file.write_text(json.dumps({"resources": [{"type": PROXY, "name": name, "id": id_} for name, id_ in ids.items()]}))
    options = ["--yes", "--skip-preview", "--parallel", str(len(ids)), "--file", str(file), *args]
    return stack.start_operation("import", *options).wait(fails=fails)


def generated(result) -> dict:
    """The program that the import printed."""
    text = result.stdout.partition("\nresources:\n")[2]
    lines = [line for line in text.splitlines() if line.startswith(" ")]
    return yaml.safe_load("\n".join(lines))


@pytest.fixture(scope="module")
def imported(aws, orphans, tmp_path_factory):
    """Each imported; then the generated program, pasted and run."""
    with Fleet(aws.url, tmp_path_factory.mktemp("second")) as second:
        stack = stack_with_default_tags(second.stack)
        before = {name: look(aws, orphans[name]) for name in IMPORTS}
        ids = {name: fill(id_, orphans[name]) for name, (_, id_, _) in IMPORTS.items()}
        program = generated(import_all(stack, ids, "--protect=false"))
        states = second.resources()
        stack.write(f"resources: {json.dumps(program)}\n")
        preview, up, refresh = stack.preview(), stack.up(), stack.refresh()
        after = {name: look(aws, orphans[name]) for name in IMPORTS}
        outputs = second.outputs()
        stack.destroy()
        yield {"program": program, "states": states, "results": [preview, up, refresh], "before": before,
               "after": after, "outputs": outputs}


@pytest.mark.parametrize("name", IMPORTS)
def test_import(aws, orphans, imported, name):
    inputs = {"name": orphans[name]["name"], **IMPORTS[name][2]}
    assert imported["program"][name]["properties"] == inputs
    state = imported["states"][name]
    assert state["inputs"] == inputs
    assert state["id"] == inputs["name"]
    documented = {key: orphans[name][key] for key in DOCUMENTED}
    assert {key: state["outputs"][key] for key in DOCUMENTED} == documented
    for result in imported["results"]:
        [step] = result.done(name)
        assert (step["op"], step["detailedDiff"] or {}) == ("same", {})
        assert result.messages("warning", name) == []
    assert imported["after"][name] == imported["before"][name]
    assert {key: imported["outputs"][name][key] for key in DOCUMENTED} == documented
    # The second stack is responsible now: its destroy has removed everything.
    assert left(aws, inputs["name"]) == {}
    there = {"buckets": ["made-elsewhere"]} if name.startswith("elsewhere") else {}
    assert left(aws, orphans[name]["bucketName"]) == there


def test_import_under_another_name_keeps_the_path(aws, orphans, tmp_path):
    with Fleet(aws.url, tmp_path) as second:
        outputs = orphans["renamed-import"]
        stack = stack_with_default_tags(second.stack)
        program = generated(stack.import_(PROXY, "other", outputs["restApiId"], "--protect=false"))
        assert program["other"]["properties"] == {"name": outputs["name"], "path": "renamed-import"}
        stack.write(f"resources: {json.dumps(program)}\n")
        stack.up("--expect-no-changes")
        # From here on it is as any other: changes are made, and the owner tag is still the one it has.
        program["other"]["properties"]["description"] = "taken over"
        stack.write(f"resources: {json.dumps(program)}\n")
        assert [step["op"] for step in stack.up().done("other")] == ["update"]
        assert look(aws, outputs)["api"]["description"] == "taken over"
        stack.refresh("--expect-no-changes")


def test_the_option_import(aws, orphans, tmp_path):
    with Fleet(aws.url, tmp_path) as second:
        stack = stack_with_default_tags(second.stack)

        def program(**options):
            return {name: {"type": PROXY, "properties": {"name": orphans[name]["name"], **inputs},
                           "options": {key: fill(id_, orphans[name]) for key in options}}
                    for name, (inputs, id_) in OPTION.items()}

        stack.write(f"resources: {json.dumps(program(**{'import': True}))}\n")
        up = stack.up()
        for name in OPTION:
            assert [step["op"] for step in up.done(name)] == ["import"]
            assert up.messages("warning", name) == []
        stack.write(f"resources: {json.dumps(program())}\n")
        stack.up("--expect-no-changes")
        stack.refresh("--expect-no-changes")
        stack.destroy()
        for name in OPTION:
            assert left(aws, orphans[name]["name"]) == {}


def test_get(aws, orphans, tmp_path):
    outputs = orphans["renamed-get"]
    with Fleet(aws.url, tmp_path) as fleet:
        stack = stack_with_default_tags(fleet.stack)
        ids = {"byid": outputs["restApiId"], "bystage": f"{outputs['restApiId']}/prod", "byname": outputs["name"]}
        resources = {name: {"type": PROXY, "get": {"id": id_}} for name, id_ in ids.items()}
        exports = {f"{name}-{key}": f"${{{name}.{key}}}" for name in ids for key in sorted(DOCUMENTED)}
        stack.write(f"resources: {json.dumps(resources)}\noutputs: {json.dumps(exports)}\n")
        stack.up()
        assert stack.outputs() == {f"{name}-{key}": outputs[key] for name in ids for key in DOCUMENTED}
        stack.up("--expect-no-changes")
        # What is only read is not deleted.
        stack.destroy()
        assert look(aws, outputs)["a missing key"][0] == 404
        # Now for good.
        stack.import_(PROXY, "renamed-get", outputs["restApiId"], "--protect=false")


# APIs that were made by hand, in the shape that S3DataProxy makes

TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


class ByHand:
    """A bucket with something in it, a role, a log group and a deployed REST API, from the document of another one."""

    def __init__(self, aws, name: str, like: dict, *, bucket: str | None = None, role: str | None = None):
        self.aws, self.name = aws, name
        self.bucket, self.role = bucket or name, role or name
        self.s3, self.iam, self.api, self.logs = (
            aws.client(service) for service in ("s3", "iam", "apigateway", "logs"))
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_object(Bucket=self.bucket, Key="precious", Body=b"1")
        answer = self.iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=json.dumps(TRUST))
        self.role_arn = answer["Role"]["Arn"]
        self.iam.put_role_policy(RoleName=self.role, PolicyName="s3dataproxy", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))
        self.group = f"/aws/apigateway/{name}"
        self.logs.create_log_group(logGroupName=self.group)
        self.log_arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{self.group}"
        document = like["openApiDocument"].replace(like["roleArn"], self.role_arn)
        document = document.replace(f":s3:path/{like['bucketName']}", f":s3:path/{self.bucket}")
        self.id = self.api.create_rest_api(
            name=name, binaryMediaTypes=["*/*"], endpointConfiguration={"types": ["REGIONAL"]}, tags={"team": "b"})["id"]
        self.api.put_rest_api(restApiId=self.id, mode="overwrite", body=document)
        deployment = self.api.create_deployment(restApiId=self.id)["id"]
        self.api.create_stage(restApiId=self.id, stageName="prod", deploymentId=deployment, tags={"team": "b"})
        self.api.update_stage(restApiId=self.id, stageName="prod", patchOperations=[
            {"op": "replace", "path": f"/accessLogSettings/{key}", "value": value}
            for key, value in {"destinationArn": self.log_arn, "format": LINE}.items()])

    @property
    def inputs(self) -> dict:
        return {"name": self.name, "path": "by-hand", "bucket": {"name": self.bucket, "existing": True},
                "role": {"arn": self.role_arn}, "tags": {"team": "b"},
                "accessLog": {"destinationArn": self.log_arn, "format": LINE}}

    def untouched(self) -> dict:
        """What stays whatever becomes of the API."""
        policies = self.iam.list_role_policies(RoleName=self.role)["PolicyNames"]
        return {
            "objects": [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]],
            "bucket policy": _missing(lambda: self.s3.get_bucket_policy(Bucket=self.bucket)),
            "bucket tags": _missing(lambda: self.s3.get_bucket_tagging(Bucket=self.bucket)),
            "role": [self.iam.get_role(RoleName=self.role)["Role"].get("Tags", []), [
                self.iam.get_role_policy(RoleName=self.role, PolicyName=name)["PolicyDocument"] for name in policies]],
            "log group": [group["logGroupName"] for group in self.logs.describe_log_groups(
                logGroupNamePrefix=self.group)["logGroups"]],
        }

    def remove(self) -> None:
        """What is left when the API is gone."""
        assert self.name not in self.aws.inventory()["rest_apis"]
        self.logs.delete_log_group(logGroupName=self.group)
        self.iam.delete_role_policy(RoleName=self.role, PolicyName="s3dataproxy")
        self.iam.delete_role(RoleName=self.role)
        self.s3.delete_object(Bucket=self.bucket, Key="precious")
        self.s3.delete_bucket(Bucket=self.bucket)


def _missing(read):
    with pytest.raises(ClientError) as error:
        read()
    return error.value.response["Error"]["Code"]


@pytest.fixture(scope="module")
def like(aws, tmp_path_factory):
    """The outputs of one of ours, whose document the others have."""
    with Fleet(aws.url, tmp_path_factory.mktemp("like")) as fleet:
        fleet.write({"like": {"path": "by-hand"}})
        fleet.stack.up()
        yield fleet.outputs()["like"]


@pytest.mark.parametrize("names", [{}, {"bucket": "hand-data", "role": "hand-role"}], ids=["one name", "three names"])
@pytest.mark.parametrize("way", ["command", "option"])
def test_one_made_by_hand(aws, like, tmp_path, way, names):
    made = ByHand(aws, f"hand-{way}", like, **names)
    before = made.untouched()
    with Stack("", aws.url, folder=tmp_path) as stack:
        if way == "command":
            program = generated(stack.import_(PROXY, "hand", made.id, "--protect=false"))
            assert program["hand"]["properties"] == made.inputs
        else:
            program = {"hand": {"type": PROXY, "properties": made.inputs, "options": {"import": made.id}}}
            stack.write(f"resources: {json.dumps(program)}\n")
            [step] = [step["op"] for step in stack.up().done("hand")]
            assert step == "import"
            del program["hand"]["options"]
        stack.write(f"resources: {json.dumps(program)}\n")
        for result in (stack.preview("--expect-no-changes"), stack.up("--expect-no-changes"),
                       stack.refresh("--expect-no-changes")):
            assert result.messages("warning", "hand") == []
        # A change of the API is one: the rest is only used.
        program["hand"]["properties"]["description"] = "ours now"
        stack.write(f"resources: {json.dumps(program)}\n")
        stack.up()
        stack.refresh("--expect-no-changes")
        assert aws.client("apigateway").get_rest_api(restApiId=made.id)["description"] == "ours now"
        stack.destroy()
    assert made.untouched() == before
    made.remove()


def test_one_made_by_hand_through_grpc(aws, plugin, like):
    made = ByHand(aws, "hand-grpc", like)
    before = made.untouched()
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, "hand")
        resource.id = made.id
        read = resource.read()
        resource.id, resource.inputs, resource.outputs = read.id, plain(read.inputs), plain(read.properties)
        assert (resource.id, resource.inputs) == (made.name, made.inputs)
        assert not resource.diff(resource.checked(made.inputs)).detailedDiff
        again = resource.read()
        assert (plain(again.inputs), plain(again.properties)) == (resource.inputs, resource.outputs)
        resource.delete()
    assert made.untouched() == before
    made.remove()


def test_one_made_by_hand_that_was_changed_is_refused_with_every_difference(aws, like, tmp_path):
    made = ByHand(aws, "hand-changed", like)
    api = made.api
    [resource] = [item["id"] for item in api.get_resources(restApiId=made.id)["items"] if item["path"].endswith("/{key+}")]
    api.put_method(restApiId=made.id, resourceId=resource, httpMethod="PATCH", authorizationType="NONE")
    api.update_integration(restApiId=made.id, resourceId=resource, httpMethod="GET", patchOperations=[
        {"op": "remove", "path": "/requestParameters/integration.request.header.Range"}])
    api.untag_resource(resourceArn=f"arn:aws:apigateway:us-east-1::/restapis/{made.id}/stages/prod", tagKeys=["team"])
    with Stack("", aws.url, folder=tmp_path) as stack:
        [error] = stack.import_(PROXY, "hand", made.id, fails=True).messages("error", "hand")
    for words in ("PATCH /by-hand/{key+} was added", "GET /by-hand/{key+}, parameters, integration.request.header.Range",
                  "its stage is not what S3DataProxy makes: tags.team"):
        assert words in error
    api.delete_rest_api(restApiId=made.id)
    made.remove()


# What cannot be imported

def strangers(aws) -> dict[str, str]:
    """REST APIs that others made: name to id."""
    api = aws.client("apigateway")
    ids = {}
    for name in ("strange-empty", "strange-mock", "strange-unstaged", "Strange_Name"):
        ids[name] = api.create_rest_api(name=name)["id"]
        if name != "strange-empty":
            api.put_rest_api(restApiId=ids[name], mode="overwrite", body=json.dumps({
                "openapi": "3.0.1", "info": {"title": name, "version": "1"},
                "paths": {"/x/{key+}": {"get": {
                    "responses": {"200": {"description": "it"}},
                    "x-amazon-apigateway-integration": {"type": "mock"} if name == "strange-mock" else {
                        "type": "aws", "httpMethod": "GET", "uri": "arn:aws:apigateway:us-east-1:s3:path/b/{key}",
                        "credentials": f"arn:aws:iam::000000000000:role/{name}"},
                }}},
            }))
        if name in ("strange-mock", "Strange_Name"):
            api.create_deployment(restApiId=ids[name], stageName="prod")
    return ids


# what is imported, the API that the error names (none: the engine's own error), and why not
MISFITS = {
    "nothing": ("0123456789", None, "resource '0123456789' does not exist"),
    "no name": ("no-such-name", None, "resource 'no-such-name' does not exist"),
    "not our name": ("strange-empty", None, "resource 'strange-empty' does not exist"),
    "empty": ("{strange-empty}", "{strange-empty}", "it has no method on a path that ends with `/{{key+}}`"),
    "mock": ("{strange-mock}", "{strange-mock}", "is not one bucket's objects by key"),
    "unstaged": ("{strange-unstaged}", "{strange-unstaged}", "it has no stage"),
    "name": ("{Strange_Name}", "{Strange_Name}", "its name `Strange_Name` cannot be the base of the other names"),
    "no such stage": ("{ours}/nope", "{ours}", "it has no stage `nope`; it has a, b"),
    "several stages": ("{ours}", "{ours}", "it has several stages: import `{ours}/STAGE` with one of a, b"),
}


@pytest.fixture(scope="module")
def misfits(aws, tmp_path_factory):
    """An import of all of them at once into a stack with a resource, and the ids of the APIs."""
    api = aws.client("apigateway")
    with Fleet(aws.url, tmp_path_factory.mktemp("misfits")) as fleet:
        fleet.write({"staged": {"stageName": "a"}})
        fleet.stack.up()
        ours = fleet.outputs()["staged"]
        api.create_stage(restApiId=ours["restApiId"], stageName="b", deploymentId=ours["deploymentId"])
        ids = {"ours": ours["restApiId"], **strangers(aws)}
        wanted = {name: id_.format(**ids) for name, (id_, *_) in MISFITS.items()}
        yield fleet, ids, import_all(fleet.stack, wanted, fails=True)
        for name, id_ in ids.items():
            if name != "ours":
                api.delete_rest_api(restApiId=id_)


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit(misfits, name):
    (fleet, ids, result), (_, api, words) = misfits, MISFITS[name]
    [error] = result.messages("error", name)
    assert words.format(**ids) in error
    if api:
        assert f"import the REST API `{api.format(**ids)}`" in error
        assert "only an API in the shape that S3DataProxy makes can be imported" in error
    assert fleet.resources().keys() == {"staged"}


def test_everything_that_does_not_fit_is_told_at_once(misfits):
    [error] = misfits[2].messages("error", "name")
    for words in ("its name `Strange_Name` cannot be", "its bucket `b` is not there", "its role `Strange_Name` is not there",
                  "its content is not what S3DataProxy makes: GET /x/{key+}"):
        assert words in error


def test_a_second_stage_is_imported_by_name(aws, misfits):
    fleet, ids, _ = misfits
    program = generated(fleet.stack.import_(PROXY, "second", f"{ids['ours']}/b", "--protect=false"))
    assert program["second"]["properties"]["stageName"] == "b"
    outputs = fleet.outputs()["second"]
    assert outputs["invokeUrl"] == aws.invoke_url(ids["ours"], "b", "/staged")
    urn = fleet.resources()["second"]["urn"]
    fleet.stack.run("state", "delete", urn, "--yes", "--stack", fleet.stack.name)


def test_a_look_that_is_denied_is_no_absence(aws, tap, misfits, tmp_path):
    tap.inject(Error("AccessDeniedException", 403), operation="GetRestApi", times=9)
    with Stack("", tap.url, folder=tmp_path) as stack:
        [error] = stack.import_(PROXY, "denied", misfits[1]["ours"], fails=True).messages("error", "denied")
        assert "AccessDeniedException" in error and "does not exist" not in error
