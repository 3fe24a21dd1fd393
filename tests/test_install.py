"""What `make dist` makes, installed as users do: the plugin from a file and from a server, the SDKs as packages.

The plugin's binary is not on PATH here, and the engine may not look for one on the internet.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness import ROOT, TOOLS, packages

SCHEMA = ROOT / "schema/schema.json"
YAML = "resources: { data: { type: s3dataproxy:S3DataProxy } }\n"


@pytest.fixture(scope="module", autouse=True)
def dist(plugin):
    packages.build(plugin)


@pytest.fixture(scope="module")
def environment():
    """What a stack needs beside its own: no plugin on PATH, no way to download one."""
    path = [folder for folder in os.environ["PATH"].split(os.pathsep) if not Path(folder, packages.BINARY).exists()]
    path = os.pathsep.join(map(str, (TOOLS / "bin", TOOLS / "venv/bin", *path)))
    assert shutil.which(packages.BINARY, path=path) is None
    return {"PATH": path, "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}


@pytest.fixture
def server():
    """dist/ on a web server: gives its URL and, as they come, the paths it was asked for."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *_):
            asked.append(self.path)

    handler = partial(Handler, directory=ROOT / "dist")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


def install(stack, *source: str) -> Path:
    """Installs the plugin into the stack's empty PULUMI_HOME; gives the folder it came to."""
    folder = Path(stack.env["PULUMI_HOME"], f"plugins/resource-s3dataproxy-v{packages.VERSION}")
    assert not folder.parent.exists()
    stack.run("plugin", "install", "resource", "s3dataproxy", packages.VERSION, *source)
    return folder


def up_and_destroy(stack, installed: Path, aws) -> dict:
    """Takes the stack through its life, with the plugin that is installed there and no other; gives its outputs."""
    before = aws.inventory()
    up = stack.up()
    assert up.changes == {"create": 2}
    assert aws.inventory() != before
    outputs = stack.outputs()
    assert stack.destroy().changes == {"delete": 2}
    assert aws.inventory() == before
    folders = {entry["request"]["programDirectory"] for entry in stack.grpc("ResourceProvider/Handshake")}
    assert folders == {str(installed)}
    assert up.messages("warning") == []
    return outputs


def test_the_tarball_holds_the_plugin_alone(plugin):
    with tarfile.open(packages.TARBALL) as tarball:
        [entry] = tarball.getmembers()
        content = tarball.extractfile(entry).read()
    assert (entry.name, entry.isreg(), oct(entry.mode)) == (packages.BINARY, True, "0o755")
    assert content == plugin.read_bytes()


def test_without_the_plugin_nothing_works(stack, environment):
    """Or else the tests below would say nothing."""
    up = stack(YAML, env=environment).up(fails=True)
    assert f"no resource plugin '{packages.BINARY}' found" in str(up)


def test_installed_from_a_file(stack, environment, plugin, aws):
    made = stack(YAML, env=environment, grpc_log=True)
    folder = install(made, "--file", str(packages.TARBALL))
    assert [file.name for file in folder.iterdir()] == [packages.BINARY]
    installed = folder / packages.BINARY
    assert installed.read_bytes() == plugin.read_bytes()
    assert os.access(installed, os.X_OK)
    [listed] = made.run("plugin", "ls", "--json").json()
    assert (listed["kind"], listed["name"], listed["version"]) == ("resource", "s3dataproxy", packages.VERSION)
    up_and_destroy(made, folder, aws)


def test_python_package_with_a_plugin_from_a_server(stack, environment, server, aws, tmp_path):
    """The wheel in an environment of its own, with what it asks for and nothing else."""
    url, asked = server
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=280)
    python = tmp_path / "venv/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # The versions that are tested; the wheel says which packages.
    subprocess.run([*pip, "--constraint", ROOT / "tests/requirements.txt", packages.WHEEL], check=True, timeout=280)
    path = f"{python.parent}{os.pathsep}{environment['PATH']}"
    program = packages.example("python")
    program["__main__.py"] += "\nimport pulumi_s3dataproxy\npulumi.export('package', pulumi_s3dataproxy.__file__)\n"
    made = stack(program, env=environment | {"PATH": path}, grpc_log=True)
    folder = install(made, "--server", url)
    assert asked == [f"/{packages.TARBALL.name}"]

    outputs = up_and_destroy(made, folder, aws)
    assert Path(outputs["package"]).is_relative_to(tmp_path / "venv")


def test_npm_package_with_a_plugin_from_a_server(stack, environment, server, aws):
    url, asked = server
    made = stack(packages.example("typescript"), env=environment, grpc_log=True)
    packages.install_npm_package(made.program_folder)
    folder = install(made, "--server", url)
    assert asked == [f"/{packages.TARBALL.name}"]
    up_and_destroy(made, folder, aws)


def test_the_binary_gives_its_schema(stack, plugin, environment):
    made = stack(YAML, env=environment)
    given = made.run("package", "get-schema", str(plugin)).json()
    assert without_empty(given) == without_empty(json.loads(SCHEMA.read_text()))
    install(made, "--file", str(packages.TARBALL))
    assert made.run("package", "get-schema", "s3dataproxy").json() == given


def without_empty(value):
    """The CLI leaves out empty lists and objects."""
    if isinstance(value, dict):
        return {key: without_empty(item) for key, item in value.items() if item not in ({}, [])}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def test_pulumi_accepts_the_schema(stack, tmp_path):
    made = stack(YAML)
    made.run("schema", "check", str(SCHEMA))
    broken = json.loads(SCHEMA.read_text())
    broken["resources"]["s3dataproxy:index:S3DataProxy"]["properties"]["bucket"] = {"$ref": "#/types/nothing"}
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken))
    assert "nothing" in str(made.run("schema", "check", str(file), fails=True))
