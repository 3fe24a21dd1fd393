"""Logs: the account's role is looked at first and never changed, and no log group is lost or taken from somebody."""

import json
import math
import uuid

import boto3
import grpc
import pytest

from harness.aws import ACCOUNT, REGION
from harness.engine import PROXY
from harness.faults import Error, Lost
from harness.rpc import Plugin, Resource, init_failed, plain
from test_lifecycle import left, one

DENIED = Error("AccessDeniedException", 400)
LOGGED = {"accessLog": {"retentionInDays": 7}, "waitForReady": False}
# Keys that the local AWS takes for an account of this number, where nobody has set anything up.
OTHER_ACCOUNT = "111122223333"
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


def group(aws, name: str) -> dict | None:
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/apigateway/{name}")["logGroups"]
    return groups[0] if groups else None


def stage(aws, outputs: dict) -> dict:
    return aws.client("apigateway").get_stage(restApiId=outputs["restApiId"], stageName="prod")


# The account


@pytest.fixture
def bare_account(plugin, aws, tap):
    """A resource in an account without a role for CloudWatch Logs; and a client maker for that account."""
    def there(service: str):
        return boto3.session.Session().client(service, REGION, endpoint_url=aws.url, aws_access_key_id=OTHER_ACCOUNT,
                                              aws_secret_access_key="test")

    with Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure(accessKey=OTHER_ACCOUNT, secretKey="test")
        resource = Resource(provider, f"rpc-{uuid.uuid4().hex[:8]}")
        yield resource, there
        if resource.outputs:
            resource.delete()
        assert there("logs").describe_log_groups()["logGroups"] == []
        assert there("apigateway").get_rest_apis()["items"] == []


@pytest.mark.parametrize("inputs", [{"accessLog": {}}, {"executionLog": {}}], ids=lambda inputs: next(iter(inputs)))
def test_an_account_without_a_role_is_told_before_anything_is_made(bare_account, tap, inputs):
    resource, there = bare_account
    with pytest.raises(grpc.RpcError) as failed:
        resource.create(inputs | {"waitForReady": False})
    words = failed.value.details()
    assert init_failed(failed.value) is None and tap.operations() == ["GetAccount"]
    for part in ("switch on logs", "has none", "AmazonAPIGatewayPushToCloudWatchLogs", "update-account", f"`{REGION}`",
                 "leave `accessLog` and `executionLog` out"):
        assert part in words
    assert "cloudwatchRoleArn" not in there("apigateway").get_account()


def test_a_resource_that_is_there_stays_as_it_is(bare_account, tap):
    resource, _ = bare_account
    resource.create({"waitForReady": False})
    before = resource.outputs
    tap.reset()
    resource.fail_half_way(lambda: resource.update({"accessLog": {}, "path": "v2", "waitForReady": False}))
    assert tap.operations() == ["GetAccount"]
    assert resource.outputs["__state"] == before["__state"]
    # It shows as something to do until the user changes the program, or the administrator the account.
    assert resource.diff(resource.checked({"accessLog": {}, "path": "v2", "waitForReady": False})).detailedDiff
    resource.update({"waitForReady": False})
    assert resource.outputs == before


def test_a_role_that_cannot_be_used_is_told(bare_account):
    resource, there = bare_account
    iam, api = there("iam"), there("apigateway")

    def refused() -> str:
        with pytest.raises(grpc.RpcError) as failed:
            resource.create({"executionLog": {}, "waitForReady": False})
        assert init_failed(failed.value) is None
        return failed.value.details()

    api.update_account(patchOperations=[
        {"op": "replace", "path": "/cloudwatchRoleArn", "value": f"arn:aws:iam::{OTHER_ACCOUNT}:role/path/logs"}])
    assert "`arn:aws:iam::111122223333:role/path/logs`, is not there any more" in refused()
    trust = json.dumps(TRUST).replace("apigateway", "ec2")
    iam.create_role(RoleName="logs", Path="/path/", AssumeRolePolicyDocument=trust)
    try:
        assert "does not let `apigateway.amazonaws.com` assume it" in refused()
        iam.update_assume_role_policy(RoleName="logs", PolicyDocument=json.dumps(TRUST))
        resource.create({"executionLog": {}, "waitForReady": False})
        resource.delete()
        resource.outputs = None
    finally:
        iam.delete_role(RoleName="logs")
        api.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}])


def test_a_role_that_only_others_may_see_is_trusted(resource, tap):
    tap.inject(Error("AccessDenied", 403), operation="GetRole")
    resource.create({"executionLog": {}, "waitForReady": False})
    resource.delete()


def test_a_stream_needs_no_role(bare_account, tap):
    resource, _ = bare_account
    stream = f"arn:aws:firehose:{REGION}:{OTHER_ACCOUNT}:deliverystream/amazon-apigateway-requests"
    made = resource.create({"accessLog": {"destinationArn": stream}, "waitForReady": False})
    assert "GetAccount" not in tap.operations()
    assert "logGroupArn" not in made
    resource.delete()
    resource.outputs = None


