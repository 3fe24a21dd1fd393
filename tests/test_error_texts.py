"""The whole text of what users read when AWS refuses: what was being done to which piece, the operation, AWS's code and
words, the request id, and what to do. The texts are in error_texts.txt, each below its case."""

import math
import re
import uuid

import grpc
import pytest

from harness import ROOT
from harness.faults import Answer, Error, Refused, Throttled
from harness.rpc import Engine, Plugin, Resource, init_failed, wipe
from harness.tap import Tap


class Refusal(Error):
    """As AWS sends it: with the id of the request."""

    def answer(self, service: str) -> Answer:
        answer = super().answer(service)
        return Answer(answer.status, answer.body, answer.headers | {"x-amz-request-id": "R-1", "x-amzn-RequestId": "R-1"})


DENIED = Refusal("AccessDenied", 403, "User: arn:aws:iam::1:user/a is not authorized")
# What fails, and how.
CREATE = {
    "a bucket of another account": ("GetBucketTagging", DENIED),
    "a bucket's name": ("CreateBucket", Refusal("BucketAlreadyExists", 409, "It is not available.")),
    "a bucket": ("CreateBucket", DENIED),
    "a bucket's policy": ("PutBucketPolicy", DENIED),
    "a role": ("CreateRole", DENIED),
    "too many roles": ("CreateRole", Refusal("LimitExceeded", 409, "Cannot exceed quota for RolesPerAccount: 1000.")),
    "wrong credentials": ("CreateRole", Refusal("InvalidClientTokenId", 403, "The security token is invalid.")),
    "old credentials": ("CreateRole", Refusal("ExpiredToken", 403, "The security token is expired")),
    "a role's policy": ("PutRolePolicy", DENIED),
    "a REST API": ("CreateRestApi", DENIED),
    "the pace": ("CreateRestApi", Throttled()),
    "a fault": ("CreateRestApi", Refusal("InternalFailure", 500, "We encountered an internal error.")),
    "no answer": ("CreateRestApi", Refused()),
    "a gateway on the way": ("CreateRestApi", Answer(502, b"<html>", {"Content-Type": "text/html"})),
    "a definition": ("PutRestApi", Refusal("BadRequestException", 400, "Invalid mapping expression.")),
    "a log group": ("CreateLogGroup", DENIED),
    "a deployment": ("CreateDeployment", DENIED),
    "no role for logs": ("UpdateStage", Refusal(
        "BadRequestException", 400, "CloudWatch Logs role ARN must be set in account settings to enable logging")),
    "a usage plan": ("CreateUsagePlan", DENIED),
    "too many API keys": ("CreateApiKey", Refusal("LimitExceededException", 429, "Maximum number of API keys")),
    "a plan's key": ("CreateUsagePlanKey", DENIED),
}
READ = {operation: (operation, DENIED) for operation in (
    "GetBucketTagging", "GetBucketPolicy", "GetBucketOwnershipControls", "GetPublicAccessBlock", "GetRole", "GetRolePolicy",
    "ListRolePolicies", "GetRestApi", "GetResources", "GetStage", "DescribeLogGroups", "GetUsagePlan", "GetApiKeys")}
DELETE = {
    "a bucket with objects": ("DeleteBucket", Refusal("BucketNotEmpty", 409, "The bucket you tried to delete is not empty")),
    "a role in use": ("DeleteRole", Refusal("DeleteConflict", 409, "Must remove roles from instance profile first.")),
    "a REST API": ("DeleteRestApi", DENIED),
    "a log group": ("DeleteLogGroup", DENIED),
    "a usage plan": ("DeleteUsagePlan", DENIED),
    "an API key": ("DeleteApiKey", DENIED),
}
SNAPSHOT = ROOT / "tests/error_texts.txt"
TEXTS = dict(part.split("\n", 1) for part in SNAPSHOT.read_text().removeprefix("# ").rstrip("\n").split("\n\n# "))


@pytest.fixture(scope="module")
def tapped(aws):
    with Tap(aws.url) as tap:
        yield tap


@pytest.fixture(scope="module")
def provider(plugin, tapped):
    with Engine() as engine, Plugin(plugin, engine.address, endpoint=tapped.url) as provider:
        provider.handshake(engine.address)
        provider.configure(maxAttempts=1)
        yield provider


def fresh(provider, aws, tap):
    resource = Resource(provider, "texts")
    name = f"texts-{uuid.uuid4().hex[:8]}"
    resource.inputs = {"name": name, "waitForReady": False, "accessLog": {}, "apiKeys": ["a"]}
    yield resource
    tap.reset()
    wipe(aws, name)


@pytest.fixture
def resource(provider, aws, tapped):
    yield from fresh(provider, aws, tapped)


@pytest.fixture(scope="module")
def made(provider, aws, tapped):
    for resource in fresh(provider, aws, tapped):
        resource.create(resource.inputs)
        yield resource


def text(call, resource: Resource, tap: Tap, operation: str, fault) -> str:
    """What the user reads, without what differs from run to run."""
    tap.inject(fault, operation=operation, times=math.inf)
    with pytest.raises(grpc.RpcError) as caught:
        call()
    tap.reset()
    detail = init_failed(caught.value)
    told = "\n".join(detail.reasons) if detail else caught.value.details()
    told = told.replace(resource.inputs["name"], "NAME").replace(tap.url, "URL")
    return re.sub(r"(REST API|usage plan) `[a-z0-9]+`", r"\1 `ID`", told)


@pytest.mark.parametrize("case", CREATE)
def test_create(tapped, resource, case):
    assert text(lambda: resource.create(resource.inputs), resource, tapped, *CREATE[case]) == TEXTS[f"create: {case}"]


@pytest.mark.parametrize("case", READ)
def test_read(tapped, made, case):
    assert text(made.read, made, tapped, *READ[case]) == TEXTS[f"read: {case}"]


@pytest.mark.parametrize("case", DELETE)
def test_delete(tapped, resource, case):
    resource.create(resource.inputs)
    assert text(resource.delete, resource, tapped, *DELETE[case]) == TEXTS[f"delete: {case}"]


def test_every_text_has_its_case():
    cases = {"create": CREATE, "read": READ, "delete": DELETE}
    assert set(TEXTS) == {f"{call}: {case}" for call, those in cases.items() for case in those}
