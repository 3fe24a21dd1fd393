"""What the engine offers besides up and destroy, with the real CLI: each with the outcome that its user expects, in the
state and in the account. `--replace` and `replaceOnChanges` are in test_lifecycle.py, drift in test_drift.py."""

import json
import re
import threading

import pytest

from harness.engine import PROXY, Fleet, Stack
from harness.faults import Error, Instead
from test_lifecycle import NEW_FIRST, OLD_FIRST, left, look, outputs_of, put

WRITES = re.compile("Create|Put|Update|Delete|Tag|Untag")


def resource(inputs: dict | None = None, **options) -> dict:
    return {"type": PROXY, "properties": {"waitForReady": False, **(inputs or {})}, "options": options}


def program(**resources: dict) -> str:
    return f"resources: {json.dumps(resources)}\n"


def ops(result, name: str) -> list[str]:
    return [step["op"] for step in result.done(name)]


def states(stack: Stack) -> dict[str, dict]:
    """Our resources in the state, by name."""
    return {each["urn"].rpartition("::")[2]: each for each in stack.resources() if each["type"] == PROXY}


def description(aws, state: dict) -> str | None:
    return aws.client("apigateway").get_rest_api(restApiId=state["outputs"]["restApiId"]).get("description")


def unchanged(stack: Stack) -> bool:
    return {*stack.up("--expect-no-changes").changes, *stack.refresh("--expect-no-changes").changes} == {"same"}


# A part of the stack

def test_only_the_target_is_touched(aws, stack):
    def both(text):
        return program(**{f"target-{name}": resource({"description": text}) for name in "abc"})

    made = stack(both("old"))
    made.up()
    before = states(made)
    a, b, c = (before[f"target-{name}"] for name in "abc")
    made.write(both("new"))
    assert made.preview("--target", a["urn"]).changes == {"same": 2, "update": 1} | {"same": 3}
    made.up("--target", a["urn"])
    assert [description(aws, each) for each in (a, b, c)] == ["new", "old", "old"]
    made.up("--exclude", b["urn"])
    assert [description(aws, each) for each in (a, b, c)] == ["new", "old", "new"]
    assert states(made)["target-b"] == b
    made.destroy("--target", a["urn"])
    assert left(aws, "target")["rest_apis"] == [b["id"], c["id"]]
    made.destroy("--exclude", b["urn"])
    assert left(aws, "target") == dict.fromkeys(["buckets", "roles", "rest_apis"], [b["id"]])


def test_one_after_the_other(aws, tmp_path):
    """`--parallel 1`: no two resources are under way at the same time."""
    with Fleet(aws.url, tmp_path, ["one", "two", "three"]) as fleet:
        fleet.write({name: {"waitForReady": False} for name in fleet.taps})
        fleet.stack.up("--parallel", "1")
        spans = sorted((tap.calls[0].start, max(call.end for call in tap.calls)) for tap in fleet.taps.values())
        assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:]))


# Replacement

def test_a_name_of_ones_own_is_replaced_where_the_old_goes_first(aws, stack):
    made = stack(program(own=resource({"name": "features-own"}, deleteBeforeReplace=True)))
    made.up()
    old = states(made)["own"]
    assert ops(made.up("--replace", old["urn"]), "own") == OLD_FIRST
    new = outputs_of(made)
    assert new["name"] == "features-own" and new["restApiId"] != old["outputs"]["restApiId"]
    assert look(aws, new)["a missing key"][0] == 404
    assert left(aws, "features-own") == dict.fromkeys(["buckets", "roles", "rest_apis"], ["features-own"])
    assert unchanged(made)


def test_a_nested_path_replaces(aws, stack):
    """Only that path: another one next to it is an update."""
    def tagged(team, other):
        inputs = {"tags": {"team": team, "other": other}}
        return program(nested=resource(inputs, replaceOnChanges=["tags.team"]))

    made = stack(tagged("a", "1"))
    made.up()
    old = outputs_of(made)
    made.write(tagged("a", "2"))
    assert ops(made.up(), "nested") == ["update"]
    made.write(tagged("b", "2"))
    assert ops(made.up(), "nested") == NEW_FIRST
    assert outputs_of(made)["name"] != old["name"]
    assert left(aws, "nested")["rest_apis"] == [outputs_of(made)["name"]]


# Options

