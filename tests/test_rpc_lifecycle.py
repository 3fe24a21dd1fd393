"""Create, Read, Update and Delete by themselves: previews, what comes back, and what AWS is asked for."""

import json
import math
import uuid

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from harness import ROOT
from harness.faults import Error, Spoilt
from harness.rpc import UNKNOWN, UNKNOWNS, Plugin, Resource, bare, exposed, plain, secret, struct, wipe

SCHEMA = json.loads((ROOT / "schema/schema.json").read_text())["resources"]["s3dataproxy:index:S3DataProxy"]
PROMISED = set(SCHEMA["required"])
FULL = {
    "path": "v1/models", "stageName": "beta", "description": "d", "operations": ["HEAD"],
    "bucket": {"forceDestroy": True, "secureTransportOnly": False}, "tags": {"a": "1", "b c": ""},
    "waitForReady": False,
}


@pytest.fixture
def name():
    return f"rpc-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def resource(provider, aws, name):
    """A resource that is not there yet. Nothing of it is left afterwards."""
    yield Resource(provider, name)
    wipe(aws, name)


@pytest.fixture(scope="module")
def existing(plugin, aws):
    """A resource that is there; nobody changes it."""
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, f"rpc-{uuid.uuid4().hex[:8]}")
        resource.create(FULL | {"name": resource.urn.rpartition(":")[2]})
        yield resource
        resource.delete()


def unknowns(outputs: dict) -> set[str]:
    return {key for key, value in outputs.items() if bare(value) == UNKNOWN}


# Previews

NAMES = {"bucketName", "bucketArn", "roleName", "path"}


@pytest.mark.parametrize("inputs", [
    {"waitForReady": False}, FULL, {key: secret(value) for key, value in FULL.items()},
    {"bucket": {"name": "rpc-other-bucket"}, "description": "", "tags": {}, "waitForReady": False},
], ids=["nothing", "full", "secrets", "another bucket"])
def test_a_preview_of_create_knows_what_follows_from_names(resource, tap, inputs, aws):
    previewed = resource.preview(inputs)
    assert tap.operations() == []
    assert unknowns(previewed) == PROMISED - NAMES - set(resource.checked(inputs))
    made = resource.create(inputs)
    assert set(made) == PROMISED | set(resource.inputs) | {"__state"}
    assert set(previewed) == set(made) - {"__state"}
    for key in set(previewed) - unknowns(previewed):
        assert previewed[key] == made[key], key
    assert exposed(bare(made), UNKNOWN) == []
    assert {key: made[key] for key in resource.inputs} == resource.inputs
    resource.delete()
    wipe(aws, "rpc-other-bucket")


def test_a_preview_knows_more_where_the_account_is_known(plugin, tap, name):
    with Plugin(plugin, endpoint=tap.url, env={"AWS_ACCOUNT_ID": "000000000000"}) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, name)
        previewed = resource.preview(FULL)
        assert tap.operations() == []
        made = resource.create(FULL)
        resource.delete()
    assert unknowns(previewed) == {"invokeUrl", "restApiId", "executionArn", "stageArn", "deploymentId"}
    for key in set(previewed) - unknowns(previewed):
        assert previewed[key] == made[key], key


CHANGES = {
    "path": "v2", "stageName": "gamma", "description": "other", "operations": ["GET"], "tags": {"a": "2"},
    "bucket": {"forceDestroy": False, "secureTransportOnly": True}, "waitForReady": True,
}


@pytest.mark.parametrize("changes", [{}, CHANGES, *({key: value} for key, value in CHANGES.items())], ids=str)
def test_a_preview_of_update_is_what_update_gives(resource, tap, changes):
    resource.create(FULL)
    tap.reset()
    news = FULL | changes
    previewed = resource.preview(news)
    assert tap.operations() == []
    updated = resource.update(news)
    assert unknowns(previewed) <= {"deploymentId"}
    assert set(previewed) == set(updated) - {"__state"}
    for key in set(previewed) - unknowns(previewed):
        assert previewed[key] == updated[key], key
    resource.delete()


