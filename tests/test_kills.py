"""The kill matrix: the plugin is killed at every AWS call of a create, of updates and of a delete, before AWS has seen
the call and after it was done; or it is cancelled or interrupted there. What the engine knows then is the old state, or
what it was told. The next run, in a new process, comes to what an undisturbed one makes, and a delete leaves nothing.

Beside each resource there are things of the same names that are not its own: they stay as they are.
"""

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

from harness.account import recorded, there
from harness.aws import ACCOUNT
from harness.faults import After, Before, Instead
from harness.lookalikes import STAGE, Lookalikes, owners
from harness.matrix import Outcome, printed
from harness.rpc import Plugin, Resource, init_failed, plain, wipe
from harness.tap import Tap
from test_domain import CERTIFICATE
from test_faults import FULL, GIVEN_ROLE, PLAIN, Bench, Call, calls, given_role, web_acls  # the last two are fixtures
from test_rpc_partial import settled

AT_ONCE = 8
#: How long a cancelled run may go on, with this many at once on a small machine.
PROMPT = 10

KILLED_BEFORE, KILLED_AFTER, CANCELLED, INTERRUPTED = "killed before", "killed after", "cancelled", "interrupted"
KILLED = (KILLED_BEFORE, KILLED_AFTER)
WAYS = (*KILLED, CANCELLED, INTERRUPTED)

#: What a user may do after a killed update, but the same again.
THENS = ("delete", "back")


@dataclass
class Update:
    """An update from some inputs to others; how it is ended at each of its calls, and what the user may do then instead."""

    old: dict
    new: dict
    ways: tuple[str, ...] = (KILLED_AFTER, CANCELLED)
    thens: tuple[str, ...] = THENS
    #: What a killed run leaves for good where the user goes back: AWS does not tell who put it there.
    stays: Callable[[str], str] = lambda says: says


