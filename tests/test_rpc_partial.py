"""Work that stops half way: what exists is told, the next Update finishes it, and Delete leaves nothing."""

import math
import signal
import threading
import time
import uuid
from collections.abc import Callable

import grpc
import pytest
import requests
from google.protobuf import empty_pb2

from harness.account import deployments
from harness.faults import Error, Lost, Refused, Spoilt
from harness.rpc import Plugin, Resource, bare, plain

EMPTY = empty_pb2.Empty()
INPUTS = {"description": "d", "waitForReady": False}
DENIED = Error("AccessDenied", 403)
# The kinds of the local AWS's inventory and the pieces of the state that stand for them.
PIECES = {"buckets": "bucket", "roles": "role", "rest_apis": "restApi"}


@pytest.fixture
def provider(plugin, engine, tap):
    with Plugin(plugin, engine.address, endpoint=tap.url) as provider:
        provider.handshake(engine.address)
        provider.configure()
        yield provider


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def settled(tap) -> None:
    """Waits until AWS has answered all that was asked, also what nobody waits for any more."""
    eventually(lambda: all(not math.isnan(call.end) for call in list(tap.calls)))


def writes(tap) -> list[str]:
    """What was asked for besides look-ups."""
    return sorted(operation for operation in tap.operations() if not operation.startswith(("Get", "Describe")))


def there(aws, resource: Resource) -> dict[str, int]:
    """How many of each kind AWS has."""
    inventory = aws.inventory()
    return {piece: inventory[kind].count(resource.inputs["name"]) for kind, piece in PIECES.items()}


def told(outputs: dict) -> dict[str, int]:
    """The same as the state tells it."""
    return {piece: int(piece in bare(outputs["__state"])) for piece in PIECES.values()}


def finish(aws, tap, resource: Resource) -> list[str]:
    """The next `up` and a destroy; tells what the Update asked for."""
    tap.reset()
    resource.plugin.handshake()
    resource.update(INPUTS)
    asked = writes(tap)
    seen = resource.read()
    assert (plain(seen.inputs), plain(seen.properties)) == (resource.inputs, resource.outputs)
    assert not resource.diff(resource.inputs).detailedDiff
    assert there(aws, resource) == dict.fromkeys(PIECES.values(), 1)
    resource.delete()
    assert there(aws, resource) == dict.fromkeys(PIECES.values(), 0)
    return asked


# One call of a Create that fails, and what is left to do. Without a `name` the REST API comes first: where that fails,
# nothing exists.
LEFT = {
    "CreateBucket": ["CreateBucket", "CreateDeployment", "PutBucketPolicy"],
    "PutBucketPolicy": ["CreateDeployment", "PutBucketPolicy"],
    "CreateRole": ["CreateDeployment", "CreateRole", "PutRestApi", "PutRolePolicy"],
    "PutRolePolicy": ["CreateDeployment", "PutRolePolicy"],
    "PutRestApi": ["CreateDeployment", "PutRestApi"],
    "CreateDeployment": ["CreateDeployment"],
}


@pytest.mark.parametrize("operation", LEFT)
def test_a_create_that_fails_half_way_is_finished_by_an_update(resource, aws, tap, operation):
    tap.inject(DENIED, operation=operation, times=math.inf)
    detail = resource.fail_half_way(resource.start_create(INPUTS))
    assert detail.id == resource.inputs["name"]
    assert plain(detail.inputs) == resource.inputs and not detail.refresh_before_update
    [reason] = detail.reasons
    assert operation in reason and "AccessDenied" in reason and "made up by the tap" in reason
    assert told(resource.outputs) == there(aws, resource)
    # All inputs are outputs too, and nothing is known of what does not exist.
    assert resource.outputs.items() >= resource.inputs.items()
    assert ("roleArn" in resource.outputs) == (operation != "CreateRole")
    # Until then it shows as something to do.
    assert resource.diff(resource.inputs).detailedDiff
    assert finish(aws, tap, resource) == LEFT[operation]


@pytest.mark.parametrize("operation", LEFT)
def test_a_create_that_failed_half_way_is_deleted(resource, aws, tap, operation):
    tap.inject(DENIED, operation=operation, times=math.inf)
    resource.fail_half_way(resource.start_create(INPUTS))
    tap.reset()
    resource.delete()
    assert there(aws, resource) == dict.fromkeys(PIECES.values(), 0)