# A property that is not known yet, as a whole or in part, and two values that it may turn out to have.
TURNS_OUT = [
    ({"name": UNKNOWN}, {"name": "rpc-a"}, {"name": "rpc-b"}),
    ({"path": UNKNOWN}, {"path": "a"}, {"path": "/"}),
    ({"stageName": UNKNOWN}, {"stageName": "a"}, {"stageName": "b"}),
    ({"description": UNKNOWN}, {"description": "a"}, {"description": "b"}),
    ({"operations": UNKNOWNS["array"]}, {"operations": ["GET"]}, {"operations": ["GET", "HEAD"]}),
    ({"operations": ["GET", UNKNOWN]}, {"operations": ["GET"]}, {"operations": ["GET", "HEAD"]}),
    ({"bucket": UNKNOWNS["object"]}, {"bucket": {"name": "rpc-a"}}, {"bucket": {"forceDestroy": True}}),
    ({"bucket": {"name": UNKNOWN}}, {"bucket": {"name": "rpc-a"}}, {"bucket": {"name": "rpc-b"}}),
    ({"bucket": {"forceDestroy": UNKNOWN}}, {"bucket": {"forceDestroy": True}}, {"bucket": {"forceDestroy": False}}),
    ({"tags": UNKNOWN}, {"tags": {"a": "b"}}, {"tags": {}}),
    ({"tags": {"a": UNKNOWN}}, {"tags": {"a": "b"}}, {"tags": {"a": "c"}}),
    ({"waitForReady": UNKNOWNS["bool"]}, {"waitForReady": True}, {"waitForReady": False}),
]


@pytest.mark.parametrize("exists", [False, True], ids=["create", "update"])
@pytest.mark.parametrize("wrap", [lambda value: value, secret], ids=["plain", "secret"])
@pytest.mark.parametrize("unknown, one, other", TURNS_OUT, ids=[str(unknown) for unknown, _, _ in TURNS_OUT])
def test_what_depends_on_the_unknown_is_unknown(provider, tap, existing, unknown, one, other, exists, wrap):
    resource = Resource(provider, "data")
    base = {"name": "rpc-data"}
    if exists:
        resource.id, resource.inputs, resource.outputs, resource.urn = (
            existing.id, existing.inputs, existing.outputs, existing.urn)
        base = existing.inputs
    previewed = resource.preview(base | {key: wrap(value) for key, value in unknown.items()})
    assert set(previewed) >= PROMISED
    # Never a text with the sentinel somewhere inside.
    assert all(value == UNKNOWN for value in strings(previewed) if UNKNOWN in value)
    outcomes = [resource.preview(base | {key: wrap(value) for key, value in turned.items()}) for turned in (one, other)]
    for key in PROMISED - set(unknown) - unknowns(previewed):
        assert {json.dumps(bare(outcome[key])) for outcome in outcomes} == {json.dumps(bare(previewed[key]))}, key
    # What was given comes back as it was given.
    for key, value in unknown.items():
        assert previewed[key] == wrap(value)
    assert tap.operations() == []


def strings(value) -> list[str]:
    if isinstance(value, (dict, list)):
        return [text for inner in (value.values() if isinstance(value, dict) else value) for text in strings(inner)]
    return [value] if isinstance(value, str) else []


# The whole life


@pytest.mark.parametrize("inputs", [
    {"waitForReady": False}, FULL, {key: secret(value) for key, value in FULL.items()},
    {"description": "", "tags": {}, "bucket": {}, "waitForReady": False},
    {"description": None, "tags": None, "bucket": None, "operations": None, "stageName": None, "waitForReady": False},
    {"description": "ä \"quoted\"\nline", "tags": {"ä": "ü", "a:b/c": "=+-@"}, "waitForReady": False},
    {"tags": {"a": secret("1"), "b": "2"}, "operations": ["HEAD", "GET"], "path": "/", "waitForReady": False},
], ids=["nothing", "full", "secrets", "empty", "nulls", "odd characters", "secrets inside"])
def test_a_round(resource, aws, tap, inputs):
    before = aws.inventory()
    made = resource.create(inputs)
    assert resource.id == bare(resource.inputs["name"])
    seen = resource.read()
    assert seen.id == resource.id
    # A refresh right after changes no byte of the state.
    assert plain(seen.inputs) == resource.inputs
    assert plain(seen.properties) == made
    tap.reset()
    assert not resource.diff(resource.checked(inputs)).detailedDiff
    assert resource.update(inputs) == made
    assert tap.operations() == []
    resource.update({"waitForReady": False, "description": "new", "tags": {"n": "1"}})
    seen = resource.read()
    assert (plain(seen.inputs), plain(seen.properties)) == (resource.inputs, resource.outputs)
    for _ in range(2):
        resource.delete()
    assert aws.inventory() == before
    gone = resource.read()
    assert gone.id == "" and not gone.HasField("properties")