#: Of a name that is the resource's own.
DOMAIN = PLAIN | {"domain": {"name": "NAME.example.com", "certificateArn": CERTIFICATE}}
GIVEN = PLAIN | {"role": {"arn": f"arn:aws:iam::{ACCOUNT}:role/{GIVEN_ROLE}"}}
EDGE = {"endpoint": {"type": "EDGE"}}
PRIVATE = PLAIN | {"endpoint": {"type": "PRIVATE", "vpcEndpointIds": ["vpce-a", "vpce-b"]}}
FIRST_ACL, SECOND_ACL = (PLAIN | {"webAclArn": f"{name}_ACL"} for name in ("FIRST", "SECOND"))
# A kill before a call leaves what a kill after the call before it does: most updates are asked only the one.
BRIEF = (KILLED_AFTER,)
UPDATES = {
    "logs and keys on": Update(PLAIN, FULL, (KILLED_AFTER, INTERRUPTED)),
    "logs and keys off": Update(FULL, PLAIN, thens=()),
    "document": Update(PLAIN, PLAIN | {"operations": ["GET", "LIST"]}, WAYS),
    "stage": Update(PLAIN, PLAIN | {"stageName": "v2"}, WAYS),
    "stage with keys": Update(FULL, FULL | {"stageName": "v2"}, BRIEF),
    "domain on": Update(PLAIN, DOMAIN, (*BRIEF, INTERRUPTED)),
    "domain moved": Update(DOMAIN, DOMAIN | {"domain": DOMAIN["domain"] | {"name": "NAME-other.example.com"}}),
    "domain off": Update(DOMAIN, PLAIN, thens=()),
    "domain's endpoint": Update(DOMAIN, DOMAIN | EDGE, BRIEF),
    "keys": Update(FULL, FULL | {"apiKeys": ["bob", "cy"]}),
    "web ACL on": Update(PLAIN, FIRST_ACL, (*KILLED, INTERRUPTED),
                         stays=lambda says: re.sub(r'"arn:[^"]*FIRST-ACL[^"]*"', "null", says)),
    "web ACL moved": Update(FIRST_ACL, SECOND_ACL, BRIEF),
    "web ACL moved with its stage": Update(FIRST_ACL, SECOND_ACL | {"stageName": "v2"}, BRIEF),
    "web ACL off": Update(FIRST_ACL, PLAIN, BRIEF, ("back",)),
    "role given": Update(PLAIN, GIVEN, BRIEF),
    "own role again": Update(GIVEN, PLAIN, (KILLED_AFTER, INTERRUPTED)),
    "endpoint": Update(PLAIN, PLAIN | EDGE, BRIEF),
    "both protocols": Update(PLAIN, PLAIN | {"endpoint": {"ipAddressType": "dualstack"}}, BRIEF, ("back",)),
    "VPC endpoints": Update(PRIVATE, PLAIN | {"endpoint": {"type": "PRIVATE", "vpcEndpointIds": ["vpce-b", "vpce-c"]}}, BRIEF),
    "stage's settings": Update(PLAIN, PLAIN | {
        "throttle": {"rateLimit": 10, "burstLimit": 5}, "metricsEnabled": True, "tracingEnabled": True,
        "executionLog": {"level": "INFO"}}, (KILLED_AFTER, INTERRUPTED)),
    "cache on": Update(PLAIN, PLAIN | {"cache": {}}, BRIEF, ("back",)),
    "cache off": Update(PLAIN | {"cache": {}}, PLAIN, BRIEF, ("back",)),
    "tags": Update(PLAIN, PLAIN | {"tags": {"team": "b", "more": "1"}}, BRIEF,
                   stays=lambda says: re.sub(r'\s*"more": "1",', "", says)),
    "authorization on": Update(PLAIN, PLAIN | {"authorization": "AWS_IAM"}, BRIEF, ("back",)),
    "CORS on": Update(PLAIN, PLAIN | {"cors": {"allowOrigins": ["https://a.example", "https://b.example"]}}, BRIEF, ("back",)),
}
#: Whose things are no life's of the resource.
STRANGERS = [whose for whose in owners("") if whose != "another life's"]
IMPORT = re.compile(r"pulumi import s3dataproxy:index:S3DataProxy '[^']+' (\w+)")


@dataclass(frozen=True)
class Row:
    """Where and how a run is ended, and what the user does then: the same `again`, `delete`, or something else."""

    call: Call
    way: str
    then: str = "again"


