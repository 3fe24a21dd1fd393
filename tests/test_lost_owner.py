"""What has lost the owner tag, or has another one, may be somebody else's by now: it is neither deleted nor changed, and
the user is told."""

import json

import grpc
import pytest
from pulumi.runtime.proto import engine_pb2

from harness.account import Object, recorded, there
from harness.aws import ACCOUNT, REGION
from harness.lookalikes import owners
from harness.rpc import bare, init_failed, plain
from test_domain import CERTIFICATE
from test_web_acl import make_web_acl

OWNER = "s3dataproxy:owner"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
PLAIN = {"bucket": {"forceDestroy": True}, "waitForReady": False}
NAMED = PLAIN | {"accessLog": {}, "domain": {"name": "NAME.example.com", "certificateArn": CERTIFICATE}}


def strip(aws, name: str) -> dict[str, str]:
    """Takes the owner tag away from role, log group and domain name, as if somebody had made them again."""
    domain, group = f"{name}.example.com", f"/aws/apigateway/{name}"
    aws.client("iam").untag_role(RoleName=name, TagKeys=[OWNER])
    aws.client("logs").untag_resource(
        resourceArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}", tagKeys=[OWNER])
    aws.client("apigateway").untag_resource(
        resourceArn=f"arn:aws:apigateway:{REGION}::/domainnames/{domain}", tagKeys=[OWNER])
    return {"role": name, "log group": group, "domain name": domain}


def remove(aws, name: str) -> None:
    """What a test has left on purpose."""
    api, iam, logs = (aws.client(service) for service in ("apigateway", "iam", "logs"))
    for kind, each in there(aws, name):
        match kind:
            case "domain name":
                api.delete_domain_name(domainName=each)
            case "role policy":
                iam.delete_role_policy(RoleName=name, PolicyName=each)
            case "log group":
                logs.delete_log_group(logGroupName=each)
    for role in (name, f"{name}-given"):
        try:
            iam.delete_role(RoleName=role)
        except iam.exceptions.NoSuchEntityException:
            pass


def unmap_and_delete(aws, resource, domain: str) -> None:
    """Where the name is not ours, its mapping is not either, and a REST API with a mapping cannot go."""
    with pytest.raises(grpc.RpcError, match="somebody has mapped a domain name of their own"):
        resource.delete()
    aws.client("apigateway").delete_base_path_mapping(domainName=domain, basePath="(none)")
    resource.delete()


def warnings(engine) -> list[str]:
    return [log.message for log in engine.logs if log.severity == engine_pb2.WARNING]


