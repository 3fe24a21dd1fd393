"""A create without a `name`, killed at every AWS call: the next one draws another name and meets nothing of it, so what
is left has to be told, with the commands that import or delete it. `test_kills.py` has the rest of the kill matrix."""

import re
import shlex
import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from botocore import xform_name
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, provider_pb2

from harness.account import recorded, there
from harness.engine import PROXY
from harness.faults import After, Error, Instead
from harness.rpc import Engine, Plugin, Resource, bare, plain, wipe
from harness.tap import Tap
from test_faults import FULL, Call, calls
from test_lifecycle import left, one

AT_ONCE = 4
IMPORT = re.compile(rf"pulumi import {PROXY} '([^']+)' (\w+)")
COMMAND = re.compile(r"^  aws (.+)$", re.MULTILINE)


class Scene:
    """A resource without a name, and plugins that come and go."""

    def __init__(self, aws, binary):
        self.aws, self.binary, self.name = aws, binary, f"unnamed-{uuid.uuid4().hex[:8]}"
        self.tap, self.engine = Tap(aws.url), Engine()
        self.plugin = self.start()

    def start(self) -> Plugin:
        plugin = Plugin(self.binary, self.engine.address, endpoint=self.tap.url, timeout=60)
        plugin.handshake(self.engine.address)
        plugin.configure(maxAttempts=2)
        return plugin

    def kill(self) -> None:
        self.plugin.process.kill()
        self.plugin.process.wait()

    def lose(self, call: Call, fault) -> str:
        """A run that is killed at a call; gives the name that it had drawn."""
        resource = Resource(self.plugin, self.name)
        call.inject(self.tap, fault(self.kill), 1)
        with pytest.raises(grpc.RpcError):
            resource.create(FULL)
        self.begin()
        return resource.inputs["name"]

    def run(self) -> tuple[Resource, list[str]]:
        """The next run, and what it warns of."""
        self.engine.logs.clear()
        resource = Resource(self.plugin, self.name)
        resource.create(FULL)
        return resource, self.warnings()

    def begin(self) -> None:
        """The next command, with a process of its own."""
        self.plugin.stop()
        self.tap.reset()
        self.plugin = self.start()
        self.engine.logs.clear()

    def resume(self, resource: Resource) -> Resource:
        """A resource on record, in the command that has begun."""
        resource.plugin, resource.stub = self.plugin, self.plugin.stub
        return resource

    def warnings(self) -> list[str]:
        return [log.message for log in self.engine.logs if log.severity == engine_pb2.WARNING]

    def obey(self, words: str) -> None:
        """Does what a warning says."""
        if found := IMPORT.search(words):
            resource = Resource(self.plugin, found[1])
            seen = self.plugin.stub.Read(provider_pb2.ReadRequest(id=found[2], urn=resource.urn))
            resource.id, resource.inputs, resource.outputs = seen.id, plain(seen.inputs), plain(seen.properties)
            resource.delete()
            return
        commands = COMMAND.findall(words)
        assert commands, words
        for command in commands:
            do(self.aws, command)

    def accounted(self, resource: Resource) -> bool:
        return recorded(bare(resource.outputs)["__state"]) == set(there(self.aws, resource.id))

    def close(self) -> None:
        self.tap.reset()
        wipe(self.aws, self.name)
        self.plugin.stop()
        self.tap.stop()
        self.engine.stop()


def do(aws, command: str) -> None:
    """Calls what a command line of the AWS CLI does."""
    service, operation, *words = shlex.split(command)
    client = aws.client({"s3api": "s3"}.get(service, service))
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation.replace("-", "_")])
    options = {"--" + xform_name(member, "-"): member for member in shape.input_shape.members}
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given.pop("--region", None) == (None if service == "iam" else client.meta.region_name), command
    getattr(client, operation.replace("-", "_"))(**{options[name]: value for name, value in given.items()})


