"""Stored states that this version of the plugin did not write, or that somebody has damaged."""

import copy
import math
import uuid

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from harness.faults import Error
from harness.rpc import SIGNATURE, UNKNOWN, Plugin, Resource, plain, secret, struct, wipe
from harness.tap import Tap

INPUTS = {"description": "d", "tags": {"a": "1"}, "waitForReady": False}


@pytest.fixture(scope="module")
def existing(plugin, aws):
    """A resource that is there."""
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, f"rpc-{uuid.uuid4().hex[:8]}")
        resource.create(INPUTS)
        yield resource
    wipe(aws, resource.id)


@pytest.fixture(scope="module")
def provider(plugin, aws, existing):
    """A plugin behind a tap, `provider.tap`."""
    with Tap(aws.url) as tap, Plugin(plugin, endpoint=tap.url) as provider:
        provider.tap = tap
        provider.handshake()
        provider.configure(executeApiUrl=f"{aws.url}/_aws/execute-api/{{restApiId}}/{{stage}}")
        yield provider


@pytest.fixture
def tap(provider):
    """Lets nothing be deleted: one test that fails must not spoil the others."""
    provider.tap.reset()
    for operation in ("DeleteBucket", "DeleteRole", "DeleteRolePolicy", "DeleteRestApi"):
        provider.tap.inject(Error("AccessDenied", 403), operation=operation, times=math.inf)
    return provider.tap


@pytest.fixture
def resource(provider, existing, tap):
    """The same resource as the engine has it stored, to be changed; the tap hears what it asks AWS."""
    copied = Resource(provider, "data")
    copied.urn, copied.id = existing.urn, existing.id
    copied.inputs, copied.outputs = copy.deepcopy(existing.inputs), copy.deepcopy(existing.outputs)
    return copied


OPERATIONS = {
    "Diff": lambda resource: resource.diff(resource.inputs),
    "Read": lambda resource: resource.read(),
    "preview": lambda resource: resource.preview(INPUTS),
    "Update": lambda resource: resource.update(INPUTS),
    "Delete": lambda resource: resource.delete(),
}
EVERYWHERE = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


def refused(resource: Resource, tap, operation, words: str) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        operation(resource)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert words in caught.value.details()
    assert tap.operations() == []
    assert resource.stub.GetPluginInfo(empty_pb2.Empty()).version
    return caught.value.details()


NOTHING = "taken away"
ASSET = {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "text": "x", "hash": "x"}


@EVERYWHERE
@pytest.mark.parametrize("path, value", [
    ("", None), ("", 5), ("", "text"), ("", []), ("", {}), ("", UNKNOWN), ("", ASSET), ("", secret(None)),
    ("version", NOTHING), ("version", None), ("version", "1"), ("version", 1.5), ("version", -1), ("version", 1e300),
    ("region", NOTHING), ("region", ""), ("region", None), ("region", 5), ("owner", []),
    ("bucket", "b"), ("bucket/name", 5), ("bucket/tags", []), ("bucket/tags/a", None), ("role/arn", {}),
    ("restApi/id", 5), ("restApi/id", UNKNOWN), ("definition/drift", "x"), ("leftovers", 5),
    ("stage/digest", float("nan")),
], ids=str)
def test_a_damaged_state_is_refused_with_advice(resource, tap, operation, path, value):
    damage(resource, path, value)
    details = refused(resource, tap, operation, "damaged")
    assert "`pulumi state delete`" in details


def damage(resource: Resource, path: str, value) -> None:
    inner, *way = [resource.outputs, "__state", *filter(None, path.split("/"))]
    for key in way[:-1]:
        inner = inner[key]
    if value is NOTHING:
        del inner[way[-1]]
    else:
        inner[way[-1]] = value


@pytest.mark.parametrize("operation", [OPERATIONS[name] for name in OPERATIONS if name != "Read"],
                         ids=[name for name in OPERATIONS if name != "Read"])
def test_a_state_that_is_missing_is_refused_with_advice(resource, tap, operation):
    del resource.outputs["__state"]
    assert "`pulumi refresh`" in refused(resource, tap, operation, "have no `__state`")


