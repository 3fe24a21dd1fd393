"""The fault matrix: at every AWS call of a create and of updates, every fault; then the same again without it. What
`test_half_way.py` does with updates of paths and stages, and with deletes, goes through the engine.

The calls are those of a run without faults, so that a new piece brings its own rows. Each time: the state accounts for
every object in the account, or says that it may not; the second run comes to what an undisturbed one makes, and after it
nothing is left to do; a delete leaves nothing.
"""

import difflib
import json
import math
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import pytest

from harness.account import recorded, there, told
from harness.faults import After, Error, Fault, Lost, Refused, Throttled
from harness.rpc import Plugin, Resource, bare, init_failed, plain, wipe
from harness.tap import Tap

AT_ONCE = 8
HANG = "hang"
# The fault, and at how many tries.
FAULTS: dict[str, tuple[Fault | None, float]] = {
    "refused": (Refused(), 1),
    "lost": (Lost(), 1),
    "lost for good": (Lost(), math.inf),
    "throttled": (Throttled(), 5),
    "denied": (Error("AccessDenied", 403), math.inf),
    "broken": (Error("InternalError", 500), 1),
    HANG: (None, math.inf),
}
# After these nobody can know what AWS has done; the state must say so.
UNKNOWABLE = {"lost for good", HANG}

PLAIN = {"waitForReady": False, "bucket": {"forceDestroy": True}, "tags": {"team": "a"}}
FULL = PLAIN | {
    "accessLog": {"retentionInDays": 30}, "executionLog": {"level": "ERROR"}, "apiKeys": ["ann", "bob"],
    "throttle": {"rateLimit": 10, "burstLimit": 5}, "quota": {"limit": 100, "period": "DAY"},
}
#: Updates by what they are of: from these inputs to those.
UPDATES = {
    "logs and keys on": (PLAIN, FULL),
    "logs and keys off": (FULL, PLAIN),
    "document": (FULL, FULL | {"operations": ["GET", "LIST"], "cors": {"allowOrigins": ["https://a.example", "https://b.example"]}}),
    "settings": (FULL, FULL | {
        "throttle": {"rateLimit": 20, "burstLimit": 5}, "tracingEnabled": True, "accessLog": {"retentionInDays": 7},
        "description": "d", "bucket": {"forceDestroy": True, "versioning": True}}),
    "keys": (FULL, FULL | {"apiKeys": ["bob", "cy"]}),
}


@dataclass(frozen=True)
class Call:
    """The so manieth call of an operation. Not its number of all: what runs at the same time has no order."""

    operation: str
    number: int

    def inject(self, tap: Tap, fault: Fault, times: float) -> None:
        if self.number > 1:
            tap.inject(After(lambda: None), operation=self.operation, times=self.number - 1)
        tap.inject(fault, operation=self.operation, times=times)

    def __str__(self) -> str:
        return self.operation if self.number == 1 else f"{self.operation}:{self.number}"


def calls(tap: Tap) -> list[Call]:
    counts = Counter()
    found = []
    for operation in tap.operations():
        counts[operation] += 1
        found.append(Call(operation, counts[operation]))
    return found