def test_timeouts_that_are_no_limit(resource):
    """The engine sends 0 for none; nothing else may break either."""
    for timeout in (0, -1, 1e300, float("nan"), float("inf")):
        resource.create({"waitForReady": False}, timeout=timeout)
        resource.delete(timeout=timeout)


@pytest.mark.parametrize("empty", [{}, {"properties": struct({}), "inputs": struct({})}], ids=["missing", "empty"])
@pytest.mark.parametrize("by", ["name", "REST API", "REST API and stage"])
def test_the_id_alone_is_enough(resource, by, empty):
    """As `pulumi import`, `.get()` and `pulumi do` ask. A resource of the same name is the imported one's."""
    made = resource.create(FULL)
    ids = {"name": resource.id, "REST API": made["restApiId"], "REST API and stage": f"{made['restApiId']}/beta"}
    seen = resource.stub.Read(provider_pb2.ReadRequest(id=ids[by], urn=resource.urn, **empty))
    assert seen.id == resource.id
    imported = Resource(resource.plugin, "imported")
    imported.urn, imported.id, imported.inputs, imported.outputs = (
        resource.urn, seen.id, plain(seen.inputs), plain(seen.properties))
    without_defaults = {key: value for key, value in FULL.items() if key not in ("waitForReady", "bucket")}
    assert imported.inputs == without_defaults | {"name": resource.id, "bucket": {"secureTransportOnly": False}}
    assert not imported.diff(imported.checked(imported.inputs)).detailedDiff
    assert {key: imported.outputs[key] for key in PROMISED} == {key: made[key] for key in PROMISED}
    resource.delete()


@pytest.mark.parametrize("id_", ["nobody", "nobody/prod", "a/b/c"], ids=repr)
def test_an_id_of_nothing_is_not_found(resource, id_):
    seen = resource.stub.Read(provider_pb2.ReadRequest(id=id_, urn=resource.urn))
    assert seen.id == "" and not seen.HasField("properties") and not seen.HasField("inputs")


def other_life(resource) -> Resource:
    """The same resource for an engine that knows nothing of it, after a lost run: the next command's."""
    resource.plugin.handshake()
    other = Resource(resource.plugin, resource.urn.rpartition(":")[2])
    other.seed = resource.seed
    return other


def counts(aws, name: str) -> dict[str, int]:
    names = aws.inventory()
    return {kind: names[kind].count(name) for kind in ("buckets", "roles", "rest_apis")}


ONE, NONE = (dict.fromkeys(("buckets", "roles", "rest_apis"), count) for count in (1, 0))


@pytest.fixture(params=["named", "unnamed"])
def named(request, resource) -> dict:
    """A name of the user's; or the automatic one, which comes again where an update plan is carried out twice."""
    return {"name": f"{resource.urn.rpartition(':')[2]}-own"} if request.param == "named" else {}


@pytest.mark.parametrize("operation", ["PutBucketPolicy", "PutRolePolicy", "CreateRole", "PutRestApi",
                                       "CreateDeployment"])
def test_what_a_lost_run_left_unfinished_is_taken_over(resource, aws, tap, operation, named):
    inputs = FULL | {"bucket": {"forceDestroy": True}} | named
    tap.inject(Error("AccessDenied", 403), operation=operation, times=math.inf)
    resource.fail_half_way(lambda: resource.create(inputs))
    tap.reset()
    again = other_life(resource)
    again.create(inputs)
    assert again.inputs["name"] == resource.inputs["name"] and counts(aws, again.id) == ONE
    assert not again.diff(again.inputs).detailedDiff
    assert (plain(again.read().properties), plain(again.read().inputs)) == (again.outputs, again.inputs)
    # What was taken over is not the first life's any more.
    resource.delete()
    assert counts(aws, again.id) == ONE and plain(again.read().properties) == again.outputs
    again.delete()
    assert counts(aws, again.id) == NONE