def test_a_refresh_finds_a_state_that_is_missing(resource, existing):
    """What the advice says helps."""
    del resource.outputs["__state"]
    seen = resource.read()
    assert seen.id == existing.id
    resource.outputs = plain(seen.properties)
    assert not resource.diff(resource.inputs).detailedDiff
    assert resource.outputs["restApiId"] == existing.outputs["restApiId"]


@pytest.mark.parametrize("value", [{}, "text", None], ids=str)
def test_a_refresh_is_not_advised_where_it_does_not_help(resource, tap, value):
    resource.outputs["__state"] = value
    assert "refresh" not in refused(resource, tap, OPERATIONS["Read"], "damaged")


@EVERYWHERE
@pytest.mark.parametrize("version", [2, 7000000])
def test_a_newer_state_is_refused_with_advice(resource, tap, operation, version):
    resource.outputs["__state"] |= {"version": version, "something": {"new": True}, "region": 5}
    details = refused(resource, tap, operation, f"version {version}")
    assert "install the newer" in details


PIECES = ("bucket", "role", "rolePolicy", "restApi", "definition", "stage")


# Extra fields are those of a version that is a little later and still says 1; missing ones those of an earlier one.
@pytest.mark.parametrize("spoil", [
    lambda state: state.update(extra={"x": [1, None]}),
    lambda state: [state[piece].update(extra="x") for piece in PIECES],
    lambda state: state.update(leftovers={}),
    lambda state: state["definition"].update(drift=[]),
], ids=["a piece", "fields", "leftovers", "drift"])
def test_more_fields_or_fewer_are_no_change(resource, existing, tap, spoil):
    spoil(resource.outputs["__state"])
    assert not resource.diff(resource.inputs).detailedDiff
    seen = resource.read()
    assert plain(seen.inputs) == existing.inputs and plain(seen.properties) == existing.outputs
    tap.reset()
    assert resource.update(resource.inputs) == existing.outputs
    assert tap.operations() == []


@pytest.mark.parametrize("operation", ["Read", "Update"])
def test_an_older_state_becomes_one_of_this_version(resource, existing, operation):
    resource.outputs["__state"]["version"] = 0
    assert not resource.diff(resource.inputs).detailedDiff
    outputs = resource.update(resource.inputs) if operation == "Update" else plain(resource.read().properties)
    assert outputs == existing.outputs


def test_a_secret_state_is_read_as_any_other(resource, existing):
    resource.outputs["__state"] = secret(resource.outputs["__state"])
    assert not resource.diff(resource.inputs).detailedDiff
    assert plain(resource.read().properties)["restApiId"] == existing.outputs["restApiId"]


def test_inputs_of_another_version_are_no_problem(resource, existing, tap):
    """What only refresh and delete pass: inputs that this version has not checked."""
    old = resource.inputs | {"gone": {"x": 1}, "bucket": {"gone": True}}
    seen = resource.read(inputs=struct(old))
    assert seen.id == existing.id
    assert plain(seen.inputs) == old
    assert plain(seen.properties) == existing.outputs | {"gone": old["gone"], "bucket": old["bucket"]}


@pytest.mark.parametrize("missing", [(), ("stage",), ("definition", "stage"), ("rolePolicy",)], ids=str)
@pytest.mark.parametrize("old_inputs", [
    None, struct({}), struct({"gone": 1, "bucket": {"gone": 1, "forceDestroy": True}}),
], ids=["no inputs", "empty inputs", "other inputs"])
def test_delete_needs_nothing_but_a_state(plugin, aws, missing, old_inputs):
    """Also one that lacks what exists, as after an answer that was lost."""
    name = f"rpc-{uuid.uuid4().hex[:8]}"
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, name)
        state = resource.create(INPUTS)["__state"]
        try:
            kept = {key: value for key, value in state.items() if key not in missing}
            resource.delete(properties=struct({"__state": kept}), old_inputs=old_inputs)
            assert name not in str(aws.inventory())
        finally:
            wipe(aws, name)


def test_read_with_a_state_needs_no_other_property(resource, existing):
    seen = resource.stub.Read(provider_pb2.ReadRequest(
        id=resource.id, urn=resource.urn, properties=struct({"__state": resource.outputs["__state"]}),
        inputs=struct(resource.inputs)))
    assert plain(seen.properties) == existing.outputs
