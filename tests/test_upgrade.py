"""Stacks that another version of the plugin wrote, with the present one.

`tests/fixtures/VERSION` holds programs with every piece, and the states that the plugin of that version left of them;
`python tests/test_upgrade.py` records those of the present plugin.
"""

import copy
import json
import math
import shutil
import sys
from pathlib import Path

import pytest

from harness import ROOT
from harness.aws import ACCOUNT, REGION, LocalAws, allow_logs
from harness.engine import PROXY, Stack
from harness.faults import Error
from harness.tap import Tap

FIXTURES = ROOT / "tests/fixtures"
RECORDED = sorted(str(file.parent.relative_to(FIXTURES)) for file in FIXTURES.glob("*/*/state.json"))
NAME = "upgrade"
#: What stands for the ARN of a web ACL, which AWS chooses.
WEB_ACL = "WEB_ACL"
GIVEN_ROLE = f"{NAME}-given"

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/a"
POOL = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_a"
PLAIN = {"name": NAME, "path": "models", "waitForReady": False}
FULL = {
    "name": NAME, "path": "v1/models", "stageName": "v1", "description": "models", "tags": {"team": "data"},
    "operations": ["GET", "HEAD", "LIST", "PUT", "DELETE"], "waitForReady": False,
    "cors": {"allowOrigins": ["https://a.example", "https://b.example"]},
    "bucket": {"name": f"{NAME}-data", "prefix": "p", "versioning": True, "kmsKeyArn": KEY, "forceDestroy": True},
    "apiKeys": ["alice", "bob"], "quota": {"limit": 1000, "period": "MONTH"},
    "throttle": {"rateLimit": 50, "burstLimit": 10}, "allowedIpRanges": ["127.0.0.0/8"],
    "role": {"path": "/research/"}, "accessLog": {"retentionInDays": 7}, "executionLog": {"level": "INFO"},
    "metricsEnabled": True, "tracingEnabled": True,
}
EDGE = PLAIN | {
    "cache": {"sizeGb": 1.6, "ttlSeconds": 60}, "webAclArn": WEB_ACL,
    "endpoint": {"type": "EDGE", "ipAddressType": "dualstack"},
    "domain": {"name": f"{NAME}.example.com", "certificateArn": CERTIFICATE},
}
USERS = PLAIN | {
    "authorization": "COGNITO_USER_POOLS", "authorizer": {"userPoolArns": [POOL], "scopes": ["data/read"]},
    "endpoint": {"disableExecuteApi": True}, "role": {"arn": f"arn:aws:iam::{ACCOUNT}:role/{GIVEN_ROLE}"},
    "domain": {"name": f"{NAME}.example.com", "certificateArn": CERTIFICATE, "basePath": "v1", "securityPolicy": "TLS_1_0"},
}
MOVED = PLAIN | {
    "stageName": "v2", "webAclArn": WEB_ACL, "role": USERS["role"], "authorization": "AWS_IAM",
    "domain": {"name": f"{NAME}-other.example.com", "certificateArn": CERTIFICATE},
}
#: Inputs that come one after the other.
WAYS = {
    "full": [FULL], "edge": [EDGE], "users": [USERS],
    "leftovers": [PLAIN | {"stageName": "v1", "webAclArn": WEB_ACL, "domain": EDGE["domain"]}, MOVED],
}
#: The calls that fail in the last step of a way, so that something is left over.
DENIED = {"leftovers": ["DisassociateWebACL", "DeleteStage", "DeleteDeployment", "DeleteBasePathMapping"]}
#: What differs in the next program, beside the description.
NEXT = {"full": {"apiKeys": ["alice"]}, "edge": {"cache": {"sizeGb": 1.6, "ttlSeconds": 5}}}


def written(inputs: dict) -> dict[str, str]:
    resources = {NAME: {"type": PROXY, "properties": inputs}}
    return {"Pulumi.yaml": json.dumps({"name": "test", "runtime": "yaml", "resources": resources}, indent=1) + "\n"}