@pytest.mark.parametrize("fault", [Lost(), Refused()], ids=["lost", "refused"])
@pytest.mark.parametrize("operation", ["GetRestApis", "CreateRestApi", *LEFT])
def test_one_call_without_an_answer_is_no_failure(resource, aws, tap, operation, fault):
    tap.inject(fault, operation=operation)
    resource.create(INPUTS)
    assert there(aws, resource) == dict.fromkeys(PIECES.values(), 1)
    tap.reset()
    assert finish(aws, tap, resource) == []


def test_every_reason_is_told(resource, tap):
    for operation in ("CreateRole", "PutBucketPolicy"):
        tap.inject(DENIED, operation=operation, times=math.inf)
    detail = resource.fail_half_way(resource.start_create(INPUTS))
    assert len(detail.reasons) == 2
    assert all(any(operation in reason for reason in detail.reasons) for operation in ("CreateRole", "PutBucketPolicy"))


@pytest.mark.parametrize("named, called", [
    ({}, {"GetRestApis", "CreateRestApi"}), ({"name": "partial-nothing"}, {"GetRestApis", "CreateRestApi", "GetBucketTagging", "CreateRole"})],
    ids=["unnamed", "named"])
def test_where_nothing_exists_there_is_nothing_to_save(resource, aws, tap, named, called):
    """With a `name` several pieces are begun at the same time; without, the REST API is."""
    for operation in ("GetBucketTagging", "CreateRole", "CreateRestApi"):
        tap.inject(DENIED, operation=operation, times=math.inf)
    with pytest.raises(grpc.RpcError) as caught:
        resource.create(INPUTS | named)
    assert set(tap.operations()) == called
    assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
    assert "grpc-status-details-bin" not in dict(caught.value.trailing_metadata())
    assert there(aws, resource) == dict.fromkeys(PIECES.values(), 0)


def test_an_update_that_fails_half_way_tells_what_is(resource, tap):
    resource.create(INPUTS)
    before = resource.outputs
    tap.inject(DENIED, operation="PutRestApi", times=math.inf)
    news = INPUTS | {"path": "v2", "tags": {"a": "1"}}
    resource.fail_half_way(lambda: resource.update(news))
    state = resource.outputs["__state"]
    # The tags are there, the path is not.
    assert state["role"]["tags"]["a"] == state["bucket"]["tags"]["a"] == "1"
    assert state["definition"] == before["__state"]["definition"]
    assert state["stage"]["deploymentId"] == before["deploymentId"]
    tap.reset()
    resource.update(news)
    assert writes(tap) == ["CreateDeployment", "DeleteDeployment", "PutRestApi", "TagResource"]  # the stage's
    tap.reset()
    resource.update(news)
    assert tap.operations() == []
    resource.delete()


DELETES = {"DeleteBucket": "bucket", "DeleteRolePolicy": "rolePolicy", "DeleteRole": "role", "DeleteRestApi": "restApi"}


@pytest.mark.parametrize("operation", DELETES)
def test_a_delete_that_fails_half_way_can_be_tried_again(resource, aws, tap, operation):
    resource.create(INPUTS)
    tap.inject(DENIED, operation=operation, times=math.inf)
    with pytest.raises(grpc.RpcError) as caught:
        resource.delete()
    # Of other codes the engine says that the state may be corrupt.
    assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED
    assert operation in caught.value.details()
    tap.reset()
    resource.delete()
    assert there(aws, resource) == dict.fromkeys(PIECES.values(), 0)


# The stage serves a deployment that the state does not know, and the call for the next one fails or has no answer

SERVED = {"waitForReady": False, "path": "v1", "bucket": {"forceDestroy": True}}
ANOTHER_PATH, MORE_OPERATIONS = SERVED | {"path": "v2"}, SERVED | {"operations": ["GET", "PUT"]}
#: Those without effect.
FAILURES = {
    "503": Error("ServiceUnavailableException", 503), "500": Error("InternalFailure", 500), "refused": Refused()}


def on_the_stage(aws, resource: Resource) -> str:
    stage = aws.client("apigateway").get_stage(restApiId=resource.outputs["restApiId"], stageName="prod")
    return stage["deploymentId"]


