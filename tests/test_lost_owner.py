"""What has lost the owner tag may be somebody else's by now: it is not deleted, and the user is told."""

import json

import grpc
import pytest
from pulumi.runtime.proto import engine_pb2

from harness.account import there
from harness.aws import ACCOUNT, REGION
from harness.rpc import plain
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
