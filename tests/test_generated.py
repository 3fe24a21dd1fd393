"""What is generated is current, says so when it is not, and can be used.

The package schema, the SDKs and their packages come from `sdk-gen`. Its checks run on copies of the tree that are
altered here; the packages are installed and used as a user's program would.

Needs the package pytest, cargo, Go, Node.js and, for the wheel, the registry of Python packages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = json.loads((ROOT / "schema/schema.json").read_text())
RESOURCE = SCHEMA["resources"]["s3dataproxy:index:S3DataProxy"]
VERSION = SCHEMA["version"]
WHEEL = f"dist/pulumi_s3dataproxy-{VERSION}-py3-none-any.whl"
NPM = f"dist/pulumi-s3dataproxy-{VERSION}.tgz"
PULUMI_VERSION = "3.259.0"


def sdk_gen(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["cargo", "run", "--quiet", "--package", "sdk-gen", "--", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def succeeds(*arguments: str | Path) -> str:
    done = sdk_gen(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


def fails(*arguments: str | Path) -> str:
    done = sdk_gen(*arguments)
    assert done.returncode != 0, f"{arguments} passed"
    return done.stderr


@pytest.fixture(scope="session")
def built() -> Path:
    """The tree, with its SDKs and packages built."""
    succeeds("sdk")
    return ROOT


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    """As much of the tree as `sdk-gen` reads and writes, with nothing left to do."""
    parts = ["schema/schema.json", "sdk", "sdk-gen/go", "sdk-gen/python", "sdk-gen/nodejs", ".tools/sdk/stamps"]
    for part in [*parts, WHEEL, NPM, *(["LICENSE"] if (built / "LICENSE").exists() else [])]:
        source, target = built / part, tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    return tmp_path


def change_description(tree: Path) -> None:
    """A change that every SDK shows."""
    path = tree / "schema/schema.json"
    before = path.read_text()
    after = before.replace("append `/` and an object's key", "append `/` and the key of an object")
    assert before != after
    path.write_text(after)


def test_committed_schema_is_current() -> None:
    succeeds("schema", "--check")


def test_stale_schema_is_named_and_refreshed(copy: Path) -> None:
    change_description(copy)
    message = fails("--root", copy, "schema", "--check")
    assert "`schema/schema.json` is stale" in message
    assert "sdk-gen -- schema" in message
    succeeds("--root", copy, "schema")
    assert (copy / "schema/schema.json").read_bytes() == (ROOT / "schema/schema.json").read_bytes()


def test_sdks_are_not_built_from_a_stale_schema(copy: Path) -> None:
    change_description(copy)
    assert "`schema/schema.json` is stale" in fails("--root", copy, "sdk")


def test_fresh_sdks_pass_and_a_second_call_does_nothing(copy: Path) -> None:
    assert succeeds("--root", copy, "sdk", "--check") == ""
    assert succeeds("--root", copy, "sdk") == ""


def test_sdks_of_another_schema_are_stale(copy: Path) -> None:
    change_description(copy)
    message = fails("--root", copy, "sdk", "--check")
    assert "`sdk/python/pulumi_s3dataproxy/s3_data_proxy.py` is stale" in message
    assert "sdk-gen -- sdk" in message


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("sdk/nodejs/s3dataProxy.ts", "edited", "stale"),
        ("sdk/python/pulumi_s3dataproxy/py.typed", None, "missing"),
        (WHEEL, "edited", "missing or stale"),
        (NPM, None, "missing or stale"),
    ],
)
def test_touched_files_are_named_and_built_again(copy: Path, name: str, text: str | None, problem: str) -> None:
    path = copy / name
    before = path.read_bytes()
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    assert f"`{name}` is {problem}" in fails("--root", copy, "sdk", "--check")
    if name.startswith("sdk/"):  # packages take the tools that build them, which the copy lacks
        succeeds("--root", copy, "sdk")
        assert path.read_bytes() == before


def test_wheel_is_typed_documented_and_asks_for_its_plugin(built: Path) -> None:
    with zipfile.ZipFile(built / WHEEL) as wheel:
        names = wheel.namelist()
        resource = wheel.read("pulumi_s3dataproxy/s3_data_proxy.py").decode()
        plugin = json.loads(wheel.read("pulumi_s3dataproxy/pulumi-plugin.json"))
        metadata = wheel.read(f"pulumi_s3dataproxy-{VERSION}.dist-info/METADATA").decode()
    assert "pulumi_s3dataproxy/py.typed" in names
    assert plugin == {"resource": True, "name": "s3dataproxy", "version": VERSION}
    for name, described in (RESOURCE["inputProperties"] | RESOURCE["properties"]).items():
        assert described["description"] in resource, name
    program = (ROOT / "examples/python/__main__.py").read_text().splitlines()[-1]
    assert program in resource
    assert program in metadata, "the README is not in the wheel"


def test_npm_package_is_compiled_typed_and_asks_for_its_plugin(built: Path) -> None:
    with tarfile.open(built / NPM) as package:
        names = package.getnames()
        manifest = json.load(package.extractfile("package/package.json"))
        types = package.extractfile("package/s3dataProxy.d.ts").read().decode()
    assert {"package/index.js", "package/index.d.ts", "package/README.md"} <= set(names)
    assert manifest["pulumi"] == {"resource": True, "name": "s3dataproxy", "version": VERSION}
    for name, described in RESOURCE["inputProperties"].items():
        assert described["description"] in types, name


def test_wheel_installs_and_runs_the_example(built: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, built / WHEEL, f"pulumi=={PULUMI_VERSION}"], check=True)
    script = tmp_path / "run.py"
    script.write_text(PYTHON_RUN)
    example = ROOT / "examples/python/__main__.py"
    done = subprocess.run([python, script, example], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["s3dataproxy:index:S3DataProxy", "ai-data-repository", {}, "https://example.org/data"]


# Runs a program against Pulumi's own mocks and prints what it registered and what the URL resolved to.
PYTHON_RUN = """
import json, runpy, sys
import pulumi

