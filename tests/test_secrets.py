"""Planted secrets through the whole life of resources with the real engine, on good and on bad days: they are in no file
that it leaves, in no line that a user reads, and in no word that the plugin says."""

import json
import math
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.engine import PROXY, Stack
from harness.faults import Answer, Before, Error
from harness.rpc import exposed, wipe

# A part of each that is planted: escaped or quoted, it stays what it is.
PART = "pl4nted"
PLANTED = {"access": f"AKIA{PART}".upper(), "hidden": f"key-{PART}/+=", "token": f"token-{PART}/+=", "words": f"words {PART}"}
# By the ids of their providers' keys, which calls can be told by.
NAMES = {PLANTED["access"]: "secrets-own", f"{PLANTED['access']}2": "secrets-plain"}
OWN, PLAIN = NAMES.values()
INPUTS = {
    "waitForReady": False, "apiKeys": ["ann", "bob"], "accessLog": {}, "bucket": {"forceDestroy": True},
}
WORDS = {"description": "${words}", "tags": {"words": "${words}"}}


def program(url: str, **more) -> str:
    """One resource with a provider of its own and secret inputs, one with the stack's settings."""
    own, plain = ({"type": PROXY, "properties": INPUTS | more | {"name": name}} for name in (OWN, PLAIN))
    keys = {"accessKey": "${access}", "secretKey": "${hidden}", "token": "${token}", "endpointUrl": url, "maxAttempts": 1, "views": True}
    return "\n".join(f"{part}: {json.dumps(says)}" for part, says in {
        "config": {name: {"type": "string"} for name in PLANTED},
        "resources": {
            "by": {"type": "pulumi:providers:s3dataproxy", "properties": keys},
            "own": own | {"properties": own["properties"] | WORDS, "options": {"provider": "${by}"}}, "plain": plain,
        },
        "outputs": {"own": "${own.apiKeyValues}", "plain": "${plain.apiKeyValues}"},
    }.items()) + "\n"


class Story:
    """A stack with the secrets in its settings, and all keys that AWS ever made for it."""

    def __init__(self, aws, tap, folder: Path):
        self.aws, self.tap = aws, tap
        self.stack = Stack(program(tap.url), tap.url, folder=folder, grpc_log=True, env={"RUST_BACKTRACE": "full"})
        self.keys: set[str] = set()
        self.tap.policy = lambda call: self.refusals.get(call.operation, lambda _: None)(call)
        self.refusals: dict[str, Callable] = {}
        for name, text in PLANTED.items():
            self.stack.set_config(name, text, "--secret")
        for key, text in {"accessKey": list(NAMES)[1], "secretKey": PLANTED["hidden"], "token": PLANTED["token"]}.items():
            self.stack.set_config(f"s3dataproxy:{key}", text, "--secret")
        self.stack.set_config("s3dataproxy:maxAttempts", "1")

    def change(self, **more) -> None:
        self.stack.write(program(self.tap.url, **more))

    def learn(self) -> dict[str, list[str]]:
        """The values of each resource's API keys; they are noted, too."""
        found = {name: [] for name in NAMES.values()}
        for key in self.aws.client("apigateway").get_api_keys(includeValues=True, limit=500)["items"]:
            for name in found:
                if key["name"].startswith(f"{name}-"):
                    found[name].append(key["value"])
                    self.keys.add(key["value"])
        return found

    def fail(self, command: Callable, *operations: str, known: bool = True) -> None:
        """Where AWS refuses these, it quotes what it was sent and what it knows of the resource, if that is known to us."""
        keys = self.learn()

        def refuse(call) -> Error:
            access = re.search(r"Credential=([^/]+)/", call.headers["authorization"])[1]
            name = NAMES[access]
            secrets = [access, PLANTED["hidden"], PLANTED["token"]]
            secrets += [PLANTED["words"]] * (name == OWN) + keys[name] * known
            return Error("Refused", 400, f"no {' and '.join(secrets)} here")

        self.refusals = dict.fromkeys(operations, refuse)
        told = str(command(fails=True))
        self.refusals = {}
        # It is told, without them.
        assert "Refused" in told and "[secret]" in told and " here" in told, told

    def break_off(self, how: Callable, *methods: str, answer: Answer | None = None) -> str:
        """An update that ends as `how` does it while a call is under way, or when the call has this answer."""
        self.change(apiKeys=["dee"], operations=list(methods))
        met, released = threading.Event(), threading.Event()
        hang = Before(lambda: (met.set(), released.wait(60)))
        self.tap.inject(Late(answer, hang) if answer else hang, operation="PutRestApi", times=math.inf)
        running = self.stack.start_operation("up", "--yes", "--skip-preview")
        try:
            assert met.wait(60), "the call did not come"
            how(running)
        finally:
            released.set()
        told = str(running.wait(fails=True))
        self.tap.reset()
        self.learn()
        return told


