"""Check: inputs in order, or every reason why not. Pure."""

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from harness.rpc import OUTPUT, SIGNATURE, UNKNOWN, UNKNOWNS, Plugin, Resource, bare, exposed, plain, secret, struct
from harness.tap import Tap

Options = provider_pb2.CheckRequest.AutonamingOptions


@pytest.fixture(scope="module")
def provider(plugin):
    """A plugin that AWS must not hear of."""
    with Tap("http://127.0.0.1:1") as tap, Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure()
        yield provider
        assert tap.calls == []


@pytest.fixture
def resource(provider):
    return Resource(provider, "data")


FULL = {
    "name": "data-1", "path": "v1/models", "stageName": "beta", "description": "d", "operations": ["HEAD", "GET"],
    "bucket": {"name": "data-2", "forceDestroy": True, "secureTransportOnly": False},
    "tags": {"a": "1", "b c": "", "x:y": "=+-@"}, "waitForReady": False,
}


def output(value=None, **fields) -> dict:
    return {SIGNATURE: OUTPUT} | ({"value": value} if value is not None else {}) | fields


# What comes back


def test_nothing_becomes_a_name(resource):
    """The path is no input: it stays that of the resource's first name, which Check is not told."""
    checked = resource.checked({})
    assert checked == {"name": checked["name"]}
    assert checked["name"].startswith("data-")


@pytest.mark.parametrize("inputs", [
    FULL, {key: secret(value) for key, value in FULL.items()},
    FULL | {"tags": {"a": secret("1")}, "bucket": {"name": secret("data-2")}, "operations": [secret("GET")]},
    FULL | {
        "description": output("d", secret=True, dependencies=[]),
        "tags": output({"a": "1"}, secret=False, dependencies=[]),
    },
    FULL | {"description": "", "tags": {}, "bucket": {}, "operations": ["GET"], "path": "/"},
    FULL | dict.fromkeys(("description", "tags", "bucket", "operations", "waitForReady", "stageName")),
], ids=["full", "secrets", "secrets inside", "outputs", "empty", "nulls"])
def test_the_users_values_come_back_as_they_are(resource, inputs):
    assert resource.checked(inputs) == inputs


def test_null_is_no_name_and_no_path(resource):
    checked = resource.checked({"name": None, "path": secret(None)})
    assert checked["name"].startswith("data-") and bare(checked["path"]) is None


@pytest.mark.parametrize("key", FULL)
@pytest.mark.parametrize("kind", UNKNOWNS)
@pytest.mark.parametrize("wrap", [lambda value: value, secret, lambda _: output(secret=False, dependencies=[])],
                         ids=["plain", "secret", "output"])
def test_what_is_not_known_yet_passes_whatever_its_type(resource, key, kind, wrap):
    inputs = FULL | {key: wrap(UNKNOWNS[kind])}
    assert resource.checked(inputs) == inputs


@pytest.mark.parametrize("inputs", [
    {"bucket": {"name": UNKNOWN}}, {"bucket": {"forceDestroy": UNKNOWNS["bool"]}}, {"operations": ["GET", UNKNOWN]},
    {"tags": {"a": UNKNOWN, "b": "1"}},
], ids=str)
def test_what_is_partly_not_known_yet_passes_and_the_rest_is_judged(resource, inputs):
    assert resource.checked(inputs).items() >= inputs.items()
    assert resource.check(inputs | {"stageName": "!"}).failures


@pytest.mark.parametrize("olds", [
    {}, {"name": "kept-1"}, {"name": 5, "path": [], "old": {"shape": None}, "operations": "ALL"},
    {"name": UNKNOWN}, {"name": None},
], ids=str)
def test_old_inputs_of_any_shape_are_no_problem(resource, olds):
    checked = plain(resource.check({}, olds=struct(olds)).inputs)
    kept = isinstance(olds.get("name"), str) and olds["name"] != UNKNOWN
    assert checked["name"] == olds["name"] if kept else checked["name"].startswith("data-")


# Names


def test_the_seed_decides(provider):
    def name(seed: bytes, resource: str = "data", **fields) -> str:
        return plain(Resource(provider, resource).check({}, randomSeed=seed, **fields).inputs)["name"]

    assert name(b"1" * 32) == name(b"1" * 32)
    assert len({name(b"1" * 32), name(b"2" * 32), name(b"1" * 32, "other"), name(b""), name(b"")}) == 5


@pytest.mark.parametrize("wish", [
    None, Options(mode=Options.PROPOSE, proposed_name="other-1"),
    Options(mode=Options.ENFORCE, proposed_name="other-1"), Options(mode=Options.DISABLE),
], ids=str)
def test_a_name_once_given_stays(resource, wish):
    resource.inputs = {"name": "kept-1"}
    assert plain(resource.check({}, autonaming=wish).inputs)["name"] == "kept-1"
    assert plain(resource.check({"name": "mine-1"}, autonaming=wish).inputs)["name"] == "mine-1"
    # A replacement: the engine checks again, without the old ones.
    assert plain(resource.check({"name": "mine-1"}, olds=struct({}), autonaming=wish).inputs)["name"] == "mine-1"


