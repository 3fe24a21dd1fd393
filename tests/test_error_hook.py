"""A create that stops half way, and that the user's error hook has the engine repeat: in the same process, with the same
inputs, and with nothing on record."""

import grpc
import pytest
from google.protobuf import empty_pb2

from harness.account import recorded, there
from harness.engine import PROXY, python_program
from harness.faults import Error
from harness.rpc import bare
from test_lifecycle import left

INPUTS = {"waitForReady": False, "bucket": {"forceDestroy": True}, "accessLog": {}, "apiKeys": ["ann"]}
#: Some of what is called in the order of a create, the last three after it is deployed.
FAILING = ["CreateBucket", "CreateRole", "CreateRestApi", "PutRolePolicy", "PutRestApi", "CreateDeployment",
           "CreateUsagePlan", "CreateApiKey", "CreateUsagePlanKey"]
PROGRAM = """import pulumi

def again(args):
    return len(args.errors) < 2

class Proxy(pulumi.CustomResource):
    def __init__(self, name, inputs):
        hooks = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("again", again)])
        super().__init__("TYPE", name, inputs, pulumi.ResourceOptions(hooks=hooks))

"""


def program(name: str, inputs: dict) -> dict[str, str]:
    """With a hook that lets a create be tried twice."""
    return python_program(f"{PROGRAM.replace('TYPE', PROXY)}Proxy({name!r}, {inputs!r})\n")


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("operation", FAILING)
def test_it_goes_on(resource, aws, tap, operation, named):
    name = resource.urn.rpartition(":")[2]
    inputs = resource.checked(INPUTS | ({"name": name} if named else {}))
    tap.inject(Error("AccessDenied", 403), operation=operation)
    with pytest.raises(grpc.RpcError):
        resource.create(inputs)
    assert operation in tap.operations()
    tap.reset()
    made = resource.create(inputs)
    account = there(aws, made["name"])
    assert recorded(bare(made)["__state"]) == set(account)
    assert [kind for kind, _ in account].count("REST API") == 1
    resource.delete()
    assert not there(aws, made["name"])


def test_a_cancel_in_between_still_tells_what_exists(resource, aws, tap):
    """The engine records what the last try tells."""
    inputs = resource.checked(INPUTS)
    tap.inject(Error("AccessDenied", 403), operation="CreateUsagePlan")
    with pytest.raises(grpc.RpcError):
        resource.create(inputs)
    resource.plugin.stub.Cancel(empty_pb2.Empty())
    resource.fail_half_way(lambda: resource.create(inputs))
    assert recorded(bare(resource.outputs)["__state"]) == set(there(aws, inputs["name"])) != set()
    resource.plugin.handshake()
    resource.delete()
    assert not there(aws, inputs["name"])


@pytest.mark.parametrize("operation", ["PutRestApi", "CreateUsagePlan"])
def test_through_the_engine(aws, tap, stack, operation):
    name = f"hook-{operation.lower()}"
    made = stack(program(name, INPUTS | {"name": name}), tap.url)
    tap.inject(Error("AccessDenied", 403), operation=operation)
    made.up()
    assert tap.operations().count(operation) == 2 and tap.operations().count("CreateRestApi") == 1
    assert [kind for kind, _ in there(aws, name)].count("REST API") == 1
    refreshed = made.refresh()
    assert not refreshed.messages("warning", name)
    assert [step["op"] for step in made.up().done(name)] == ["same"]
    made.destroy()
    assert left(aws, name) == {}
