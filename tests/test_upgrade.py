"""Stacks that another version of the plugin wrote, with the present one.

`tests/fixtures/VERSION` holds a program with every piece, and the state that the plugin of that version left of it;
`python tests/test_upgrade.py` records those of the present plugin.
"""

import copy
import json
import sys
from pathlib import Path

import pytest

from harness import ROOT
from harness.aws import LocalAws, allow_logs
from harness.engine import PROXY, Stack

FIXTURES = ROOT / "tests/fixtures"
RECORDED = sorted(folder.name for folder in FIXTURES.iterdir())
NAME = "upgrade"

KEY = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
PROGRAM = {"name": "test", "runtime": "yaml", "resources": {NAME: {"type": PROXY, "properties": {
    "name": NAME, "path": "v1/models", "stageName": "v1", "description": "models", "tags": {"team": "data"},
    "operations": ["GET", "HEAD", "LIST", "PUT", "DELETE"], "waitForReady": False,
    "cors": {"allowOrigins": ["https://a.example", "https://b.example"]},
    "bucket": {"name": f"{NAME}-data", "prefix": "p", "versioning": True, "kmsKeyArn": KEY, "forceDestroy": True},
    "apiKeys": ["alice", "bob"], "quota": {"limit": 1000, "period": "MONTH"},
    "throttle": {"rateLimit": 50, "burstLimit": 10}, "allowedIpRanges": ["127.0.0.0/8"],
    "role": {"path": "/research/"}, "accessLog": {"retentionInDays": 7}, "executionLog": {"level": "INFO"},
    "metricsEnabled": True, "tracingEnabled": True,
}}}}


def record(plugin: Path) -> None:
    """The program and the state of the present plugin, with the secrets of the local AWS in plain text."""
    version = json.loads((ROOT / "schema/schema.json").read_text())["version"]
    folder = FIXTURES / version
    folder.mkdir(parents=True, exist_ok=True)
    with LocalAws() as aws:
        allow_logs(aws.url)
        with Stack({"Pulumi.yaml": json.dumps(PROGRAM)}, aws.url, plugin=plugin) as made:
            made.up()
            state = made.run("stack", "export", "--stack", made.name, "--show-secrets").json()
    del state["deployment"]["manifest"]
    del proxy(state)["outputs"]["openApiDocument"]  # long, and never read back
    for each in state["deployment"]["resources"]:  # where on this machine the language host was built
        for place in ("sourcePosition", "stackTrace"):
            each.pop(place, None)
    (folder / "Pulumi.yaml").write_text(json.dumps(PROGRAM, indent=1) + "\n")
    (folder / "state.json").write_text(json.dumps(state, indent=1) + "\n")


def stored(state: dict) -> dict:
    """The plugin's own part of an exported state. It holds API keys, so it is a secret."""
    return json.loads(proxy(state)["outputs"]["__state"]["plaintext"])


def store(state: dict, ours: dict) -> None:
    proxy(state)["outputs"]["__state"]["plaintext"] = json.dumps(ours)


def proxy(state: dict) -> dict:
    [found] = [each for each in state["deployment"]["resources"] if each["type"] == PROXY]
    return found


def fixture(version: str) -> dict:
    return json.loads((FIXTURES / version / "state.json").read_text())


def program(version: str, **inputs) -> dict[str, str]:
    found = json.loads((FIXTURES / version / "Pulumi.yaml").read_text())
    found["resources"][NAME]["properties"] |= inputs
    return {"Pulumi.yaml": json.dumps(found)}


@pytest.fixture(params=RECORDED)
def version(request) -> str:
    return request.param


def older(state: dict) -> None:
    """A made-up version 0, which knew less: what is missing has the default that it stands for."""
    ours = stored(state) | {"version": 0}
    for field in ("defaultPath", "executionLogs"):
        ours.pop(field, None)
    store(state, ours)


def richer(state: dict) -> None:
    """A made-up later plugin that knows more and still writes this version."""
    ours = stored(state)
    store(state, {piece: each | {"later": {"x": [1]}} if isinstance(each, dict) else each
                  for piece, each in ours.items()} | {"later": [None]})


def of_another_plugin(state: dict) -> None:
    """The provider of another version of the package, as its SDK registers it."""
    for each in state["deployment"]["resources"]:
        if each["type"] == "pulumi:providers:s3dataproxy":
            for part in ("inputs", "outputs"):
                each[part] = each.get(part, {}) | {"version": "0.0.9"}


@pytest.mark.parametrize("change", [lambda state: None, older, richer, of_another_plugin],
                         ids=["recorded", "older", "richer", "another plugin"])
def test_a_recorded_state_is_no_change(stack, tap, version, change):
    """Nothing to do, and nobody asked: AWS has nothing of what is recorded."""
    made = stack(program(version), tap.url)
    state = copy.deepcopy(fixture(version))
    change(state)
    made.import_state(state)
    [step] = made.preview().done(NAME)
    assert (step["op"], step["detailedDiff"] or {}) == ("same", {})
    assert made.up().done(NAME)[0]["op"] == "same"
    assert tap.operations() == []
    made.run("state", "delete", "--all", "--yes", "--stack", made.name)


def test_a_newer_state_is_refused_in_a_sentence(stack, tap, version):
    made = stack(program(version), tap.url)
    state = copy.deepcopy(fixture(version))
    store(state, stored(state) | {"version": 2})
    made.import_state(state)
    for command in (made.preview, made.up, made.refresh, made.destroy):
        [error, *_] = command(fails=True).messages("error", NAME)
        assert error.count("the resource's state has version 2, and this plugin knows versions up to 1: install the newer "
                           "s3dataproxy plugin that wrote it") == 1
    assert tap.operations() == []
    made.run("state", "delete", "--all", "--yes", "--stack", made.name)


@pytest.mark.parametrize("change", [lambda state: None, older], ids=["recorded", "older"])
def test_a_recorded_state_goes_on(aws, stack, version, change):
    """What it records is there, under the ids of this AWS: refreshed, changed and deleted as any other."""
    made = stack(program(version))
    made.up()
    real = stored(made.run("stack", "export", "--stack", made.name, "--show-secrets").json())
    recorded = fixture(version)
    text, then = json.dumps(recorded), stored(recorded)
    for there, here in zip(chosen(then), chosen(real), strict=True):
        text = text.replace(there, here)
    state = json.loads(text)
    change(state)
    made.import_state(state)
    assert made.refresh().messages("warning", NAME) == []
    assert set(made.up("--expect-no-changes").changes) == {"same"}
    made.write(program(version, description="told", apiKeys=["alice"]))
    assert [step["op"] for step in made.up().done(NAME)] == ["update"]
    assert set(made.up("--expect-no-changes").changes) == {"same"}
    state = made.run("stack", "export", "--stack", made.name, "--show-secrets").json()
    assert stored(state)["version"] == 1
    made.destroy()
    assert NAME not in str(aws.inventory())


def chosen(ours: dict) -> list[str]:
    """What AWS chooses: ids, values, and the number of a life."""
    keys = ours["usagePlan"]["keys"].values()
    return [ours["owner"].rpartition("@")[2], ours["restApi"]["id"], ours["stage"]["deploymentId"],
            ours["usagePlan"]["id"], *(key[part] for key in keys for part in ("id", "value"))]


if __name__ == "__main__":
    record(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "target/release/pulumi-resource-s3dataproxy")