@dataclass
class Bench:
    """A plugin behind a tap, and the resource that rows work on, one after the other."""

    aws: object
    plugin: Plugin
    tap: Tap
    inputs: dict | None = None
    work: str = ""

    def __post_init__(self):
        self.renew()

    def renew(self) -> None:
        self.resource, self.inputs = Resource(self.plugin, f"f-{uuid.uuid4().hex[:8]}"), None
        self.name = self.resource.urn.rpartition(":")[2]

    def given(self, inputs: dict) -> dict:
        # The mount is the resource's name where none is given, and so would be every document's own.
        return {"name": self.name, "path": "data"} | inputs

    def bring(self, inputs: dict, timeout: float = 0) -> None:
        """Creates or updates. What was told of half-done work is kept, as the engine does."""
        self.inputs = None
        try:
            if self.resource.id:
                self.resource.update(self.given(inputs), timeout=timeout)
            else:
                self.resource.create(self.given(inputs), timeout=timeout)
        except grpc.RpcError as error:
            if detail := init_failed(error):
                self.resource.id, self.resource.outputs = detail.id, plain(detail.properties)
            raise
        self.inputs = inputs

    def delete(self, timeout: float = 0) -> None:
        if self.resource.id:
            self.resource.delete(timeout=timeout)

    def start_anew(self) -> None:
        """What earlier work has left of settings is no part of what comes."""
        if self.resource.id:
            self.delete()
            self.renew()

    def account(self) -> dict:
        return there(self.aws, self.name)

    def state(self) -> dict:
        return bare(self.resource.outputs)["__state"] if self.resource.id else {}

    def account_for(self, unknowable: bool = False) -> list[str]:
        """What the books disagree about."""
        account, state = set(self.account()), recorded(self.state())
        if unknowable and (not self.resource.id or self.state().get("cutOff")):
            return []
        return [f"not in the state: {each}" for each in account - state] + [
            f"only in the state: {each}" for each in state - account if not unknowable]

    def converged(self, inputs: dict, expected: str) -> list[str]:
        """What is not as after an undisturbed run."""
        problems = self.account_for()
        if (found := told(self.account(), self.name)) != expected:
            lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), lineterm="", n=0)
            problems.append("the account is not as after an undisturbed run: " + "; ".join(list(lines)[2:12]))
        if self.resource.diff(self.resource.inputs).detailedDiff:
            problems.append("there is a diff")
        self.tap.reset()
        self.bring(inputs)
        if asked := self.tap.operations():
            problems.append(f"the third run called {asked}")
        return problems


@pytest.fixture(scope="module")
def benches(aws, plugin):
    """A function that does all rows, at the same time on several benches, and tells what is wrong with each."""
    made, free = [], []
    lock = threading.Lock()

    def take() -> Bench:
        with lock:
            if free:
                return free.pop()
            tap = Tap(aws.url)
            provider = Plugin(plugin, endpoint=tap.url)
            made.append((tap, provider))
        provider.handshake()
        provider.configure(maxAttempts=2)
        return Bench(aws, provider, tap)

    def each(rows: dict, do: Callable) -> dict:
        def one(row):
            bench = take()
            try:
                return do(bench, row)
            finally:
                bench.tap.reset()
                with lock:
                    free.append(bench)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(rows, pool.map(one, rows.values()), strict=True))

    yield each
    for bench in free:
        wipe(aws, bench.name)
    for tap, provider in made:
        provider.stop()
        tap.stop()


@pytest.fixture(scope="module")
def matrix(pytestconfig):
    """The counts of each operation and fault: rows, those where the run with the fault failed, those that are right."""
    table: dict[tuple[str, str], Counter] = {}
    yield table
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{'operation':24}" + "".join(f"{fault:>16}" for fault in FAULTS) + "   (rows/failed at first/right)")
        for operation in dict.fromkeys(operation for operation, _ in table):
            cells = [table.get((operation, fault), Counter()) for fault in FAULTS]
            print(f"{operation:24}" + "".join(f"{c['rows']:>8}/{c['failed']:>3}/{c['right']:>3}" for c in cells))


@dataclass
class Row:
    call: Call
    fault: str
    then: str = "again"


def rows(found: list[Call]) -> dict[str, Row]:
    return {f"{call} {fault}": Row(call, fault) for call in found for fault in FAULTS}