@pytest.mark.parametrize("refreshed", [False, True], ids=["at once", "refreshed"])
@pytest.mark.parametrize("how", ["delete", "update"])
def test_by_its_name_alone_nothing_is_ours(resource, aws, engine, how, refreshed):
    resource.plugin.handshake(engine.address)
    name = resource.urn.rpartition(":")[2]
    inputs = json.loads(json.dumps(NAMED | {"name": name}).replace("NAME", name))
    resource.create(inputs)
    stripped = strip(aws, name)
    if refreshed:
        resource.outputs = plain(resource.read().properties)
    engine.logs.clear()
    if how == "delete":
        unmap_and_delete(aws, resource, stripped["domain name"])
    else:
        given = aws.client("iam").create_role(RoleName=f"{name}-given", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        resource.update(PLAIN | {"name": name, "role": {"arn": given}})
        assert not resource.diff(resource.inputs).detailedDiff
    words = warnings(engine)
    for kind, each in stripped.items():
        assert any(f"the {kind} `{each}` stays: it has lost the tag `{OWNER}`" in word for word in words), words
    left = {kind for kind, _ in there(aws, name)}
    assert left >= {"role", "role policy", "log group", "domain name"}
    if how == "update":
        unmap_and_delete(aws, resource, stripped["domain name"])
    remove(aws, name)
    assert not there(aws, name)


def test_a_domain_name_that_has_lost_its_tag_goes_after_an_update(resource, aws):
    """As the error of a delete says."""
    inputs = PLAIN | {"name": (name := resource.urn.rpartition(":")[2]),
                      "domain": {"name": f"{name}.example.com", "certificateArn": CERTIFICATE}}
    resource.create(inputs)
    aws.client("apigateway").untag_resource(
        resourceArn=f"arn:aws:apigateway:{REGION}::/domainnames/{name}.example.com", tagKeys=[OWNER])
    with pytest.raises(grpc.RpcError, match="`pulumi refresh` and `pulumi up` put the tag back"):
        resource.delete()
    resource.outputs = plain(resource.read().properties)
    resource.update(inputs)
    resource.delete()
    assert not there(aws, name)


def test_the_web_acl_of_somebody_is_not_taken_away(resource, aws):
    ours, theirs = (make_web_acl(aws, f"{resource.urn.rpartition(':')[2]}-{whose}")["ARN"] for whose in ("ours", "theirs"))
    made = resource.create(PLAIN | {"webAclArn": ours})
    aws.client("wafv2").associate_web_acl(WebACLArn=theirs, ResourceArn=made["stageArn"])
    resource.update(PLAIN)
    stage = aws.client("apigateway").get_stage(restApiId=made["restApiId"], stageName="prod")
    assert stage["webAclArn"] == theirs
    resource.delete()


def test_a_bucket_is_not_emptied(resource, aws, tap):
    """Somebody may have deleted ours and made another one of its name."""
    inputs = {"bucket": {"forceDestroy": True}, "waitForReady": False}
    made = resource.create(inputs)
    s3, bucket = aws.client("s3"), made["bucketName"]
    s3.put_object(Bucket=bucket, Key="precious", Body=b"x")
    s3.delete_bucket_tagging(Bucket=bucket)
    tap.reset()
    with pytest.raises(grpc.RpcError, match="has lost the tag `s3dataproxy:owner`"):
        resource.delete()
    assert not [name for name in tap.operations() if name.startswith(("Delete", "Put", "Update"))]
    # If it is the user's, it goes after an update.
    resource.outputs = plain(resource.read().properties)
    resource.update(inputs)
    resource.delete()
    assert bucket not in aws.inventory()["buckets"]


# Made again by somebody, and then an update without a refresh

TAGS = {"tags": {"team": "b"}}
#: What changes each of them.
CHANGES = [
    ("bucket", TAGS), ("bucket", {"bucket": {"forceDestroy": True, "versioning": True}}),
    ("role", TAGS), ("role", {"operations": ["GET", "LIST"]}),
    ("log group", TAGS), ("log group", {"accessLog": {"retentionInDays": 30}}),
    ("domain name", TAGS), ("domain name", {"domain": NAMED["domain"] | {"basePath": "v2"}}),
]
PIECES = {"bucket": "bucket", "role": "role", "log group": "logGroup", "domain name": "domain"}


def called(kind: str, name: str) -> str:
    return {"log group": f"/aws/apigateway/{name}", "domain name": f"{name}.example.com"}.get(kind, name)


def delete_by_hand(aws, kind: str, name: str) -> None:
    match kind:
        case "bucket":
            aws.client("s3").delete_bucket(Bucket=name)
        case "role":
            iam = aws.client("iam")
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                iam.delete_role_policy(RoleName=name, PolicyName=policy)
            iam.delete_role(RoleName=name)
        case "log group":
            logs, group = aws.client("logs"), called(kind, name)
            # The local AWS gives the tags of a log group that is gone to the next one of its name.
            arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"
            logs.untag_resource(resourceArn=arn, tagKeys=list(logs.list_tags_for_resource(resourceArn=arn)["tags"]))
            logs.delete_log_group(logGroupName=group)
        case "domain name":
            aws.client("apigateway").delete_domain_name(domainName=called(kind, name))


def make_again(aws, kind: str, name: str, tags: dict[str, str]) -> None:
    """As somebody who deletes ours and makes another one of its name."""
    delete_by_hand(aws, kind, name)
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    match kind:
        case "bucket":
            aws.client("s3").create_bucket(Bucket=name)
            if tags:
                aws.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs})
        case "role":
            iam = aws.client("iam")
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=pairs)
            policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
            iam.put_role_policy(RoleName=name, PolicyName="theirs", PolicyDocument=json.dumps(policy))
        case "log group":
            aws.client("logs").create_log_group(logGroupName=called(kind, name), tags=tags)
        case "domain name":
            aws.client("apigateway").create_domain_name(
                domainName=called(kind, name), regionalCertificateArn=CERTIFICATE, tags=tags,
                endpointConfiguration={"types": ["REGIONAL"]})


