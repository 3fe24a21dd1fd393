"""The second plugin: a provider of the same shape on Pulumi's Go framework, built from `go/`."""

import re
import subprocess
import sys
from pathlib import Path

from harness import ROOT, TOOLS

SOURCE = Path(__file__).resolve().parent / "go"
#: The same file name as ours, so that the engine takes it for the same program.
BINARY = TOOLS / "bench/pulumi-resource-s3dataproxy"


def build() -> Path:
    """Built as plugins are released, without symbols; Go's cache makes a second call short."""
    print("building the second plugin", file=sys.stderr)
    subprocess.run(
        ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", BINARY, "."],
        cwd=SOURCE, check=True, timeout=1800,
    )
    return BINARY


def framework() -> str:
    """The framework with its version."""
    version = re.search(r"pulumi-go-provider (v\S+)", (SOURCE / "go.mod").read_text())[1]
    return f"pulumi-go-provider {version}"


def different_clients() -> set[str]:
    """AWS services that only one of the two plugins links, which would make sizes hard to compare."""
    ours = set(re.findall(r"^aws-sdk-(\w+)", (ROOT / "provider/Cargo.toml").read_text(), re.M))
    theirs = set(re.findall(r"aws-sdk-go-v2/service/(\w+) v\S+$", (SOURCE / "go.mod").read_text(), re.M))
    return ours ^ theirs
