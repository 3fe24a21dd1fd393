"""One plugin process that serves command after command, as in attach mode: memory, files, sockets and threads stay flat.

40 lives here; `make soak` sets SOAK_LIVES to 200 and prints the figures.
"""

import os
import uuid
from concurrent.futures import ThreadPoolExecutor

import psutil

from harness.rpc import Engine, Plugin, Resource
from test_lifecycle import left

LIVES = int(os.environ.get("SOAK_LIVES", "40"))
AT_ONCE = 4
# A leak of 50 KB a life shows at 200 lives, one of 300 KB at 40. An allocator keeps a few MB for later.
MIB_MORE = 8


def life(plugin: Plugin, name: str) -> None:
    """Everything that a resource can have, made, changed, looked at and deleted."""
    resource = Resource(plugin, name)
    inputs = {"name": name, "waitForReady": False, "tags": {"a": "1"}, "accessLog": {}, "apiKeys": ["a"]}
    resource.create(inputs)
    resource.update(inputs | {"description": "words", "operations": ["GET"], "tags": {"a": "2"}})
    assert resource.read().id == name
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


def test_nothing_grows(plugin, aws):
    run = f"soak-{uuid.uuid4().hex[:8]}"
    with Plugin(plugin, endpoint=aws.url) as running:
        process = psutil.Process(running.pid)
        done, told = 0, []
        while done < LIVES:
            command(running, 2 * AT_ONCE, f"{run}-{done}")
            done += 2 * AT_ONCE
            told.append(held(process))
            print(f"after {done} lives:", {what: round(number, 1) for what, number in told[-1].items()})
        # The first two commands fill pools and caches.
        warm, end = told[1], told[-1]
        assert end["MiB"] <= warm["MiB"] + MIB_MORE
        # Connections to AWS are kept as long as they may be of use, and calls that overlap need more of them.
        assert end["handles"] <= warm["handles"] + 2 * AT_ONCE
        assert end["sockets"] <= warm["sockets"] + 2 * AT_ONCE
        assert end["threads"] <= warm["threads"] + AT_ONCE
        assert (running.stdout, running.stderr) == ("", "")
    assert left(aws, run) == {}
