"""Fixtures of all tests that run against the local AWS, the real engine or the plugin."""

import os
import uuid
from pathlib import Path

import pytest

from harness import ROOT, processes
from harness.aws import LocalAws, allow_logs
from harness.engine import Stack
from harness.rpc import Engine, Plugin, Resource, wipe
from harness.tap import Tap


def pytest_addoption(parser):
    parser.addoption("--rows", action="store_true", help="print each row of the table of test_http_conformance.py")


@pytest.fixture(scope="session", autouse=True)
def nothing_left_running():
    """Whatever was started has ended when the tests have: plugins and the local AWS leave no orphans."""
    yield
    left = processes.left(grace=15)
    names = [" ".join(process.cmdline()) for process in left]
    for process in left:
        process.kill()
    assert not names, f"still running: {names}"


@pytest.fixture(scope="session")
def aws(nothing_left_running):
    """The run's local AWS. Tests share it: each uses names of its own and leaves nothing behind."""
    with LocalAws() as aws:
        allow_logs(aws.url)
        yield aws


@pytest.fixture
def tap(aws):
    """A tap before the local AWS, with no calls, faults or delay."""
    with Tap(aws.url) as tap:
        yield tap


@pytest.fixture(scope="session")
def plugin() -> Path:
    """The plugin's binary."""
    path = os.environ.get("S3DATAPROXY_PLUGIN") or ROOT / "target/release/pulumi-resource-s3dataproxy"
    path = Path(path).resolve()
    assert path.exists(), f"{path} is missing: `make plugin` builds it"
    return path


@pytest.fixture
def engine():
    """What the plugin tells, as the real engine hears it."""
    with Engine() as engine:
        yield engine


@pytest.fixture
def provider(plugin, tap):
    """The plugin, configured for the tap before the local AWS."""
    with Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure()
        yield provider


@pytest.fixture
def resource(provider, aws, tap):
    """A resource that is not there yet. Nothing of it is left afterwards."""
    resource = Resource(provider, f"rpc-{uuid.uuid4().hex[:8]}")
    yield resource
    tap.reset()
    wipe(aws, resource.urn.rpartition(":")[2])


@pytest.fixture
def stack(aws, tmp_path):
    """A function that makes stacks: `stack(program, **options)` as `Stack`, against the run's local AWS.

    At the end each is destroyed (without the preview, faults or checks: that is no part of any test).
    """
    made = []

    def make(program, endpoint: str = aws.url, **options) -> Stack:
        made.append(Stack(program, endpoint, folder=tmp_path / f"stack-{len(made)}", **options))
        return made[-1]

    yield make
    for each in made:
        each.close(endpoint=aws.url)