registered = []

class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        registered.extend([args.typ, args.name, args.inputs])
        return "id", {**args.inputs, "invokeUrl": "https://example.org/data"}

    def call(self, args):
        return {}

exported = {}
pulumi.runtime.set_mocks(Mocks())
pulumi.export = exported.__setitem__

@pulumi.runtime.test
def run():
    runpy.run_path(sys.argv[1])
    return exported["invoke_url"].apply(registered.append)

run()
print(json.dumps(registered))
"""


def test_npm_package_runs_and_the_example_type_checks(built: Path, tmp_path: Path) -> None:
    # `@pulumi/pulumi` and the compiler are those that built the package.
    tools = built / ".tools/sdk/nodejs/node_modules"
    modules = tmp_path / "node_modules"
    modules.mkdir()
    for name in ["@pulumi", "@types", "typescript"]:
        (modules / name).symlink_to(tools / name)
    with tarfile.open(built / NPM) as package:
        package.extractall(tmp_path, filter="data")
    (tmp_path / "package").rename(modules / "pulumi-s3dataproxy")
    for name in ["index.ts", "tsconfig.json", "package.json"]:
        shutil.copy2(ROOT / "examples/typescript" / name, tmp_path)
    tsc = [modules / "typescript/bin/tsc", "--noEmit", "--project", tmp_path]
    checked = subprocess.run(["node", *tsc], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    wrong = (tmp_path / "index.ts").read_text().replace('"ai-data-repository"', '"x", { operations: ["FLY"] }')
    (tmp_path / "index.ts").write_text(wrong)
    assert "FLY" in subprocess.run(["node", *tsc], capture_output=True, text=True).stdout
    program = "const s = require('pulumi-s3dataproxy'); console.log(s.S3DataProxy.name, s.Operation.GET)"
    done = subprocess.run(["node", "-e", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split() == ["S3DataProxy", "GET"], done.stderr


def test_plugin_tarball_holds_the_binary_alone(copy: Path) -> None:
    binary = copy / "plugin"
    binary.write_bytes(b"plugin")
    command = ["--root", copy, "dist", "--binary", binary]
    succeeds(*command)
    (tarball,) = (copy / "dist").glob("*.tar.gz")
    assert tarball.name.startswith(f"pulumi-resource-s3dataproxy-v{VERSION}-")
    with tarfile.open(tarball) as archive:
        entries = [(entry.name, oct(entry.mode)) for entry in archive]
    assert entries == [("pulumi-resource-s3dataproxy", "0o755")]
    assert succeeds(*command) == ""
    assert succeeds(*command, "--check") == ""
    binary.write_bytes(b"another plugin")
    assert f"`dist/{tarball.name}` is missing or stale" in fails(*command, "--check")