def test_ignored_changes_are_not_made(aws, stack):
    def ignoring(inputs):
        return program(ignored=resource(inputs, ignoreChanges=["tags.team", "bucket.versioning", "path"]))

    made = stack(ignoring({"tags": {"team": "a", "other": "1"}, "path": "first"}))
    made.up()
    before = look(aws, outputs_of(made))
    made.write(ignoring({"tags": {"team": "b", "other": "1"}, "path": "second", "bucket": {"versioning": True}}))
    assert ops(made.up("--expect-no-changes"), "ignored") == ["same"]
    made.write(ignoring({"tags": {"team": "b", "other": "2"}, "path": "second", "bucket": {"versioning": True},
                         "description": "told"}))
    [step] = made.preview().done("ignored")
    assert set(step["detailedDiff"]) == {"tags.other", "description"}
    made.up()
    after = look(aws, outputs_of(made))
    assert after["api"]["description"] == "told"
    assert {key: after["role tags"][key] for key in ("team", "other")} == {"team": "a", "other": "2"}
    assert (after["versioning"], after["routes"]) == (False, before["routes"])
    assert unchanged(made)


def test_what_is_protected_stays(aws, stack):
    made = stack(program(kept=resource(protect=True), other=resource()))
    made.up()
    kept = states(made)["kept"]["outputs"]
    seen = look(aws, kept)
    made.write(program())
    assert any("protect" in error for error in made.up(fails=True).messages("error"))
    made.write(program(kept=resource({"bucket": {"name": "kept-elsewhere"}}, protect=True)))
    assert any("protect" in error for error in made.up(fails=True).messages("error"))
    made.destroy("--exclude-protected")
    assert list(states(made)) == ["kept"] and left(aws, "other") == {}
    assert any("protect" in error for error in made.destroy(fails=True).messages("error"))
    assert look(aws, kept) == seen
    made.write(program(kept=resource()))
    made.up()
    made.destroy()
    assert left(aws, "kept") == {}


def test_what_is_retained_can_be_imported(aws, stack):
    inputs = {"name": "features-retained", "path": "retained"}
    made = stack(program(retained=resource(inputs, retainOnDelete=True)))
    made.up()
    outputs = outputs_of(made)
    put(aws, outputs)
    seen = look(aws, outputs)
    made.write(program())
    made.up()
    assert states(made) == {} and look(aws, outputs) == seen
    # Making it again names the way back, and changes nothing.
    made.write(program(retained=resource(inputs)))
    errors = made.up(fails=True).messages("error", "retained")
    command = re.search(rf"pulumi import {PROXY} 'retained' ({outputs['restApiId']})", str(errors))
    assert command and look(aws, outputs) == seen
    made.import_(PROXY, "retained", command[1], "--protect=false")
    assert look(aws, outputs) == seen
    assert ops(made.up(), "retained") == ["update"], "`waitForReady` is not on record"
    assert unchanged(made)
    aws.client("s3").delete_object(Bucket="features-retained", Key="kept")
    made.destroy()
    assert left(aws, "features-retained") == {}


def test_a_timeout_ends_the_wait_and_the_next_up_goes_on(aws, tap, stack):
    def timed(**timeouts):
        return program(timed=resource({"name": "features-timed"}, customTimeouts=timeouts))

    made = stack(timed(create="6s"), tap.url)
    over = threading.Event()
    tap.inject(Instead(over.wait), operation="CreateDeployment")
    result = made.up(fails=True)
    over.set()
    [error, *_] = [error for error in result.messages("error") if "customTimeouts" in error]
    [state] = states(made).values()
    assert state["id"] == "features-timed" and state["initErrors"] and "bucketName" in state["outputs"]
    assert "stageArn" not in state["outputs"]
    made.write(timed())
    assert ops(made.up(), "timed") == ["update"]
    assert look(aws, outputs_of(made))["a missing key"][0] == 404
    assert unchanged(made)

    tap.delay = 1
    made.write(timed(delete="2s"))
    made.up()
    assert "customTimeouts" in str(made.destroy(fails=True).messages("error"))
    tap.delay = 0
    made.destroy()
    assert left(aws, "features-timed") == {}


# Another URN

def renamed(stack: Stack, how: str, old: str, new: str) -> dict:
    """Renames in the program and, where that is how, in the state; the resource for the program."""
    if how == "alias":
        return resource(aliases=[{"name": old}])
    if how == "urn":
        return resource(aliases=[states(stack)[old]["urn"]])
    stack.run("state", "rename", states(stack)[old]["urn"], new, "--yes", "--stack", stack.name)
    return resource()


