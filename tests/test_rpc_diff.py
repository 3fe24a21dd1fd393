"""Diff: what a change of inputs means, in the engine's terms. Pure."""

import copy

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from harness.rpc import OUTPUT, SIGNATURE, UNKNOWN, UNKNOWNS, Plugin, Resource, secret, struct
from harness.tap import Tap

Response, Kind = provider_pb2.DiffResponse, provider_pb2.PropertyDiff
ADD, DELETE, UPDATE = Kind.ADD, Kind.DELETE, Kind.UPDATE
REPLACING = {Kind.ADD_REPLACE: ADD, Kind.DELETE_REPLACE: DELETE, Kind.UPDATE_REPLACE: UPDATE}

INPUTS = {"name": "rpc-diff-1", "description": "d", "tags": {"a": "1", "b c": "2", "ab": "3"}, "waitForReady": False}


@pytest.fixture(scope="module")
def made(plugin, aws):
    """Inputs and outputs of a resource as Create left them; AWS has forgotten it."""
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, "data")
        resource.create(INPUTS)
        resource.delete()
    return resource


@pytest.fixture(scope="module")
def provider(plugin):
    """A plugin that AWS must not hear of."""
    with Tap("http://127.0.0.1:1") as tap, Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure()
        yield provider
        assert tap.calls == []


@pytest.fixture
def resource(provider, made):
    """The resource as the engine has it stored."""
    resource = Resource(provider, "data")
    resource.id, resource.inputs, resource.outputs = made.id, copy.deepcopy(made.inputs), copy.deepcopy(made.outputs)
    return resource


def told(response: Response) -> dict[str, int]:
    """Each path with its kind. Whatever the change, the parts of an answer fit together."""
    paths = dict(response.detailedDiff)
    tops = {path.split(".")[0].split("[")[0] for path in paths}
    replaced = {path.split(".")[0].split("[")[0] for path, detail in paths.items() if detail.kind in REPLACING}
    assert response.hasDetailedDiff
    assert response.changes == (Response.DIFF_SOME if paths else Response.DIFF_NONE)
    assert sorted(response.diffs) == sorted(tops) and sorted(response.replaces) == sorted(replaced)
    # Names that stay are in the way of a replacement, also of one that the engine decides about.
    assert replaced or response.deleteBeforeReplace == bool(paths)
    return {path: detail.kind for path, detail in paths.items()}


def changed(inputs: dict, changes: dict) -> dict:
    """None takes a property away."""
    return {key: value for key, value in {**inputs, **changes}.items() if value is not None}


@pytest.mark.parametrize("changes, expected", [
    ({}, {}),
    ({"path": "v2"}, {"path": UPDATE}),
    ({"description": "other"}, {"description": UPDATE}),
    ({"description": None}, {"description": DELETE}),
    ({"tags": {"a": "9", "b c": "2", "ab": "3"}}, {"tags.a": UPDATE}),
    ({"tags": {"a": "1", "b c": "9", "ab": "3"}}, {'tags["b c"]': UPDATE}),
    ({"tags": {"a": "1", "b c": "2", "ab": "3", "x:y": "4"}}, {'tags["x:y"]': ADD}),
    ({"tags": {"b c": "2", "ab": "3"}}, {"tags.a": DELETE}),
    ({"tags": None}, {"tags.a": DELETE, 'tags["b c"]': DELETE, "tags.ab": DELETE}),
    ({"path": "v2", "description": None, "tags": {"a": "1", "b c": "2", "ab": "3", "n": "4"}},
     {"path": UPDATE, "description": DELETE, "tags.n": ADD}),
], ids=lambda value: str(value)[:60])
def test_each_change_is_told_by_its_path(resource, changes, expected):
    response = resource.diff(changed(resource.inputs, changes))
    assert told(response) == expected
    # Old value and new one are both to be found in inputs, not in outputs.
    assert all(detail.inputDiff for detail in response.detailedDiff.values())
    assert not response.replaces


