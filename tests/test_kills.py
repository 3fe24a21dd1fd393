"""The kill matrix: the plugin is killed at every AWS call of a create, of updates and of a delete, before AWS has seen
the call and after it was done; or it is cancelled or interrupted there. What the engine knows then is the old state, or
what it was told. The next run, in a new process, comes to what an undisturbed one makes, and a delete leaves nothing.

Beside each resource there are things of the same names that are not its own: they stay as they are.
"""

import json
import re
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from harness.account import there, told
from harness.faults import After, Before, Instead
from harness.lookalikes import Lookalikes
from harness.matrix import Outcome, printed
from harness.rpc import Plugin, init_failed, plain, wipe
from harness.tap import Tap
from test_domain import CERTIFICATE
from test_faults import FULL, PLAIN, Bench, Call, calls
from test_rpc_partial import settled

AT_ONCE = 8
#: How long a cancelled run may go on, with this many at once on a small machine.
PROMPT = 10

KILLED_BEFORE, KILLED_AFTER, CANCELLED, INTERRUPTED = "killed before", "killed after", "cancelled", "interrupted"
KILLED = (KILLED_BEFORE, KILLED_AFTER)
WAYS = (*KILLED, CANCELLED, INTERRUPTED)

#: Of a name that is the resource's own.
DOMAIN = {"domain": {"name": "NAME.example.com", "certificateArn": CERTIFICATE}}
#: Updates by what they are of: from these inputs to those.
UPDATES = {
    "logs and keys on": (PLAIN, FULL),
    "logs and keys off": (FULL, PLAIN),
    "document": (PLAIN, PLAIN | {"operations": ["GET", "LIST"]}),
    "stage": (PLAIN, PLAIN | {"stageName": "v2"}),
    "stage with keys": (FULL, FULL | {"stageName": "v2"}),
    "domain on": (PLAIN, PLAIN | DOMAIN),
    "domain moved": (PLAIN | DOMAIN, PLAIN | {"domain": DOMAIN["domain"] | {"name": "NAME-other.example.com"}}),
    "domain off": (PLAIN | DOMAIN, PLAIN),
    "keys": (FULL, FULL | {"apiKeys": ["bob", "cy"]}),
}
IMPORT = re.compile(r"pulumi import s3dataproxy:index:S3DataProxy '[^']+' (\w+)")


@dataclass(frozen=True)
class Row:
    """Where and how a run is ended, and what the user does then: the same `again`, `delete`, or something else."""

    call: Call
    way: str
    then: str = "again"

    def __str__(self) -> str:
        return f"{self.call} {self.way}, {self.then}"


