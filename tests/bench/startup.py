"""How long a plugin takes until it can be spoken to, how much memory it needs, and how large its file is."""

import os
import re
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import grpc
from pulumi.runtime.proto import provider_pb2 as wire, provider_pb2_grpc

import second
from harness import processes
from harness.aws import REGION, LocalAws
from harness.rpc import OPTIONS, Engine, struct
from table import Row, Section

TIMED = 30
WEIGHED = 7
MIB = 1024 * 1024
ENVIRONMENT = {"AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass
class Memory:
    """In MiB."""

    resident: float
    peak: float


def measure(_aws: LocalAws, plugin: Path, go_plugin: Path) -> Section:
    both = (plugin, go_plugin)
    with Engine() as engine:
        for binary in both:
            start(binary, engine.address)  # into the page cache
        # In turns, so that a busy moment of the machine hits both.
        times = [[start(binary, engine.address) for binary in both] for _ in range(TIMED)]
        memory = [[weigh(binary, engine.address) for binary in both] for _ in range(WEIGHED)]

    def middle(value) -> list[float]:
        return [statistics.median(value(run[side]) for run in memory) for side in (0, 1)]

    milliseconds = [statistics.median(run[side] for run in times) * 1000 for side in (0, 1)]
    notes = [f"Medians of {TIMED} starts and {WEIGHED} readings of VmRSS and VmHWM, ours and the second in turns."]
    if different := second.different_clients():
        notes.append(f"Only one of the two links AWS clients for {', '.join(sorted(different))}.")
    return Section(
        "Start",
        "`pulumi-resource-s3dataproxy` as released.",
        f"a provider of the same shape on {second.framework()} with the same AWS clients (`tests/bench/go`, built with "
        "`-trimpath -ldflags '-s -w'`).",
        [
            Row("exec to port line", "ms", *milliseconds, 1 / 5),
            Row("memory at the port line", "MiB", *middle(lambda run: run[0].resident), 1 / 3),
            Row("memory after GetSchema and Configure", "MiB", *middle(lambda run: run[1].resident), 1 / 3),
            Row("the same, peak", "MiB", *middle(lambda run: run[1].peak), 1 / 3),
            Row("size of the file", "MiB", *(binary.stat().st_size / MIB for binary in both), 1 / 2),
        ],
        notes,
    )


def start(binary: Path, engine: str) -> float:
    """Seconds from exec to the port line."""
    process, seconds, _ = launch(binary, engine)
    processes.stop(process, grace=0)
    return seconds


def weigh(binary: Path, engine: str) -> tuple[Memory, Memory]:
    """Memory at the port line, and after GetSchema and Configure."""
    process, _, port = launch(binary, engine)
    try:
        first = memory(process.pid)
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.GetSchema(wire.GetSchemaRequest(), timeout=30)
            stub.Configure(wire.ConfigureRequest(args=struct({}), acceptSecrets=True, acceptResources=True,
                                                    sends_old_inputs=True, sends_old_inputs_to_delete=True), timeout=30)
            return first, memory(process.pid)
    finally:
        processes.stop(process, grace=0)


def launch(binary: Path, engine: str) -> tuple[subprocess.Popen, float, int]:
    env = os.environ | ENVIRONMENT
    started = time.perf_counter()
    process = processes.start([binary, engine], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    patience = threading.Timer(30, process.kill)
    patience.start()
    line = process.stdout.readline()
    seconds = time.perf_counter() - started
    patience.cancel()
    if not line.strip().isdigit():
        processes.stop(process)
        raise RuntimeError(f"{binary.name} printed no port but {line!r}")
    return process, seconds, int(line)


def memory(pid: int) -> Memory:
    status = Path(f"/proc/{pid}/status").read_text()
    resident, peak = (int(re.search(rf"^{name}:\s+(\d+) kB", status, re.M)[1]) / 1024 for name in ("VmRSS", "VmHWM"))
    return Memory(resident, peak)
