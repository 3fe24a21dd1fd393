"""Two that are recorded as the same resource, as with two developers of one program who each have a backend of their own:
what one of them has deployed is never touched by the other one's commands."""

import uuid

import grpc
import pytest
from pulumi.runtime.proto import engine_pb2

from harness.account import recorded, there
from harness.faults import Error
from harness.lookalikes import OWNER
from harness.rpc import Engine, Plugin, Resource, bare, init_failed, plain, wipe
from harness.tap import Tap

PLAIN = {"waitForReady": False, "bucket": {"forceDestroy": True}}
LOGGED = PLAIN | {"accessLog": {}, "executionLog": {}}
RETAGS = ("PutBucketTagging", "TagRole", "TagResource")


class Developer:
    """A plugin with a tap of its own, and what its backend has on record of the resource."""

    def __init__(self, aws, binary, name: str):
        self.tap, self.engine = Tap(aws.url), Engine()
        self.binary, self.name = binary, name
        self.plugin, self.resource = None, None
        self.begin()

    def begin(self) -> None:
        """The next command."""
        if self.plugin:
            self.plugin.stop()
        self.tap.reset()
        self.engine.logs.clear()
        self.plugin = Plugin(self.binary, self.engine.address, endpoint=self.tap.url, timeout=60)
        self.plugin.handshake(self.engine.address)
        self.plugin.configure(maxAttempts=2)
        if not self.resource or not self.resource.id:
            self.resource = Resource(self.plugin, self.name)
        self.resource.plugin, self.resource.stub = self.plugin, self.plugin.stub

    def up(self, inputs: dict) -> None:
        self.begin()
        self.go_on(inputs)

    def go_on(self, inputs: dict) -> None:
        inputs = {"name": self.name} | inputs
        self.resource.update(inputs) if self.resource.id else self.resource.create(inputs)

    def stopped(self, inputs: dict, *denied: str) -> None:
        """An `up` that is denied some operations, and what is recorded of it."""
        self.begin()
        for operation in denied:
            self.tap.inject(Error("AccessDenied", 403), operation=operation, times=99)
        self.resource.fail_half_way(lambda: self.go_on(inputs))
        self.tap.reset()

    def refresh(self) -> None:
        self.begin()
        seen = self.resource.read()
        self.resource.id, self.resource.inputs, self.resource.outputs = seen.id, plain(seen.inputs), plain(seen.properties)

    def destroy(self) -> None:
        self.begin()
        self.resource.delete()

    def warnings(self) -> list[str]:
        return [log.message for log in self.engine.logs if log.severity == engine_pb2.WARNING]

    def writes(self) -> list[str]:
        """What it has changed."""
        return [call.operation for call in self.tap.calls
                if not call.operation.startswith(("Get", "List", "Describe", "Head")) and call.status < 400]

    def close(self) -> None:
        self.plugin.stop()
        self.tap.stop()
        self.engine.stop()


@pytest.fixture
def two(aws, plugin):
    name = f"two-{uuid.uuid4().hex[:8]}"
    both = Developer(aws, plugin, name), Developer(aws, plugin, name)
    yield both
    wipe(aws, name)
    for each in both:
        each.close()


def data(aws, name: str) -> list[str]:
    return [item["Key"] for item in aws.client("s3").list_objects_v2(Bucket=name).get("Contents", [])]


def execution_logs(aws, id_: str) -> str:
    """What API Gateway makes when it first notes what it does."""
    group = f"API-Gateway-Execution-Logs_{id_}/prod"
    aws.client("logs").create_log_group(logGroupName=group)
    return group


def groups(aws, prefix: str) -> list[str]:
    return [group["logGroupName"] for group in aws.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]]


@pytest.mark.parametrize("denied", [RETAGS, ("TagResource",), ("TagRole", "TagResource"), ("PutRestApi",)],
                         ids=lambda denied: "-".join(denied))