@pytest.fixture
def scene(aws, plugin):
    scene = Scene(aws, plugin)
    yield scene
    scene.close()


@pytest.fixture(scope="module")
def found(aws, plugin) -> list[Call]:
    """The calls of a create that nothing disturbs."""
    scene = Scene(aws, plugin)
    resource, warnings = scene.run()
    found = calls(scene.tap)
    assert not warnings
    scene.tap.reset()
    resource.delete()
    scene.close()
    return found


def row(aws, plugin, call: Call, fault) -> list[str]:
    """What is wrong after a run that was lost at a call."""
    scene, problems = Scene(aws, plugin), []
    try:
        lost = scene.lose(call, fault)
        objects = there(aws, lost)
        resource, warnings = scene.run()
        if bool(objects) != (len(warnings) == 1):
            problems.append(f"of {sorted(objects)} it says {warnings}")
        for words in warnings:
            if not IMPORT.search(words):
                # Nothing is named that is not there, and the commands work in their order.
                problems += [f"{kind} {id_} is not named" for kind, id_ in objects if id_ not in words]
            scene.obey(words)
        problems += [f"left over: {each}" for each in there(aws, lost)]
        if not scene.accounted(resource):
            problems.append("the second run is not accounted for")
        resource.delete()
        problems += [f"left over: {each}" for each in there(aws, resource.id)]
    except AssertionError as error:
        problems.append(str(error))
    finally:
        scene.close()
    return problems


def test_what_is_left_is_told_with_a_way_out(aws, plugin, found):
    table = [(call, fault) for call in found for fault in (Instead, After)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(lambda each: row(aws, plugin, *each), table))
    wrong = {f"{call} {fault.__name__}": problems
             for (call, fault), problems in zip(table, done, strict=True) if problems}
    assert not wrong


def test_the_rest_api_comes_first(scene, aws):
    """By it everything else is found."""
    resource, _ = scene.run()
    made = [call for call in scene.tap.operations() if call.startswith(("Create", "Put"))]
    assert made[0] == "CreateRestApi"
    resource.delete()


def test_what_is_replaced_is_not_lost(scene):
    """As the engine does: it checks with the old inputs, and again without them for the new name."""
    old, _ = scene.run()
    scene.begin()
    scene.resume(old)
    old.diff(old.checked(FULL))
    new, warnings = scene.run()
    assert new.id != old.id and not warnings
    old.delete()
    new.delete()


def test_a_look_that_is_denied_stops_nothing(scene, aws):
    lost = scene.lose(Call("PutRestApi", 1), Instead)
    scene.tap.inject(Error("AccessDeniedException", 403), operation="GetRestApis", times=9)
    resource, warnings = scene.run()
    # Then it is not known whether the name is new, and the bucket is looked at first.
    assert not warnings and "GetBucketTagging" in scene.tap.operations()
    scene.tap.reset()
    resource.delete()
    scene.tap.inject(Error("AccessDenied", 403), operation="GetRole", times=9)
    resource, [warning] = scene.run()
    assert lost in warning and "cannot read the role" in warning
    scene.tap.reset()
    resource.delete()
    resource, [warning] = scene.run()
    scene.obey(warning)
    resource.delete()
    assert not there(aws, lost)


def test_what_has_data_or_another_owner_is_in_no_command(scene, aws):
    lost = scene.lose(Call("PutRestApi", 1), Instead)
    tags = {"TagSet": [{"Key": "s3dataproxy:owner", "Value": "prod::theirs::t::data@us-east-1@00000001"}]}
    aws.client("s3").put_bucket_tagging(Bucket=lost, Tagging=tags)
    resource, [warning] = scene.run()
    assert "delete-bucket" not in warning and "delete-role " in warning
    scene.obey(warning)
    assert set(there(aws, lost)) == {("bucket", lost)}
    resource.delete()