def deploy_unheard(aws, resource: Resource, whose: str) -> str:
    """A deployment of which nobody has told: its id."""
    if whose == "a lost update's":
        known = resource.inputs, resource.outputs
        resource.update(SERVED | {"path": "lost"})
        resource.inputs, resource.outputs = known
        resource.plugin.handshake()
        resource.plugin.configure()
    else:
        aws.client("apigateway").create_deployment(restApiId=resource.outputs["restApiId"], stageName="prod")
    unheard = on_the_stage(aws, resource)
    assert unheard != resource.outputs["deploymentId"]
    return unheard


def works(resource: Resource) -> bool:
    """Whether the URL does what the inputs ask for."""
    url = f"{resource.outputs['invokeUrl']}/data"
    if "PUT" in resource.inputs.get("operations", []):
        return requests.put(url, data=b"x", timeout=30).status_code == 200
    return requests.get(url, timeout=30).content == b"x"


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("whose", ["somebody's", "a lost update's"])
@pytest.mark.parametrize("news", [ANOTHER_PATH, MORE_OPERATIONS], ids=["path", "operations"])
def test_a_deployment_without_effect_is_not_taken_for_done(resource, aws, tap, news, whose, fault):
    resource.create(SERVED)
    aws.client("s3").put_object(Bucket=resource.id, Key="data", Body=b"x")
    unheard = deploy_unheard(aws, resource, whose)
    tap.reset()
    tap.inject(fault, operation="CreateDeployment")
    resource.update(news)
    called = [call for call in tap.calls if call.operation == "CreateDeployment"]
    assert [call.fault for call in called] == [fault, None] and called[1].status == 201
    assert unheard != on_the_stage(aws, resource) == resource.outputs["deploymentId"]
    assert works(resource)
    resource.delete()
    assert there(aws, resource) == dict.fromkeys(PIECES.values(), 0)


@pytest.mark.parametrize("whose", ["nobody's", "somebody's", "a lost update's"])
@pytest.mark.parametrize("fault", [Lost(), Spoilt(FAILURES["503"])], ids=["lost", "503"])
def test_a_deployment_that_took_effect_is_not_made_again(resource, aws, tap, whose, fault):
    resource.create(SERVED)
    aws.client("s3").put_object(Bucket=resource.id, Key="data", Body=b"x")
    unheard = set() if whose == "nobody's" else {deploy_unheard(aws, resource, whose)}
    tap.reset()
    tap.inject(fault, operation="CreateDeployment")
    resource.update(ANOTHER_PATH)
    assert tap.operations().count("CreateDeployment") == 1
    made = on_the_stage(aws, resource)
    assert resource.outputs["deploymentId"] == made and deployments(aws, resource.outputs) == {made} | unheard
    assert works(resource)
    resource.delete()
    assert there(aws, resource) == dict.fromkeys(PIECES.values(), 0)


# Cancel, timeout, and an engine that does not wait


def test_a_cancel_stops_between_two_calls(resource, aws, tap):
    tap.delay = 1
    call = resource.start_create(INPUTS)
    eventually(lambda: len(tap.calls) >= 4)
    resource.stub.Cancel(EMPTY)
    detail = resource.fail_half_way(call)
    assert "CreateDeployment" not in tap.operations()
    assert all("cancelled" in reason for reason in detail.reasons)
    assert told(resource.outputs) == there(aws, resource)
    finish(aws, tap, resource)


def test_a_cancel_waits_for_the_first_calls(resource, aws, tap):
    """What they make must not be lost."""
    tap.delay = 1
    call = resource.start_create(INPUTS)
    eventually(lambda: len(tap.calls) == 2)
    resource.stub.Cancel(EMPTY)
    resource.fail_half_way(call)
    assert sorted(tap.operations()) == ["CreateRestApi", "GetRestApis"]
    assert told(resource.outputs) == there(aws, resource) == {"bucket": 0, "role": 0, "restApi": 1}
    finish(aws, tap, resource)