@pytest.mark.parametrize("operation", ["PutBucketTagging", "TagRole", "TagResource"])
def test_a_take_over_that_stops_half_way_is_deleted(resource, aws, tap, operation):
    """What it has recorded still carries the first life's tag."""
    tap.inject(Error("AccessDenied", 403), operation="PutRestApi", times=math.inf)
    resource.fail_half_way(lambda: resource.create(FULL))
    tap.reset()
    again = other_life(resource)
    tap.inject(Error("AccessDenied", 403), operation=operation, times=math.inf)
    again.fail_half_way(lambda: again.create(FULL))
    assert operation in tap.operations()
    tap.reset()
    again.delete()
    assert counts(aws, again.id) == NONE


def test_what_somebody_else_has_put_their_tag_on_is_left_alone(resource, aws, tap):
    resource.create(FULL)
    s3 = aws.client("s3")
    tags = {"TagSet": [{"Key": "s3dataproxy:owner", "Value": "prod::theirs::t::data@us-east-1@00000001"}]}
    s3.put_bucket_tagging(Bucket=resource.id, Tagging=tags)
    seen = resource.read()
    assert "bucket" not in plain(seen.properties)["__state"]
    resource.outputs = plain(seen.properties)
    resource.fail_half_way(lambda: resource.update(FULL))
    assert s3.get_bucket_tagging(Bucket=resource.id)["TagSet"] == tags["TagSet"]
    resource.delete()
    assert counts(aws, resource.id) == NONE | {"buckets": 1}


def test_what_is_finished_is_not_taken_over(resource, aws, tap, named):
    """It may be in use, and be recorded by somebody else; or it is just being replaced."""
    resource.create(FULL | named)
    again = other_life(resource)
    tap.reset()
    with pytest.raises(grpc.RpcError) as caught:
        again.create(FULL | named)
    assert caught.value.code() == grpc.StatusCode.ALREADY_EXISTS
    name = resource.urn.rpartition(":")[2]
    for words in (f"pulumi import s3dataproxy:index:S3DataProxy '{name}' {resource.outputs['restApiId']}",
                  "`deleteBeforeReplace`"):
        assert words in caught.value.details()
    # Without a name, a REST API is made while another one is looked for.
    first = [] if named else ["CreateRestApi", "DeleteRestApi"]
    assert [call for call in tap.operations() if not call.startswith("Get")] == first
    assert plain(resource.read().properties) == resource.outputs and counts(aws, resource.id) == ONE
    resource.delete()


def test_nothing_goes_live_without_its_bucket(resource, aws, tap):
    tap.inject(Error("BucketAlreadyExists", 409), operation="CreateBucket", times=math.inf)
    detail = resource.fail_half_way(lambda: resource.create(FULL))
    assert len(detail.reasons) == 1 and "another AWS account" in detail.reasons[0]
    assert "CreateDeployment" not in tap.operations() and "stageArn" not in resource.outputs
    tap.reset()
    resource.update(FULL)
    assert sorted(call for call in tap.operations() if call.startswith("Create")) == [
        "CreateBucket", "CreateDeployment"]
    resource.delete()


def test_a_stage_that_somebody_else_made_is_not_moved(resource, aws):
    resource.create(FULL)
    api = aws.client("apigateway")
    at = {"restApiId": resource.outputs["restApiId"], "stageName": "theirs"}
    theirs = api.create_stage(**at, deploymentId=resource.outputs["deploymentId"])
    detail = resource.fail_half_way(lambda: resource.update(FULL | {"stageName": "theirs"}))
    assert "`theirs`" in detail.reasons[0] and "made by somebody else" in detail.reasons[0]
    assert api.get_stage(**at)["deploymentId"] == theirs["deploymentId"]
    resource.update(FULL)
    api.delete_stage(**at)
    resource.update(FULL | {"stageName": "theirs"})
    resource.delete()


@pytest.mark.parametrize("change", [{"stageName": "two"}, {"stageName": "two", "path": "v2"}],
                         ids=["stage", "stage and path"])
def test_a_stage_that_a_lost_update_made_is_ours(resource, aws, change):
    """As after a kill: AWS has done it, and nobody wrote it down."""
    resource.create(FULL)
    lost = (resource.outputs, resource.inputs)
    resource.update(FULL | change)
    resource.outputs, resource.inputs = lost
    resource.update(FULL | change)
    assert plain(resource.read().properties) == resource.outputs
    api = aws.client("apigateway")
    ids = [item["id"] for item in api.get_deployments(restApiId=resource.outputs["restApiId"])["items"]]
    assert ids == [resource.outputs["deploymentId"]]
    stages = api.get_stages(restApiId=resource.outputs["restApiId"])["item"]
    assert [stage["stageName"] for stage in stages] == ["two"]
    resource.delete()