@pytest.mark.parametrize("how", ["alias", "urn", "state rename"])
def test_a_new_name_changes_nothing(aws, tap, stack, how):
    """Neither names, nor the URL, nor the owner tag; and all that comes later finds what was made under the first name."""
    first, second = f"first-{how[0]}", f"second-{how[0]}"
    made = stack(program(**{first: resource()}), tap.url)
    made.up()
    outputs = outputs_of(made)
    seen = look(aws, outputs)
    again = renamed(made, how, first, second)
    made.write(program(**{second: again}))
    tap.reset()
    result = made.up()
    assert set(result.changes) == {"same"} and tap.operations() == []
    assert outputs_of(made) == outputs and outputs["invokeUrl"].endswith(f"/{first}")
    assert unchanged(made)
    assert look(aws, outputs) == seen

    # Changed and repaired, without the alias too.
    aws.client("apigateway").delete_stage(restApiId=outputs["restApiId"], stageName="prod")
    assert made.refresh().messages("warning", second)
    made.write(program(**{second: resource({"description": "told"})}))
    assert ops(made.up(), second) == ["update"]
    assert look(aws, outputs) == seen | {"api": seen["api"] | {"description": "told"}}
    assert unchanged(made)

    # The first name is free for another one, and neither takes anything from the other.
    made.write(program(**{first: resource(), second: resource({"description": "told"})}))
    assert ops(made.up(), first) == ["create"]
    other = states(made)[first]["outputs"]
    made.destroy("--target", states(made)[second]["urn"])
    assert left(aws, second) == {} and left(aws, first) == dict.fromkeys(["buckets", "roles", "rest_apis"], [other["name"]])
    assert look(aws, other)["a missing key"][0] == 404


def test_renamed_and_replaced(aws, stack):
    made = stack(program(before=resource({"name": "features-before"})))
    made.up()
    made.write(program(after=resource({"name": "features-after"}, aliases=[{"name": "before"}])))
    result = made.up()
    assert sorted(ops(result, "after") + ops(result, "before")) == sorted(NEW_FIRST)
    assert outputs_of(made)["path"] == "after"
    assert left(aws, "features") == dict.fromkeys(["buckets", "roles", "rest_apis"], ["features-after"])
    # Where the first name stays, its owner goes before the new one comes.
    made.write(program(last=resource({"name": "features-after", "bucket": {"name": "features-last"}},
                                     aliases=[{"name": "after"}])))
    result = made.up()
    assert sorted(ops(result, "last") + ops(result, "after")) == sorted(OLD_FIRST)
    assert left(aws, "features")["buckets"] == ["features-last"]
    assert unchanged(made)


def test_a_renamed_one_that_is_half_made_is_finished(aws, tap, stack):
    """What a lost answer made is found under the first name."""
    made = stack(program(half=resource({"name": "features-half"})), tap.url)
    tap.inject(Error("AccessDeniedException", 403), operation="PutRestApi", times=9)
    made.up(fails=True)
    tap.reset()
    made.write(program(whole=resource({"name": "features-half"}, aliases=[{"name": "half"}])))
    assert ops(made.up(), "whole") == ["update"]
    assert look(aws, outputs_of(made))["a missing key"][0] == 404
    assert unchanged(made)
    made.destroy()
    assert left(aws, "features-half") == {}


def test_another_stack_name_changes_nothing(aws, stack):
    made = stack(program(moved=resource()))
    made.up()
    made.run("stack", "rename", "other", "--stack", made.name)
    made.name = "other"
    assert unchanged(made)
    made.destroy()
    assert left(aws, "moved") == {}


# Looking

def test_refresh_within_an_update_and_with_the_program(aws, stack):
    made = stack(program(looked=resource({"description": "mine"})))
    made.up()
    [state] = states(made).values()
    api = aws.client("apigateway")

    def by_hand():
        patch = [{"op": "replace", "path": "/description", "value": "by hand"}]
        api.update_rest_api(restApiId=state["outputs"]["restApiId"], patchOperations=patch)

    by_hand()
    assert "update" not in made.up().changes, "without a refresh nobody has looked"
    result = made.up("--refresh")
    assert result.changes.get("update") == 1 and description(aws, state) == "mine"
    by_hand()
    result = made.refresh("--run-program")
    assert result.messages("warning", "looked") and states(made)["looked"]["inputs"]["description"] == "by hand"
    preview = made.preview("--diff")
    assert '~ description: "by hand" => "mine"' in preview.stdout
    made.up("--refresh", "--run-program")
    assert description(aws, state) == "mine"
    assert unchanged(made)