def test_a_cancel_stops_an_update_and_a_delete(resource, aws, tap):
    resource.create(INPUTS)
    tap.reset()
    tap.delay = 1
    update = threading.Thread(target=lambda: resource.fail_half_way(lambda: resource.update(INPUTS | {"path": "v2"})))
    update.start()
    eventually(lambda: "PutRestApi" in tap.operations())
    resource.stub.Cancel(EMPTY)
    update.join(60)
    assert not update.is_alive() and "CreateDeployment" not in tap.operations()
    tap.reset()
    resource.plugin.handshake()
    tap.delay = lambda call: 1 if call.operation == "DeleteBucket" else 0
    canceller = threading.Thread(target=lambda: (
        eventually(lambda: "DeleteBucket" in tap.operations()), resource.stub.Cancel(EMPTY)))
    canceller.start()
    with pytest.raises(grpc.RpcError) as caught:
        resource.delete()
    canceller.join(60)
    assert caught.value.code() == grpc.StatusCode.ABORTED and "cancelled" in caught.value.details()
    assert writes(tap) == ["DeleteBucket"]
    resource.plugin.handshake()
    resource.delete()
    assert there(aws, resource) == dict.fromkeys(PIECES.values(), 0)


def test_a_cancel_ends_the_wait_for_the_url(plugin, aws, tap):
    """Everything is made: that is no failure."""
    with Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure(executeApiUrl="http://127.0.0.1:1/{restApiId}")
        resource = Resource(provider, f"rpc-{uuid.uuid4().hex[:8]}")
        call = resource.start_create(INPUTS | {"waitForReady": True})
        eventually(lambda: "CreateDeployment" in tap.operations())
        settled(tap)
        provider.stub.Cancel(EMPTY)
        resource._done(call)
        assert there(aws, resource) == told(resource.outputs) == dict.fromkeys(PIECES.values(), 1)
        provider.handshake()
        resource.delete()


def test_the_time_given_ends_the_wait_for_the_url_with_a_warning(plugin, engine, aws):
    with Plugin(plugin, engine.address, endpoint=aws.url) as provider:
        provider.handshake(engine.address)
        provider.configure(executeApiUrl="http://127.0.0.1:1/{restApiId}")
        resource = Resource(provider, f"rpc-{uuid.uuid4().hex[:8]}")
        made = resource.create({}, timeout=4)
        [warning] = [log for log in engine.logs if log.severity == 2]
        assert made["invokeUrl"] in warning.message and warning.urn == resource.urn and not warning.ephemeral
        resource.delete()


@pytest.mark.parametrize("delay, timeout", [(3, 1), (0.7, 1), (0.7, 1.8)],
                         ids=["first calls", "second calls", "last calls"])
@pytest.mark.parametrize("then", ["update", "delete"])
def test_when_the_time_is_up_nothing_is_lost(resource, aws, tap, delay, timeout, then):
    """Calls under way are given up, and may take effect all the same: what they make must be found again."""
    tap.delay = delay
    detail = resource.fail_half_way(resource.start_create(INPUTS, timeout=timeout))
    settled(tap)
    assert detail.id == resource.inputs["name"]
    assert detail.reasons and all("customTimeouts" in reason for reason in detail.reasons)
    tap.reset()
    if then == "update":
        finish(aws, tap, resource)
    else:
        resource.delete()
        assert there(aws, resource) == dict.fromkeys(PIECES.values(), 0)


def test_an_engine_that_hangs_up_does_not_stop_the_work(resource, tap):
    """Half of it would be lost, as nobody hears of it."""
    tap.delay = 0.3
    call = resource.start_create(INPUTS)
    eventually(lambda: "CreateRole" in tap.operations())
    call.cancel()
    eventually(lambda: "CreateDeployment" in tap.operations())
    settled(tap)
    assert writes(tap) == sorted({"CreateRestApi", *LEFT})
    assert {call.status // 100 for call in tap.calls if call.operation != "GetBucketTagging"} == {2}


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_a_signal_in_the_middle_still_tells_what_exists(resource, aws, tap, sig):
    tap.delay = 1
    call = resource.start_create(INPUTS)
    eventually(lambda: len(tap.calls) >= 4)
    resource.plugin.process.send_signal(sig)
    resource.fail_half_way(call)
    assert resource.plugin.process.wait(30) == 0
    assert told(resource.outputs) == there(aws, resource)


def test_two_resources_are_made_at_the_same_time(resource, tap, aws):
    name = resource.urn.rpartition(":")[2]
    other = Resource(resource.plugin, f"{name}-other")
    tap.delay = 1
    calls = [resource.start_create(INPUTS), other.start_create(INPUTS)]
    eventually(lambda: tap.operations().count("CreateRole") == 2)
    assert not any(call.done() for call in calls) and "PutRolePolicy" not in tap.operations()
    tap.delay = 0
    for each, call in zip([resource, other], calls, strict=True):
        each._done(call)
        each.delete()