def of(account: dict[Object, dict], kind: str) -> dict[Object, dict]:
    """What the account has of this kind, with what belongs to it."""
    kinds = {kind, {"role": "role policy", "domain name": "mapping"}.get(kind)}
    return {each: says for each, says in account.items() if each[0] in kinds}


class Command:
    """What the next command hears, and does."""

    def __init__(self, resource, engine, tap):
        engine.logs.clear()
        tap.reset()
        resource.plugin.handshake(engine.address)
        resource.plugin.configure(maxAttempts=2)
        self.resource, self.engine, self.tap = resource, engine, tap

    def refresh(self) -> list[str]:
        seen = self.resource.read()
        self.resource.inputs, self.resource.outputs = plain(seen.inputs), plain(seen.properties)
        return warnings(self.engine)

    def refused(self, inputs: dict) -> str:
        """The words of an update that fails."""
        known = self.resource.inputs
        with pytest.raises(grpc.RpcError) as caught:
            self.resource.update(inputs)
        self.resource.inputs = known
        detail = init_failed(caught.value)
        if detail:
            self.resource.outputs = plain(detail.properties)
        return "\n".join(detail.reasons) if detail else caught.value.details()


def refused(command: Command, aws, kind: str, news: dict, why: str) -> dict[Object, dict]:
    """Has an update refused, which changes nothing; gives the account as it was and is."""
    before = there(aws, news["name"])
    assert f"cannot change the {kind} `{called(kind, news['name'])}`: {why}" in command.refused(news)
    assert not command.tap.writes() and there(aws, news["name"]) == before
    return before


@pytest.fixture
def made(resource, aws):
    """A function that makes the resource, and by hand another of a kind in place of its own; it gives the inputs of an
    update that changes that."""
    name = resource.urn.rpartition(":")[2]

    def make(kind: str, change: dict, tags: dict[str, str]) -> dict:
        def given(inputs):
            return json.loads(json.dumps(inputs).replace("NAME", name))
        old = NAMED | {"name": name, "path": "data", "tags": {"team": "a"}}
        resource.create(given(old))
        make_again(aws, kind, name, tags)
        return given(old | change)

    return make


@pytest.mark.parametrize("kind, change", CHANGES, ids=lambda each: each if isinstance(each, str) else "-".join(each))
def test_an_update_changes_nothing_of_another_resource(resource, aws, tap, engine, made, kind, change):
    news = made(kind, change, owners("")["another's"])
    name = news["name"]
    before = refused(Command(resource, engine, tap), aws, kind, news, "it carries the owner tag of another resource")
    # A refresh takes it for gone, and the next update does not take it over.
    command = Command(resource, engine, tap)
    command.refresh()
    state = bare(resource.outputs)["__state"]
    assert not state.get(PIECES[kind], {}).get("name")
    words = Command(resource, engine, tap).refused(news)
    assert f"a {kind} of this name is there already" in words
    assert of(there(aws, name), kind) == of(before, kind)
    delete_by_hand(aws, kind, name)
    Command(resource, engine, tap)
    resource.delete()
    assert not there(aws, name)


@pytest.mark.parametrize("kind, change", CHANGES, ids=lambda each: each if isinstance(each, str) else "-".join(each))
def test_an_update_changes_nothing_without_its_tag_before_a_refresh(resource, aws, tap, engine, made, kind, change):
    news = made(kind, change, {})
    name = news["name"]
    before = refused(Command(resource, engine, tap), aws, kind, news, f"it has lost the tag `{OWNER}`")
    told = Command(resource, engine, tap).refresh()
    warning = f"the {kind} `{called(kind, name)}` has lost the tag `{OWNER}`: "
    assert [words for words in told if words.startswith(warning)], told
    assert there(aws, name) == before
    # The user has been told: now it is ours.
    Command(resource, engine, tap)
    resource.update(news)
    account = there(aws, name)
    assert account[kind, called(kind, name)]["tags"][OWNER] == bare(resource.outputs)["__state"]["owner"]
    assert recorded(bare(resource.outputs)["__state"]) == set(account)
    assert not Command(resource, engine, tap).refresh()
    Command(resource, engine, tap)
    resource.delete()
    assert not there(aws, name)