# The log group


def test_a_life_with_it(resource, aws, tap):
    name = resource.checked(LOGGED)["name"]
    made = resource.create(LOGGED)
    assert made["logGroupArn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/apigateway/{name}"
    assert group(aws, name)["retentionInDays"] == 7
    assert stage(aws, made)["accessLogSettings"]["destinationArn"] == made["logGroupArn"]
    assert plain(resource.read().properties) == made
    # The stage is told before the group goes.
    tap.reset()
    resource.update({"waitForReady": False})
    assert tap.operations() == ["DescribeLogGroups", "ListTagsForResource", "UpdateStage", "DeleteLogGroup"]
    assert "logGroupArn" not in resource.outputs and group(aws, name) is None
    # It goes last, or API Gateway would make it anew for what it still has to write.
    resource.update(LOGGED)
    tap.reset()
    resource.delete()
    assert tap.operations()[-1] == "DeleteLogGroup"
    assert left(aws, name) == {}


def test_what_is_under_way_is_waited_for(resource, tap):
    tap.inject(Error("OperationAbortedException", 400, "A conflicting operation is currently in progress"),
               operation="PutRetentionPolicy")
    resource.create(LOGGED)
    assert tap.operations().count("PutRetentionPolicy") == 2


def test_one_without_an_answer_goes_where_the_user_drops_it(resource, aws, tap):
    resource.create({"waitForReady": False})
    name = resource.inputs["name"]
    tap.inject(Lost(), operation="CreateLogGroup", times=math.inf)
    resource.fail_half_way(lambda: resource.update(LOGGED))
    assert group(aws, name) is not None
    tap.reset()
    resource.update({"waitForReady": False})
    assert group(aws, name) is None
    resource.delete()
    assert left(aws, name) == {}


@pytest.mark.parametrize("operation", ["CreateLogGroup", "PutRetentionPolicy", "UpdateStage"])
@pytest.mark.parametrize("fault", [DENIED, Lost()], ids=["denied", "lost"])
def test_what_fails_while_it_is_made_is_finished_by_the_next_update(resource, aws, tap, operation, fault):
    name = resource.checked(LOGGED)["name"]
    if isinstance(fault, Lost):
        tap.inject(fault, operation=operation)
        resource.create(LOGGED)
    else:
        tap.inject(fault, operation=operation, times=math.inf)
        detail = resource.fail_half_way(resource.start_create(LOGGED))
        assert any(operation in reason and "made up by the tap" in reason for reason in detail.reasons)
        assert ("logGroup" in resource.outputs["__state"]) == (group(aws, name) is not None)
        tap.reset()
        resource.update(LOGGED)
    assert group(aws, name)["retentionInDays"] == 7
    assert stage(aws, resource.outputs)["accessLogSettings"]["destinationArn"] == resource.outputs["logGroupArn"]
    assert not resource.diff(resource.checked(LOGGED)).detailedDiff
    resource.delete()
    assert left(aws, name) == {}


def test_one_without_an_answer_at_any_try_is_found_again(resource, aws, tap):
    name = resource.checked(LOGGED)["name"]
    # AWS has the group after the first try, and tells so at the second.
    tap.inject(Lost(), operation="CreateLogGroup", times=math.inf)
    resource.fail_half_way(resource.start_create(LOGGED))
    assert group(aws, name) is not None
    tap.reset()
    resource.delete()
    assert left(aws, name) == {}


@pytest.mark.parametrize("fault", [DENIED, Lost()], ids=["denied", "lost"])
def test_a_delete_that_fails_is_finished_by_the_next(resource, aws, tap, fault):
    resource.create(LOGGED)
    name = resource.inputs["name"]
    tap.inject(fault, operation="DeleteLogGroup", times=math.inf if fault is DENIED else 1)
    if fault is DENIED:
        with pytest.raises(grpc.RpcError, match="DeleteLogGroup"):
            resource.delete()
        tap.reset()
    resource.delete()
    assert left(aws, name) == {}


def test_somebody_elses_is_not_taken(resource, aws, tap):
    name = resource.checked(LOGGED)["name"]
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=f"/aws/apigateway/{name}")
    detail = resource.fail_half_way(resource.start_create(LOGGED))
    [reason] = detail.reasons
    assert "a log group of this name is there already" in reason
    assert "delete it if nobody needs it, or name it in `accessLog.destinationArn`" in reason
    resource.delete()
    assert group(aws, name) is not None
    logs.delete_log_group(logGroupName=f"/aws/apigateway/{name}")