@pytest.mark.parametrize("changes, path", [
    ({"stageName": "beta"}, "stageName"), ({"operations": ["GET"]}, "operations"),
    ({"bucket": {"forceDestroy": True}}, "bucket.forceDestroy"),
    ({"bucket": {"secureTransportOnly": False}}, "bucket.secureTransportOnly"),
    ({"waitForReady": True}, "waitForReady"),
], ids=str)
def test_what_was_a_default_is_told_by_its_path(resource, changes, path):
    response = resource.diff(changed(resource.inputs, changes))
    assert list(told(response)) == [path] and response.detailedDiff[path].inputDiff
    assert not response.replaces


def named(value) -> str:
    """A case's name, the same in each process."""
    return str(sorted(value) if isinstance(value, set) else value)


@pytest.mark.parametrize("changes, paths, delete_first", [
    ({"name": "rpc-diff-2"}, {"name"}, False),
    ({"bucket": {"name": "rpc-diff-2"}}, {"bucket.name"}, True),
    # The bucket's name stays although the resource's changes, and the other way round.
    ({"name": "rpc-diff-2", "bucket": {"name": "rpc-diff-1"}}, {"name", "bucket.name"}, True),
    ({"name": "rpc-diff-2", "bucket": {"name": "rpc-diff-3"}}, {"name", "bucket.name"}, False),
], ids=named)
def test_only_names_replace(resource, changes, paths, delete_first):
    response = resource.diff(changed(resource.inputs, changes | {"description": "other"}))
    kinds = told(response)
    assert {path for path, kind in kinds.items() if kind in REPLACING} == paths
    assert kinds["description"] == UPDATE
    assert response.deleteBeforeReplace == delete_first


@pytest.mark.parametrize("changes", [
    {"path": "data"}, {"path": None}, {"stageName": "prod"}, {"operations": ["GET", "HEAD"]},
    {"operations": ["HEAD", "GET"]}, {"bucket": {}}, {"bucket": {"name": "rpc-diff-1"}},
    {"bucket": {"forceDestroy": False, "secureTransportOnly": True}}, {"description": secret("d")},
    {"tags": secret({"a": "1", "b c": secret("2"), "ab": "3"})},
    {"tags": {SIGNATURE: OUTPUT, "value": {"a": "1", "b c": "2", "ab": "3"}, "secret": False, "dependencies": []}},
], ids=str)
def test_what_means_the_same_is_no_change(resource, changes):
    news = changed(resource.inputs, changes)
    assert told(resource.diff(news)) == {}
    # And back, as a refresh compares.
    assert told(resource.diff(resource.inputs, old_inputs=struct(news))) == {}


@pytest.mark.parametrize("nothing", [
    {"description": ""}, {"tags": {}}, {"bucket": {}}, dict.fromkeys(("description", "tags", "bucket", "path")),
], ids=str)
def test_empty_null_and_missing_are_the_same(resource, nothing):
    without = {key: value for key, value in resource.inputs.items() if key not in nothing}
    # The state is of what was there before, which shows all the same.
    expected = told(resource.diff(without, old_inputs=struct(without)))
    assert told(resource.diff(without | nothing, old_inputs=struct(without))) == expected
    assert told(resource.diff(without, old_inputs=struct(without | nothing))) == expected


# What is not known yet


@pytest.mark.parametrize("kind", UNKNOWNS)
@pytest.mark.parametrize("key", [
    "name", "path", "stageName", "description", "operations", "bucket", "tags", "waitForReady",
])
def test_what_is_not_known_yet_may_change(resource, key, kind):
    for value in (UNKNOWNS[kind], secret(UNKNOWNS[kind])):
        response = resource.diff(resource.inputs | {key: value})
        assert told(response)
        assert list(response.diffs) == [key]
        # Of an unknown bucket the name may be another.
        assert list(response.replaces) == ([key] if key in ("name", "bucket") else [])


@pytest.mark.parametrize("changes, path, replaces", [
    ({"bucket": {"name": UNKNOWN}}, "bucket.name", True),
    ({"bucket": {"forceDestroy": UNKNOWNS["bool"]}}, "bucket", False),
    ({"tags": {"a": UNKNOWN, "b c": "2", "ab": "3"}}, "tags.a", False),
    ({"tags": {"a": "1", "b c": "2", "ab": "3", "new": UNKNOWN}}, "tags.new", False),
    ({"operations": ["GET", UNKNOWN]}, "operations", False),
], ids=str)
def test_what_is_partly_not_known_yet(resource, changes, path, replaces):
    response = resource.diff(resource.inputs | changes)
    assert list(told(response)) == [path]
    assert bool(response.replaces) == replaces


