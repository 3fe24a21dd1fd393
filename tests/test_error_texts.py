"""The whole text of each error that users read: what was being done to which piece, the operation, AWS's code and words,
the request id, and what to do. The texts are in error_texts.txt, each below its case; those that do not come from one
refused call have their way there in error_scenes.py."""

import math
import re
import uuid

import grpc
import pytest

from error_scenes import SCENES, Scene
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
    "too long a role's policy": ("PutRolePolicy", Refusal(
        "LimitExceeded", 409, "Maximum policy size of 10240 bytes exceeded for role NAME")),
    "wrong credentials": ("CreateRole", Refusal("InvalidClientTokenId", 403, "The security token is invalid.")),
    "old credentials": ("CreateRole", Refusal("ExpiredToken", 403, "The security token is expired")),
    "a malformed token": ("CreateBucket", Refusal("InvalidToken", 400, "The provided token is malformed or otherwise invalid.")),
    "the clock": ("CreateBucket", Refusal(
        "RequestTimeTooSkewed", 403, "The difference between the request time and the server's time is too large.")),
    "the clock, in words": ("CreateRestApi", Refusal(
        "InvalidSignatureException", 403, "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z")),
    "the clock, too early": ("CreateRestApi", Refusal(
        "InvalidSignatureException", 403, "Signature not yet current: 20260101T001500Z is still later than 20260101T000000Z")),
    "a service that is not subscribed to": ("CreateRestApi", Refusal(
        "OptInRequired", 403, "The AWS Access Key Id needs a subscription for the service")),
    "a role's policy": ("PutRolePolicy", DENIED),
    "a REST API": ("CreateRestApi", DENIED),
    "the pace": ("CreateRestApi", Throttled()),
    "the pace, as a limit": ("CreateRestApi", Refusal("LimitExceededException", 429, "Rate exceeded")),
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
    "a bucket of another account": ("GetBucketTagging", DENIED),
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
    return words(caught.value, resource.inputs["name"], tap.url)


def words(error: grpc.RpcError, name: str, url: str) -> str:
    """What the user reads of it, without what differs from run to run."""
    detail = init_failed(error)
    told = "\n".join(sorted(detail.reasons)) if detail else error.details()
    told = told.replace(name, "NAME").replace(url, "URL")
    told = re.sub(r"(REST API|usage plan|deployment|API key|import) `[a-z0-9]{6,}(?=[`/])", r"\1 `ID", told)
    return re.sub(r"(?<=S3DataProxy 'NAME' )\w+|(?<=this name: )\w+, \w+", "ID", told)


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


@pytest.mark.parametrize("name", SCENES)
def test_scene(aws, tapped, provider, plugin, name):
    scene = Scene(aws, tapped, plugin, provider, f"texts-{uuid.uuid4().hex[:8]}")
    try:
        with pytest.raises(grpc.RpcError) as caught:
            SCENES[name](scene)
        assert words(caught.value, scene.name, tapped.url) == TEXTS[name]
    finally:
        tapped.reset()
        wipe(aws, scene.name)


# What is no error, or what no test comes to: whole texts of the source.
WITHOUT_A_TEXT = {
    # Warnings, progress, and what AWS is told.
    r"changed outside of Pulumi; the next `pulumi up` repairs it:\n{drift}{details}", "waiting until the URL answers",
    "; delete it if nobody needs it",
    "{tagged} has lost the tag `{}`: if somebody has deleted yours and made another one of its name, take the "
    "resource out with `pulumi state delete` before the next `pulumi up` makes it yours",
    "the resource is gone, and API Gateway's log groups for it may be left: {}; delete them if nobody needs them",
    "look at what lost runs left",
    "everything is made, but {url} does not answer from S3 yet ({seen}). New roles take a while to spread in AWS; try the "
    "URL again in a minute. `waitForReady: false` skips this check",
    "Lets Amazon API Gateway reach one S3 bucket; made by s3dataproxy",
    # It takes half a minute, or an hour and more.
    "no answer in time", "API Gateway has still not finished after an hour and a half",
    "run `pulumi up` again when its status in the AWS console is `Available`",
    "API Gateway is still at the cache after an hour",
    "run `pulumi up` again when the stage's cache status in the AWS console is no longer in progress",
    # Only where a cancel comes right then; test_rpc_looks.py has what stands around them.
    "look for what is not recorded", "look for what is not wanted any more", "look at what is not wanted any more",
    # Only where AWS itself answers.
    "this is a fault at AWS: run `pulumi up` again in a few minutes",
    # Never, as far as anybody knows.
    "it was not tried", "it was time to stop", "there is no source of them", "a bug in s3dataproxy broke it off",
    "finish the operation", "run `pulumi up` again; what exists is saved",
    "the operation broke off because of a bug in s3dataproxy",
    "a bug in s3dataproxy: these steps wait for each other",
}
# Where errors are made. What Check says of inputs and settings is in test_bad_input.py and test_rpc_config.py.
MAKES_ERRORS = re.compile(r"Error::new\(|\.hint\(|misfits|Status::|#\[error\(")
OF_CHECK = {"inputs.rs", "names.rs", "tidy.rs"}
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)
NOT_TOLD = re.compile(r"(expect\(|unreachable!\(|, reason = |progress\)\(|progress\)\(&format!\(|run\.warn\(format!\()\s*$")


def told_by_the_source() -> dict[str, str]:
    """Each text of three words and more where errors are made, and the file it is in."""
    found = {}
    for file in sorted((ROOT / "provider/src").rglob("*.rs")):
        source = file.read_text().split("#[cfg(test)]\nmod tests {")[0]
        if file.name in OF_CHECK or file.name.endswith("tests.rs") or "rules" in file.parts:
            continue
        if MAKES_ERRORS.search(source):
            source = re.sub(r"^\s*//.*$", "", source, flags=re.M)
            for literal in LITERAL.finditer(source):
                text = re.sub(r"\\\n\s*", "", literal[1])
                if len(text.split()) >= 3 and not NOT_TOLD.search(source[:literal.start()]):
                    found[text] = file.name
    return found


def test_every_error_of_the_source_has_its_text():
    """All that stands between its placeholders is somewhere in the texts."""
    texts = SNAPSHOT.read_text()

    def is_there(text: str) -> bool:
        parts = (part.strip(" `;:,") for part in re.split(r"\{[^}]*\}", text))
        return all(part in texts for part in parts if len(part.split()) >= 2)

    source = told_by_the_source()
    assert len(source) > 150
    assert {text: file for text, file in source.items() if not is_there(text) and text not in WITHOUT_A_TEXT} == {}
    assert WITHOUT_A_TEXT <= set(source), "no such text any more"


def test_every_text_has_its_case():
    cases = {"create": CREATE, "read": READ, "delete": DELETE}
    assert set(TEXTS) == {f"{call}: {case}" for call, those in cases.items() for case in those} | set(SCENES)
