"""Plugin, or engine and plugin, killed or interrupted in the middle of a real `pulumi up` and `pulumi destroy`: what the
user sees, and that the next commands bring everything in order. `test_kills.py` has every call."""

import re
import threading
import time

import psutil
import pytest

from harness.account import recorded, there
from harness.engine import PROXY, Result, Stack
from harness.faults import After, Fault
from harness.rpc import bare
from harness.tap import Tap
from test_lifecycle import left, one

PLAIN = {"waitForReady": False, "bucket": {"forceDestroy": True}}
MOVED = PLAIN | {"path": "elsewhere"}
PLUGIN = "pulumi-resource-s3dataproxy"
# What the engine says of plugins that end in a way they must not.
RED = ("panic", "exited prematurely", "bug in the provider", "goroutine ")


class Struck:
    """A command of the engine in which something happens once AWS has done a call."""

    def __init__(self, stack: Stack, tap: Tap, command: str, operation: str, how: str):
        self.how, self.done = how, threading.Event()
        self._going = threading.Event()
        tap.reset()
        tap.inject(self.fault(), operation=operation)
        self.running = stack.start_operation(command, "--yes", "--skip-preview")
        self._going.set()
        self.result: Result = self.running.wait(fails=None)
        assert self.done.is_set(), f"no {operation}: {self.result}"
        tap.reset()

    def fault(self) -> Fault:
        return After(self.strike)

    def strike(self) -> None:
        self._going.wait()
        plugins = self.running.children(PLUGIN)
        assert plugins
        match self.how:
            case "plugin":
                for process in plugins:
                    process.kill()
            case "engine":
                self.running.kill()
            case "ctrl-c":
                self.running.interrupt()
                # The call is answered when the plugin has heard of it.
                time.sleep(2)
        self.done.set()
        if self.how != "ctrl-c":
            psutil.wait_procs(plugins, 30)


def state(stack: Stack) -> dict:
    found = [resource for resource in stack.resources() if resource["type"] == PROXY]
    return bare(found[0]["outputs"])["__state"] if found and found[0].get("outputs") else {}


def resume(stack: Stack, how: str) -> list[str]:
    """What a user does after such an end; tells the warnings of pending operations."""
    if how != "engine":
        return []
    blocked = stack.up(fails=True)
    assert "locked" in blocked.stderr, str(blocked)
    stack.run("cancel", "--yes", "--stack", stack.name)
    return [each["type"] for each in stack.export()["deployment"].get("pending_operations", [])]


def in_order(aws, stack: Stack, name: str) -> None:
    assert recorded(state(stack)) == set(there(aws, name))
    again = stack.up()
    assert [step["op"] for step in again.done(name)] == ["same"]


def ends_well(result: Result) -> None:
    assert not [words for words in RED if words in result.stdout + result.stderr], str(result)


@pytest.mark.parametrize("how", ["plugin", "engine", "ctrl-c"])
@pytest.mark.parametrize("operation", ["CreateRestApi", "CreateDeployment"])
def test_create(aws, tap, stack, operation, how):
    name = f"kill-{how}-{operation.lower()}"
    made = stack(one(name, PLAIN | {"name": name}), tap.url)
    struck = Struck(made, tap, "up", operation, how)
    assert struck.result.returncode != 0
    if how == "ctrl-c":
        ends_well(struck.result)
        assert recorded(state(made)) == set(there(aws, name))
    else:
        # The engine was told of nothing, and AWS has done something.
        assert not state(made) and there(aws, name)
    pending = resume(made, how)
    assert pending == (["creating"] if how == "engine" else [])
    after = made.up(fails=None)
    if how != "ctrl-c" and operation == "CreateDeployment":
        # It is finished, and may be in use: the user decides.
        command = re.search(rf"pulumi import {PROXY} '({name})' (\w+)", str(after.messages("error", name)))
        made.import_(PROXY, command[1], command[2], "--protect=false")
        after = made.up()
    assert after.returncode == 0, str(after)
    if how == "engine":
        # An `up` keeps its doubts about a create that was lost, until the user has none.
        assert made.export()["deployment"]["pending_operations"]
        made.refresh("--clear-pending-creates")
    assert not made.export()["deployment"].get("pending_operations")
    in_order(aws, made, name)
    made.destroy()
    assert left(aws, name) == {}


@pytest.mark.parametrize("how", ["plugin", "engine", "ctrl-c"])
@pytest.mark.parametrize("then", ["up", "destroy"])
def test_update(aws, tap, stack, how, then):
    name = f"kill-{how}-update-{then}"
    made = stack(one(name, PLAIN | {"name": name}), tap.url)
    made.up()
    before = state(made)
    made.write(one(name, MOVED | {"name": name, "accessLog": {}}))
    struck = Struck(made, tap, "up", "CreateDeployment", how)
    assert struck.result.returncode != 0
    if how == "ctrl-c":
        ends_well(struck.result)
        assert recorded(state(made)) == set(there(aws, name))
    else:
        assert state(made) == before
    pending = resume(made, how)
    assert pending == (["updating"] if how == "engine" else [])
    if then == "up":
        made.up()
        # The deployment of the killed run is known to nobody yet.
        assert len(unknown := set(there(aws, name)) - recorded(state(made))) == (how != "ctrl-c")
        assert {kind for kind, _ in unknown} <= {"deployment"}
        made.refresh()
        made.up()
        in_order(aws, made, name)
    made.destroy()
    assert left(aws, name) == {}


@pytest.mark.parametrize("how", ["plugin", "engine", "ctrl-c"])
def test_destroy(aws, tap, stack, how):
    name = f"kill-{how}-destroy"
    made = stack(one(name, PLAIN | {"name": name}), tap.url)
    made.up()
    struck = Struck(made, tap, "destroy", "DeleteRestApi", how)
    assert struck.result.returncode != 0
    if how == "ctrl-c":
        ends_well(struck.result)
    assert resume(made, how) == (["deleting"] if how == "engine" else [])
    made.destroy()
    assert left(aws, name) == {} and not made.resources()
