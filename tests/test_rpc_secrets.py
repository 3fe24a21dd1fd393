"""A planted secret never leaves the plugin in plain: not in answers, errors, messages or on stderr."""

import json
import math
import uuid

import grpc
import pytest
from google.protobuf import json_format

from harness.faults import Error
from harness.rpc import OUTPUT, SIGNATURE, Plugin, Resource, exposed, init_failed, plain, secret, wipe

PLANTED = "hunter2"
KEYS = {"accessKey": "AKIAOURS", "secretKey": secret(f"key-{PLANTED}"), "token": secret(f"token-{PLANTED}")}


@pytest.fixture
def provider(plugin, engine, tap):
    with Plugin(plugin, engine.address, endpoint=tap.url) as provider:
        provider.handshake(engine.address)
        provider.configure(**KEYS)
        yield provider


@pytest.fixture
def resource(resource, aws, tap):
    yield resource
    tap.reset()
    wipe(aws, PLANTED)


def words(engine, provider) -> str:
    """All that the plugin has said besides answers."""
    provider.stop()
    return provider.stdout + provider.stderr + "".join(str(log) for log in engine.logs)


# A secret, inputs with it, and the outputs that can be nothing but secrets then.
POLICY = json.dumps({"Statement": [{
    "Principal": "*", "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
    "Condition": {"StringEquals": {"aws:Referer": PLANTED}}}]})
QUOTED = f"say \"{PLANTED}\"\nagain"
PLANTS = {
    "description": (QUOTED, {"description": secret(QUOTED)}, {"description", "openApiDocument", "__state"}),
    "output": (PLANTED, {"description": {SIGNATURE: OUTPUT, "value": PLANTED, "secret": True}},
               {"description", "openApiDocument", "__state"}),
    "a tag": (PLANTED, {"tags": {"a": secret(PLANTED), "b": "2"}}, {"tags", "__state"}),
    "tags": (PLANTED, {"tags": secret({"a": PLANTED})}, {"tags", "__state"}),
    "path": (f"v1/{PLANTED}", {"path": secret(f"v1/{PLANTED}")}, {"path", "invokeUrl", "openApiDocument"}),
    "policy": (PLANTED, {"policy": secret(POLICY)}, {"policy", "openApiDocument"}),
    "stage": (PLANTED, {"stageName": secret(PLANTED)}, {"stageName", "invokeUrl", "stageArn", "__state"}),
    "bucket": (f"{PLANTED}-bucket", {"bucket": {"name": secret(f"{PLANTED}-bucket")}},
               {"bucket", "bucketName", "bucketArn", "openApiDocument", "__state"}),
}
EVERY_PLANT = pytest.mark.parametrize("text, inputs, secrets", PLANTS.values(), ids=PLANTS)


@EVERY_PLANT
def test_answers_of_a_whole_life(resource, engine, text, inputs, secrets):
    inputs = inputs | {"waitForReady": False}
    answers = [resource.preview(inputs), resource.create(inputs)]
    # Not everything is one: that would be no use to anybody.
    assert {key for key, value in resource.outputs.items() if PLANTED in str(value)} == secrets
    seen = resource.read()
    answers += [plain(seen.inputs), plain(seen.properties)]
    changed = inputs | {"operations": ["GET"]}
    answers += [json_format.MessageToDict(resource.diff(resource.checked(changed)))]
    answers += [resource.preview(changed), resource.update(changed)]
    resource.delete()
    for answer in answers:
        assert exposed(answer, PLANTED) == []
    assert PLANTED not in words(engine, resource.plugin)


def errors(error: grpc.RpcError) -> str:
    """All the text of an error, and the paths at which its details show the secret."""
    detail = init_failed(error)
    told = [error.details()]
    if detail:
        told += detail.reasons
        told += exposed(plain(detail.properties), PLANTED) + exposed(plain(detail.inputs), PLANTED)
    return "\n".join(told)


@EVERY_PLANT
@pytest.mark.parametrize("operations", [
    ["CreateBucket"], ["CreateRole"], ["PutRestApi"], ["CreateDeployment"],
    ["GetBucketTagging", "CreateRole", "CreateRestApi"],
], ids=" ".join)
def test_errors_of_create(resource, tap, engine, text, inputs, secrets, operations):
    """AWS quotes what it refuses."""
    for operation in operations:
        tap.inject(Error("Refused", 400, f"no {text} here"), operation=operation, times=math.inf)
    with pytest.raises(grpc.RpcError) as caught:
        resource.create(inputs | {"waitForReady": False})
    assert "Refused" in caught.value.details() and " here" in caught.value.details()
    assert PLANTED not in errors(caught.value)
    assert PLANTED not in words(engine, resource.plugin)


