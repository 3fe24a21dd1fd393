"""Whatever AWS call fails, or takes effect and loses its answer: the state knows what is there, the next update
finishes the work, and a destroy leaves nothing."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from harness.account import deployments
from harness.engine import PROXY, Fleet, Result
from harness.faults import After, Error, Lost
from test_lifecycle import look, one

CREATE = ["GetBucketTagging", "CreateBucket", "PutBucketPolicy", "CreateRole", "PutRolePolicy", "CreateRestApi",
          "PutRestApi", "CreateDeployment", "TagResource"]
UPDATE = ["GetBucketTagging", "GetRole", "GetBucketTagging:2", "PutBucketTagging", "TagRole", "TagResource", "PutRestApi",
          "CreateDeployment", "GetStage", "TagResource:2", "DeleteStage", "DeleteDeployment"]
RENAME = ["GetStage", "CreateStage", "DeleteStage"]
DELETE = ["GetBucketTagging", "GetRole", "GetRestApi", "DeleteBucket", "ListObjectVersions", "DeleteObjects", "ListMultipartUploads", "AbortMultipartUpload",
          "DeleteRestApi", "DeleteRolePolicy", "DeleteRole"]
# What nobody may have heard of is looked for; where that is denied, it is not ours.
LOOKS = ["DescribeLogGroups", "GetUsagePlans", "GetApiKeys", "GetDomainNames", "GetStages", "GetRestApis"]
# How a call fails: the fault, and how often. `lost`: it took effect, but the answer did not come; `never`: at no try.
FAULTS = {
    "denied": (Error("AccessDenied", 403), math.inf),
    "broken": (Error("InternalError", 500), 1),
    "lost": (Lost(), 1),
    "never": (Lost(), math.inf),
}
UNDISTURBED = "undisturbed"

BASE = {"tags": {"team": "a"}, "waitForReady": False, "bucket": {"forceDestroy": True}}
MOVED = BASE | {"path": "v2/models", "stageName": "v2", "tags": {"team": "b"}}
RENAMED = BASE | {"stageName": "v2"}


@dataclass
class Row:
    """A resource with one call that fails while its inputs change from `old` to `new`; `then` is the next program."""

    fault: str
    call: str
    old: dict | None
    new: dict
    then: dict

    def inject(self, tap) -> None:
        operation, _, number = self.call.partition(":")
        fault, times = FAULTS[self.fault]
        if number:
            # The earlier ones pass.
            tap.inject(After(lambda: None), operation=operation, times=int(number) - 1)
        tap.inject(fault, operation=operation, times=times)


def rows(prefix: str, old: dict | None, new: dict, calls: dict[str, list[str]],
         then: dict | None = None) -> dict[str, Row]:
    return {
        f"{prefix}-{fault}-{call.lower().replace(':', '')}": Row(fault, call, old, new, then or new)
        for fault, failing in calls.items() for call in failing
    }


CREATES = rows("new", None, BASE, {
    "denied": CREATE, "lost": CREATE, "broken": ["CreateRestApi", "CreateDeployment"],
    "never": ["CreateBucket", "CreateRole", "CreateRestApi", "CreateDeployment"],
})
UPDATES = {
    **rows("moved", BASE, MOVED, {"denied": UPDATE, "lost": UPDATE}),
    **rows("renamed", BASE, RENAMED, {"denied": RENAME, "lost": RENAME}),
    # The user thinks better of it.
    **rows("back", BASE, MOVED, {"denied": ["TagRole", "PutRestApi", "DeleteStage", "DeleteDeployment"]}, BASE),
    **rows("back-name", BASE, RENAMED, {"denied": ["DeleteStage"]}, BASE),
}
DELETES = rows("gone", BASE, BASE, {"denied": DELETE, "lost": ["DeleteBucket", "DeleteRestApi", "DeleteRole"]})


def in_account(aws, names: Iterable[str]) -> dict[str, set[tuple]]:
    """Every object in the account that a resource of each name made, but deployments."""
    iam, api = aws.client("iam"), aws.client("apigateway")
    inventory, rest_apis = aws.inventory(), api.get_rest_apis(limit=500)["items"]
    found = {name: {(kind, name) for kind in ("buckets", "roles") if name in inventory[kind]} for name in names}
    for name, objects in found.items():
        if ("roles", name) in objects:
            objects |= {("policy", policy) for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]}
    for rest_api in rest_apis:
        if rest_api["name"] in found:
            stages = api.get_stages(restApiId=rest_api["id"])["item"]
            found[rest_api["name"]] |= {("api", rest_api["id"])} | {("stage", stage["stageName"]) for stage in stages}
    return found


def in_state(resource: dict | None) -> set[tuple]:
    """The same, as the state has it."""
    if not resource:
        return set()
    state = resource["outputs"]["__state"]
    kinds = {"buckets": "bucket", "roles": "role"}
    found = {(kind, state[piece]["name"]) for kind, piece in kinds.items() if piece in state}
    found |= {("policy", "s3dataproxy")} if "rolePolicy" in state else set()
    found |= {("api", state["restApi"]["id"])} if "restApi" in state else set()
    if stage := state.get("stage"):
        found |= {("stage", name) for name in [stage["name"], *state.get("leftovers", {}).get("stages", [])]}
    return found


def anonymous(seen: dict, name: str) -> str:
    """A look without the resource's own name, the number of its life, and how many deployments there are."""
    seen = {key: value for key, value in seen.items() if key != "deployments"}
    text = json.dumps(seen, sort_keys=True, default=str).replace(name, "NAME")
    return re.sub("NAME@([a-z0-9-]+)@[0-9a-f]{8}", r"NAME@\1@LIFE", text)