def disturbed(bench: Bench, row: Row, act: Callable[[float], None]) -> tuple[bool, list[str]]:
    """Does it with the row's fault; tells whether that failed, and what is wrong already."""
    released = threading.Event()
    fault, times = FAULTS[row.fault]
    # A hanging call takes effect, and nobody hears of it; time enough to get to it, and then no more.
    fault = fault or After(lambda: released.wait(120))
    bench.tap.reset()
    row.call.inject(bench.tap, fault, times)
    try:
        act(4 if row.fault == HANG else 0)
        failed = False
    except grpc.RpcError as error:
        failed = True
        if error.code() in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL) and not init_failed(error):
            return failed, [f"{error.code()}: {error.details()}"]
    finally:
        released.set()
    met = any(call.fault is fault for call in bench.tap.calls)
    bench.tap.reset()
    return failed, [] if met else ["the call did not come"]


def check(matrix, operation: str, done: dict[str, tuple[bool, list[str]]], table: dict[str, Row]) -> None:
    for name, (failed, problems) in done.items():
        matrix.setdefault((operation, table[name].fault), Counter()).update(rows=1, failed=failed, right=not problems)
    wrong = {name: problems for name, (_, problems) in done.items() if problems}
    assert not wrong, f"{len(wrong)} of {len(done)}: " + json.dumps(wrong, indent=1)


def guarded(do: Callable) -> Callable:
    """A row that breaks off is wrong, and leaves nothing for the next."""
    def guard(bench, row):
        try:
            failed, problems = do(bench, row)
        except (grpc.RpcError, AssertionError) as error:
            words = error.details() if isinstance(error, grpc.RpcError) else str(error)
            failed, problems = True, [f"broke off: {words}"]
        if problems:
            wipe(bench.aws, bench.name)
            bench.renew()
        return failed, problems
    return guard


def undisturbed(benches, old: dict | None, new: dict) -> tuple[list[Call], str]:
    """The calls from `old` to `new`, and what the account says afterwards."""
    def do(bench, _):
        bench.start_anew()
        if old is not None:
            bench.bring(old)
        bench.tap.reset()
        bench.bring(new)
        found = calls(bench.tap), told(bench.account(), bench.name)
        bench.delete()
        bench.renew()
        return found
    return benches({"": None}, do)[""]


def gone(bench: Bench) -> list[str]:
    bench.delete()
    left = [f"left over: {each}" for each in bench.account()]
    bench.renew()
    return left


def test_create(benches, matrix):
    found, expected = undisturbed(benches, None, FULL)
    table = rows(found)
    # What nobody knows of has to be found by a delete, too.
    table |= {f"{name}, deleted": Row(row.call, row.fault, "delete") for name, row in table.items()
              if row.fault in UNKNOWABLE}

    @guarded
    def do(bench, row):
        bench.start_anew()
        failed, problems = disturbed(bench, row, lambda timeout: bench.bring(FULL, timeout))
        problems += bench.account_for(row.fault in UNKNOWABLE)
        if not problems and row.then == "again":
            bench.bring(FULL)
            problems += bench.converged(FULL, expected)
        return failed, problems + (gone(bench) if bench.resource.id else [])

    check(matrix, "create", benches(table, do), table)


@pytest.mark.parametrize("update", UPDATES)
def test_update(benches, matrix, update):
    old, new = UPDATES[update]
    found, expected = undisturbed(benches, old, new)
    assert found, "nothing happens"
    table = rows(found)

    @guarded
    def do(bench, row):
        if bench.work != update:
            bench.start_anew()
            bench.work = update
        if bench.inputs != old:
            bench.bring(old)
        failed, problems = disturbed(bench, row, lambda timeout: bench.bring(new, timeout))
        problems += bench.account_for(row.fault in UNKNOWABLE)
        bench.bring(new)
        return failed, problems + bench.converged(new, expected)

    check(matrix, update, benches(table, do), table)


def test_nothing_is_left(benches):
    """Rows of updates work on one resource after the other; here each goes, and leaves nothing."""
    def do(bench, _):
        return gone(bench)
    assert not any(benches({str(number): number for number in range(AT_ONCE)}, do).values())
