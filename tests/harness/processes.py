"""The processes we start: each carries a mark in its environment, which its children inherit, so none is lost."""

import os
import signal
import subprocess
import time
import uuid

import psutil

_NAME = "S3DATAPROXY_STARTED_BY"
_MARK = uuid.uuid4().hex


def marked(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, _NAME: _MARK}


def start(command: list, *, env: dict[str, str], **options) -> subprocess.Popen:
    """As Popen, in a process group of its own and with the mark."""
    command = [str(part) for part in command]
    return subprocess.Popen(command, env=marked(env), start_new_session=True, **options)


def stop(process: subprocess.Popen, grace: float = 15, sig: int = signal.SIGTERM) -> None:
    """Ends a process we started, kindly at first, and then what is left of its group."""
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # nobody is left in it
    process.wait()


def left(grace: float = 0) -> list[psutil.Process]:
    """What still runs of all we started, after at most `grace` seconds of waiting for it to end."""
    deadline = time.monotonic() + grace
    while (running := _running()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return running


def _running() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(_NAME) == _MARK:
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        except psutil.Error:
            continue  # gone, or another user's
    return found
