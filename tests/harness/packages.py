"""The examples and the packages in dist/, as users get them."""

import json
import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from . import ROOT, TOOLS

VERSION = json.loads((ROOT / "schema/schema.json").read_text())["version"]
BINARY = "pulumi-resource-s3dataproxy"
WHEEL = ROOT / f"dist/pulumi_s3dataproxy-{VERSION}-py3-none-any.whl"
NPM_PACKAGE = ROOT / f"dist/pulumi-s3dataproxy-{VERSION}.tgz"

# The engine calls systems and processors as Go does.
_OS = platform.system().lower()
_ARCH = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine().lower()]
TARBALL = ROOT / f"dist/{BINARY}-v{VERSION}-{_OS}-{_ARCH}.tar.gz"

# What a user's own `pulumi up` or `npm install` in the folder leaves there.
_NOT_OURS = ("Pulumi.*.yaml", "package-lock.json")


def example(language: str) -> dict[str, str]:
    """The files of examples/LANGUAGE."""
    files = [file for file in (ROOT / "examples" / language).iterdir() if file.is_file()]
    return {file.name: file.read_text() for file in files if not any(file.match(name) for name in _NOT_OURS)}


@cache
def build(binary: Path) -> None:
    """Brings dist/ up to date, with this build of the plugin in its tarball; the plugin itself is not built."""
    _run(["cargo", "run", "--quiet", "--package", "sdk-gen", "--", "dist", "--binary", binary], cwd=ROOT)


def install_wheel(folder: Path) -> dict[str, str]:
    """Installs the wheel alone into a folder; gives the environment in which Python, with what it needs, finds it."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    _run([*pip, "--target", folder, WHEEL])
    return {"PYTHONPATH": str(folder)}


def install_npm_package(program: Path) -> None:
    """Installs the npm package into a program's folder.

    Its dependencies are those that `sdk-gen` installed once, by its lock, to compile it; so nothing is downloaded.
    """
    installed = TOOLS / "sdk/nodejs/node_modules"
    shutil.copytree(installed, program / "node_modules", symlinks=True, copy_function=_link)
    # npm writes this one in place, so it must not be shared.
    names = program / "node_modules/.package-lock.json"
    names.unlink()
    shutil.copy2(installed / names.name, names)
    options = ["--no-save", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"]
    _run(["npm", "install", *options, NPM_PACKAGE], cwd=program)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)


def _run(command: list, **options) -> None:
    command = list(map(str, command))
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=280, **options)
    assert done.returncode == 0, f"`{' '.join(command)}` ended with {done.returncode}\n{done.stdout}{done.stderr}"