@dataclass
class Scene(Bench):
    """A bench whose plugin may be ended at any time, beside look-alikes."""

    lookalikes: Lookalikes | None = None
    before: dict = field(default_factory=dict)
    #: Whether the run that was killed last has deployed, which nobody has heard of.
    unheard: bool = False
    #: Takes away what a killed run leaves for good, see `Update.stays`.
    stays: Callable[[str], str] = lambda says: says

    def renew(self) -> None:
        super().renew()
        self.lookalikes, self.work = None, ""

    def plant(self, *beside: str) -> None:
        """More of them; one of another life only beside this one, or it would be in the way of its create."""
        self.lookalikes = self.lookalikes or Lookalikes(self.aws, self.name)
        self.lookalikes.plant_beside(*beside)
        self.before = self.lookalikes.seen()

    def plant_in_the_way(self, kind: str, owner: str) -> None:
        self.lookalikes = Lookalikes(self.aws, self.name)
        self.lookalikes.plant_in_the_way(kind, owner)
        self.before = self.lookalikes.seen()

    def plant_upon(self, mapped: bool) -> None:
        self.lookalikes = Lookalikes(self.aws, self.name)
        self.lookalikes.plant_upon(self.resource.outputs["restApiId"], self.resource.outputs["deploymentId"], mapped)
        self.before = self.lookalikes.seen()

    def clear(self) -> list[str]:
        """Takes the look-alikes away; tells whether they were touched."""
        if not self.lookalikes:
            return []
        problems = [] if (seen := self.lookalikes.seen()) == self.before else [
            f"what is not ours was touched: {[key for key in seen if seen[key] != self.before.get(key)]}"]
        self.lookalikes.remove()
        self.lookalikes = None
        return problems

    def account(self) -> dict:
        if not self.lookalikes:
            return super().account()
        found = there(self.aws, self.name, {id_ for each in self.lookalikes.ids.values() for id_ in each})
        theirs = {("domain name", self.lookalikes.domain)} if "domain name" in self.lookalikes.kinds else set()
        if self.lookalikes.upon:
            # They need it as long as their stage serves it.
            theirs |= {("stage", STAGE), ("deployment", self.lookalikes.upon[1])} - recorded(self.state())
        return {(kind, id_): says for (kind, id_), says in found.items()
                if kind not in self.lookalikes.kinds and (kind, id_) not in theirs}

    def told(self) -> str:
        return self.stays(super().told())

    def note(self) -> None:
        """Log groups that API Gateway makes by itself are in test_faults.py."""

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
        self.unheard = row.way in KILLED and any(
            call.operation == "CreateDeployment" and (call.status or 500) < 300 for call in self.tap.calls)
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

    def complete(self, inputs: dict, notes: set[str], unheard: bool = False) -> None:
        """The next `up`, and what it says that the user should do; `unheard`: it leaves one deployment for a refresh."""
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
        left = self.account_for()
        # No call of the next update tells of a deployment that the killed one has made for a stage that stays: README's
        # "What a killed update left and the next one does not need is found by `pulumi refresh`".
        if unheard:
            notes.add("refreshed")
            assert len(left) == 1 and left[0].startswith("not in the state: ('deployment', "), f"not one deployment: {left}"
            self.refresh()
            self.bring(inputs)

    def refresh(self) -> None:
        seen = self.resource.read()
        if not seen.id:
            self.resource.id = ""
        self.resource.inputs, self.resource.outputs = plain(seen.inputs), plain(seen.properties)

    def begin(self) -> list[str]:
        """Nothing of what comes has to do with earlier work."""
        return self.gone() if self.resource.id or self.lookalikes else []

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
def scenes(aws, plugin, given_role):
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
            scene.stays = lambda says: says
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
    with printed(pytestconfig, WAYS, ("imported", "refreshed", "stays")) as matrix:
        yield matrix


def check(matrix, operation: str, done: dict[Row, Outcome]) -> None:
    matrix.check({(operation if row.then == "again" else f"{operation}, then {row.then}", row.way, str(row.call)): outcome
                  for row, outcome in done.items()})


def two(row: int, whose: list[str]) -> list[str]:
    """Two of these, and in the next row others."""
    return [whose[each % len(whose)] for each in (row, row + 1)]


def undisturbed(scenes, old: dict | None, new: dict | None) -> tuple[list[Call], str]:
    """The calls from `old` to `new`, and what the account says afterwards."""
    found = []

    def do(scene, _, _notes):
        problems = scene.begin()
        if old is not None:
            scene.bring(old)
        scene.tap.reset()
        scene.bring(new) if new is not None else scene.delete()
        found.extend([calls(scene.tap), scene.told()])
        if new is None:
            scene.renew()
        return False, problems + (scene.gone() if new is not None else [])

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
        problems = scene.begin()
        # A create asks what another life has, so that comes in a test of its own.
        scene.plant(*two(table.index(row), STRANGERS))
        failed, more = scene.strike(row, lambda: scene.bring(FULL))
        problems += more
        if row.way not in KILLED:
            problems += scene.account_for()
        scene.complete(inputs, notes)
        return failed, problems + scene.converged(inputs, wanted) + scene.gone()

    check(matrix, "create", scenes(table, do))


