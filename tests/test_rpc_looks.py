"""Before and beside what it changes, the plugin looks: a look that hangs ends at once with a cancel or when the time is
up, everything stays as it was, and the same again without the hang comes to its end."""

import json
import math
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import grpc
import pytest
from google.protobuf import empty_pb2

from harness.account import recorded, there
from harness.aws import ACCOUNT
from harness.faults import Before, Error, Lost
from harness.rpc import Plugin, Resource, init_failed, plain, wipe
from test_faults import Call

DENIED = Error("AccessDenied", 403)
TIMEOUT = 2
PLAIN = {"waitForReady": False, "tags": {"team": "a"}}
LOGS = PLAIN | {"executionLog": {"level": "ERROR"}}
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


def nothing(bench) -> None:
    pass


def made(bench) -> None:
    bench.resource.create(bench.given(PLAIN))


def cut_off(bench) -> None:
    """A create that lost every answer about the REST API, and did not find it."""
    bench.tap.inject(Lost(), operation="CreateRestApi", times=math.inf)
    Call("GetRestApis", 2).inject(bench.tap, Error("InternalError", 500), math.inf)
    bench.resource.fail_half_way(bench.resource.start_create(bench.given(PLAIN)))
    assert bench.resource.outputs["__state"]["cutOff"]


def another_life(bench) -> None:
    """What a run made that was killed before it was done."""
    bench.tap.inject(DENIED, operation="CreateRestApi", times=math.inf)
    bench.resource.fail_half_way(bench.resource.start_create(bench.given(PLAIN)))
    bench.resource.id, bench.resource.inputs, bench.resource.outputs = "", {}, {}
    # In the command that made it, a create like it would go on with it.
    bench.resource.plugin.handshake()


def role_of_others(bench) -> None:
    role = bench.aws.client("iam").create_role(RoleName=f"{bench.name}-given", AssumeRolePolicyDocument=json.dumps(TRUST))
    assert role["Role"]["Arn"] == bench.given(GIVEN)["role"]["arn"]


def bucket_of_others(bench) -> None:
    bench.aws.client("s3").create_bucket(Bucket=f"{bench.name}-given")


def log_group_of_another_life(bench) -> None:
    bench.tap.inject(DENIED, operation="CreateRestApi", times=math.inf)
    bench.resource.fail_half_way(bench.resource.start_create(bench.given(LOG_GROUP)))
    bench.resource.id, bench.resource.inputs, bench.resource.outputs = "", {}, {}
    # In the command that made it, a create like it would go on with it.
    bench.resource.plugin.handshake()


GIVEN = PLAIN | {"role": {"arn": f"arn:aws:iam::{ACCOUNT}:role/NAME-given"}}
SERVED = PLAIN | {"bucket": {"existing": True, "name": "NAME-given"}}
LOG_GROUP = PLAIN | {"accessLog": {}}


@dataclass(frozen=True)
class Look:
    """What is done after `before` while `operation` hangs, and the words for it."""

    act: str
    operation: str
    doing: str
    before: Callable = made
    inputs: dict | None = None


LOOKS = {
    "account": Look("create", "GetCallerIdentity", "reach AWS", nothing),
    "account for a refresh": Look("read", "GetCallerIdentity", "reach AWS"),
    "logs": Look("create", "GetAccount", "switch on logs", nothing, LOGS),
    "logs' role": Look("update", "GetAccount", "switch on logs", made, LOGS),
    "bucket": Look("create", "GetBucketTagging", "create the bucket `NAME`", nothing),
    "served bucket": Look("create", "HeadBucket", "serve the existing bucket `NAME-given`", bucket_of_others, SERVED),
    "given role": Look("create", "GetRole", "use the role `arn:aws:iam::000000000000:role/NAME-given`", role_of_others, GIVEN),
    "adopted role": Look("create", "GetRole", "create the role `NAME`", another_life),
    "adopted bucket": Look("create", "GetBucketPolicy", "create the bucket `NAME`", another_life),
    "adopted log group": Look("create", "DescribeLogGroups", "create the log group `/aws/apigateway/NAME`",
                              log_group_of_another_life, LOG_GROUP),
    "other lives": Look("create", "GetRestApis", "create the REST API `NAME`", nothing),
    "lost, then refresh": Look("read", "GetRestApis", "look for what an earlier run may have made", cut_off),
    "lost, then update": Look("update", "GetRestApis", "look for what an earlier run may have made", cut_off),
    "lost, then delete": Look("delete", "GetRestApis", "look for what an earlier run may have made", cut_off),
    "refresh": Look("read", "GetStage", "look at what is there"),
    "refresh of a bucket": Look("read", "GetBucketPolicy", "look at what is there"),
    "whose it is": Look("delete", "GetRole", "look at what is to be deleted"),
    "import": Look("import", "GetResources", "import `ID`"),
}


