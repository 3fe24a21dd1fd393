"""One plugin process that serves command after command, as in attach mode: memory, files, sockets and threads stay flat.

40 lives here; `make soak` sets SOAK_LIVES to 200 and prints the figures.
"""

import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc
import psutil

from harness.aws import ACCOUNT, REGION
from harness.faults import Error, Fault, Lost
from harness.rpc import Engine, Plugin, Resource
from harness.tap import Call, Tap
from test_lifecycle import left

LIVES = int(os.environ.get("SOAK_LIVES", "40"))
AT_ONCE = 4
# A leak of 50 KB a life shows at 200 lives, one of 300 KB at 40. An allocator keeps a few MB for later.
MIB_MORE = 8

CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/a"
#: What goes wrong once in a life of each command, in turns: at which call, and what it has instead of its answer.
MISHAPS: list[tuple[str, Fault]] = [
    ("CreateLogGroup", Error("AccessDeniedException", 400)),
    ("CreateDomainName", Error("BadRequestException", 400)),
    ("CreateUsagePlan", Lost()),
    ("CreateRole", Error("ExpiredToken", 403)),
    ("DeleteDomainName", Error("UnrecognizedClientException", 403)),
]


class Mishaps:
    """For a tap: each of them strikes the first such call in the life of its name."""

    def __init__(self):
        self.coming: dict[str, tuple[str, Fault]] = {}
        self.struck = 0

    def __call__(self, call: Call) -> Fault | None:
        for name, (operation, fault) in list(self.coming.items()):
            if call.operation == operation and name in call.target + call.body.decode():
                del self.coming[name]
                self.struck += 1
                return fault
        return None


def once_more(resource: Resource, act, again) -> None:
    """Does it, and where it fails what the user does then."""
    try:
        act()
    except grpc.RpcError as error:
        def fail():
            raise error
        resource.fail_half_way(fail)
        again()


def life(plugin: Plugin, name: str) -> None:
    """Everything that a resource can have, made, changed, looked at and deleted; what fails is done again."""
    resource = Resource(plugin, name)
    domain = {"name": f"{name}.example.com", "certificateArn": CERTIFICATE}
    inputs = {"name": name, "waitForReady": False, "tags": {"a": "1"}, "accessLog": {}, "apiKeys": ["a"], "domain": domain}
    changed = inputs | {"description": "words", "operations": ["GET"], "tags": {"a": "2"}, "domain": domain | {"basePath": "v1"}}
    once_more(resource, lambda: resource.create(inputs), lambda: resource.update(inputs))
    assert resource.read().id == name
    resource.update(changed)
    assert not resource.diff(resource.checked(changed)).detailedDiff
    assert resource.read().id == name
    try:
        resource.delete()
    except grpc.RpcError:
        resource.delete()


def command(plugin: Plugin, count: int, run: str) -> None:
    """What the engine does for a command with so many resources: another engine attaches each time."""
    with Engine() as engine, ThreadPoolExecutor(AT_ONCE) as pool:
        plugin.handshake(engine.address)
        plugin.configure()
        list(pool.map(lambda number: life(plugin, f"{run}-{number}"), range(count)))


def held(process: psutil.Process) -> dict[str, float]:
    with process.oneshot():
        return {
            "MiB": process.memory_info().rss / 2**20, "handles": process.num_fds(), "threads": process.num_threads(),
            "sockets": len(process.net_connections()),
        }


def settled(plugin: Plugin, process: psutil.Process) -> dict[str, float]:
    """What it holds when the next engine has attached: the connections to AWS of the command before are closed then."""
    with Engine() as engine:
        plugin.handshake(engine.address)
        plugin.configure()
        seen = [held(process)]
        while len(seen) < 5 or (len(seen) < 100 and len({now["handles"] for now in seen[-5:]}) > 1):
            time.sleep(0.05)
            seen.append(held(process))
    return seen[-1]


def test_nothing_grows(plugin, aws, tap: Tap):
    run = f"soak-{uuid.uuid4().hex[:8]}"
    tap.policy = mishaps = Mishaps()
    with Plugin(plugin, endpoint=tap.url) as running:
        process = psutil.Process(running.pid)
        done, told = 0, []
        while done < LIVES:
            # Behind the number there is something in every name, so that no name begins another.
            mishaps.coming[f"{run}-{done}-0"] = MISHAPS[len(told) % len(MISHAPS)]
            command(running, 2 * AT_ONCE, f"{run}-{done}")
            done += 2 * AT_ONCE
            tap.reset()
            told.append(settled(running, process))
            print(f"after {done} lives:", {what: round(number, 1) for what, number in told[-1].items()})
        assert (mishaps.struck, mishaps.coming) == (len(told), {})
        # The first two commands fill pools and caches.
        warm, end = told[1], told[-1]
        assert end["MiB"] <= warm["MiB"] + MIB_MORE
        for what in ("handles", "sockets", "threads"):
            assert end[what] <= warm[what] + AT_ONCE, what
        assert (running.stdout, running.stderr) == ("", "")
    assert left(aws, run) == {}