class Surroundings:
    """What the programs name and others have made: a role and a web ACL."""

    def __init__(self, aws):
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "all"}
        self.iam, self.waf = aws.client("iam"), aws.client("wafv2")
        self.iam.create_role(RoleName=GIVEN_ROLE, AssumeRolePolicyDocument=json.dumps(trust))
        self.acl = self.waf.create_web_acl(
            Name=NAME, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen)["Summary"]

    def given(self, inputs: dict) -> dict:
        return inputs | {"webAclArn": self.acl["ARN"]} if inputs.get("webAclArn") == WEB_ACL else inputs

    def remove(self) -> None:
        self.waf.delete_web_acl(Name=NAME, Scope="REGIONAL", Id=self.acl["Id"], LockToken=self.acl["LockToken"])
        self.iam.delete_role(RoleName=GIVEN_ROLE)


def go(made: Stack, tap: Tap, way: str, around: Surroundings) -> dict:
    """Takes the stack this way; gives its state, with the secrets of the local AWS in plain text."""
    *before, last = (around.given(inputs) for inputs in WAYS[way])
    for inputs in before:
        made.write(written(inputs))
        made.up()
    made.write(written(last))
    for operation in DENIED.get(way, ()):
        tap.inject(Error("AccessDeniedException", 403), operation=operation, times=math.inf)
    made.up(fails=way in DENIED)
    tap.reset()
    return exported(made)


def exported(made: Stack) -> dict:
    return made.run("stack", "export", "--stack", made.name, "--show-secrets").json()


def record(plugin: Path) -> None:
    """The programs and the states of the present plugin."""
    version = json.loads((ROOT / "schema/schema.json").read_text())["version"]
    shutil.rmtree(FIXTURES / version, ignore_errors=True)
    with LocalAws() as aws, Tap(aws.url) as tap:
        allow_logs(aws.url)
        around = Surroundings(aws)
        for way, programs in WAYS.items():
            folder = FIXTURES / version / way
            folder.mkdir(parents=True)
            with Stack("", tap.url, plugin=plugin) as made:
                state = go(made, tap, way, around)
                del state["deployment"]["manifest"]
                del proxy(state)["outputs"]["openApiDocument"]  # long, and never read back
                for each in state["deployment"]["resources"]:  # where on this machine the language host was built
                    for place in ("sourcePosition", "stackTrace"):
                        each.pop(place, None)
                (folder / "Pulumi.yaml").write_text(written(around.given(programs[-1]))["Pulumi.yaml"])
                (folder / "state.json").write_text(json.dumps(state, indent=1) + "\n")


def stored(state: dict) -> dict:
    """The plugin's own part of an exported state. With API keys in it, it is a secret."""
    ours = proxy(state)["outputs"]["__state"]
    return json.loads(ours["plaintext"]) if "plaintext" in ours else ours


def store(state: dict, ours: dict) -> None:
    outputs = proxy(state)["outputs"]
    if "plaintext" in outputs["__state"]:
        outputs["__state"]["plaintext"] = json.dumps(ours)
    else:
        outputs["__state"] = ours


def proxy(state: dict) -> dict:
    [found] = [each for each in state["deployment"]["resources"] if each["type"] == PROXY]
    return found


def way(version: str) -> str:
    return version.partition("/")[2]


def fixture(version: str) -> dict:
    return json.loads((FIXTURES / version / "state.json").read_text())


def program(version: str) -> dict[str, str]:
    return {"Pulumi.yaml": (FIXTURES / version / "Pulumi.yaml").read_text()}


#: What an earlier plugin may not have had among its outputs.
LATER_OUTPUTS = ("domainTarget", "stageArn", "logGroupArn", "executionArn")


@pytest.fixture(params=RECORDED)
def version(request) -> str:
    return request.param


def older(state: dict) -> None:
    """A made-up version 0, which knew less: what is missing has the default that it stands for."""
    ours = sparse(stored(state)) | {"version": 0}
    for field in ("defaultPath", "executionLogs"):
        ours.pop(field, None)
    store(state, ours)
    for output in LATER_OUTPUTS:
        proxy(state)["outputs"].pop(output, None)


def sparse(value):
    """Without what is no, none or nothing, at any depth; but no base path is one, where a domain name is left over."""
    if isinstance(value, dict):
        return {key: inner if key == "replaced" else sparse(inner) for key, inner in value.items()
                if inner not in (False, None, "", [], {}) or type(inner) is int}
    return [sparse(inner) for inner in value] if isinstance(value, list) else value