class Late(Answer):
    """An answer after something else."""

    def __init__(self, answer: Answer, before: Before):
        super().__init__(answer.status, answer.body, answer.headers)
        self.before = before

    def answer(self, _service: str) -> Answer:
        self.before.action()
        return self


def out_of_memory(running) -> None:
    """A crash with the plugin's own last words."""
    plugins = running.children("pulumi-resource-s3dataproxy")
    assert plugins
    for plugin in plugins:
        plugin.rlimit(psutil.RLIMIT_AS, (1, 1))


def aborted(running) -> None:
    for plugin in running.children("pulumi-resource-s3dataproxy"):
        plugin.send_signal(signal.SIGABRT)


@pytest.fixture
def story(aws, tap, tmp_path):
    story = Story(aws, tap, tmp_path / "stack")
    yield story
    tap.reset()
    tap.policy = lambda call: None
    for name in (OWN, PLAIN):
        wipe(aws, name)


def test_planted_secrets_are_nowhere(story, aws):
    stack = story.stack
    # Good days.
    stack.preview("--diff")
    stack.up("--diff", preview=True)
    story.learn()
    assert len(story.keys) == 4
    assert {value for values in stack.outputs().values() for value in values.values()} == story.keys
    (stack.folder / f"command-{stack._commands}.out").unlink()  # there they were asked for
    stack.run("stack", "output", "--stack", stack.name)
    story.change(apiKeys=["ann", "cy"], operations=["GET"])
    stack.up("--diff", preview=True)
    story.learn()
    [api] = [item["id"] for item in aws.client("apigateway").get_rest_apis(limit=500)["items"] if item["name"] == PLAIN]
    aws.client("apigateway").delete_stage(restApiId=api, stageName="prod")
    aws.client("s3").put_bucket_tagging(Bucket=OWN, Tagging={"TagSet": [{"Key": "words", "Value": "others"}]})
    assert "changed outside of Pulumi" in str(stack.refresh("--diff"))
    stack.up("--diff", preview=True)

    # Bad days.
    story.change(apiKeys=["dee"], operations=["GET", "LIST"], tracingEnabled=True)
    story.fail(stack.up, "CreateApiKey", "PutRestApi", "UpdateStage")
    story.fail(stack.refresh, "GetRole")
    story.fail(stack.destroy, "GetBucketTagging", "DeleteUsagePlan")
    story.break_off(lambda running: running.interrupt(), "GET", "PUT")
    quoted = " and ".join([*PLANTED.values(), *sorted(story.keys)])
    crash = story.break_off(out_of_memory, "GET", "DELETE", answer=Answer(400, quoted.encode() * 200_000))
    assert "memory allocation of" in crash, f"the plugin has no last words: {crash}"
    story.break_off(aborted, "PUT", "LIST")
    stack.up("--refresh")
    story.learn()

    # A way in for what is there already.
    [urn] = [resource["urn"] for resource in stack.resources() if resource["urn"].endswith("::plain")]
    stack.run("state", "delete", urn, "--yes", "--stack", stack.name)
    story.fail(lambda **options: stack.import_(PROXY, "plain", api, "--protect=false", **options), "GetResources", known=False)
    stack.import_(PROXY, "plain", api, "--protect=false")
    story.learn()
    stack.up("--diff", preview=True)
    stack.destroy("--diff")

    planted = [PART, PART.upper(), *story.keys]
    assert len(planted) > 8

    def found(text: str) -> list[str]:
        return [each for each in planted if each in text]

    # What the plugin was told has them; so they could have been found.
    calls = [call for call in stack.grpc() if "pulumirpc.ResourceProvider/" in call["method"]]
    assert set(found(json.dumps(calls))) == set(planted)
    for call in calls:
        # Before CheckConfig and DiffConfig the engine takes the secrets' marks off, and afterwards it puts them on again.
        if not call["method"].endswith("Config"):
            assert not [each for each in planted if exposed(call.get("response"), each)], call["method"]
        assert not found(json.dumps(call.get("errors"))), call["errors"]
    # Settings, state with its history, output, errors and events of each command, with all that the plugin has told.
    files = [file for file in stack.folder.rglob("*") if file.is_file() and file.name != "grpc.jsonl"]
    kinds = {file.suffix for file in files}
    assert {".json", ".bak", ".out", ".err", ".events", ".yaml"} <= kinds, kinds
    leaks = {str(file.relative_to(stack.folder)): leaked for file in files
             if (leaked := found(file.read_bytes().decode("latin-1")))}
    assert not leaks