@dataclass
class Story:
    """What each command did, what the account and the state had after it, and the calls of the undisturbed one."""

    failing: Result
    calls: dict[str, list[str]]
    account: dict[str, set]
    state: dict[str, set]
    repair: Result
    account_repaired: dict[str, set]
    state_repaired: dict[str, set]
    seen: dict[str, str]
    outputs: dict[str, dict]
    deployments: dict[str, set]
    again: Result
    calls_again: dict[str, list[str]]
    destroy: Result
    left: dict[str, set]


def named(inputs: dict[str, dict]) -> dict[str, dict]:
    return {name: {"name": name, **each} for name, each in inputs.items()}


def tell(aws, folder, table: dict[str, Row], controls: dict[str, dict]) -> Story:
    """All rows at once. `controls` are undisturbed resources: name to the inputs they end with."""
    base = next(iter(table.values())).old
    with Fleet(aws.url, folder, [*table, *controls]) as fleet:
        def now():
            stored = fleet.resources()
            return in_account(aws, fleet.taps), {name: in_state(stored.get(name)) for name in fleet.taps}

        def write(inputs):
            fleet.write(named(inputs | controls), maxAttempts=2)

        if base is not None:
            fleet.write(named({name: base for name in fleet.taps}), maxAttempts=2)
            fleet.stack.up()
        write({name: row.new for name, row in table.items()})
        fleet.reset()
        for name, row in table.items():
            row.inject(fleet.taps[name])
        failing = fleet.stack.up("--continue-on-error", fails=None)
        calls = {name: tap.operations() for name, tap in fleet.taps.items()}
        account, state = now()

        write({name: row.then for name, row in table.items()})
        fleet.reset()
        repair = fleet.stack.up("--continue-on-error", fails=None)
        account_repaired, state_repaired = now()
        outputs = fleet.outputs()
        seen = {name: anonymous(look(aws, each), name) for name, each in outputs.items()}
        there = {name: deployments(aws, each) for name, each in outputs.items()}
        fleet.reset()
        again = fleet.stack.up("--continue-on-error", fails=None)
        calls_again = {name: tap.operations() for name, tap in fleet.taps.items()}
        destroy = fleet.stack.destroy("--continue-on-error", fails=None)
        return Story(failing, calls, account, state, repair, account_repaired, state_repaired, seen, outputs, there,
                     again, calls_again, destroy, in_account(aws, fleet.taps))


@pytest.fixture(scope="module")
def matrix():
    """One line a row, printed at the end."""
    return {}


@pytest.fixture(scope="module")
def creates(aws, tmp_path_factory):
    return tell(aws, tmp_path_factory.mktemp("creates"), CREATES, {UNDISTURBED: BASE})


@pytest.fixture(scope="module")
def updates(aws, tmp_path_factory):
    controls = {"still-moved": MOVED, "still-renamed": RENAMED, "still-back": BASE}
    return tell(aws, tmp_path_factory.mktemp("updates"), UPDATES, controls)


def numbered(calls: list[str]) -> list[str]:
    """Calls in the names of the tables above."""
    counts = [calls[:index + 1].count(call) for index, call in enumerate(calls)]
    return [call if count == 1 else f"{call}:{count}" for call, count in zip(calls, counts, strict=True)]


def test_the_tables_name_every_call(creates, updates):
    assert sorted(numbered(creates.calls[UNDISTURBED])) == sorted([*CREATE, "GetRestApis"])
    assert sorted(numbered(updates.calls["still-moved"])) == sorted(UPDATE)
    assert sorted(numbered(updates.calls["still-renamed"])) == sorted(RENAME)