# What is to be repaired


def spoil(resource: Resource, path: str, value=None) -> None:
    """Changes the stored state at a path; without a value takes it out."""
    *way, last = path.split("/")
    inner = resource.outputs["__state"]
    for key in way:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value


@pytest.mark.parametrize("path, value, expected", [
    ("stage", None, "stageArn"), ("restApi", None, "restApiId"),
    ("bucket", None, "bucketName"), ("role", None, "roleArn"),
    ("rolePolicy/policy", "{}", "operations"), ("bucket/policy", None, "bucket.secureTransportOnly"),
    ("role/tags/a", None, "tags.a"), ("stage/tags/b c", "9", 'tags["b c"]'),
])
def test_what_is_missing_or_odd_shows_as_an_output_or_input(resource, path, value, expected):
    spoil(resource, path, value)
    response = resource.diff(resource.inputs)
    assert expected in told(response)
    assert not response.replaces and not any(detail.inputDiff for detail in response.detailedDiff.values())


@pytest.mark.parametrize("ignored, shown", [
    ([], ["tags.a", "tags.ab"]), (["tags.a"], ["tags.ab"]), (["tags.ab"], ["tags.a"]), (["tags"], []),
    (["tags.a", "tags.ab"], []), (["tag"], ["tags.a", "tags.ab"]), (["description"], ["tags.a", "tags.ab"]),
], ids=str)
def test_what_is_ignored_is_not_repaired(resource, ignored, shown):
    spoil(resource, "bucket/tags/a")
    spoil(resource, "bucket/tags/ab")
    assert sorted(told(resource.diff(resource.inputs, ignoreChanges=ignored))) == shown


def test_what_is_ignored_and_reset_is_no_change(resource):
    """The engine has set what is ignored back to the old inputs."""
    assert told(resource.diff(resource.inputs, ignoreChanges=["description", "tags.a", "name"])) == {}


def test_tags_of_the_provider_show(provider, resource):
    provider.configure(defaultTags={"team": "x", "a": "default"})
    try:
        response = resource.diff(resource.inputs)
        assert told(response) == {"tags.team": ADD}
    finally:
        provider.configure()


# Inputs of another version


@pytest.mark.parametrize("olds, expected", [
    ({"gone": {"x": [1, None]}, "bucket": {"gone": True}}, set()),
    ({"description": None}, {"description"}), ({"tags": None}, {"tags.a", 'tags["b c"]', "tags.ab"}),
    ({"waitForReady": None}, {"waitForReady"}),
], ids=named)
def test_old_inputs_may_have_more_or_less(resource, olds, expected):
    assert set(told(resource.diff(resource.inputs, old_inputs=struct(changed(resource.inputs, olds))))) == expected


def test_a_refresh_compares_with_inputs_of_an_older_version(resource):
    """It passes the old inputs, never checked by this version, as the new ones."""
    olds = resource.inputs | {"gone": "x", "bucket": {"gone": True}}
    assert told(resource.diff(olds, old_inputs=struct(olds))) == {}


@pytest.mark.parametrize("old_inputs", [{"operations": ["GET", "FETCH"]}, {"description": 5}, {"bucket": "b"}], ids=str)
def test_old_inputs_that_nobody_can_read_are_an_error_in_words(resource, old_inputs):
    with pytest.raises(grpc.RpcError) as caught:
        resource.diff(resource.inputs, old_inputs=struct(resource.inputs | old_inputs))
    assert caught.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION)
    [name] = old_inputs
    assert f"`{name}" in caught.value.details()


def test_another_urn_is_no_change(provider, made):
    """A rename with an alias: the owner's tag stays that of the first name."""
    renamed = Resource(provider, "renamed")
    renamed.id, renamed.inputs, renamed.outputs = made.id, made.inputs, made.outputs
    assert told(renamed.diff(made.inputs)) == {}