@pytest.mark.parametrize("at, fault", [("CreateDeployment", After), ("PutRestApi", Instead)], ids=["live", "unfinished"])
def test_a_create_that_is_cancelled_still_tells(scene, aws, at, fault):
    """The next command is an update, which does not look."""
    lost = scene.lose(Call(at, 1), fault)
    scene.engine.logs.clear()
    scene.tap.inject(After(lambda: scene.plugin.stub.Cancel(empty_pb2.Empty())), operation="PutRestApi")
    resource = Resource(scene.plugin, scene.name)
    resource.fail_half_way(resource.start_create(FULL))
    [warning] = scene.warnings()
    assert lost in warning and (IMPORT.search(warning) or "the operation was cancelled" in warning)
    scene.begin()
    scene.resume(resource).delete()
    # Here it has the time to say how.
    scene.obey(scene.warnings()[-1])
    assert not there(aws, lost)


def test_what_goes_in_the_same_command_is_not_told(scene):
    """Of a replacement whose delete failed, the next destroy deletes both lives at the same time."""
    lives = [scene.run()[0] for _ in range(2)]
    scene.begin()
    with ThreadPoolExecutor() as pool:
        list(pool.map(Resource.delete, map(scene.resume, lives)))
    assert not scene.warnings()


def test_a_destroy_after_a_replacement_that_failed_warns_of_nothing(aws, stack):
    name, inputs = f"unnamed-{uuid.uuid4().hex[:8]}", {"waitForReady": False}
    made = stack(one(name, inputs | {"name": f"{name}-old"}))
    made.up()
    aws.client("s3").put_object(Bucket=f"{name}-old", Key="data", Body=b"x")
    made.write(one(name, inputs | {"name": f"{name}-new"}))
    assert "BucketNotEmpty" in str(made.up(fails=True).messages("error", name))
    aws.client("s3").delete_object(Bucket=f"{name}-old", Key="data")
    assert not made.destroy().messages("warning", name)
    assert left(aws, f"{name}-old") == left(aws, f"{name}-new") == {}


def test_a_replacement_warns_of_nothing(aws, stack):
    name, inputs = f"unnamed-{uuid.uuid4().hex[:8]}", {"waitForReady": False}
    made = stack(one(name, inputs | {"bucket": {"name": f"{name}-other"}}))
    made.up()
    # A bucket of another name is another bucket.
    made.write(one(name, inputs))
    replaced = made.up()
    assert [step["op"] for step in replaced.done(name)][0] == "create-replacement"
    assert not [words for words in replaced.messages("warning", name) if "REST API" in words]
    # Here the engine tells the plugin nothing of the old one.
    replaced = made.up("--replace", made.resources()[-1]["urn"])
    [warning] = [words for words in replaced.messages("warning", name) if "REST API" in words]
    assert "Unless it is being replaced" in warning
    made.destroy()


def test_through_the_engine(aws, tap, stack):
    name = f"unnamed-{uuid.uuid4().hex[:8]}"
    made = stack(one(name, {"waitForReady": False, "bucket": {"forceDestroy": True}}), tap.url)
    for operation in ("CreateRole", "CreateDeployment"):
        running = made.start_operation
        struck = []

        def strike():
            struck.extend(child for child in running.children("pulumi-resource-s3dataproxy"))
            for process in struck:
                process.kill()

        tap.inject(After(strike), operation=operation)
        running = running("up", "--yes", "--skip-preview")
        assert running.wait(fails=None).returncode != 0 and struck
        tap.reset()
    up = made.up()
    warnings = "\n".join(up.messages("warning", name))
    commands, imports = COMMAND.findall(warnings), IMPORT.findall(warnings)
    assert len(imports) == 1 and commands
    for command in commands:
        do(aws, command)
    for lost, id_ in imports:
        made.import_(PROXY, lost, id_, "--protect=false")
    made.destroy()
    assert not [each for names in aws.inventory().values() for each in names if each.startswith(name)]
    assert left(aws, name) == {}