def test_an_update_plan_is_kept_to(aws, stack, tmp_path):
    plan = str(tmp_path / "plan.json")
    made = stack(program(planned=resource()))
    [step] = made.preview("--save-plan", plan).done("planned")
    name = step["new"]["inputs"]["name"]
    made.up("--plan", plan)
    assert outputs_of(made)["name"] == name and look(aws, outputs_of(made))["a missing key"][0] == 404
    made.write(program(planned=resource({"description": "told"})))
    made.preview("--save-plan", plan)
    # A program that has changed since is refused, and nothing happens.
    made.write(program(planned=resource({"description": "something else"})))
    assert "violates plan" in str(made.up("--plan", plan, fails=True).messages("error"))
    assert description(aws, states(made)["planned"]) is None
    made.write(program(planned=resource({"description": "told"})))
    assert ops(made.up("--plan", plan), "planned") == ["update"]
    assert unchanged(made)


# Names

AUTONAMING = {
    # the resource, the configuration, and the name that comes of it; none where that is an error
    "default": ("Auto_Names", {"mode": "default"}, "auto-names-[0-9a-f]{7}"),
    # The engine enforces these, so they are not adjusted to what S3 allows.
    "verbatim": ("auto-names", {"mode": "verbatim"}, "auto-names"),
    "verbatim, not possible": ("Auto_Names", {"mode": "verbatim"}, None),
    "disabled": ("auto-names", {"mode": "disabled"}, None),
    "pattern": ("Auto_Names", {"pattern": "${project}-${stack}-${name}-${hex(4)}"}, "test-test-auto-names-[0-9a-f]{4}"),
    "fixed pattern": ("Auto_Names", {"pattern": "acme-${name}"}, "acme-auto-names"),
    "enforced": ("auto-names", {"pattern": "acme-${name}", "enforce": True}, "acme-auto-names"),
    "enforced, not possible": ("Auto_Names", {"pattern": "acme-${name}", "enforce": True}, None),
    "for the provider": ("auto-names", {"mode": "disabled", "providers": {
        "s3dataproxy": {"pattern": "of-${name}-${num(3)}"}}}, "of-auto-names-[0-9]{3}"),
}


@pytest.mark.parametrize("case", AUTONAMING)
def test_the_configured_names(aws, stack, case):
    name, configuration, pattern = AUTONAMING[case]
    made = stack(program(**{name: resource()}))
    made.run("config", "set-all", "--stack", made.name, "--json", json.dumps(
        {"pulumi:autonaming": {"value": json.dumps(configuration), "secret": False, "objectValue": configuration}}))
    if pattern is None:
        [error] = made.up(fails=True).messages("error", name)
        assert ("give the resource a `name`" if case == "disabled" else "the autonaming configuration enforces") in error
        assert states(made) == {}
        return
    made.up()
    [state] = states(made).values()
    assert re.fullmatch(pattern, state["id"])
    assert unchanged(made)
    # Asked for anew: where the configuration leaves no choice, the engine has the old one deleted first.
    fixed = not pattern.endswith("}")
    assert ops(made.up("--replace", state["urn"]), name) == (OLD_FIRST if fixed else NEW_FIRST)
    [new] = states(made).values()
    assert re.fullmatch(pattern, new["id"]) and (new["id"] == state["id"]) == fixed
    inventory = aws.inventory()
    assert [inventory[kind].count(new["id"]) for kind in ("buckets", "roles", "rest_apis")] == [1, 1, 1]


# Side by side

def test_two_stacks_of_a_project_in_one_account(aws, tmp_path):
    """At the same time, with the same program: each has its own, and neither touches the other's."""
    def start(name, text):
        return Stack(text, aws.url, folder=tmp_path / name, name=name)

    text = program(shared=resource())
    with start("dev", text) as dev, start("prod", text) as prod:
        for command in (["up", "--yes", "--skip-preview"], ["refresh", "--yes", "--skip-preview"]):
            running = [stack.start_operation(*command) for stack in (dev, prod)]
            for each in running:
                each.wait()
        names = {outputs_of(stack)["name"] for stack in (dev, prod)}
        assert len(names) == 2 and set(left(aws, "shared")["rest_apis"]) == names
        # The other's names are refused in words.
        taken = outputs_of(prod)
        seen = look(aws, taken)
        dev.write(program(shared=resource(), thief=resource({"name": taken["name"]})))
        assert "is there already" in str(dev.up(fails=True).messages("error", "thief"))
        assert look(aws, taken) == seen
        dev.destroy()
        assert look(aws, taken) == seen
    assert left(aws, "shared") == {}
