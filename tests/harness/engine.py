"""The real Pulumi CLI on a stack of its own: own home, backend, passphrase, program folder and environment."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from . import ROOT, TOOLS, processes
from .aws import REGION
from .tap import Tap

#: The type of our resource.
PROXY = "s3dataproxy:index:S3DataProxy"

# A folder to copy; the files of one (name to text); or the text of a Pulumi.yaml without its first lines.
Program = Path | dict[str, str] | str


def python_program(text: str) -> dict[str, str]:
    """A Python program as Stack takes it."""
    return {"Pulumi.yaml": "name: test\nruntime: python\n", "__main__.py": text}


@dataclass
class Result:
    """What one command of the CLI did."""

    command: str
    returncode: int
    stdout: str
    stderr: str
    seconds: float
    #: The engine's events, those of the preview that comes before an update included.
    events: list[dict] = field(default_factory=list)

    @property
    def changes(self) -> dict[str, int]:
        """The last summary: operation to number, as {"same": 1, "create": 1}; the stack itself counts."""
        found = [event["summaryEvent"] for event in self.events if "summaryEvent" in event]
        return found[-1].get("resourceChanges") or {} if found else {}

    @property
    def steps(self) -> list[dict]:
        """The metadata of each step: `op`, `urn`, `type`, `old`, `new`, `diffs`, `detailedDiff`."""
        return [event["resourcePreEvent"]["metadata"] for event in self.events if "resourcePreEvent" in event]

    def messages(self, severity: str, resource: str | None = None) -> list[str]:
        """The diagnostics of a severity: `error`, `warning`, `info` or `info#err`; all, or of one resource."""
        found = [event["diagnosticEvent"] for event in self.events if "diagnosticEvent" in event]
        return [diagnostic["message"].strip() for diagnostic in found if diagnostic["severity"] == severity
                and (resource is None or diagnostic.get("urn", "").endswith(f"::{resource}"))]

    def done(self, resource: str) -> list[dict]:
        """As `steps`, those that a resource took to their end; for a refresh `op` is what it found."""
        found = [event["resOutputsEvent"]["metadata"] for event in self.events if "resOutputsEvent" in event]
        return [step for step in found if step["urn"].endswith(f"::{resource}")]

    def json(self):
        """What a command with `--json` printed."""
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return f"{self.command}: {self.returncode} after {self.seconds:.1f} s\n{self.stdout}{self.stderr}"


class Stack:
    """`Stack(program, endpoint)`; end it with `close()`, which destroys what it made, or use it with `with`.

    Commands fail the test (AssertionError with all the output) unless they end as `fails` says: False, True, or None
    for either.
    """

    def __init__(self, program: Program, endpoint: str | None = None, *, folder: Path | None = None,
                 name: str = "test", env: dict[str, str] | None = None, plugin: Path | None = None,
                 timeout: float = 180, grpc_log: bool = False):
        self.name = name
        self.timeout = timeout
        self._temporary = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="stack-"))
        self.program_folder = self.folder / "program"
        self._commands = 0
        self._grpc_log = self.folder / "grpc.jsonl"
        self.env = self._environment(endpoint, plugin) | (env or {})
        if grpc_log:
            self.env["PULUMI_DEBUG_GRPC"] = str(self._grpc_log)
        for part in ("home", "state"):
            (self.folder / part).mkdir(parents=True)
        self.write(program)
        self.run("stack", "init", name)

    def _environment(self, endpoint: str | None, plugin: Path | None) -> dict[str, str]:
        plugin = plugin or Path(os.environ.get("S3DATAPROXY_PLUGIN") or ROOT / "target/release/-")
        path = [plugin.resolve().parent, TOOLS / "bin", TOOLS / "venv/bin", os.environ["PATH"]]
        env = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        env |= {
            "PATH": os.pathsep.join(map(str, path)),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DEBUG_COMMANDS": "1",  # for --event-log
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        return env | ({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})

    def write(self, program: Program) -> None:
        """Puts a program in the place of the one there is (to change inputs, say); the stack's settings stay."""
        settings = {file.name: file.read_text() for file in self.program_folder.glob("Pulumi.*.yaml")}
        shutil.rmtree(self.program_folder, ignore_errors=True)
        if isinstance(program, Path):
            shutil.copytree(program, self.program_folder)
        if isinstance(program, str):
            program = {"Pulumi.yaml": f"name: test\nruntime: yaml\n{program}"}
        files = (program if isinstance(program, dict) else {}) | settings
        for name, text in files.items():
            file = self.program_folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    # Operations

    def up(self, *args: str, preview: bool = False, **options) -> Result:
        """`preview`: let the CLI preview first, as it does for users; it doubles the time."""
        return self._operation("up", "--yes", *([] if preview else ["--skip-preview"]), *args, **options)

    def preview(self, *args: str, **options) -> Result:
        return self._operation("preview", *args, **options)

    def refresh(self, *args: str, **options) -> Result:
        return self._operation("refresh", "--yes", "--skip-preview", *args, **options)

    def destroy(self, *args: str, **options) -> Result:
        return self._operation("destroy", "--yes", "--skip-preview", *args, **options)

    def import_(self, type_: str, name: str, id_: str, *args: str, **options) -> Result:
        return self._operation("import", type_, name, id_, "--yes", "--skip-preview", *args, **options)

    # State and settings

    def export(self) -> dict:
        """The stack's state; resources are in ["deployment"]["resources"]."""
        return self.run("stack", "export", "--stack", self.name).json()

    def resources(self) -> list[dict]:
        return self.export()["deployment"].get("resources", [])

    def import_state(self, state: dict) -> None:
        file = self.folder / "imported.json"
        file.write_text(json.dumps(state))
        self.run("stack", "import", "--stack", self.name, "--file", str(file))

    def outputs(self) -> dict:
        """The stack's outputs, secret ones in plain text."""
        return self.run("stack", "output", "--stack", self.name, "--json", "--show-secrets").json()

    def set_config(self, key: str, value: str, *args: str) -> None:
        self.run("config", "set", "--stack", self.name, *args, "--", key, value)

    def grpc(self, method: str = "") -> list[dict]:
        """With `grpc_log`: every call to and from plugins so far (`method`, `request`, `response`, `errors`, …)."""
        lines = self._grpc_log.read_text().splitlines() if self._grpc_log.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["method"].endswith(method)]

    # Running

    def run(self, *args: str, fails: bool | None = False, timeout: float | None = None,
            env: dict[str, str] | None = None) -> Result:
        """Any command of the CLI."""
        return self.start(*args, env=env).wait(fails=fails, timeout=timeout)

    def start(self, *args: str, env: dict[str, str] | None = None) -> "Running":
        """As run, without waiting: to interrupt it, or to run two."""
        self._commands += 1
        return Running(self, args, self.folder / f"command-{self._commands}", self.env | (env or {}))

    def start_operation(self, name: str, *args: str, env: dict[str, str] | None = None) -> "Running":
        return self.start(name, "--stack", self.name, *args, "--event-log", "{events}", env=env)

    def _operation(self, name: str, *args: str, fails: bool | None = False, timeout: float | None = None,
                   env: dict[str, str] | None = None) -> Result:
        return self.start_operation(name, *args, env=env).wait(fails=fails, timeout=timeout)

    def close(self, endpoint: str | None = None) -> None:
        """Destroys what is left (through `endpoint`, where the stack's own is no more) and removes the folder."""
        env = {"AWS_ENDPOINT_URL": endpoint} if endpoint else {}
        try:
            if len(self.resources()) > 0:
                self.run("cancel", "--yes", "--stack", self.name, fails=None)  # a killed command leaves its lock
                self.destroy(env=env)
        finally:
            if self._temporary:
                shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Running:
    """A command of the CLI that runs."""

    def __init__(self, stack: Stack, args: tuple[str, ...], log: Path, env: dict[str, str]):
        self._stack = stack
        self._events = log.with_suffix(".events")
        self._log = log
        self._started = time.monotonic()
        args = tuple(str(self._events) if arg == "{events}" else arg for arg in args)
        self._name = "pulumi " + " ".join(args)
        # Files, not pipes: a plugin that outlives the CLI could hold a pipe open for ever.
        with log.with_suffix(".out").open("w") as out, log.with_suffix(".err").open("w") as err:
            self.process = processes.start(
                [TOOLS / "bin/pulumi", "--non-interactive", "--color", "never", *args],
                env=env, cwd=stack.program_folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )

    def interrupt(self) -> None:
        """As Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """The CLI and all it started, at once."""
        children = self.children()
        # First the CLI: it must not write down how its plugins ended.
        self.process.kill()
        for process in children:
            process.kill()

    def children(self, name: str = "") -> list[psutil.Process]:
        """The processes below it whose name has `name` in it: language hosts and plugins."""
        try:
            found = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [process for process in found if name in _name(process)]

    def wait(self, *, fails: bool | None = False, timeout: float | None = None) -> Result:
        timeout = timeout or self._stack.timeout
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()
            raise TimeoutError(f"still running after {timeout} s: {self._result()}") from None
        result = self._result()
        if fails is not None:
            assert (result.returncode != 0) == fails, str(result)
        return result

    def _result(self) -> Result:
        out, err = (self._log.with_suffix(end).read_text() for end in (".out", ".err"))
        events = self._events.read_text().splitlines() if self._events.exists() else []
        seconds = time.monotonic() - self._started
        return Result(self._name, self.process.returncode, out, err, seconds, [json.loads(line) for line in events])


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


class Fleet:
    """A stack of many S3DataProxy resources: one command does for all what it does for one.

    Each of `tapped` has a provider and a tap of its own, `taps[name]`; with none all share the default provider.
    """

    def __init__(self, upstream: str, folder: Path, tapped: Iterable[str] = ()):
        self.taps = {name: Tap(upstream) for name in tapped}
        self.stack = Stack("", None if self.taps else upstream, folder=folder)

    def write(self, inputs: dict[str, dict], **provider) -> None:
        """The program: these resources with these inputs. `provider` is configuration of all tapped providers."""
        resources = {}
        for name, properties in inputs.items():
            resources[name] = {"type": PROXY, "properties": properties}
            if name in self.taps:
                config = {"endpointUrl": self.taps[name].url, **provider}
                resources[f"by-{name}"] = {"type": "pulumi:providers:s3dataproxy", "properties": config}
                resources[name]["options"] = {"provider": f"${{by-{name}}}"}
        self.stack.write(f"resources: {json.dumps(resources)}\n")

    def resources(self) -> dict[str, dict]:
        """What the state has of each resource, without what the engine drops in every refresh, whatever came of it."""
        found = {}
        for resource in self.stack.resources():
            if resource["type"] == PROXY:
                resource.pop("propertyDependencies", None)
                found[resource["urn"].rpartition("::")[2]] = resource
        return found

    def outputs(self) -> dict[str, dict]:
        return {name: resource["outputs"] for name, resource in self.resources().items()}

    def reset(self) -> None:
        """All taps forget their calls and faults."""
        for tap in self.taps.values():
            tap.reset()

    def close(self) -> None:
        self.reset()
        try:
            self.stack.close()
        finally:
            for tap in self.taps.values():
                tap.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