@pytest.mark.parametrize("name", UPDATES)
def test_update(scenes, matrix, name):
    update = UPDATES[name]
    found, expected = undisturbed(scenes, update.old, update.new)
    _, before = undisturbed(scenes, None, update.old)
    table = [Row(call, way) for call in found for way in update.ways]
    table += [Row(call, KILLED_AFTER, then) for call in found for then in update.thens]
    moved = update.old.get("stageName") != update.new.get("stageName")

    def do(scene, row, notes):
        # The local AWS has a plan twice on a stage that it is put on again, which shows when it leaves.
        if scene.work != name or name == "stage with keys":
            problems = scene.begin()
            scene.plant(*STRANGERS)
            scene.bring(update.old)
            scene.plant("another life's")
            scene.work = name
        else:
            problems = []
        if scene.inputs != update.old:
            scene.bring(update.old)
        failed, more = scene.strike(row, lambda: scene.bring(update.new))
        problems += more
        match row.then:
            case "delete":
                return failed, problems + scene.gone()
            case "back":
                # The engine sees nothing to do until a refresh has looked.
                scene.refresh()
                scene.bring(update.old)
                says, scene.stays = scene.told(), update.stays
                problems += scene.converged(update.old, before)
                if says != scene.told():
                    notes.add("stays")
                    problems += scene.gone()
                return failed, problems
        if row.way not in KILLED:
            problems += scene.account_for()
        scene.complete(update.new, notes, unheard=scene.unheard and not moved)
        return failed, problems + scene.converged(update.new, expected)

    check(matrix, name, scenes(table, do))


def test_delete(scenes, matrix):
    found, _ = undisturbed(scenes, FULL, None)
    _, expected = undisturbed(scenes, None, FULL)
    table = [Row(call, way) for call in found for way in WAYS]
    # The user wants it after all.
    table += [Row(call, KILLED_AFTER, "kept") for call in found]

    def do(scene, row, notes):
        problems = scene.begin()
        scene.plant(*two(table.index(row), STRANGERS))
        scene.bring(FULL)
        # Where it is made again, another life would be in the way.
        if row.then != "kept":
            scene.plant("another life's")
        failed, more = scene.strike(row, scene.delete)
        problems += more
        if row.then == "kept":
            scene.refresh()
            scene.complete(FULL, notes)
            problems += scene.converged(FULL, expected)
        return failed, problems + scene.gone()

    check(matrix, "delete", scenes(table, do))


# An update makes no bucket, and a role of its own only in place of one that was made elsewhere.
@pytest.mark.parametrize("old, new, kind", [
    (None, FULL, "bucket"), (None, FULL, "role"), (None, FULL, "log group"), (PLAIN, FULL, "log group"), (GIVEN, PLAIN, "role"),
    (None, DOMAIN, "domain name"), (PLAIN, DOMAIN, "domain name"),
], ids=["create-bucket", "create-role", "create-log group", "update-log group", "update-role", "create-domain name",
        "update-domain name"])
def test_what_is_in_the_way_stays(scenes, matrix, old, new, kind):
    """Of a name that only one can have. Neither a killed run nor one that comes after it takes it for its own."""
    def refused(scene, owner):
        assert not scene.begin()
        scene.plant_in_the_way(kind, owner)
        if old:
            # What is there would be in the way of this, too.
            scene.bring(old)
        scene.tap.reset()
        return lambda: scene.bring(new)

    found = []

    def look(scene, _, _notes):
        with pytest.raises(grpc.RpcError, match="is there already"):
            refused(scene, STRANGERS[0])()
        found.extend(calls(scene.tap))
        return True, scene.gone()

    assert not any(outcome.problems for outcome in scenes([None], look).values())

    def do(scene, row, notes):
        act = refused(scene, STRANGERS[found.index(row.call) % len(STRANGERS)])
        failed, problems = scene.strike(row, act)
        # What was live before it came to that has to be imported first.
        with pytest.raises(grpc.RpcError, match=f"a {kind} of this name is there already; "):
            scene.complete(new, notes)
        return failed, problems + scene.account_for() + scene.gone()

    operation = f"{'update' if old else 'create'}, a {kind} in the way"
    check(matrix, operation, scenes([Row(call, KILLED_AFTER) for call in found], do))