@pytest.mark.parametrize("operation", ["CreateBucket", "CreateRole", "CreateRestApi"])
def test_a_fault_of_aws_after_the_work_was_done_loses_nothing(resource, aws, tap, operation):
    """An answer of 500 does not say whether it was done, however often it is tried."""
    resource.plugin.configure(maxAttempts="2")
    tap.inject(Spoilt(Error("InternalError", 500)), operation=operation)
    tap.inject(Error("InternalError", 500), operation=operation, times=math.inf)
    # The look for what it may have made is cut off too.
    tap.inject(Error("InternalError", 500), operation="GetRestApis", times=math.inf)
    detail = resource.fail_half_way(lambda: resource.create(FULL))
    assert any("InternalError" in reason and "`endpointUrl`" in reason for reason in detail.reasons)
    tap.reset()
    resource.update(FULL)
    assert counts(aws, resource.id) == ONE
    resource.delete()
    assert counts(aws, resource.id) == NONE


@pytest.mark.parametrize("kind", ["bucket", "role"])
def test_what_belongs_to_somebody_else_is_not_taken_over(resource, aws, name, kind):
    s3, iam = aws.client("s3"), aws.client("iam")
    if kind == "bucket":
        s3.create_bucket(Bucket=name)
    else:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    detail = resource.fail_half_way(lambda: resource.create(FULL | {"name": name}))
    assert len(detail.reasons) == 1 and name in detail.reasons[0] and "there already" in detail.reasons[0]
    resource.delete()
    assert name in aws.inventory()[f"{kind}s"]


# The wrong place


@pytest.mark.parametrize("operation", [
    lambda resource: resource.read(), lambda resource: resource.preview(FULL), lambda resource: resource.update(FULL),
    lambda resource: resource.delete(),
], ids=["read", "preview", "update", "delete"])
def test_another_region_is_refused(plugin, tap, existing, operation):
    """There, everything would seem to be gone."""
    with Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure(region="eu-west-1")
        resource = Resource(provider, "data")
        resource.id, resource.inputs, resource.outputs, resource.urn = (
            existing.id, existing.inputs, existing.outputs, existing.urn)
        with pytest.raises(grpc.RpcError) as caught:
            operation(resource)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "`us-east-1`" in caught.value.details() and "`eu-west-1`" in caught.value.details()
    assert tap.operations() == []


# How the plugin is started; where a variable is set and empty, that is the same as not set.
@pytest.mark.parametrize("command, env, config, words", [
    (["-u", "AWS_REGION"], {}, {}, "no AWS Region is set"),
    ([], {"AWS_REGION": ""}, {}, "no AWS Region is set"),
    (["-u", "AWS_ACCESS_KEY_ID"], {}, {}, "no usable AWS credentials"),
    ([], {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, {}, "no usable AWS credentials"),
    (["-u", "AWS_ACCESS_KEY_ID"], {"AWS_PROFILE": "nobody"}, {}, "`nobody`"),
    (["-u", "AWS_ACCESS_KEY_ID"], {}, {"profile": "nobody"}, "`nobody`"),
], ids=["no region", "empty region", "no keys", "empty keys", "no such AWS_PROFILE", "no such profile"])
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "create"])
def test_what_is_missing_to_reach_aws_is_told(plugin, aws, tap, name, tmp_path, command, env, config, words, preview):
    (tmp_path / "config").write_text("[profile somebody]\n")
    env = {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config")} | env
    with Plugin("/usr/bin/env", endpoint=tap.url, env=env, args=(*command, str(plugin))) as provider:
        provider.handshake()
        provider.configure(**config)
        resource = Resource(provider, name)
        try:
            with pytest.raises(grpc.RpcError) as caught:
                (resource.preview if preview else resource.create)(FULL)
        finally:
            wipe(aws, name)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert words in caught.value.details()
    assert tap.operations() == []


def test_an_account_that_is_not_allowed_is_refused(plugin, tap, aws):
    before = aws.inventory()
    with Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure(allowedAccountIds=["123456789012"])
        with pytest.raises(grpc.RpcError) as caught:
            Resource(provider, "data").create(FULL)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "000000000000" in caught.value.details() and "allowedAccountIds" in caught.value.details()
    assert tap.operations() == ["GetCallerIdentity"] and aws.inventory() == before