@dataclass
class Scene(Bench):
    """A bench whose plugin may be ended at any time, beside look-alikes."""

    lookalikes: Lookalikes | None = None
    before: dict = field(default_factory=dict)

    def renew(self) -> None:
        super().renew()
        self.lookalikes, self.work = None, ""

    def given(self, inputs: dict) -> dict:
        return super().given(json.loads(json.dumps(inputs).replace("NAME", self.name)))

    def plant(self, in_the_way: str = "", owned: bool = False) -> None:
        self.lookalikes = Lookalikes(self.aws, self.name)
        if in_the_way:
            self.lookalikes.plant_in_the_way(in_the_way, owned)
        else:
            self.lookalikes.plant_beside()
        self.before = self.lookalikes.seen()

    def clear(self) -> list[str]:
        """Takes the look-alikes away; tells whether they were touched."""
        if not self.lookalikes:
            return []
        problems = [] if self.lookalikes.seen() == self.before else ["what is not ours was touched"]
        self.lookalikes.remove()
        return problems

    def account(self) -> dict:
        if not self.lookalikes:
            return super().account()
        found = there(self.aws, self.name, {id_ for each in self.lookalikes.ids.values() for id_ in each})
        return {(kind, id_): says for (kind, id_), says in found.items() if kind not in self.lookalikes.kinds}

    def revive(self) -> None:
        """The next command's plugin."""
        self.plugin.stop()
        self.plugin = start(self.binary, self.tap)
        self.resource.plugin, self.resource.stub = self.plugin, self.plugin.stub

    @property
    def binary(self):
        return self.plugin.process.args[0]

    def strike(self, row: Row, act: Callable[[], None]) -> tuple[bool, list[str]]:
        """Does it and ends it at the row's call; tells whether it failed, and what is wrong already."""
        struck, process, stub = [], self.plugin.process, self.plugin.stub

        def end():
            struck.append(time.monotonic())
            match row.way:
                case "cancelled":
                    stub.Cancel(empty_pb2.Empty(), timeout=30)
                case "interrupted":
                    process.send_signal(signal.SIGINT)
                case _:
                    process.kill()
                    process.wait()

        fault = {KILLED_BEFORE: Instead, KILLED_AFTER: After}.get(row.way, Before)(end)
        known = self.resource.id, self.resource.inputs, self.resource.outputs
        self.tap.reset()
        row.call.inject(self.tap, fault, 1)
        problems, failed = [], False
        try:
            act()
        except grpc.RpcError as error:
            failed = True
            if row.way in KILLED:
                # The engine hears of nothing.
                self.resource.id, self.resource.inputs, self.resource.outputs = known
            elif error.code() not in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.ABORTED):
                problems.append(f"{error.code()}: {error.details()}")
            elif "cancelled" not in error.details():
                problems.append(f"not told as a cancel: {error.details()}")
            elif not init_failed(error) and not known[0] and self.account():
                problems.append("the engine was told of nothing")
        seconds = time.monotonic() - struck[0] if struck else 0
        settled(self.tap)
        self.tap.reset()
        if not struck:
            return failed, [*problems, "the call did not come"]
        if row.way in KILLED:
            self.revive()
            return failed, problems + ([] if failed else ["it was not killed"])
        if seconds > PROMPT:
            problems.append(f"it went on for {seconds:.0f} s")
        if row.way == INTERRUPTED:
            if code := process.wait(30):
                problems.append(f"the plugin ended with {code}")
            if self.plugin.stderr:
                problems.append(f"the plugin wrote {self.plugin.stderr}")
            self.revive()
        else:
            self.plugin.handshake()
        return failed, problems

    def complete(self, inputs: dict, notes: set[str]) -> None:
        """The next `up`, and what it says that the user should do."""
        try:
            self.bring(inputs)
        except grpc.RpcError as error:
            found = IMPORT.search(error.details())
            if not found or error.code() != grpc.StatusCode.ALREADY_EXISTS:
                raise
            notes.add("imported")
            seen = self.resource.stub.Read(provider_pb2.ReadRequest(id=found[1], urn=self.resource.urn))
            self.resource.id, self.resource.inputs, self.resource.outputs = seen.id, plain(seen.inputs), plain(seen.properties)
            self.bring(inputs)
        # Nobody can hear of a deployment that was replaced before it was recorded, but by a look.
        unheard = self.account_for()
        if unheard and all("('deployment', " in each and each.startswith("not in the state") for each in unheard):
            notes.add("refreshed")
            self.refresh()
            self.bring(inputs)

    def refresh(self) -> None:
        seen = self.resource.read()
        if not seen.id:
            self.resource.id = ""
        self.resource.inputs, self.resource.outputs = plain(seen.inputs), plain(seen.properties)

    def gone(self) -> list[str]:
        self.delete()
        left = [f"left over: {each}" for each in self.account()]
        left += self.clear()
        self.renew()
        return left


def start(binary, tap: Tap) -> Plugin:
    plugin = Plugin(binary, endpoint=tap.url, timeout=60)
    plugin.handshake()
    plugin.configure(maxAttempts=2)
    return plugin


@pytest.fixture(scope="module")
def scenes(aws, plugin):
    """A function that does all rows, at the same time on several scenes, and tells what came of each."""
    made, free, lock = [], [], threading.Lock()

    def take() -> Scene:
        with lock:
            if free:
                return free.pop()
            tap = Tap(aws.url)
        made.append(Scene(aws, start(plugin, tap), tap))
        return made[-1]

    def each(rows: list, do: Callable) -> dict[object, Outcome]:
        def one(row):
            scene, notes = take(), set()
            try:
                failed, problems = do(scene, row, notes)
            except (grpc.RpcError, AssertionError) as error:
                words = error.details() if isinstance(error, grpc.RpcError) else str(error)
                failed, problems = True, [f"broke off: {words}"]
            finally:
                scene.tap.reset()
            if problems:
                scene.clear()
                wipe(aws, scene.name)
                if scene.plugin.process.poll() is not None:
                    scene.revive()
                scene.plugin.handshake()
                scene.renew()
            with lock:
                free.append(scene)
            return Outcome(failed, problems, notes)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(rows, pool.map(one, rows), strict=True))

    yield each
    for scene in made:
        scene.clear()
        wipe(aws, scene.name)
        scene.plugin.stop()
        scene.tap.stop()


@pytest.fixture(scope="module")
def matrix(pytestconfig):
    with printed(pytestconfig, WAYS, ("imported", "refreshed")) as matrix:
        yield matrix


def check(matrix, operation: str, done: dict[Row, Outcome]) -> None:
    matrix.check({(operation if row.then == "again" else f"{operation}, then {row.then}", row.way, str(row.call)): outcome
                  for row, outcome in done.items()})


