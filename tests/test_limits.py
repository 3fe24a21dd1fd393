"""Quotas of things: where AWS allows no more of them, the run fails at once, says which it is and what to do, and keeps what
it has made; when there is room again, the next run goes on.

API Gateway's words are on record for REST APIs (https://github.com/Miserlou/Zappa/issues/628), resources
(https://github.com/hashicorp/terraform-provider-aws/issues/37605) and authorizers
(https://github.com/anomalyco/sst/issues/4522), and alike in all; so those of other things are taken to be, too. Codes and
statuses are those of the service models.
"""

import math

import grpc
import pytest

from harness.account import recorded, there
from harness.aws import ACCOUNT, REGION
from harness.faults import Error
from harness.rpc import bare, init_failed, plain
from test_lifecycle import left
from test_web_acl import make_web_acl

PLAIN = {"waitForReady": False}
LOGGED, KEYED = PLAIN | {"accessLog": {}}, PLAIN | {"apiKeys": ["ann"]}
NAMED = PLAIN | {"domain": {"name": "NAME.example.com", "certificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/a"}}
EDGE, PRIVATE = (PLAIN | {"endpoint": endpoint} for endpoint in (
    {"type": "EDGE"}, {"type": "PRIVATE", "vpcEndpointIds": ["vpce-1"]}))

MORE = "delete what nobody needs, or ask for a higher quota in Service Quotas"
FIXED = "AWS raises this quota for nobody: delete what nobody needs, or use another Region or account"
SHARED = "all inline policies of the role share this size: take off what others have put there"


def reached(what: str, code: str = "LimitExceededException", status: int = 429) -> Error:
    """API Gateway's."""
    return Error(code, status, f"Maximum number of {what} has been reached.  Please contact AWS if you need additional {what}.")


def iam(message: str) -> Error:
    return Error("LimitExceeded", 409, message)


LIMITS = {
    "buckets": (PLAIN, "CreateBucket", Error(
        "TooManyBuckets", 400, "You have attempted to create more buckets than allowed"), MORE),
    "roles": (PLAIN, "CreateRole", iam("Cannot exceed quota for RolesPerAccount: 1000"), MORE),
    "a role's policies": (PLAIN, "PutRolePolicy", iam("Maximum policy size of 10240 bytes exceeded for role x"), SHARED),
    "regional APIs": (PLAIN, "CreateRestApi", reached("APIs"), FIXED),
    "regional APIs, by another code": (PLAIN, "CreateRestApi", reached("APIs", "BadRequestException", 400), FIXED),
    "edge-optimized APIs": (EDGE, "CreateRestApi", reached("APIs"), FIXED),
    "private APIs": (PRIVATE, "CreateRestApi", reached("APIs"), FIXED),
    "resources": (PLAIN, "PutRestApi", reached("Resources for this API"), MORE),
    "stages": (PLAIN, "CreateDeployment", reached("Stages for this API"), MORE),
    "log groups": (LOGGED, "CreateLogGroup", Error("LimitExceededException", 400, "Resource limit exceeded."), MORE),
    "usage plans": (KEYED, "CreateUsagePlan", reached("usage plans"), MORE),
    "API keys": (KEYED, "CreateApiKey", reached("API keys"), FIXED),
    "usage plans of a key": (KEYED, "CreateUsagePlanKey", reached("usage plans for this API key"), MORE),
    "domain names": (NAMED, "CreateDomainName", reached("domain names"), MORE),
}
#: Those that an update meets first.
LATER = {
    "another stage": (PLAIN, PLAIN | {"stageName": "v2"}, "CreateStage", reached("Stages for this API"), MORE),
    "a web ACL's APIs": (PLAIN, PLAIN | {"webAclArn": "ACL"}, "AssociateWebACL", Error(
        "WAFLimitsExceededException", 400, "AWS WAF couldn't perform the operation because you exceeded your resource limit."),
        MORE),
    "more API keys": (KEYED, KEYED | {"apiKeys": ["ann", "bob"]}, "CreateApiKey", reached("API keys"), FIXED),
    "log groups": (PLAIN, LOGGED, "CreateLogGroup", Error("LimitExceededException", 400, "Resource limit exceeded."), MORE),
}


@pytest.fixture
def given(aws, resource):
    """A function that fills in names."""
    name = resource.urn.rpartition(":")[2]
    acls = []

    def fill(inputs: dict) -> dict:
        if "webAclArn" in inputs:
            acls.append(make_web_acl(aws, name))
            inputs = inputs | {"webAclArn": acls[-1]["ARN"]}
        if "domain" in inputs:
            inputs = inputs | {"domain": inputs["domain"] | {"name": f"{name}.example.com"}}
        return inputs | {"name": name}

    yield fill
    for acl in acls:
        aws.client("wafv2").delete_web_acl(Name=name, Scope="REGIONAL", Id=acl["Id"], LockToken=acl["LockToken"])


def refused(resource, tap, operation: str, fault: Error, act) -> str:
    """What the user reads when this fails for good; what was made is kept, as the engine does."""
    tap.reset()
    tap.inject(fault, operation=operation, times=math.inf)
    with pytest.raises(grpc.RpcError) as caught:
        act()
    assert tap.operations().count(operation) == 1
    tap.reset()
    detail = init_failed(caught.value)
    if detail:
        resource.id, resource.outputs = detail.id, plain(detail.properties)
        [reason] = detail.reasons
        return reason
    return caught.value.details()


def objects(aws, name: str) -> set:
    return set(there(aws, name))


@pytest.mark.parametrize("name", LIMITS)
def test_a_create_fails_at_once_and_the_next_run_goes_on(aws, tap, resource, given, name):
    inputs, operation, fault, advice = LIMITS[name]
    inputs = given(inputs)
    told = refused(resource, tap, operation, fault, lambda: resource.create(inputs))
    assert f"{operation} failed: {fault.code}: {fault.message.rstrip('.')}" in told and advice in told
    made = objects(aws, inputs["name"])
    assert made == recorded(bare(resource.outputs).get("__state", {}))
    resource.update(inputs) if resource.id else resource.create(inputs)
    assert made <= objects(aws, inputs["name"])
    assert not resource.diff(resource.checked(inputs)).detailedDiff
    assert plain(resource.read().properties) == resource.outputs
    resource.delete()
    assert left(aws, inputs["name"]) == {}


@pytest.mark.parametrize("name", LATER)
def test_an_update_fails_at_once_and_the_next_one_goes_on(aws, tap, resource, given, name):
    old, new, operation, fault, advice = LATER[name]
    old, new = given(old), given(new)
    resource.create(old)
    told = refused(resource, tap, operation, fault, lambda: resource.update(new))
    assert f"{operation} failed: {fault.code}: {fault.message.rstrip('.')}" in told and advice in told
    made = objects(aws, new["name"])
    assert made == recorded(bare(resource.outputs)["__state"])
    resource.update(new)
    assert not resource.diff(resource.checked(new)).detailedDiff
    assert plain(resource.read().properties) == resource.outputs
    resource.delete()
    assert left(aws, new["name"]) == {}