@pytest.mark.parametrize("mode, proposed, name", [
    (Options.PROPOSE, "team-data-1", "team-data-1"),
    (Options.PROPOSE, "Team_Data.1", "team-data-1"),
    (Options.PROPOSE, "x" * 80, "x" * 63),
    (Options.ENFORCE, "team-data-1", "team-data-1"),
    (Options.ENFORCE, "Team", None), (Options.ENFORCE, "a.b", None), (Options.ENFORCE, "x" * 80, None),
    (Options.DISABLE, "", None),
])
def test_autonaming_follows_the_engine(resource, mode, proposed, name):
    response = resource.check({}, autonaming=Options(mode=mode, proposed_name=proposed))
    if name:
        assert not response.failures and plain(response.inputs)["name"] == name
    else:
        [failure] = response.failures
        assert failure.property == "name" and (f"`{proposed}`" if proposed else "`name`") in failure.reason
        assert not response.HasField("inputs")


def test_autonaming_fails_together_with_the_rest(resource):
    response = resource.check({"path": ""}, autonaming=Options(mode=Options.DISABLE))
    assert {failure.property for failure in response.failures} == {"name", "path"}


# What is wrong, where, and the words that say so. The rules themselves are held by the unit tests.
WRONG = [
    ({"name": "AB"}, "name", "3 to 63"), ({"name": 5}, "name", "must be a string"),
    ({"bucket": {"name": "My-Data"}}, "bucket.name", "write `my-data`"),
    ({"bucket": {"nmae": "x"}}, "bucket.nmae", "did you mean"),
    ({"throttle": {"rateLimit": 1, "burstLimit": 1, "burstLimits": 2}}, "throttle.burstLimits", "did you mean"),
    ({"quota": {"limit": 1, "period": "DAY", "limits": 2}, "apiKeys": ["a"]}, "quota.limits", "did you mean"),
    ({"bucket": {"forceDestroy": "yes"}}, "bucket.forceDestroy", "must be a boolean"),
    ({"bucket": "x"}, "bucket", "must be an object"),
    ({"path": "a//b"}, "path", "empty segment"), ({"path": "{id}"}, "path", "no `{}`"),
    ({"stageName": "a b"}, "stageName", "letters"), ({"stagename": "x"}, "stagename", "did you mean `stageName`?"),
    ({"description": ["x"]}, "description", "must be a string, not a list"),
    ({"operations": []}, "operations", "is empty"), ({"operations": ["GET", "GET"]}, "operations", "twice"),
    ({"operations": ["GET", "POST"]}, "operations[1]", "one of `GET`, `HEAD`"),
    ({"operations": "GET"}, "operations", "must be a list"),
    ({"tags": {"aws:x": "y"}}, 'tags["aws:x"]', "AWS keeps tags"),
    ({"tags": {"a": 1}}, "tags.a", "must be a string, not a number"),
    ({"tags": {"": "x"}}, 'tags[""]', "1 to 128"), ({"tags": {"a": "<>"}}, "tags.a", "a tag has only"),
    ({"tags": {f"t{i}": "x" for i in range(50)}}, "tags", "room for 49"),
    ({"waitForReady": "false"}, "waitForReady", "must be a boolean"),
    ({"webAclArn": "a"}, "webAclArn", "must be the ARN of an AWS WAF web ACL"),
    ({"webAclArn": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"}, "webAclArn", "for regional resources"),
    ({"webAclArn": "arn:aws:waf-regional:us-east-1:123456789012:webacl/b"}, "webAclArn", "for regional resources"),
    ({"cors": {}}, "cors.allowOrigins", "is missing"),
]


@pytest.mark.parametrize("inputs, path, words", WRONG, ids=[str(inputs)[:50] for inputs, _, _ in WRONG])
def test_what_is_wrong_is_told_with_its_name(resource, inputs, path, words):
    response = resource.check(inputs)
    assert not response.HasField("inputs")
    [failure] = response.failures
    assert words in failure.reason
    if path in inputs:
        assert failure.property == path
    else:
        # The engine shows no value for what is nested; the words have to name it.
        assert failure.property == "" and f"`{path}`" in failure.reason


def test_everything_wrong_is_told_at_once(resource):
    """Also what only one part of the checks sees: types, rules, autonaming."""
    rules = {
        "name": "A", "path": "", "stageName": "", "operations": [], "tags": {"aws:x": "y"}, "bucket": {"name": "B"},
    }
    assert len(resource.check(rules).failures) == 6
    types = {"name": 1, "pth": "", "operations": ["POST", 5], "bucket": {"nmae": 1}, "tags": []}
    assert len(resource.check(types).failures) == 6
    both = {"description": 1, "path": ""}
    assert len(resource.check(both).failures) == 2


def test_every_contradiction_is_told_at_once(resource):
    there, elsewhere = "arn:aws:{}:us-east-1:123456789012:{}", "arn:aws:{}:eu-west-1:123456789012:{}"
    inputs = {
        "authorization": "NONE", "authorizer": {"functionArn": there.format("lambda", "function:f")},
        "quota": {"limit": 1, "period": "DAY"}, "throttle": {"rateLimit": -1, "burstLimit": 1},
        "endpoint": {"type": "EDGE", "vpcEndpointIds": ["vpce-x"], "securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09"},
        "domain": {"name": "*.example.com", "certificateArn": elsewhere.format("acm", "certificate/a")},
        "allowedIpRanges": ["10.0.0.0/33"], "policy": "no JSON", "cache": {"ttlSeconds": 3601}, "operations": ["HEAD"],
        "accessLog": {"retentionInDays": 2, "destinationArn": there.format("firehose", "deliverystream/a")},
        "role": {"arn": "arn:aws-cn:iam::123456789012:role/a", "path": "/a/"},
        "webAclArn": elsewhere.format("wafv2", "regional/webacl/a/b"), "bucket": {"prefix": "a/../b"},
    }
    told = "\n".join(failure.reason for failure in resource.check(inputs).failures)
    for path in ("authorizer", "quota", "throttle.rateLimit", "endpoint.vpcEndpointIds", "endpoint.securityPolicy",
                 "domain.name", "domain.certificateArn", "allowedIpRanges[0]", "policy", "cache.ttlSeconds", "cache",
                 "accessLog.destinationArn", "role.arn", "role.path", "webAclArn", "bucket.prefix"):
        assert f"`{path}`" in told, f"{path} is not in:\n{told}"
    # Where things are is told together with what they are.
    for words in ("has to be in `us-east-1`", "is in the partition `aws-cn`"):
        assert words in told


PLANTED = "Hunter2"  # upper case, so that no rule lets it pass


@pytest.mark.parametrize("inputs", [
    {"name": PLANTED}, {"path": f"/{PLANTED}/"}, {"stageName": f"{PLANTED}!"}, {"operations": [PLANTED]},
    {"bucket": PLANTED},
    {"bucket": {"name": PLANTED}}, {"tags": {"a": f"<{PLANTED}>"}}, {"tags": [PLANTED]},
    {"waitForReady": PLANTED}, {"descripton": PLANTED}, {"description": [PLANTED]},
], ids=str)
@pytest.mark.parametrize("wrap", [
    secret, lambda value: output(value, secret=True), lambda value: secret(secret(value)),
], ids=["secret", "output", "twice"])
def test_secrets_in_what_is_wrong_are_not_told(resource, inputs, wrap):
    """The engine prints the value of a property that a failure names, so it must not name one with a secret in it."""
    for wrapped in ({key: wrap(value) for key, value in inputs.items()}, inputs_inside(inputs, wrap)):
        response = resource.check(wrapped)
        assert response.failures and not response.HasField("inputs")
        for failure in response.failures:
            assert failure.property == "" and PLANTED.lower() not in failure.reason.lower()


def inputs_inside(inputs: dict, wrap) -> dict:
    """The same with the innermost values wrapped."""
    def inner(value):
        if isinstance(value, dict):
            return {key: inner(item) for key, item in value.items()}
        return [inner(item) for item in value] if isinstance(value, list) else wrap(value)

    return inner(inputs)


def test_a_secret_that_is_right_stays_one(resource):
    hidden = secret("hunter2")
    checked = resource.checked({"description": hidden, "tags": secret({"a": "hunter2"}), "name": hidden})
    assert exposed(checked, "hunter2") == []


KEY_ELSEWHERE = "`bucket.kmsKeyArn` is in the Region `eu-west-1` and has to be in `us-east-1`"
BOUNDARY_ELSEWHERE = "`role.permissionsBoundaryArn` is in the partition `aws-cn`, and the Region `us-east-1` in `aws`"
ELSEWHERE = {"bucket": {"kmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/a"},
             "role": {"permissionsBoundaryArn": "arn:aws-cn:iam::123456789012:policy/b"}}


def test_what_is_elsewhere_is_told(resource):
    told = [failure.reason for failure in resource.check(ELSEWHERE).failures]
    assert len(told) == 2 and KEY_ELSEWHERE in told[0] and BOUNDARY_ELSEWHERE in told[1]


def test_what_is_elsewhere_is_told_once_the_region_is_known(plugin, tmp_path):
    """At the preview, and before anything is made, where only AWS's files name the Region."""
    files = tmp_path / "config"
    files.write_text("[default]\nregion = us-east-1\n")
    env = {"AWS_REGION": None, "AWS_DEFAULT_REGION": None, "AWS_CONFIG_FILE": str(files)}
    with Tap("http://127.0.0.1:1") as tap, Plugin(plugin, endpoint=tap.url, env=env) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, "data")
        for call in (resource.preview, resource.create):
            with pytest.raises(grpc.RpcError) as caught:
                call(ELSEWHERE)
            words = caught.value.details()
            assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert KEY_ELSEWHERE in words and BOUNDARY_ELSEWHERE in words
        assert tap.calls == []