def check(matrix, story: Story, name: str, row: Row, control: str) -> None:
    matrix[name] = [len(story.account[name]), len(story.state[name]), len(story.account_repaired[name]),
                    len(story.deployments.get(name, [])), len(story.left[name])]
    errors = story.failing.messages("error", name)
    assert row.call.partition(":")[0] in story.calls[name]
    if row.fault == "denied":
        assert any(row.call.partition(":")[0] in error and "AccessDenied" in error for error in errors), errors
    if row.fault == "never":
        # Nobody can know of what was made without an answer, but nothing is made up.
        assert story.state[name] <= story.account[name]
    else:
        assert story.state[name] == story.account[name]

    assert story.repair.messages("error", name) == []
    assert story.account_repaired[name] == story.state_repaired[name]
    assert story.seen[name] == story.seen[control].replace(control, "NAME")
    assert [step["op"] for step in story.again.done(name)] == ["same"]
    assert story.calls_again[name] == []

    assert story.destroy.messages("error", name) == []
    assert story.left[name] == set()


@pytest.mark.parametrize("name", CREATES)
def test_create(matrix, creates, name):
    check(matrix, creates, name, CREATES[name], UNDISTURBED)


@pytest.mark.parametrize("name", UPDATES)
def test_update(matrix, updates, name):
    check(matrix, updates, name, UPDATES[name], f"still-{name.partition('-')[0]}")


@pytest.mark.parametrize("name", [*CREATES, *UPDATES])
def test_no_deployment_is_left_over(creates, updates, name):
    story = creates if name in CREATES else updates
    assert story.deployments[name] == {story.outputs[name]["deploymentId"]}


def test_a_stage_that_a_lost_call_made(aws, tap, stack):
    """AWS refuses a second CreateStage, https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html; the
    local AWS overwrites the first, so the tap answers for AWS."""
    made = stack(one("staged", BASE), tap.url)
    made.up()
    made.write(one("staged", RENAMED))
    tap.inject(Lost(), operation="CreateStage")
    tap.inject(Error("ConflictException", 409, "Stage already exists"), operation="CreateStage", times=math.inf)
    made.up(fails=None)
    result = made.up(fails=None)
    assert result.messages("error", "staged") == []
    [resource] = [resource for resource in made.resources() if resource["type"] == PROXY]
    seen = look(aws, resource["outputs"])
    [(stage_name, stage)] = seen["stages"].items()
    assert (stage_name, stage["tags"], stage["serves ours"]) == ("v2", {"team": "a"}, True)
    assert seen["deployments"] == 1


# Deletes

@pytest.fixture(scope="module")
def deletes(aws, tmp_path_factory):
    """(the destroy that fails, its calls, what the state still has, the second destroy, what is left)"""
    with Fleet(aws.url, tmp_path_factory.mktemp("deletes"), [*DELETES, UNDISTURBED]) as fleet:
        fleet.write(named({name: BASE for name in fleet.taps}), maxAttempts=2)
        fleet.stack.up()
        s3 = aws.client("s3")
        for name in fleet.taps:
            s3.put_object(Bucket=name, Key="a", Body=b"x")
            s3.create_multipart_upload(Bucket=name, Key="b")
        fleet.reset()
        for name, row in DELETES.items():
            row.inject(fleet.taps[name])
        failing = fleet.stack.destroy("--continue-on-error", fails=None)
        calls = {name: tap.operations() for name, tap in fleet.taps.items()}
        kept = fleet.resources()
        fleet.reset()
        second = fleet.stack.destroy("--continue-on-error", fails=None)
        yield failing, calls, kept, second, in_account(aws, fleet.taps)


def test_the_table_names_every_call_of_a_delete(deletes):
    assert set(deletes[1][UNDISTURBED]) == {*DELETE, *LOOKS}


@pytest.mark.parametrize("name", DELETES)
def test_delete(deletes, name):
    (failing, calls, kept, second, there), row = deletes, DELETES[name]
    assert row.call in calls[name]
    errors = failing.messages("error", name)
    if row.fault == "denied":
        assert any(row.call in error and "AccessDenied" in error for error in errors), errors
        assert name in kept
    assert second.messages("error", name) == []
    assert there[name] == set()


def test_the_matrix(matrix, capsys):
    """Not a check: the counts of all the checks above, to look at."""
    with capsys.disabled():
        columns = ["in the account", "in the state", "after the next up", "deployments", "after destroy"]
        print("\n" + " ".join(f"{column:>18}" for column in columns))
        for name, counts in matrix.items():
            print(" ".join(f"{count:18}" for count in counts), name)