@dataclass
class Bench:
    aws: object
    tap: object
    resource: Resource

    @property
    def name(self) -> str:
        return self.resource.urn.rpartition(":")[2]

    def given(self, inputs: dict) -> dict:
        return json.loads(json.dumps(inputs | {"name": self.name}).replace("NAME", self.name))

    def act(self, look: Look, timeout: float) -> None:
        inputs = self.given(look.inputs or PLAIN)
        match look.act:
            case "create":
                self.resource.create(inputs, timeout=timeout)
            case "update":
                self.resource.update(inputs, timeout=timeout)
            case "read":
                seen = self.resource.read()
                assert seen.id, "the refresh has dropped the resource"
                self.resource.outputs = plain(seen.properties)
            case "delete":
                self.resource.delete(timeout=timeout)
            case "import":
                other = Resource(self.resource.plugin, "other")
                other.id = self.resource.outputs["restApiId"]
                assert other.read().id == self.name


@pytest.fixture
def bench(aws, plugin, tap):
    with Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure(maxAttempts=1)
        bench = Bench(aws, tap, Resource(provider, f"look-{uuid.uuid4().hex[:8]}"))
        yield bench
        tap.reset()
        wipe(aws, bench.name)


CASES = [(name, how) for name, look in LOOKS.items() for how in ("cancel", "timeout")
         if how == "cancel" or look.act not in ("read", "import")]  # which have no time limit


@pytest.mark.parametrize("name, how", CASES)
def test_a_look_that_hangs_ends_when_it_is_time(bench, name, how):
    look, resource = LOOKS[name], bench.resource
    look.before(bench)
    before, inputs = resource.outputs, resource.inputs
    if look.operation == "GetCallerIdentity":
        resource.plugin.configure(maxAttempts=1, allowedAccountIds=[ACCOUNT])
    account = set(there(bench.aws, bench.name))
    bench.tap.reset()
    met, released = threading.Event(), threading.Event()
    bench.tap.inject(Before(lambda: (met.set(), released.wait(60))), operation=look.operation, times=math.inf)
    times = {}

    def cancel() -> None:
        if met.wait(30):
            time.sleep(0.5)  # so that what goes on beside the look is done
            times["stopped"] = time.monotonic()
            resource.stub.Cancel(empty_pb2.Empty())

    canceller = threading.Thread(target=cancel)
    started = time.monotonic()
    if how == "cancel":
        canceller.start()
    try:
        with pytest.raises(grpc.RpcError) as caught:
            bench.act(look, 0 if how == "cancel" else TIMEOUT)
        ended = time.monotonic()
    finally:
        released.set()
        if how == "cancel":
            canceller.join(30)
    assert ended - times.get("stopped", started + TIMEOUT) < 2, "it went on"
    assert met.is_set()

    reason = "the operation was cancelled" if how == "cancel" else "the time given by `customTimeouts` is up"
    detail = init_failed(caught.value)
    told = "\n".join(detail.reasons) if detail else caught.value.details()
    told = told.replace(bench.name, "NAME").replace(resource.outputs.get("restApiId", "ID"), "ID")
    assert f"cannot {look.doing}: {reason}" in told.splitlines()
    if detail:
        # What was made beside the look is on record, and nothing is in doubt because of the look.
        resource.id, resource.outputs = detail.id, plain(detail.properties)
        if look.act == "update":
            assert resource.outputs["__state"] == before["__state"]
    else:
        assert caught.value.code() == grpc.StatusCode.ABORTED
        resource.inputs = inputs if look.act != "create" else resource.inputs
    if resource.id and look.before in (made, nothing):
        assert set(there(bench.aws, bench.name)) == recorded(resource.outputs["__state"])
        assert not resource.outputs["__state"].get("cutOff")
    if look.act in ("read", "import", "delete"):
        assert set(there(bench.aws, bench.name)) == account, "a look has changed something"

    # The next command.
    bench.tap.reset()
    resource.plugin.handshake()
    if look.act == "create" and resource.id:
        look = Look("update", look.operation, look.doing, inputs=look.inputs)
    bench.act(look, 0)
    if look.act != "delete":
        assert set(there(bench.aws, bench.name)) == recorded(resource.outputs["__state"])
        resource.delete()
    assert there(bench.aws, bench.name) == {}