def undisturbed(scenes, old: dict | None, new: dict | None) -> tuple[list[Call], str]:
    """The calls from `old` to `new`, and what the account says afterwards."""
    found = []

    def do(scene, _, _notes):
        if old is not None:
            scene.bring(old)
        scene.tap.reset()
        scene.bring(new) if new is not None else scene.delete()
        found.extend([calls(scene.tap), told(scene.account(), scene.name)])
        if new is None:
            scene.renew()
        return False, scene.gone() if new is not None else []

    [outcome] = scenes([None], do).values()
    assert not outcome.problems
    return tuple(found)


def test_create(scenes, matrix):
    found, expected = undisturbed(scenes, None, FULL)
    _, plain_expected = undisturbed(scenes, None, PLAIN)
    table = [Row(call, way) for call in found for way in WAYS]
    # The user thinks better of it.
    table += [Row(call, KILLED_AFTER, "less") for call in found]

    def do(scene, row, notes):
        inputs, wanted = (PLAIN, plain_expected) if row.then == "less" else (FULL, expected)
        scene.plant()
        failed, problems = scene.strike(row, lambda: scene.bring(FULL))
        if row.way not in KILLED:
            problems += scene.account_for()
        scene.complete(inputs, notes)
        return failed, problems + scene.converged(inputs, wanted) + scene.gone()

    check(matrix, "create", scenes(table, do))


@pytest.mark.parametrize("update", UPDATES)
def test_update(scenes, matrix, update):
    old, new = UPDATES[update]
    found, expected = undisturbed(scenes, old, new)
    _, before = undisturbed(scenes, None, old)
    table = [Row(call, way) for call in found for way in (*KILLED, CANCELLED)]
    # What was to be dropped is in the old state.
    table += [Row(call, KILLED_AFTER, then) for call in found for then in ("delete", "back")
              if not update.endswith("off")]

    def do(scene, row, notes):
        # The local AWS has a plan twice on a stage that it is put on again, which shows when it leaves.
        if scene.work != update or update == "stage with keys":
            problems = scene.gone() if scene.work else []
            scene.plant()
            scene.work = update
        else:
            problems = []
        if scene.inputs != old:
            scene.bring(old)
        failed, more = scene.strike(row, lambda: scene.bring(new))
        problems += more
        match row.then:
            case "delete":
                return failed, problems + scene.gone()
            case "back":
                # The engine sees nothing to do until a refresh has looked.
                scene.refresh()
                scene.bring(old)
                return failed, problems + scene.converged(old, before)
        if row.way not in KILLED:
            problems += scene.account_for()
        scene.complete(new, notes)
        return failed, problems + scene.converged(new, expected)

    check(matrix, update, scenes(table, do))


def test_delete(scenes, matrix):
    found, _ = undisturbed(scenes, FULL, None)
    _, expected = undisturbed(scenes, None, FULL)
    table = [Row(call, way) for call in found for way in WAYS]
    # The user wants it after all.
    table += [Row(call, KILLED_AFTER, "kept") for call in found]

    def do(scene, row, notes):
        problems = scene.gone() if scene.work else []
        scene.plant()
        scene.bring(FULL)
        failed, more = scene.strike(row, scene.delete)
        problems += more
        if row.then == "kept":
            scene.refresh()
            scene.complete(FULL, notes)
            problems += scene.converged(FULL, expected)
        return failed, problems + scene.gone()

    check(matrix, "delete", scenes(table, do))


# An update makes no bucket and no role.
@pytest.mark.parametrize("old, kind", [(None, "bucket"), (None, "role"), (None, "log group"), (PLAIN, "log group")],
                         ids=["create-bucket", "create-role", "create-log group", "update-log group"])
def test_what_is_in_the_way_stays(scenes, matrix, old, kind):
    """Of a name that only one can have. Neither a killed run nor one that comes after it takes it for its own."""
    def refused(scene, owned):
        scene.plant(kind, owned)
        if old:
            # What is there would be in the way of this, too.
            scene.bring(old)
        scene.tap.reset()
        return lambda: scene.bring(FULL)

    found = []

    def look(scene, _, _notes):
        with pytest.raises(grpc.RpcError, match="is there already"):
            refused(scene, owned=False)()
        found.extend(calls(scene.tap))
        return True, scene.gone()

    assert not any(outcome.problems for outcome in scenes([None], look).values())

    def do(scene, row, _notes):
        act = refused(scene, owned=found.index(row.call) % 2 == 1)
        failed, problems = scene.strike(row, act)
        with pytest.raises(grpc.RpcError, match="is there already"):
            scene.bring(FULL)
        return failed, problems + scene.account_for() + scene.gone()

    operation = f"{'update' if old else 'create'}, a {kind} in the way"
    check(matrix, operation, scenes([Row(call, KILLED_AFTER) for call in found], do))


def test_nothing_is_left(scenes):
    """Rows of updates work on one resource after the other; here each goes, and leaves nothing."""
    done = scenes(list(range(AT_ONCE)), lambda scene, _row, _notes: (False, scene.gone()))
    assert not [outcome.problems for outcome in done.values() if outcome.problems]