NAMED = [
    (*PLANTS["bucket"][:2], "GetBucketTagging", "DeleteBucket"), (*PLANTS["stage"][:2], "GetStage", "DeleteRestApi"),
    (*PLANTS["description"][:2], "GetRestApi", "DeleteRestApi"),
]


@pytest.mark.parametrize("text, inputs, read, delete", NAMED, ids=["bucket", "stage", "description"])
def test_errors_of_read_and_delete(resource, tap, text, inputs, read, delete):
    """They name what they were about, and quote AWS."""
    resource.create(inputs | {"waitForReady": False})
    for operation in (read, delete):
        tap.inject(Error("AccessDenied", 403, f"no {text} here"), operation=operation, times=math.inf)
    for call in (resource.read, resource.delete):
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
        assert PLANTED not in caught.value.details()
    tap.reset()
    resource.delete()


def test_messages_about_drift(resource, aws, engine):
    resource.create({"description": secret(PLANTED), "tags": secret({"a": PLANTED}), "path": secret(PLANTED)})
    aws.client("apigateway").delete_stage(restApiId=resource.outputs["restApiId"], stageName="prod")
    s3 = aws.client("s3")
    others = [tag for tag in s3.get_bucket_tagging(Bucket=resource.id)["TagSet"] if tag["Key"] != "a"]
    s3.put_bucket_tagging(
        Bucket=resource.id, Tagging={"TagSet": [*others, {"Key": "a", "Value": f"not {PLANTED}"}]})
    seen = resource.read()
    assert exposed(plain(seen.inputs), PLANTED) == exposed(plain(seen.properties), PLANTED) == []
    assert any("changed outside of Pulumi" in log.message for log in engine.logs)
    resource.delete()
    assert PLANTED not in words(engine, resource.plugin)


def test_a_url_that_does_not_answer(plugin, engine, tap, aws):
    name = f"rpc-{uuid.uuid4().hex[:8]}"
    with Plugin(plugin, engine.address, endpoint=tap.url) as provider:
        provider.handshake(engine.address)
        provider.configure(executeApiUrl="http://127.0.0.1:1/{restApiId}")
        resource = Resource(provider, name)
        try:
            resource.create({"path": secret(PLANTED)}, timeout=4)
            resource.delete()
        finally:
            wipe(aws, name)
        assert "does not answer" in (said := words(engine, provider)) and PLANTED not in said


@pytest.mark.parametrize("config", [
    {"defaultTags": secret({"team": PLANTED})}, {"defaultTags": {"team": secret(PLANTED)}},
    {"executeApiUrl": secret("http://127.0.0.1:1/" + PLANTED + "/{restApiId}")},
], ids=["default tags", "a default tag", "URL"])
def test_secrets_of_the_configuration_in_a_resource(plugin, engine, aws, config):
    """What is made from one is one too, as state and outputs are stored."""
    name = f"rpc-{uuid.uuid4().hex[:8]}"
    with Plugin(plugin, engine.address, endpoint=aws.url) as provider:
        provider.handshake(engine.address)
        provider.configure(**config)
        resource = Resource(provider, name)
        inputs = {"waitForReady": False}
        try:
            answers = [resource.preview(inputs), resource.create(inputs)]
            answers += [plain(resource.read().properties)]
            answers += [resource.preview({"path": "v2"}), resource.update(inputs | {"path": "v2"})]
            resource.delete()
        finally:
            wipe(aws, name)
        for answer in answers:
            assert exposed(answer, PLANTED) == []
        assert PLANTED not in words(engine, provider)


def test_keys_of_the_configuration_are_nowhere(resource, tap, engine):
    """Neither where AWS refuses them, nor in a resource."""
    for operation in ("GetBucketTagging", "CreateRole", "CreateRestApi"):
        message = f"key-{PLANTED} and token-{PLANTED} are no good"
        tap.inject(Error("InvalidClientTokenId", 403, message), operation=operation, times=math.inf)
    with pytest.raises(grpc.RpcError) as caught:
        resource.create({"waitForReady": False})
    assert "are no good" in caught.value.details() and PLANTED not in caught.value.details()
    tap.reset()
    made = resource.create({"waitForReady": False})
    assert PLANTED not in str(made) and "AKIAOURS" not in str(made)
    resource.delete()
    assert PLANTED not in words(engine, resource.plugin)