def test_one_that_somebody_took_over_stays(resource, aws):
    made = resource.create(LOGGED)
    name = resource.inputs["name"]
    logs = aws.client("logs")
    logs.tag_resource(resourceArn=made["logGroupArn"], tags={"s3dataproxy:owner": "another"})
    resource.delete()
    assert group(aws, name) is not None
    logs.delete_log_group(logGroupName=f"/aws/apigateway/{name}")


def test_one_with_a_key(resource, aws):
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    resource.create({"accessLog": {"kmsKeyArn": key}, "waitForReady": False})
    assert group(aws, resource.inputs["name"])["kmsKeyId"] == key
    assert plain(resource.read().properties) == resource.outputs


@pytest.mark.parametrize("there, operation", [(True, "AssociateKmsKey"), (False, "DisassociateKmsKey")])
def test_another_key_for_one_that_is_there(resource, aws, tap, there, operation):
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    with_key, without = {"accessLog": {"kmsKeyArn": key}, "waitForReady": False}, {"accessLog": {}, "waitForReady": False}
    resource.create(without if there else with_key)
    tap.reset()
    resource.update(with_key if there else without)
    # Whose it is by now is looked at first.
    assert tap.operations() == ["DescribeLogGroups", "ListTagsForResource", operation]
    assert group(aws, resource.inputs["name"]).get("kmsKeyId") == (key if there else None)
    assert plain(resource.read().properties) == resource.outputs


# API Gateway's own notes


def execution_logs(aws) -> list[str]:
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix="API-Gateway-Execution-Logs_")["logGroups"]
    return [group["logGroupName"] for group in groups]


@pytest.mark.parametrize("fault", [None, DENIED, Lost()], ids=["", "denied", "lost"])
def test_what_api_gateway_made_for_its_notes_goes_with_the_resource(resource, aws, tap, fault):
    made = resource.create({"executionLog": {}, "waitForReady": False})
    resource.update({"stageName": "v2", "executionLog": {}, "waitForReady": False})
    resource.update({"stageName": "v2", "waitForReady": False})
    names = [f"API-Gateway-Execution-Logs_{made['restApiId']}/{stage}" for stage in ("prod", "v2")]
    # It makes them with the first request; one of them it never made.
    aws.client("logs").create_log_group(logGroupName=names[1])
    if fault:
        tap.inject(fault, operation="DeleteLogGroup", times=math.inf)
        with pytest.raises(grpc.RpcError, match="DeleteLogGroup"):
            resource.delete()
        tap.reset()
    resource.delete()
    assert execution_logs(aws) == [] and left(aws, resource.inputs["name"]) == {}


# Through the engine


def test_the_log_that_a_killed_update_began_is_known(resource, tap):
    """API Gateway makes it, and it goes with the resource only if that knows of it."""
    made = resource.create({"waitForReady": False})
    old, inputs = dict(resource.outputs), dict(resource.inputs)
    logs = [f"API-Gateway-Execution-Logs_{made['restApiId']}/prod"]
    again = resource.update({"waitForReady": False, "executionLog": {}})
    assert again["__state"]["executionLogs"] == logs
    # The state is the one from before; what the update did is there.
    resource.outputs, resource.inputs = old, inputs
    assert plain(resource.read().properties)["__state"]["executionLogs"] == logs
    tap.reset()
    assert resource.update({"waitForReady": False, "executionLog": {}})["__state"]["executionLogs"] == logs
    resource.delete()


@pytest.mark.parametrize("stage", ["prod", "v2"])
def test_the_log_that_a_killed_update_began_goes_with_the_resource(resource, aws, stage):
    """Also where nothing has looked since, and of a stage that nobody has heard of."""
    made = resource.create({"waitForReady": False})
    old, inputs = dict(resource.outputs), dict(resource.inputs)
    resource.update({"waitForReady": False, "executionLog": {}, "stageName": stage})
    resource.outputs, resource.inputs = old, inputs
    logs = [f"API-Gateway-Execution-Logs_{made['restApiId']}/{name}" for name in (stage, "theirs")]
    for name in logs:
        aws.client("logs").create_log_group(logGroupName=name)
    resource.delete()
    assert execution_logs(aws) == logs[1:]
    aws.client("logs").delete_log_group(logGroupName=logs[1])


def test_outputs_stay_while_logs_come_and_go(aws, stack):
    made = stack(one("data", {"name": "logged"}) + "outputs:\n  url: ${data.invokeUrl}\n")
    made.up()
    before = made.outputs()
    for inputs in ({"accessLog": {}}, {"accessLog": {"format": "$context.requestId"}, "executionLog": {"level": "INFO"}}, {}):
        made.write(one("data", {"name": "logged", **inputs}) + "outputs:\n  url: ${data.invokeUrl}\n")
        result = made.up()
        assert result.messages("error", "data") == []
        assert made.outputs() == before
        assert set(made.up("--expect-no-changes").changes) == {"same"}
    [resource] = [resource for resource in made.resources() if resource["type"] == PROXY]
    assert "logGroupArn" not in resource["outputs"]