@pytest.mark.parametrize("then", ["destroy", "up", "refresh and destroy"])
def test_what_went_on_since_it_was_claimed_stays(aws, two, then, denied):
    """One stops half way. The other one claims what is there, and stops too. Then the first one goes on."""
    first, second = two
    first.stopped(PLAIN, "PutRestApi")
    second.stopped(PLAIN, *denied)
    # It has claimed the very REST API.
    assert second.resource.outputs["restApiId"] == first.resource.outputs["restApiId"]
    first.up(PLAIN)
    aws.client("s3").put_object(Bucket=first.name, Key="data", Body=b"x")
    before = there(aws, first.name)
    assert ("stage", "prod") in before
    match then:
        case "destroy":
            second.destroy()
        case "refresh and destroy":
            second.refresh()
            assert not second.writes()
            # Where the first one has taken everything back, nothing is left of it.
            if second.resource.id:
                second.destroy()
        case "up":
            second.begin()
            with pytest.raises(grpc.RpcError) as refused:
                second.go_on(PLAIN)
            words = init_failed(refused.value).reasons if init_failed(refused.value) else [refused.value.details()]
            api = first.resource.outputs["restApiId"]
            assert any(f"the REST API `{api}` of this resource" in each and "is deployed" in each for each in words), words
    assert not second.writes(), second.writes()
    assert there(aws, first.name) == before and data(aws, first.name) == ["data"]
    first.destroy()
    assert not there(aws, first.name)


def test_a_bucket_with_data_is_not_taken_over(aws, two):
    """Somebody has deleted the REST API by hand, so it is not known whether the rest was ever finished."""
    first, second = two
    first.up({"waitForReady": False})
    aws.client("s3").put_object(Bucket=first.name, Key="data", Body=b"x")
    aws.client("apigateway").delete_rest_api(restApiId=first.resource.outputs["restApiId"])
    second.begin()
    with pytest.raises(grpc.RpcError) as refused:
        second.go_on(PLAIN)
    detail = init_failed(refused.value)
    words = "\n".join(detail.reasons) if detail else refused.value.details()
    assert "holds objects" in words and "`bucket.existing`" in words
    if detail:
        second.resource.id, second.resource.outputs = detail.id, plain(detail.properties)
        second.destroy()
        assert "DeleteBucket" not in second.tap.operations()
    assert data(aws, first.name) == ["data"]
    first.refresh()
    first.up({"waitForReady": False})
    assert data(aws, first.name) == ["data"]
    assert recorded(bare(first.resource.outputs)["__state"]) == set(there(aws, first.name))
    first.resource.inputs["bucket"] = {"forceDestroy": True}
    first.destroy()
    assert not there(aws, first.name)


def test_logs_of_what_another_life_goes_on_with_stay(aws, two):
    """The first one's stage is deleted by hand, so the second one goes on with its REST API."""
    first, second = two
    first.up(LOGGED)
    id_ = first.resource.outputs["restApiId"]
    group = execution_logs(aws, id_)
    aws.client("apigateway").delete_stage(restApiId=id_, stageName="prod")
    second.up(LOGGED)
    assert second.resource.outputs["restApiId"] == id_
    before = there(aws, first.name)
    first.destroy()
    assert groups(aws, group) == [group] and there(aws, first.name) == before
    assert any(f"the REST API `{id_}` stays" in words for words in first.warnings()), first.warnings()
    second.destroy()
    assert groups(aws, group) == [] and not there(aws, first.name)


def test_a_refresh_of_what_is_gone_tells_of_logs(aws, two):
    first, _ = two
    first.up(PLAIN | {"executionLog": {}})
    id_ = first.resource.outputs["restApiId"]
    group = execution_logs(aws, id_)
    iam, logs = aws.client("iam"), aws.client("logs")
    iam.delete_role_policy(RoleName=first.name, PolicyName="s3dataproxy")
    iam.delete_role(RoleName=first.name)
    aws.client("s3").delete_bucket(Bucket=first.name)
    aws.client("apigateway").delete_rest_api(restApiId=id_)
    first.refresh()
    assert not first.resource.id
    [words] = [words for words in first.warnings() if "log groups" in words]
    assert f"`{group}`" in words
    logs.delete_log_group(logGroupName=group)


@pytest.mark.parametrize("kind", ["bucket", "role"])
def test_a_refresh_tells_of_a_lost_tag(aws, two, kind):
    first, _ = two
    first.up(PLAIN)
    first.refresh()
    assert not first.warnings()
    match kind:
        case "bucket":
            aws.client("s3").delete_bucket_tagging(Bucket=first.name)
        case "role":
            aws.client("iam").untag_role(RoleName=first.name, TagKeys=[OWNER])
    first.refresh()
    [words] = [words for words in first.warnings() if "has lost the tag" in words]
    assert words.startswith(f"the {kind} `{first.name}` has lost the tag `{OWNER}`: ") and "`pulumi state delete`" in words
    first.up(PLAIN)
    first.refresh()
    assert not first.warnings()
    first.destroy()
    assert not there(aws, first.name)