def test_another_life_that_is_live_stays(scenes, matrix):
    """Under the same explicit name: a create, killed or not, touches nothing of it and names the command that imports it."""
    found = []

    def forgotten(scene) -> dict:
        """A life that the engine has lost; tells what it has."""
        assert not scene.begin()
        scene.bring(FULL)
        seen = scene.account()
        # The next command.
        scene.plugin.handshake()
        scene.resource, scene.inputs = Resource(scene.plugin, scene.name), None
        scene.tap.reset()
        return seen

    def look(scene, _, notes):
        seen = forgotten(scene)
        with pytest.raises(grpc.RpcError, match="has this name, and is deployed"):
            scene.bring(FULL)
        found.extend(calls(scene.tap))
        problems = [] if scene.account() == seen else ["what is live was touched"]
        scene.complete(FULL, notes)
        return True, problems + scene.gone()

    assert not any(outcome.problems for outcome in scenes([None], look).values())

    def do(scene, row, notes):
        seen = forgotten(scene)
        failed, problems = scene.strike(row, lambda: scene.bring(FULL))
        if scene.account() != seen:
            problems.append("what is live was touched")
        scene.complete(FULL, notes)
        if "imported" not in notes:
            problems.append("it was not named")
        return failed, problems + scene.gone()

    check(matrix, "create, another life is live", scenes([Row(call, KILLED_AFTER) for call in found], do))


def test_what_others_put_on_it_stays_in_an_update(scenes, matrix):
    """Somebody's stage on the resource's own REST API serves its deployment, and somebody's domain name leads there."""
    old, new = UPDATES["document"].old, UPDATES["document"].new
    found, expected = undisturbed(scenes, old, new)

    def do(scene, row, notes):
        assert not scene.begin()
        scene.bring(old)
        scene.plant_upon(mapped=True)
        failed, problems = scene.strike(row, lambda: scene.bring(new))
        scene.complete(new, notes, unheard=scene.unheard)
        problems += scene.converged(new, expected) + scene.clear()
        # Their stage is gone, so the deployment is for nobody.
        [left] = scene.account_for()
        assert "deployment" in left
        scene.refresh()
        scene.bring(new)
        return failed, problems + scene.converged(new, expected) + scene.gone()

    table = [Row(call, way) for call in found for way in (KILLED_AFTER, CANCELLED)]
    check(matrix, "update, others' stage on it", scenes(table, do))


def test_what_others_put_on_it_keeps_it_from_going(scenes, matrix):
    """A REST API to which somebody's domain name leads cannot be deleted: a delete says so, and the domain name stays."""
    found, inputs = [], FULL | {"domain": DOMAIN["domain"]}

    def refused(scene) -> None:
        with pytest.raises(grpc.RpcError) as error:
            scene.delete()
        assert "somebody has mapped a domain name of their own to the REST API: delete that mapping" in error.value.details()
        assert ("REST API", scene.resource.outputs["restApiId"]) in scene.account()

    def look(scene, _, _notes):
        assert not scene.begin()
        scene.bring(inputs)
        scene.plant_upon(mapped=True)
        scene.tap.reset()
        refused(scene)
        found.extend(calls(scene.tap))
        return True, scene.clear() + scene.gone()

    assert not any(outcome.problems for outcome in scenes([None], look).values())

    def do(scene, row, _notes):
        assert not scene.begin()
        scene.bring(inputs)
        scene.plant_upon(mapped=True)
        failed, problems = scene.strike(row, scene.delete)
        refused(scene)
        return failed, problems + scene.clear() + scene.gone()

    check(matrix, "delete, others' domain name on it", scenes([Row(call, KILLED_AFTER) for call in found], do))


def test_nothing_is_left(scenes):
    """Rows of updates work on one resource after the other; here each goes, and leaves nothing."""
    done = scenes(list(range(AT_ONCE)), lambda scene, _row, _notes: (False, scene.gone()))
    assert not [outcome.problems for outcome in done.values() if outcome.problems]