def richer(state: dict) -> None:
    """A made-up later plugin that knows more, of everything, and still writes this version."""
    store(state, rich(stored(state)))
    for part in ("inputs", "outputs"):
        proxy(state)[part]["later"] = {"x": [1]}


def rich(value):
    """With something more in every object, but those whose keys are the users'."""
    if isinstance(value, dict):
        return {key: inner if key in ("tags", "keys") else rich(inner) for key, inner in value.items()} | {"later": [None]}
    return [rich(inner) for inner in value] if isinstance(value, list) else value


def of_another_plugin(state: dict) -> None:
    """The provider of another version of the package, as its SDK registers it."""
    for each in state["deployment"]["resources"]:
        if each["type"] == "pulumi:providers:s3dataproxy":
            for part in ("inputs", "outputs"):
                each[part] = each.get(part, {}) | {"version": "0.0.9"}


@pytest.mark.parametrize("change", [lambda state: None, older, richer, of_another_plugin],
                         ids=["recorded", "older", "richer", "another plugin"])
def test_a_recorded_state_is_no_change(stack, tap, version, change):
    """Nothing to do, and nobody asked: AWS has nothing of what is recorded. What is left over is to go, and nothing else."""
    made = stack(program(version), tap.url)
    state = copy.deepcopy(fixture(version))
    change(state)
    made.import_state(state)
    [step] = made.preview().done(NAME)
    if way(version) in DENIED:
        assert step["op"] == "update"
    else:
        assert (step["op"], step["detailedDiff"] or {}) == ("same", {})
        assert made.up().done(NAME)[0]["op"] == "same"
    assert tap.operations() == []
    made.run("state", "delete", "--all", "--yes", "--stack", made.name)


@pytest.mark.parametrize("version", RECORDED[:1])
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


@pytest.fixture
def around(aws):
    around = Surroundings(aws)
    yield around
    around.remove()


@pytest.mark.parametrize("change", [lambda state: None, older, richer], ids=["recorded", "older", "richer"])
def test_a_recorded_state_goes_on(aws, stack, tap, around, version, change):
    """What it records is there, under the ids of this AWS: refreshed, changed and deleted as any other."""
    made = stack("", tap.url)
    real = go(made, tap, way(version), around)
    recorded, inputs = json.dumps(fixture(version)), json.dumps(program(version))
    for there, here in zip(chosen(fixture(version)), chosen(real), strict=True):
        recorded, inputs = recorded.replace(there, here), inputs.replace(there, here)
    state = json.loads(recorded)
    change(state)
    made.import_state(state)
    made.write(json.loads(inputs))
    assert made.refresh().messages("warning", NAME) == []
    if way(version) in DENIED:
        assert [step["op"] for step in made.up().done(NAME)] == ["update"]
    assert set(made.up("--expect-no-changes").changes) == {"same"}
    assert proxy(exported(made))["outputs"].keys() >= proxy(real)["outputs"].keys()
    changed = json.loads(json.loads(inputs)["Pulumi.yaml"])["resources"][NAME]["properties"]
    made.write(written(changed | {"description": "told"} | NEXT.get(way(version), {})))
    assert [step["op"] for step in made.up().done(NAME)] == ["update"]
    assert set(made.up("--expect-no-changes").changes) == {"same"}
    assert stored(exported(made))["version"] == 1
    made.destroy()
    assert [name for names in aws.inventory().values() for name in names if NAME in name] == [GIVEN_ROLE]


def chosen(state: dict) -> list[str]:
    """What AWS chooses: ids, values, the number of a life, and the ARN of the web ACL."""
    ours = stored(state)
    plan = ours.get("usagePlan", {"keys": {}})
    found = [ours["owner"].rpartition("@")[2], ours["restApi"]["id"], ours["stage"]["deploymentId"],
             *ours.get("leftovers", {}).get("deployments", [])]
    found += [plan["id"]] if "id" in plan else []
    found += [key[part] for key in plan["keys"].values() for part in ("id", "value")]
    acl = proxy(state)["inputs"].get("webAclArn")
    return found + ([acl] if acl else [])


if __name__ == "__main__":
    record(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "target/release/pulumi-resource-s3dataproxy")
