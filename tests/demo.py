"""`make demo`: the one-line program through the real engine, against a local AWS, with a real file.

Ends with 0 only if everything was as it says; whatever it started ends with it, however it ends.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy
import psutil
import requests
from safetensors.numpy import save_file

from harness import ROOT, TOOLS, packages, processes
from harness.aws import REGION, LocalAws

KEY = "weights/model.safetensors"
# No command takes nearly as long, even on a slow machine.
PATIENCE = 180
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Failed(Exception):
    """Something is not as the demo says."""


def main() -> int:
    for sig in SIGNALS:
        signal.signal(sig, lambda number, _: sys.exit(128 + number))
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    try:
        show(folder)
        return 0
    except Failed as problem:
        return failed(str(problem))
    except Exception as problem:
        return failed(f"{type(problem).__name__}: {problem}")
    except SystemExit:
        print("\nInterrupted: ending what was started.", file=sys.stderr)
        raise
    finally:
        end(folder)


def failed(why: str) -> int:
    print(f"\nThe demo FAILED: {why}", file=sys.stderr)
    return 1


def end(folder: Path) -> None:
    # A second Ctrl-C must not leave anything behind.
    for sig in SIGNALS:
        signal.signal(sig, signal.SIG_IGN)
    for process in processes.left():
        attempt(process.terminate)
    for process in processes.left(grace=15):
        attempt(process.kill)
    shutil.rmtree(folder, ignore_errors=True)


def attempt(action) -> None:
    try:
        action()
    except psutil.Error:
        pass  # it ended by itself


def show(folder: Path) -> None:
    binary = Path(os.environ.get("S3DATAPROXY_PLUGIN") or ROOT / f"target/release/{packages.BINARY}").absolute()
    for needed in (binary, packages.WHEEL, TOOLS / "bin/pulumi", TOOLS / "aws/bin/python"):
        if not needed.exists():
            raise Failed(f"{relative(needed)} is missing; `make demo` builds it")

    title("One line of Python: an S3 bucket behind an API Gateway URL")
    say("The Pulumi engine is the real one; AWS is a local one, so this needs no account and costs nothing.")
    with LocalAws() as aws:
        say(f"The local AWS listens at {aws.url}.")
        user = User(folder, aws)

        title("Install the plugin and its Python package")
        user.run(f"pulumi plugin install resource s3dataproxy {packages.VERSION} --file {relative(binary)}")
        command(f"pip install {relative(packages.WHEEL)}")
        user.env |= packages.install_wheel(folder / "packages")

        title("The whole program: examples/python/__main__.py")
        user.folder.mkdir()
        for name, text in packages.example("python").items():
            (user.folder / name).write_text(text)
        quote((user.folder / "__main__.py").read_text())
        user.cd()
        user.run("pulumi stack init dev")

        title("What would it make? A preview changes nothing")
        user.run("pulumi preview")
        expect_empty(aws, "after the preview")
        say("The account is still empty.")

        title("Make it: bucket, role, REST API, deployment and stage are one resource")
        user.run("pulumi up --yes --skip-preview")
        url = user.run("pulumi stack output invoke_url").strip()
        expect(url.startswith(aws.url), f"the URL is {url}, not one of the local AWS at {aws.url}")

        file = folder / "model.safetensors"
        bucket = put(aws, file)
        fetch(url, file)
        fetch_parts(url, file)
        fetch_missing(url)

        title("Run it again: nothing changed, so nothing is done")
        expect("2 unchanged" in user.run("pulumi up --yes --skip-preview"), "the second `pulumi up` changed something")

        title("Clean up: the file first, because a bucket that holds anything is never deleted unasked")
        statement(f's3.delete_object(Bucket="{bucket}", Key="{KEY}")')
        aws.client("s3").delete_object(Bucket=bucket, Key=KEY)
        user.run("pulumi destroy --yes --skip-preview")
        inventory = expect_empty(aws, "after `pulumi destroy`")
        say("The account is empty again: " + ", ".join(f"no {kind.replace('_', ' ')}" for kind in inventory) + ".")
    print("\nEverything was as it should be.", flush=True)


def put(aws: LocalAws, file: Path) -> str:
    """Puts a new file into the bucket, whose name it gives."""
    title("Put a file into the bucket: random weights in the safetensors format, as models are stored")
    random = numpy.random.default_rng()
    shapes = {"embedding": (4096, 256), "attention.query": (256, 256), "mlp.up": (256, 1024), "norm": (256,)}
    save_file({name: random.standard_normal(shape, dtype="float32") for name, shape in shapes.items()}, file)
    buckets = aws.inventory()["buckets"]
    expect(len(buckets) == 1, f"the account has not one bucket, but {buckets}")
    statement(f's3.put_object(Bucket="{buckets[0]}", Key="{KEY}", Body=open("{file.name}", "rb"))')
    with file.open("rb") as body:
        aws.client("s3").put_object(Bucket=buckets[0], Key=KEY, Body=body)
    return buckets[0]


def fetch(url: str, file: Path) -> None:
    title("Fetch it through the URL")
    statement(f'requests.get(invoke_url + "/{KEY}")')
    answer = get(f"{url}/{KEY}")
    expect_status(answer, 200)
    sent, received = file.read_bytes(), answer.content
    say(f"sent      {len(sent):,} bytes  SHA-256 {sha256(sent)}")
    say(f"received  {len(received):,} bytes  SHA-256 {sha256(received)}")
    expect(sent == received, "what came back is not what was sent")
    say("Bit for bit the same.")


def fetch_parts(url: str, file: Path) -> None:
    title("Read only its header: which tensors are in there? (8 bytes with the length, then that much JSON)")
    length = int.from_bytes(part(url, 0, 8, file), "little")
    header = json.loads(part(url, 8, length, file))
    for name, tensor in sorted(header.items()):
        say(f"{name:16} {tensor['dtype']} {' x '.join(map(str, tensor['shape']))}")


def part(url: str, start: int, size: int, file: Path) -> bytes:
    wanted = f"bytes={start}-{start + size - 1}"
    statement(f'requests.get(invoke_url + "/{KEY}", headers={{"Range": "{wanted}"}})')
    answer = get(f"{url}/{KEY}", {"Range": wanted})
    expect_status(answer, 206)
    content_range = answer.headers.get("Content-Range")
    say(f"Content-Range: {content_range}")
    whole = file.read_bytes()
    expect(content_range == f"bytes {start}-{start + size - 1}/{len(whole)}", "that is not the range asked for")
    expect(answer.content == whole[start:start + size], "the bytes are not those of the file")
    return answer.content


def fetch_missing(url: str) -> None:
    title("Ask for what is not there: a 404 in JSON, not S3's XML")
    statement('requests.get(invoke_url + "/no/such/file")')
    answer = get(f"{url}/no/such/file")
    expect_status(answer, 404)
    say(answer.text.strip())
    expect("application/json" in answer.headers.get("Content-Type", ""), "its type is not JSON")
    try:
        answer.json()
    except ValueError:
        raise Failed("that is not JSON") from None


class User:
    """Who types the commands: in the repository's folder until `cd`."""

    def __init__(self, folder: Path, aws: LocalAws):
        self.folder = folder / "python"
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        self.env |= {
            "PATH": os.pathsep.join(map(str, (TOOLS / "bin", TOOLS / "venv/bin", os.environ["PATH"]))),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder}",
            "PULUMI_CONFIG_PASSPHRASE": "demo",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # The installed plugin, even where another one is on PATH.
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            "PULUMI_OPTION_SUPPRESS_PROGRESS": "true",  # no dots
        }
        self._settings = {
            "AWS_ENDPOINT_URL": aws.url, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        self._aws = aws
        self._here = ROOT

    def cd(self) -> None:
        """Goes to the program's folder and says which AWS it is for."""
        command("cd examples/python", "a copy of it")
        command("export " + " ".join(f"{key}={value}" for key, value in self._settings.items()))
        self.env |= self._settings
        self._here = self.folder

    def run(self, line: str) -> str:
        """Runs a command, shows what it says, and gives that back."""
        command(line)
        process = processes.start(
            line.split(), env=self.env, cwd=self._here, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )
        patience = threading.Timer(PATIENCE, self._give_up)
        patience.daemon = True  # an interrupted demo does not wait for it
        patience.start()
        output = []
        empty = ""
        for text in process.stdout:
            output.append(text)
            if text.strip():
                quote(empty + text)
            # Shown before the next text only, and once.
            empty = "" if text.strip() else "\n"
        status = process.wait()
        patience.cancel()
        expect(status == 0, f"`{line}` ended with {status}")
        return "".join(output)

    def _give_up(self) -> None:
        say(f"No end after {PATIENCE} s: killing it.")
        for process in processes.left():
            if process.pid != self._aws.pid:
                attempt(process.kill)


def get(url: str, headers: dict[str, str] | None = None) -> requests.Response:
    return requests.get(url, headers=headers, timeout=60)


def expect(true: bool, otherwise: str) -> None:
    if not true:
        raise Failed(otherwise)


def expect_status(answer: requests.Response, status: int) -> None:
    say(f"{answer.status_code} {answer.reason}")
    expect(answer.status_code == status, f"the status is not {status}: {answer.text[:500]}")


def expect_empty(aws: LocalAws, when: str) -> dict[str, list[str]]:
    inventory = aws.inventory()
    left = {kind: names for kind, names in inventory.items() if names}
    expect(not left, f"{when} the account has {left}")
    return inventory


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def relative(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def title(text: str) -> None:
    print(f"\n# {text}", flush=True)


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def command(line: str, remark: str = "") -> None:
    say(f"$ {line}" + (f"  # {remark}" if remark else ""))


def statement(text: str) -> None:
    say(f">>> {text}")


def quote(text: str) -> None:
    for line in text.splitlines():
        print(f"    {line}".rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
