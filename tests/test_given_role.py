"""A role that was made elsewhere (`role.arn`): used, and never changed or deleted; and the way to it and back."""

import json
import math
import uuid
from urllib.parse import parse_qs

import grpc
import pytest
import requests

from harness.aws import ACCOUNT
from harness.faults import Error
from harness.rpc import init_failed, plain
from test_lifecycle import left

DENIED = Error("AccessDenied", 403)
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


@pytest.fixture
def role(aws):
    """A function that makes a role elsewhere and gives its ARN. Nobody deletes it."""
    iam, made = aws.client("iam"), []

    def make(trust: dict = TRUST, path: str = "/") -> str:
        made.append(f"there-{uuid.uuid4().hex[:8]}")
        answer = iam.create_role(RoleName=made[-1], Path=path, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=made[-1], PolicyName="theirs", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))
        return answer["Role"]["Arn"]

    yield make
    for name in made:
        assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["theirs"]
        assert iam.list_role_tags(RoleName=name)["Tags"] == []
        iam.delete_role_policy(RoleName=name, PolicyName="theirs")
        iam.delete_role(RoleName=name)


def using(arn: str, **more) -> dict:
    return {"role": {"arn": arn}, "waitForReady": False, **more}


def on_iam(tap) -> list[str]:
    return tap.operations("iam")


def writes(tap) -> list[str]:
    return [name for name in tap.operations() if not name.startswith(("Get", "Head", "List"))]


def test_a_life_with_it(resource, tap, role, aws):
    arn = role(path="/research/")
    made = resource.create(using(arn))
    assert (made["roleArn"], made["roleName"]) == (arn, arn.rsplit("/")[-1])
    assert arn in made["openApiDocument"]
    assert requests.get(f"{made['invokeUrl']}/nothing", timeout=30).status_code == 404
    assert plain(resource.read().properties) == made
    assert not resource.diff(resource.checked(using(arn))).detailedDiff
    resource.update(using(arn, operations=["GET"], tags={"a": "1"}))
    resource.delete()
    assert set(on_iam(tap)) == {"GetRole"}
    # It is looked at once. One of our own, which a lost run may have made to take its place, is looked for by each refresh
    # and delete.
    asked = [parse_qs(call.body.decode())["RoleName"] for call in tap.calls if call.operation == "GetRole"]
    assert asked == [[arn.rsplit("/")[-1]], [made["name"]], [made["name"]]]
    assert left(aws, resource.inputs["name"]) == {}


@pytest.mark.parametrize("change, words", [
    (lambda arn: arn + "x", "there is no such role"), (lambda arn: arn.replace(":role/", ":role/p/"), "the role of this name is"),
], ids=["none", "path"])
def test_one_that_is_not_there(resource, tap, role, change, words):
    with pytest.raises(grpc.RpcError) as failed:
        resource.create(using(change(role())))
    assert words in failed.value.details() and "check `role.arn`" in failed.value.details()
    # Nothing is made for it.
    assert init_failed(failed.value) is None and tap.operations() == ["GetRole"]


def test_one_that_api_gateway_may_not_assume(resource, tap, role):
    arn = role(trust=json.loads(json.dumps(TRUST).replace("apigateway", "ec2")))
    with pytest.raises(grpc.RpcError, match="does not let API Gateway assume it"):
        resource.create(using(arn))
    assert tap.operations() == ["GetRole"]


def test_one_that_may_not_be_looked_at(resource, tap, role):
    tap.inject(DENIED, operation="GetRole", times=math.inf)
    resource.create(using(role()))
    resource.delete()


def test_from_one_of_ours_with_a_path_and_back(resource, role, aws):
    """The bucket stays, whatever `role.path` would do."""
    own = resource.create({"waitForReady": False, "role": {"path": "/research/"}})
    aws.client("s3").put_object(Bucket=own["bucketName"], Key="a", Body=b"x")
    arn = role()
    for inputs in (using(arn), {"waitForReady": False, "role": {"path": "/other/"}}):
        assert not resource.diff(resource.checked(inputs)).replaces
        made = resource.update(inputs)
        assert plain(resource.read().properties) == made
        assert not resource.diff(resource.checked(inputs)).detailedDiff
    assert made["roleArn"].endswith(f":role/other/{own['roleName']}")
    aws.client("s3").delete_object(Bucket=own["bucketName"], Key="a")
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


def test_from_one_of_ours_to_another_and_back(resource, tap, role, aws):
    a, b = role(), role()
    own = resource.create({"waitForReady": False})
    name = resource.inputs["name"]
    for arn, calls in (
        # Ours goes when nothing that is deployed names it.
        (a, ["PutRestApi", "CreateDeployment", "DeleteRolePolicy", "DeleteRole", "DeleteDeployment"]),
        (b, ["PutRestApi", "CreateDeployment", "DeleteDeployment"]),
    ):
        tap.reset()
        made = resource.update(using(arn))
        assert writes(tap) == calls
        assert (made["roleArn"], made["bucketName"], made["restApiId"]) == (arn, own["bucketName"], own["restApiId"])
        assert not resource.diff(resource.checked(using(arn))).detailedDiff
    assert name not in aws.inventory()["roles"]
    again = resource.update({"waitForReady": False})
    assert again["roleArn"] == own["roleArn"] == f"arn:aws:iam::{ACCOUNT}:role/{name}"
    assert not resource.diff(resource.checked({"waitForReady": False})).detailedDiff
    resource.delete()
    assert left(aws, name) == {}


@pytest.mark.parametrize("operation", ["GetRole", "PutRestApi", "CreateDeployment", "DeleteRolePolicy", "DeleteRole"])
@pytest.mark.parametrize("then", ["again", "back", "delete"])
def test_no_role_is_lost_on_the_way(resource, tap, role, aws, operation, then):
    resource.create({"waitForReady": False})
    name, arn = resource.inputs["name"], role()
    tap.inject(Error("InternalError", 400), operation=operation, times=math.inf)
    known = resource.outputs
    if operation == "GetRole":
        # That is asked first, before anything is changed.
        with pytest.raises(grpc.RpcError, match="GetRole failed"):
            resource.update(using(arn))
        assert resource.outputs == known
    else:
        resource.fail_half_way(lambda: resource.update(using(arn)))
    assert name in aws.inventory()["roles"]
    tap.reset()
    if then == "again":
        resource.update(using(arn))
        assert name not in aws.inventory()["roles"]
    elif then == "back":
        made = resource.update({"waitForReady": False})
        assert made["roleArn"].endswith(f"/{name}") and name in aws.inventory()["roles"]
        assert aws.client("iam").list_role_policies(RoleName=name)["PolicyNames"] == ["s3dataproxy"]
        assert not resource.diff(resource.checked({"waitForReady": False})).detailedDiff
    resource.delete()
    assert left(aws, name) == {}
