"""What others change behind Pulumi's back: a refresh tells it, an update repairs it, and no failure to look is taken
for an absence."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
import pytest
import requests

from harness.account import deployments
from harness.engine import PROXY, Fleet, Result
from harness.faults import Answer, Error, Refused, Throttled
from harness.rpc import plain
from test_faults import TOLERATED
from test_lifecycle import BOUNDARY, FUNCTION, KEY, LINE, LOG_GROUP, POLICY, TLS13, left, look, one

UNTAGGED = {"description": "as made", "bucket": {"forceDestroy": True}}
BASE = UNTAGGED | {"tags": {"team": "data"}}
SETTINGS = BASE | {
    "bucket": {"forceDestroy": True, "versioning": True, "kmsKeyArn": KEY},
    "cors": {"allowOrigins": ["https://a.example", "https://b.example"]},
}
SET = BASE | {"throttle": {"rateLimit": 50, "burstLimit": 20}, "metricsEnabled": True, "tracingEnabled": True}
CACHED = BASE | {"cache": {}}
PRIVATE = BASE | {"endpoint": {"type": "PRIVATE", "vpcEndpointIds": ["vpce-0a", "vpce-0b"]}}
LOGGED = BASE | {"accessLog": {"retentionInDays": 7}, "executionLog": {}}
ENCRYPTED = BASE | {"accessLog": {"kmsKeyArn": KEY}}
SIGNED = BASE | {"authorization": "AWS_IAM"}
ASKING = BASE | {"authorization": "CUSTOM", "authorizer": {"functionArn": FUNCTION}}
OBJECT = b"\x00\xff the data"


class Account:
    """The account of somebody who changes a resource's pieces by hand."""

    def __init__(self, aws, outputs: dict):
        self.s3, self.iam, self.api, self.logs = (aws.client(name) for name in ("s3", "iam", "apigateway", "logs"))
        self.bucket, self.role, self.id = (outputs[name] for name in ("bucketName", "roleName", "restApiId"))
        self.arn = f"arn:aws:apigateway:us-east-1::/restapis/{self.id}"
        self.group, self.group_arn = f"/aws/apigateway/{outputs['name']}", outputs.get("logGroupArn")

    def put_object(self):
        self.s3.put_object(Bucket=self.bucket, Key="data", Body=OBJECT)

    def delete_bucket(self):
        self.s3.delete_object(Bucket=self.bucket, Key="data")
        self.s3.delete_bucket(Bucket=self.bucket)

    def tag_bucket(self, change: Callable[[dict], dict]):
        tags = self.s3.get_bucket_tagging(Bucket=self.bucket)["TagSet"]
        tags = change({tag["Key"]: tag["Value"] for tag in tags})
        tags = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.s3.put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": tags})

    def delete_role_policy(self):
        self.iam.delete_role_policy(RoleName=self.role, PolicyName="s3dataproxy")

    def delete_role(self):
        self.delete_role_policy()
        self.iam.delete_role(RoleName=self.role)

    def edit_role_policy(self):
        text = self.iam.get_role_policy(RoleName=self.role, PolicyName="s3dataproxy")["PolicyDocument"]
        text["Statement"][0]["Action"] = ["s3:GetObject", "s3:PutObject"]
        self.iam.put_role_policy(RoleName=self.role, PolicyName="s3dataproxy", PolicyDocument=json.dumps(text))

    def edit_trust(self):
        text = self.iam.get_role(RoleName=self.role)["Role"]["AssumeRolePolicyDocument"]
        statement = text["Statement"][0] if isinstance(text["Statement"], list) else text["Statement"]
        statement["Principal"] = {"Service": "ec2.amazonaws.com"}
        self.iam.update_assume_role_policy(RoleName=self.role, PolicyDocument=json.dumps(text))

    def edit_bucket_policy(self):
        text = json.loads(self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"])
        statement = text["Statement"][0] if isinstance(text["Statement"], list) else text["Statement"]
        statement["Effect"] = "Allow"
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(text))

    def encrypt(self, algorithm: str, key: str | None = None, bucket_key: bool = True):
        default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
        self.s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})

    def share(self, **more):
        """Sets CORS rules: those that are there with more, or one for a page of somebody's."""
        rules = [{"AllowedOrigins": ["https://theirs.example"], "AllowedMethods": ["GET"]}]
        if more:
            rules = [rule | more for rule in self.s3.get_bucket_cors(Bucket=self.bucket)["CORSRules"]]
        self.s3.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": rules})

    def allow_acls(self):
        controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        self.s3.put_bucket_ownership_controls(Bucket=self.bucket, OwnershipControls=controls)

    def add_role_policy(self):
        text = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        self.iam.put_role_policy(RoleName=self.role, PolicyName="by-hand", PolicyDocument=json.dumps(text))

    def attach_role_policy(self):
        self.iam.attach_role_policy(RoleName=self.role, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")

    def validate(self):
        validator = self.api.create_request_validator(restApiId=self.id, name="theirs", validateRequestParameters=True)
        self.patch_method("/requestValidatorId", validator["id"])

    def resource(self, end: str = "/{key+}") -> str:
        resources = self.api.get_resources(restApiId=self.id, limit=500)["items"]
        return next(resource["id"] for resource in resources if resource["path"].endswith(end))

    def throttle_method(self):
        paths = [item["path"] for item in self.api.get_resources(restApiId=self.id)["items"]]
        path = next(path for path in paths if path.endswith("{key+}")).replace("/", "~1")
        self.set_stage(f"/{path}/GET/throttling/burstLimit", "1")

    def delete_method(self, verb: str = "GET"):
        self.api.delete_method(restApiId=self.id, resourceId=self.resource(), httpMethod=verb)

    def add_method(self):
        method = {"restApiId": self.id, "resourceId": self.resource(), "httpMethod": "DELETE"}
        self.api.put_method(**method, authorizationType="NONE")
        self.api.put_integration(**method, type="MOCK")

    def edit_answer(self):
        method = {"restApiId": self.id, "resourceId": self.resource(), "httpMethod": "GET"}
        self.api.put_integration_response(**method, statusCode="404", selectionPattern="404", responseTemplates={
            "application/json": '{"code":"Oops"}'})

    def patch_integration(self, path: str, value: str):
        method = {"restApiId": self.id, "resourceId": self.resource(), "httpMethod": "GET"}
        self.api.update_integration(**method, patchOperations=[{"op": "replace", "path": path, "value": value}])

    def edit_uri(self):
        integration = self.api.get_integration(restApiId=self.id, resourceId=self.resource(), httpMethod="GET")
        self.patch_integration("/uri", integration["uri"].replace(self.bucket, "somebody-elses"))

    def patch_method(self, path: str, value: str):
        method = {"restApiId": self.id, "resourceId": self.resource(), "httpMethod": "GET"}
        self.api.update_method(**method, patchOperations=[{"op": "replace", "path": path, "value": value}])

    def edit_authorizer(self, path: str, value: str):
        [authorizer] = self.api.get_authorizers(restApiId=self.id)["items"]
        self.api.update_authorizer(restApiId=self.id, authorizerId=authorizer["id"], patchOperations=[
            {"op": "replace", "path": path, "value": value}])

    def patch_api(self, op: str, path: str, **value):
        self.api.update_rest_api(restApiId=self.id, patchOperations=[{"op": op, "path": path, **value}])

    def set_stage(self, *values: str):
        patches = [{"op": "replace", "path": path, "value": value} for path, value in zip(values[::2], values[1::2])]
        self.api.update_stage(restApiId=self.id, stageName="prod", patchOperations=patches)

    def log_nothing(self):
        self.api.update_stage(restApiId=self.id, stageName="prod",
                              patchOperations=[{"op": "remove", "path": "/accessLogSettings"}])

    def deploy(self):
        self.api.create_deployment(restApiId=self.id, stageName="prod")

    def deploy_canary(self):
        self.api.create_deployment(restApiId=self.id, stageName="prod", canarySettings={"percentTraffic": 10})

    def delete_stage(self):
        self.api.delete_stage(restApiId=self.id, stageName="prod")

    def delete_api(self):
        self.api.delete_rest_api(restApiId=self.id)

    def delete_everything(self):
        self.delete_bucket()
        self.delete_role()
        self.delete_api()

    def retag(self, key: str, value: str, api: bool = True):
        """Sets a tag on all that carries tags."""
        self.tag_bucket(lambda tags: tags | {key: value})
        self.iam.tag_role(RoleName=self.role, Tags=[{"Key": key, "Value": value}])
        for arn in [self.arn, f"{self.arn}/stages/prod"][not api:]:
            self.api.tag_resource(resourceArn=arn, tags={key: value})


def without(key: str) -> Callable[[dict], dict]:
    return lambda tags: {name: value for name, value in tags.items() if name != key}


@dataclass
class Drift:
    """Something done by hand, the properties that tell it, and whether the URL fails until it is repaired."""

    by_hand: Callable[[Account], object]
    shows: set[str]
    breaks: bool = False
    inputs: dict = field(default_factory=lambda: BASE)


def both(*actions) -> Callable[[Account], None]:
    return lambda account: [action(account) for action in actions]


DRIFTS = {
    "stage": Drift(Account.delete_stage, {"stageArn"}, True),
    "policyedited": Drift(Account.edit_role_policy, {"operations"}),
    "policydeleted": Drift(Account.delete_role_policy, {"operations"}),
    "trust": Drift(Account.edit_trust, {"roleArn"}),
    "role": Drift(Account.delete_role, {"roleArn", "operations", "openApiDocument", "deploymentId"}),
    "methodremoved": Drift(Account.delete_method, {"openApiDocument"}),
    "methodremoveddeployed": Drift(both(Account.delete_method, Account.deploy), {"openApiDocument", "deploymentId"},
                                   True, UNTAGGED),
    "headremoved": Drift(lambda account: account.delete_method("HEAD"), {"openApiDocument"}),
    "methodadded": Drift(Account.add_method, {"openApiDocument"}),
    "answer": Drift(Account.edit_answer, {"openApiDocument"}),
    "uri": Drift(both(Account.edit_uri, Account.deploy), {"openApiDocument", "deploymentId"}, True, UNTAGGED),
    "binary": Drift(lambda account: account.patch_api("remove", "/binaryMediaTypes/*~1*"), {"openApiDocument"}),
    "description": Drift(lambda account: account.patch_api("replace", "/description", value="by hand"),
                         {"description"}),
    "nodescription": Drift(lambda account: account.patch_api("replace", "/description", value=""), {"description"}),
    "renamed": Drift(lambda account: account.patch_api("replace", "/name", value="by-hand"), {"name"}),
    "bucketpolicy": Drift(lambda account: account.s3.delete_bucket_policy(Bucket=account.bucket),
                          {"bucket.secureTransportOnly"}),
    "bucketpolicyedited": Drift(Account.edit_bucket_policy, {"bucket.secureTransportOnly"}),
    "buckettag": Drift(lambda account: account.tag_bucket(without("team")), {"tags.team"}),
    "buckettags": Drift(lambda account: account.s3.delete_bucket_tagging(Bucket=account.bucket),
                        {"tags.team", 'tags["s3dataproxy:owner"]'}),
    "unbound": Drift(lambda account: account.iam.delete_role_permissions_boundary(RoleName=account.role),
                     {"role.permissionsBoundaryArn"}, inputs=BASE | {"role": {"permissionsBoundaryArn": BOUNDARY}}),
    "bound": Drift(lambda account: account.iam.put_role_permissions_boundary(
        RoleName=account.role, PermissionsBoundary=BOUNDARY), {"role.permissionsBoundaryArn"}),
    "roletag": Drift(lambda account: account.iam.untag_role(RoleName=account.role, TagKeys=["team"]), {"tags.team"}),
    "owner": Drift(lambda account: account.tag_bucket(without("s3dataproxy:owner")), {'tags["s3dataproxy:owner"]'}),
    "tagvalue": Drift(lambda account: account.retag("team", "by hand"), {"tags.team"}),
    "redeployed": Drift(Account.deploy, {"deploymentId"}, inputs=UNTAGGED),
    "taggedredeployed": Drift(Account.deploy, {"deploymentId"}),
    "api": Drift(Account.delete_api, {"restApiId", "openApiDocument", "stageArn"}, True),
    "bucket": Drift(Account.delete_bucket, {"bucketName"}, True),
    "versioning": Drift(lambda account: account.s3.put_bucket_versioning(
        Bucket=account.bucket, VersioningConfiguration={"Status": "Suspended"}), {"bucket.versioning"}, inputs=SETTINGS),
    "encryption": Drift(lambda account: account.s3.delete_bucket_encryption(Bucket=account.bucket),
                        {"bucket.kmsKeyArn"}, inputs=SETTINGS),
    "anotherkey": Drift(lambda account: account.encrypt("aws:kms", f"{KEY}0"), {"bucket.kmsKeyArn"}, inputs=SETTINGS),
    "nobucketkey": Drift(lambda account: account.encrypt("aws:kms", KEY, False), {"bucket.kmsKeyArn"}, inputs=SETTINGS),
    "encrypted": Drift(lambda account: account.encrypt("aws:kms"), {"bucket.kmsKeyArn"}),
    "versioned": Drift(lambda account: account.s3.put_bucket_versioning(
        Bucket=account.bucket, VersioningConfiguration={"Status": "Enabled"}), {"bucket.versioning"}),
    "unblocked": Drift(lambda account: account.s3.delete_public_access_block(Bucket=account.bucket), {"bucketArn"}),
    "acls": Drift(Account.allow_acls, {"bucketArn"}),
    "corsheaders": Drift(lambda account: account.share(AllowedHeaders=["*"]), {"cors"}, inputs=SETTINGS),
    "shared": Drift(Account.share, {"cors"}),
    "policyadded": Drift(Account.add_role_policy, {"operations"}),
    "policyattached": Drift(Account.attach_role_policy, {"operations"}),
    "policyreplaced": Drift(both(Account.delete_role_policy, Account.add_role_policy), {"operations"}),
    "impatient": Drift(lambda account: account.patch_integration("/timeoutInMillis", "50"), {"openApiDocument"}),
    "validated": Drift(Account.validate, {"openApiDocument"}),
    "cors": Drift(lambda account: account.s3.delete_bucket_cors(Bucket=account.bucket), {"cors"}, inputs=SETTINGS),
    "ownanswer": Drift(lambda account: account.api.put_gateway_response(
        restApiId=account.id, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode="403"), {"openApiDocument"}),
    "ownansweradded": Drift(lambda account: account.api.put_gateway_response(
        restApiId=account.id, responseType="QUOTA_EXCEEDED", statusCode="400"), {"openApiDocument"}),
    "preflight": Drift(lambda account: account.delete_method("OPTIONS"), {"openApiDocument"}, inputs=SETTINGS),
    "opened": Drift(lambda account: account.patch_method("/authorizationType", "NONE"), {"openApiDocument"}, inputs=SIGNED),
    "closed": Drift(lambda account: account.patch_method("/authorizationType", "AWS_IAM"), {"openApiDocument"}),
    "authorizer": Drift(lambda account: account.edit_authorizer("/authorizerResultTtlInSeconds", "300"),
                        {"openApiDocument"}, inputs=ASKING),
    "tokens": Drift(lambda account: account.edit_authorizer("/identityValidationExpression", "^x$"),
                    {"openApiDocument"}, inputs=ASKING),
    "policy": Drift(lambda account: account.patch_api("replace", "/policy", value=POLICY), {"openApiDocument"}),
    "nopolicy": Drift(lambda account: account.patch_api("replace", "/policy", value=""), {"openApiDocument"},
                      inputs=BASE | {"allowedIpRanges": ["203.0.113.0/24"]}),
    "throttle": Drift(lambda account: account.set_stage("/*/*/throttling/rateLimit", "5000"), {"throttle.rateLimit"},
                      inputs=SET),
    "unthrottled": Drift(lambda account: account.set_stage(
        "/*/*/throttling/rateLimit", "-1", "/*/*/throttling/burstLimit", "-1"), {"throttle"}, inputs=SET),
    "throttled": Drift(lambda account: account.set_stage("/*/*/throttling/burstLimit", "1"), {"throttle"}),
    "metrics": Drift(lambda account: account.set_stage("/*/*/metrics/enabled", "false"), {"metricsEnabled"}, inputs=SET),
    "tracing": Drift(lambda account: account.set_stage("/tracingEnabled", "false"), {"tracingEnabled"}, inputs=SET),
    "notlogged": Drift(Account.log_nothing, {"accessLog"}, inputs=LOGGED),
    "line": Drift(lambda account: account.set_stage("/accessLogSettings/format", "$context.requestId"),
                  {"accessLog.format"}, inputs=LOGGED),
    "logged": Drift(lambda account: account.set_stage("/accessLogSettings/destinationArn", LOG_GROUP,
                                                      "/accessLogSettings/format", LINE), {"accessLog"}),
    "notnoted": Drift(lambda account: account.set_stage("/*/*/logging/loglevel", "OFF"), {"executionLog"}, inputs=LOGGED),
    "traced": Drift(lambda account: account.set_stage("/*/*/logging/dataTrace", "true"), {"executionLog.dataTrace"},
                    inputs=LOGGED),
    # The first setting of all methods brings the account's limits with it.
    "noted": Drift(lambda account: account.set_stage("/*/*/logging/loglevel", "INFO"), {"executionLog", "throttle"}),
    "uncached": Drift(lambda account: account.set_stage("/cacheClusterEnabled", "false"), {"cache"}, inputs=CACHED),
    "cached": Drift(lambda account: account.set_stage("/cacheClusterEnabled", "true", "/cacheClusterSize", "0.5"), {"cache"}),
    "shortcache": Drift(lambda account: account.set_stage("/*/*/caching/ttlInSeconds", "5"), {"cache.ttlSeconds"},
                        inputs=CACHED),
    "plaincache": Drift(lambda account: account.set_stage("/*/*/caching/dataEncrypted", "false"), {"cache.encrypted"},
                        inputs=CACHED),
    "opencache": Drift(lambda account: account.set_stage("/*/*/caching/requireAuthorizationForCacheControl", "false"),
                       {"cache"}, inputs=CACHED),
    "onemethod": Drift(Account.throttle_method, {"stageArn"}, inputs=SET),
    "tls": Drift(lambda account: account.patch_api("replace", "/securityPolicy", value=TLS13), {"endpoint.securityPolicy"}),
    "canary": Drift(lambda account: account.set_stage("/canarySettings/percentTraffic", "10"), {"stageArn"}),
    "canarydeployed": Drift(Account.deploy_canary, {"stageArn"}, inputs=UNTAGGED),
    "compressed": Drift(lambda account: account.patch_api("replace", "/minimumCompressionSize", value="0"), {"openApiDocument"}),
    "keysource": Drift(lambda account: account.patch_api("replace", "/apiKeySource", value="AUTHORIZER"), {"openApiDocument"}),
    "anothergroupkey": Drift(lambda account: account.logs.associate_kms_key(
        logGroupName=account.group, kmsKeyId=f"{KEY}0"), {"accessLog.kmsKeyArn"}, inputs=ENCRYPTED),
    "nogroupkey": Drift(lambda account: account.logs.disassociate_kms_key(logGroupName=account.group),
                        {"accessLog.kmsKeyArn"}, inputs=ENCRYPTED),
    "groupkey": Drift(lambda account: account.logs.associate_kms_key(logGroupName=account.group, kmsKeyId=KEY),
                      {"accessLog.kmsKeyArn"}, inputs=LOGGED),
    "nogroup": Drift(lambda account: account.logs.delete_log_group(logGroupName=account.group), {"logGroupArn"},
                     inputs=LOGGED),
    "sooner": Drift(lambda account: account.logs.put_retention_policy(logGroupName=account.group, retentionInDays=1),
                    {"accessLog.retentionInDays"}, inputs=LOGGED),
    "forever": Drift(lambda account: account.logs.delete_retention_policy(logGroupName=account.group),
                     {"accessLog.retentionInDays"}, inputs=LOGGED),
    "grouptag": Drift(lambda account: account.logs.untag_resource(resourceArn=account.group_arn, tagKeys=["team"]),
                      {"tags.team"}, inputs=LOGGED),
    "vpcendpoint": Drift(lambda account: account.patch_api("remove", "/endpointConfiguration/vpcEndpointIds", value="vpce-0b"),
                         {"endpoint.vpcEndpointIds"}, inputs=PRIVATE),
    "edge": Drift(lambda account: account.patch_api("replace", "/endpointConfiguration/types/0", value="EDGE"),
                  {"endpoint.type"}),
    "ipv6": Drift(lambda account: account.patch_api("replace", "/endpointConfiguration/ipAddressType", value="dualstack"),
                  {"endpoint.ipAddressType"}),
    "nourl": Drift(lambda account: account.patch_api("replace", "/disableExecuteApiEndpoint", value="true"),
                   {"openApiDocument"}),
    # What changes nothing of what the URL does, or is others' to add, is left to them.
    "stagewords": Drift(lambda account: account.set_stage("/description", "theirs", "/variables/theirs", "1"), set()),
    "rolewords": Drift(lambda account: account.iam.update_role(RoleName=account.role, Description="theirs"), set()),
    "foreigntag": Drift(lambda account: account.retag("theirs", "1", api=False), set()),
}


@dataclass
class Story:
    """All drifts, side by side in one stack: what each command said, and what AWS had before and after."""

    before: dict[str, dict]
    broken: dict[str, bool]
    refresh: Result
    up: Result
    after: dict[str, dict]
    outputs: dict[str, dict]
    deployments: dict[str, tuple[set, set]]
    refresh_again: Result
    up_again: Result


def url_works(outputs: dict) -> bool:
    response = requests.get(f"{outputs['invokeUrl']}/data", timeout=30)
    return (response.status_code, response.content) == (200, OBJECT)


@pytest.fixture(scope="module")
def story(aws, tmp_path_factory):
    with Fleet(aws.url, tmp_path_factory.mktemp("drift")) as fleet:
        fleet.write({name: drift.inputs for name, drift in DRIFTS.items()})
        fleet.stack.up()
        old = fleet.outputs()
        for each in old.values():
            Account(aws, each).put_object()
        before = {name: look(aws, each) for name, each in old.items()}
        ours = {name: deployments(aws, each) for name, each in old.items()}
        for name, drift in DRIFTS.items():
            drift.by_hand(Account(aws, old[name]))
        broken = {name: not url_works(each) for name, each in old.items()}
        refresh = fleet.stack.refresh("--diff", fails=None)
        up = fleet.stack.up("--continue-on-error", fails=None)
        new = fleet.outputs()
        Account(aws, new["bucket"]).put_object()
        after = {name: look(aws, each) for name, each in new.items()}
        there = {name: (ours[name], deployments(aws, each)) for name, each in new.items()}
        yield Story(before, broken, refresh, up, after, new, there,
                    fleet.stack.refresh(fails=None), fleet.stack.up(fails=None))


@pytest.mark.parametrize("name", DRIFTS)
def test_drift(aws, story, name):
    drift = DRIFTS[name]
    assert story.broken[name] == drift.breaks

    assert story.refresh.returncode == 0
    [found] = story.refresh.done(name)
    told = [words for words in story.refresh.messages("warning", name) if "has lost the tag" not in words]
    if drift.shows:
        assert found["op"] == "update"
        assert set(found["detailedDiff"]) == drift.shows
        [told] = told
        assert "outside of Pulumi" in told
        assert all(path in told for path in drift.shows)
    else:
        assert (found["op"], told) == ("same", [])

    assert story.up.messages("error", name) == []
    [repair] = story.up.done(name)
    assert repair["op"] == ("update" if drift.shows else "same")
    assert set(repair["detailedDiff"] or {}) == drift.shows

    expected = story.before[name]
    if name == "foreigntag":
        kinds = ["bucket tags", "role tags"]
        expected |= {kind: expected[kind] | {"theirs": "1"} for kind in kinds}
        expected |= {"stages": {"prod": expected["stages"]["prod"] | {"tags": {"team": "data", "theirs": "1"}}}}
    seen = {key: value for key, value in story.after[name].items() if key != "deployments"}
    assert seen == {key: value for key, value in expected.items() if key != "deployments"}
    assert url_works(story.outputs[name])

    [found] = story.refresh_again.done(name)
    assert (found["op"], story.refresh_again.messages("warning", name)) == ("same", [])
    assert [step["op"] for step in story.up_again.done(name)] == ["same"]


@pytest.mark.parametrize("name", DRIFTS)
def test_no_deployment_of_ours_is_left_behind(story, name):
    ours, there = story.deployments[name]
    current = story.outputs[name]["deploymentId"]
    assert current in there
    assert ours & there <= {current}


# All at once


def test_a_resource_that_is_gone_leaves_the_state_and_comes_back(aws, tmp_path):
    with Fleet(aws.url, tmp_path) as fleet:
        fleet.write({"gone": {}})
        fleet.stack.up()
        old = fleet.outputs()["gone"]
        Account(aws, old).delete_everything()
        refresh = fleet.stack.refresh()
        assert [step["op"] for step in refresh.done("gone")] == ["delete"]
        assert fleet.resources() == {}
        assert [step["op"] for step in fleet.stack.up().done("gone")] == ["create"]
        new = fleet.outputs()["gone"]
        assert new["bucketName"] != old["bucketName"]
        Account(aws, new).put_object()
        assert url_works(new)
        Account(aws, new).s3.delete_object(Bucket=new["bucketName"], Key="data")


def test_destroy_needs_no_refresh(aws, tmp_path):
    """Whatever is gone already is no error."""
    gone = {
        "nothing": lambda account: None, "all": Account.delete_everything, "stage": Account.delete_stage,
        "role": Account.delete_role, "policy": Account.delete_role_policy, "api": Account.delete_api,
        "bucket": Account.delete_bucket,
    }
    with Fleet(aws.url, tmp_path) as fleet:
        fleet.write({f"destroyed-{name}": {} for name in gone})
        fleet.stack.up()
        for name, outputs in fleet.outputs().items():
            gone[name.partition("-")[2]](Account(aws, outputs))
        fleet.stack.destroy()
        assert fleet.stack.resources() == []
        assert left(aws, "destroyed") == {}


def test_up_with_refresh_repairs_at_once(aws, tmp_path):
    with Fleet(aws.url, tmp_path) as fleet:
        fleet.write({"once": UNTAGGED})
        fleet.stack.up()
        account = Account(aws, fleet.outputs()["once"])
        account.put_object()
        account.delete_stage()
        preview = fleet.stack.preview("--refresh", "--expect-no-changes", fails=True)
        assert "stageArn" in preview.stdout + str(preview.done("once")[-1]["detailedDiff"])
        fleet.stack.up("--refresh")
        assert url_works(fleet.outputs()["once"])
        assert fleet.stack.up("--refresh", "--expect-no-changes").changes.keys() == {"same"}


def test_tags_of_others_survive_a_change_of_tags(aws, tmp_path):
    with Fleet(aws.url, tmp_path) as fleet:
        fleet.write({"shared": {"tags": {"team": "a", "old": "1"}}})
        fleet.stack.up()
        outputs = fleet.outputs()["shared"]
        Account(aws, outputs).retag("theirs", "1")
        assert fleet.stack.refresh("--expect-no-changes").messages("warning", "shared") == []
        fleet.write({"shared": {"tags": {"team": "b", "new": "1"}}})
        fleet.stack.up()
        seen = look(aws, outputs)
        tags = [seen[kind] for kind in ("bucket tags", "role tags", "api tags")] + [seen["stages"]["prod"]["tags"]]
        ours = {"team": "b", "new": "1", "theirs": "1"}
        assert [{key: value for key, value in each.items() if ":" not in key} for each in tags] == [ours] * 4


def test_ignored_drift_is_left_alone(aws, tmp_path):
    with Fleet(aws.url, tmp_path) as fleet:
        program = {"type": PROXY, "properties": BASE, "options": {"ignoreChanges": ["description", "tags"]}}
        fleet.stack.write(f"resources: {json.dumps({'ignored': program})}\n")
        fleet.stack.up()
        account = Account(aws, fleet.outputs()["ignored"])
        account.patch_api("replace", "/description", value="by hand")
        account.iam.untag_role(RoleName=account.role, TagKeys=["team"])
        fleet.stack.refresh()
        assert fleet.stack.up().done("ignored")[-1]["op"] == "same"
        assert account.api.get_rest_api(restApiId=account.id)["description"] == "by hand"


# Failures to look

READS = ["GetBucketTagging", "GetBucketPolicy", "GetRole", "GetRolePolicy", "GetRestApi", "GetResources", "GetStage"]
DENIED = Error("AccessDenied", 403), "AccessDenied"
# Something on the way that answers in place of AWS.
STRANGER = Answer(404, b"<html>no such host</html>", {"Content-Type": "text/html"}), "404"
FAILURES = {
    **{f"denied-{read.lower()}": (read, *DENIED) for read in READS},
    **{f"stranger-{read.lower()}": (read, *STRANGER) for read in READS},
    "broken": ("GetRestApi", Error("InternalError", 500), "InternalError"),
    "slow": ("GetBucketTagging", Throttled(), "SlowDown"),
    "refused": ("GetRole", Refused(), "no answer from http://127.0.0.1:"),
}


@pytest.fixture(scope="module")
def looked_at(aws, tmp_path_factory):
    """Each failure at a resource of its own, in one stack: the refresh, and the state before and after."""
    with Fleet(aws.url, tmp_path_factory.mktemp("failures"), FAILURES) as fleet:
        fleet.write({name: {"waitForReady": False} for name in FAILURES}, maxAttempts=1)
        fleet.stack.up()
        before = fleet.resources()
        fleet.reset()
        for name, (read, fault, _) in FAILURES.items():
            fleet.taps[name].inject(fault, operation=read, times=math.inf)
        # All at once, because the engine starts nothing more after an error.
        refresh = fleet.stack.refresh("--parallel", str(2 * len(FAILURES)), fails=True)
        yield refresh, before, fleet.resources()


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_to_look_is_an_error_and_changes_nothing(looked_at, name):
    read, _, words = FAILURES[name]
    refresh, before, after = looked_at
    [error] = refresh.messages("error", name)
    assert read in error
    assert words in error
    assert after[name] == before[name]


WHOLE = {
    "waitForReady": False, "accessLog": {"retentionInDays": 7}, "apiKeys": ["ann"],
    "domain": {"name": "NAME.example.com", "certificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/a"},
}
NOWHERE = "http://nowhere.invalid:1"


@pytest.fixture
def whole(provider, resource, tap):
    """A resource with every piece, whose provider tries each call once; and the calls of a refresh."""
    provider.configure(maxAttempts=1)
    resource.create(json.loads(json.dumps(WHOLE).replace("NAME", resource.urn.rpartition(":")[2])))
    tap.reset()
    assert plain(resource.read().properties) == resource.outputs
    return resource, sorted(set(tap.operations()))


@pytest.mark.parametrize("fault", [DENIED[0], Error("InternalError", 500), Error("ServiceUnavailable", 503), STRANGER[0]],
                         ids=["denied", "500", "503", "stranger"])
def test_no_call_of_a_refresh_that_fails_is_taken_for_an_absence(whole, tap, fault):
    resource, reads = whole
    pieces = {"GetBucketTagging", "GetRole", "GetRolePolicy", "GetRestApi", "GetResources", "DescribeLogGroups", "GetStage",
              "GetUsagePlan", "GetApiKeys", "GetDomainName", "GetBasePathMappings"}
    assert pieces <= set(reads)
    for read in reads:
        tap.reset()
        # Each is a command of its own.
        resource.plugin.configure(maxAttempts=1)
        tap.inject(fault, operation=read, times=math.inf)
        if fault is DENIED[0] and read in TOLERATED:
            assert plain(resource.read().properties) == resource.outputs
        else:
            with pytest.raises(grpc.RpcError) as error:
                resource.read()
            assert read in error.value.details()
    tap.reset()
    assert plain(resource.read().properties) == resource.outputs


@pytest.mark.parametrize("service", ["s3", "iam", "apigateway", "logs"])
def test_a_name_that_does_not_resolve_is_no_absence(whole, provider, service):
    resource, _ = whole
    provider.configure(maxAttempts=1, endpoints={service: NOWHERE})
    with pytest.raises(grpc.RpcError) as error:
        resource.read()
    assert f"no connection to {NOWHERE}" in error.value.details()
    provider.configure()
    assert plain(resource.read().properties) == resource.outputs


def test_a_name_that_does_not_resolve_loses_nothing_of_a_stack(aws, stack):
    made = stack(one("elsewhere", {"waitForReady": False}))
    made.up()

    def known() -> list[dict]:
        # The engine drops them in every refresh, whatever came of it.
        return [{key: value for key, value in each.items() if key != "propertyDependencies"} for each in made.resources()]

    before = known()
    made.env["AWS_ENDPOINT_URL"] = NOWHERE
    [error] = made.refresh(fails=True).messages("error", "elsewhere")
    assert f"no connection to {NOWHERE}" in error
    assert known() == before
    made.env["AWS_ENDPOINT_URL"] = aws.url
    made.refresh("--expect-no-changes")
