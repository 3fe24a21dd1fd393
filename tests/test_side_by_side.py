"""Two sessions, or two demos, at the same time do not meet; and however one ends, it leaves nothing behind.

Each runs in a process and a TMPDIR of its own: whatever it starts inherits that, and whatever it leaves lies there.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

from harness import ROOT, processes
from harness.aws import LocalAws, inventory
from harness.engine import Stack

STACK = "same"
NAME = "side-by-side"
# The same names of everything, in both; and a bucket with something in it that goes with the stack.
PROGRAM = f"""
resources:
  data: {{ type: s3dataproxy:S3DataProxy, properties: {{ name: {NAME}, bucket: {{ forceDestroy: true }} }} }}
outputs: {{ url: '${{data.invokeUrl}}' }}
"""
DEMO = ROOT / "tests/demo.py"


def session(content: str) -> None:
    """A session: serves `content`, says where, and ends with the next line of stdin."""
    with LocalAws() as aws, Stack(PROGRAM, aws.url, name=STACK) as stack:
        stack.up()
        aws.client("s3").put_object(Bucket=NAME, Key="content", Body=content.encode())
        print(json.dumps({"aws": aws.url, "url": stack.outputs()["url"]}), flush=True)
        sys.stdin.readline()
        stack.destroy()
        print(json.dumps(aws.inventory()), flush=True)


class Started:
    """A script that runs in a TMPDIR of its own."""

    def __init__(self, folder: Path, *command: str | Path, **env: str):
        self.folder = folder
        folder.mkdir()
        self._log = folder.with_suffix(".err")
        with self._log.open("w") as errors:
            self.process = processes.start(
                [sys.executable, *command], env={**os.environ, **env, "TMPDIR": str(folder)},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            )

    @property
    def errors(self) -> str:
        return self._log.read_text()

    def read(self) -> dict:
        """The next line of its stdout, as JSON."""
        line = self.process.stdout.readline()
        assert line, self.errors
        return json.loads(line)

    def read_until(self, text: str) -> None:
        for line in self.process.stdout:
            if text in line:
                return
        raise AssertionError(f"it never said {text!r}: {self.errors}")

    def wait_for_a_child(self) -> None:
        deadline = time.monotonic() + 60
        while len(self.running()) < 2:
            assert self.process.poll() is None and time.monotonic() < deadline, self.errors
            time.sleep(0.05)

    def end(self, status: int) -> str:
        """Waits until it ends, which must be with this status and leave nothing; gives the rest of its stdout."""
        rest, _ = self.process.communicate("\n" if self.process.poll() is None else None, timeout=120)
        assert self.process.returncode == status, rest + self.errors
        assert [process.name() for process in self.running()] == []
        assert list(self.folder.iterdir()) == []
        return rest

    def running(self) -> list[psutil.Process]:
        """What still runs of all it started."""
        return [process for process in psutil.process_iter() if _folder(process) == str(self.folder)]


def _folder(process: psutil.Process) -> str | None:
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else process.environ().get("TMPDIR")
    except psutil.Error:
        return None  # gone, or another user's


@pytest.fixture
def start(tmp_path):
    started = []

    def start(name: str, *command: str | Path, **env: str) -> Started:
        started.append(Started(tmp_path / name, *command, **env))
        return started[-1]

    yield start
    for each in started:
        for process in each.running():  # only where the test failed
            process.kill()


def fetch(url: str) -> str:
    answer = requests.get(f"{url}/content", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_two_sessions_at_once(start):
    sessions = [start(name, __file__, name) for name in ("first", "second")]
    places = [each.read() for each in sessions]
    assert places[0]["aws"] != places[1]["aws"]
    assert [inventory(place["aws"])["buckets"] for place in places] == [[NAME], [NAME]]
    assert [fetch(place["url"]) for place in places] == ["first", "second"]
    assert len(sessions[0].running()) >= 2, "not even the session and its AWS are found, so an end would prove nothing"

    left = json.loads(sessions[0].end(0))
    assert not any(left.values()), left
    assert fetch(places[1]["url"]) == "second", "the end of one session touched the other"
    left = json.loads(sessions[1].end(0))
    assert not any(left.values()), left


def test_an_interrupted_session_leaves_nothing(start):
    session = start("session", __file__, "content")
    session.read()
    session.process.send_signal(signal.SIGINT)
    session.end(-signal.SIGINT)


def test_two_demos_at_once(start):
    demos = [start(name, DEMO) for name in ("first", "second")]
    for demo in demos:
        assert "Everything was as it should be." in demo.end(0)


@pytest.mark.parametrize(
    ("sig", "when"),
    [(signal.SIGINT, "$ pulumi up"), (signal.SIGTERM, "The Pulumi engine is the real one"), (signal.SIGHUP, ">>> ")],
    ids=["in a command", "while the AWS starts", "with something made"],
)
def test_an_interrupted_demo_leaves_nothing(start, sig, when):
    demo = start("demo", DEMO)
    demo.read_until(when)
    demo.wait_for_a_child()
    demo.process.send_signal(sig)
    demo.end(128 + sig)
    assert "Interrupted" in demo.errors


def test_a_demo_that_fails_says_so_and_leaves_nothing(start, tmp_path):
    plugin = tmp_path / "plugin"
    plugin.write_text("#!/bin/sh\nexit 1\n")
    plugin.chmod(0o755)
    demo = start("demo", DEMO, S3DATAPROXY_PLUGIN=str(plugin))
    assert "should be" not in demo.end(1)
    assert "The demo FAILED: `pulumi preview` ended with" in demo.errors


if __name__ == "__main__":
    # A shell's background ignores the signal, and whatever runs there inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    session(sys.argv[1])
