"""CheckConfig, DiffConfig and Configure: the provider's own configuration."""

import json
import re

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from harness.faults import Answer
from harness.rpc import SECRET, SIGNATURE, UNKNOWN, UNKNOWNS, Plugin, Resource, exposed, plain, secret, struct
from harness.tap import Tap

URN = "urn:pulumi:test::test::pulumi:providers:s3dataproxy::default"
ROLE = "arn:aws:iam::123456789012:role/deployer"
OTHER_ROLE = "arn:aws:iam::210987654321:role/deployer"
Diff, Kind = provider_pb2.DiffResponse, provider_pb2.PropertyDiff
# Nobody listens there: whatever tried to connect would fail.
CLOSED = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def provider(plugin):
    """A plugin that AWS must not hear of."""
    with Tap(CLOSED) as tap, Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        yield provider
        assert tap.calls == []


def check(provider, news: dict, olds: dict | None = None) -> provider_pb2.CheckResponse:
    return provider.stub.CheckConfig(provider_pb2.CheckRequest(urn=URN, olds=struct(olds or {}), news=struct(news)))


def diff(provider, olds: dict, news: dict, **fields) -> provider_pb2.DiffResponse:
    fields = {"old_inputs": struct(olds)} | fields
    return provider.stub.DiffConfig(provider_pb2.DiffRequest(urn=URN, olds=struct(olds), news=struct(news), **fields))


FULL = {
    "region": "eu-central-1", "profile": "p", "accessKey": "AKIA", "secretKey": "s", "token": "t",
    "assumeRole": {"roleArn": ROLE, "sessionName": "s-1", "externalId": "e"},
    "endpointUrl": "http://127.0.0.1:4566",
    "endpoints": {service: f"https://{service}.example" for service in ("s3", "iam", "apigateway", "sts")},
    "defaultTags": {"team": "a", "a b": ""}, "allowedAccountIds": ["123456789012"], "maxAttempts": 5,
    "executeApiUrl": "http://127.0.0.1/{restApiId}/{stage}",
}


def encoded(config: dict) -> dict:
    """As SDKs send what is no string."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


@pytest.mark.parametrize("config", [
    {}, FULL, encoded(FULL),
    {key: secret(value) for key, value in FULL.items()},
    {key: secret(value) for key, value in encoded(FULL).items()},
    {key: None for key in FULL},
], ids=["nothing", "native", "JSON", "secret", "secret JSON", "nulls"])
def test_good_configuration_comes_back_as_it_is(provider, config):
    engines_own = {"version": "0.1.0", "pluginDownloadURL": "file:///x", "pluginChecksums": {"linux-amd64": "0"}}
    response = check(provider, config | engines_own | {"__internal": {"x": 1}})
    assert not response.failures
    assert plain(response.inputs) == config | engines_own
    provider.configure(**config, **engines_own)


@pytest.mark.parametrize("key", FULL)
@pytest.mark.parametrize("kind", UNKNOWNS)
def test_what_is_not_known_yet_passes(provider, key, kind):
    config = {"accessKey": "AKIA", "secretKey": "s", "token": "t"} | {key: UNKNOWNS[kind]}
    response = check(provider, config)
    assert not response.failures
    assert plain(response.inputs) == config


@pytest.mark.parametrize("config", [
    {"assumeRole": {"roleArn": UNKNOWN}}, {"endpoints": {"s3": UNKNOWN}}, {"defaultTags": {"a": UNKNOWN}},
    {"allowedAccountIds": [UNKNOWN]}, {"executeApiUrl": secret(UNKNOWN)},
], ids=str)
def test_what_is_partly_not_known_yet_passes(provider, config):
    assert not check(provider, config).failures


# What is wrong, where, and the words that say so.
WRONG = [
    ({"regoin": "x"}, "regoin", "did you mean `region`?"),
    ({"zzzzzzzz": "x"}, "zzzzzzzz", "the properties are `accessKey`"),
    ({"endpoints": {"s33": CLOSED}}, "endpoints.s33", "did you mean"),
    ({"endpoints": {"dynamodb": CLOSED}}, "endpoints.dynamodb", "there is no property"),
    ({"region": 5}, "region", "must be a string, not a number"),
    ({"region": ""}, "region", "the code of an AWS Region"),
    ({"region": "EU (Frankfurt)"}, "region", "the code of an AWS Region"),
    ({"accessKey": "AKIA"}, "secretKey", "set both, or neither"),
    ({"secretKey": "s"}, "accessKey", "set both, or neither"),
    ({"token": "t"}, "token", "set `accessKey` and `secretKey` too"),
    ({"maxAttempts": 0}, "maxAttempts", "from 1 to 50"),
    ({"maxAttempts": 51}, "maxAttempts", "from 1 to 50"),
    ({"maxAttempts": "0"}, "maxAttempts", "from 1 to 50"),
    ({"maxAttempts": -1}, "maxAttempts", "whole number"),
    ({"maxAttempts": 1e10}, "maxAttempts", "whole number"),
    ({"maxAttempts": 1.5}, "maxAttempts", "whole number"),
    ({"maxAttempts": "many"}, "maxAttempts", "whole number"),
    ({"assumeRole": {}}, "assumeRole.roleArn", "is missing"),
    ({"assumeRole": "{}"}, "assumeRole.roleArn", "is missing"),
    ({"assumeRole": "role"}, "assumeRole", "must be an object"),
    ({"assumeRole": {"roleArn": "deployer"}}, "assumeRole.roleArn", "the ARN of a role"),
    ({"assumeRole": {"roleArn": "arn:aws:iam::123456789012:user/me"}}, "assumeRole.roleArn", "the ARN of a role"),
    ({"endpointUrl": "127.0.0.1:4566"}, "endpointUrl", "begins with `http://`"),
    *(({"endpoints": {service: "localhost"}}, f"endpoints.{service}", "begins with `http://`")
      for service in FULL["endpoints"]),
    ({"executeApiUrl": "localhost/{restApiId}"}, "executeApiUrl", "begins with `http://`"),
    ({"executeApiUrl": "http://127.0.0.1/"}, "executeApiUrl", "must contain `{restApiId}`"),
    ({"allowedAccountIds": ["123"]}, "allowedAccountIds[0]", "12 digits"),
    ({"allowedAccountIds": ["123456789012", "12345678901x"]}, "allowedAccountIds[1]", "12 digits"),
    ({"allowedAccountIds": "[123456789012]"}, "allowedAccountIds[0]", "must be a string"),
    ({"allowedAccountIds": "123456789012"}, "allowedAccountIds", "must be a list"),
    ({"defaultTags": {"aws:x": "y"}}, 'defaultTags["aws:x"]', "AWS keeps tags"),
    ({"defaultTags": {"a": "x" * 257}}, "defaultTags.a", "at most 256"),
    ({"defaultTags": "[]"}, "defaultTags", "must be an object"),
]


@pytest.mark.parametrize("config, path, words", WRONG, ids=[str(config)[:50] for config, _, _ in WRONG])
def test_what_is_wrong_is_told_with_its_name(provider, config, path, words):
    response = check(provider, config)
    assert not response.HasField("inputs")
    [failure] = response.failures
    assert words in failure.reason
    if path in config and path not in ("token", "secretKey"):
        assert failure.property == path
    else:
        # The engine shows nothing sensible for what is nested; the words name it.
        assert failure.property in ("", path)
    top = path.split(".")[0].split("[")[0]
    assert top in failure.property + failure.reason


def test_everything_wrong_is_told_at_once(provider):
    config = {"region": "", "maxAttempts": 0, "endpointUrl": "x", "defaultTags": {"aws:x": "y"}, "token": "t"}
    assert len(check(provider, config).failures) == 5
    types = {"regoin": "x", "maxAttempts": "many", "assumeRole": [], "endpoints": {"s3": 1}}
    assert len(check(provider, types).failures) == 4


@pytest.mark.parametrize("config", [
    {"token": "hunter2"}, {"secretKey": ["hunter2"], "accessKey": "AKIA"}, {"secretKey": "hunter2"},
    {"token": {"x": "hunter2"}},
], ids=str)
@pytest.mark.parametrize("wrapped", [True, False])
def test_secrets_of_the_configuration_are_not_named_for_the_engine_to_print(provider, config, wrapped):
    """The engine sends them without their wrappers here, and prints the value of the property that a failure names."""
    config = {key: secret(value) if wrapped else value for key, value in config.items()}
    failures = check(provider, config).failures
    assert failures
    for failure in failures:
        assert failure.property not in ("token", "secretKey"), failure
        assert "hunter2" not in failure.reason


# DiffConfig

NONE, UPDATE, REPLACE = "none", "update", "replace"


@pytest.mark.parametrize("olds, news, expected", [
    ({}, {}, NONE),
    (FULL, FULL, NONE),
    (FULL, {key: secret(value) for key, value in FULL.items()}, NONE),
    ({"region": "a-1"}, {"region": "b-1"}, REPLACE),
    ({"region": "a-1"}, {"region": secret("b-1")}, REPLACE),
    ({"region": "a-1"}, {}, UPDATE),
    ({}, {"region": "b-1"}, UPDATE),
    ({"region": ""}, {"region": "b-1"}, UPDATE),
    ({"region": None}, {"region": "b-1"}, UPDATE),
    ({"region": "a-1"}, {"region": UNKNOWN}, UPDATE),
    ({"endpointUrl": "http://a"}, {"endpointUrl": "http://b"}, REPLACE),
    ({}, {"endpointUrl": "http://b"}, UPDATE),
    ({"endpointUrl": "http://a"}, {"endpointUrl": UNKNOWN}, UPDATE),
    ({"assumeRole": {"roleArn": ROLE}}, {"assumeRole": {"roleArn": OTHER_ROLE}}, REPLACE),
    (encoded({"assumeRole": {"roleArn": ROLE}}), encoded({"assumeRole": {"roleArn": OTHER_ROLE}}), REPLACE),
    ({"assumeRole": {"roleArn": ROLE}}, {"assumeRole": {"roleArn": ROLE + "2"}}, UPDATE),
    ({"assumeRole": {"roleArn": ROLE}}, {"assumeRole": {"roleArn": UNKNOWN}}, UPDATE),
    ({"assumeRole": {"roleArn": ROLE}}, {"assumeRole": UNKNOWN}, UPDATE),
    ({}, {"assumeRole": {"roleArn": ROLE}}, UPDATE),
    *(({key: "a"}, {key: "b"}, UPDATE) for key in ("profile", "accessKey", "secretKey", "token")),
    ({"maxAttempts": 5}, {"maxAttempts": 6}, UPDATE),
    ({"defaultTags": {"a": "1"}}, {"defaultTags": {"a": "2"}}, UPDATE),
    ({"allowedAccountIds": ["123456789012"]}, {"allowedAccountIds": ["210987654321"]}, UPDATE),
    ({"executeApiUrl": "http://a/{restApiId}"}, {"executeApiUrl": "http://b/{restApiId}"}, UPDATE),
    ({"endpoints": {"s3": "http://a"}}, {"endpoints": {"s3": "http://b"}}, UPDATE),
    ({"version": "1.0.0"}, {"version": "2.0.0"}, NONE),
], ids=lambda value: str(value)[:60])
def test_only_another_place_replaces(provider, olds, news, expected):
    response = diff(provider, olds, news)
    changes = {NONE: Diff.DIFF_NONE}.get(expected, Diff.DIFF_SOME)
    assert response.changes == changes and response.hasDetailedDiff
    kinds = {entry.kind for entry in response.detailedDiff.values()}
    replacing = {Kind.ADD_REPLACE, Kind.DELETE_REPLACE, Kind.UPDATE_REPLACE}
    assert (bool(response.replaces), bool(kinds & replacing)) == (expected == REPLACE,) * 2
    assert sorted(response.diffs) == sorted(response.detailedDiff)
    assert all(entry.inputDiff for entry in response.detailedDiff.values())


def test_an_old_engine_sends_no_old_inputs(provider):
    request = provider_pb2.DiffRequest(urn=URN, olds=struct({"region": "a-1"}), news=struct({"region": "b-1"}))
    assert list(provider.stub.DiffConfig(request).replaces) == ["region"]


@pytest.mark.parametrize("value", [5, "5"])
def test_the_encoding_of_a_value_is_no_change(provider, value):
    assert diff(provider, {"maxAttempts": value}, {"maxAttempts": 5}).changes == Diff.DIFF_NONE


# Configure


@pytest.mark.parametrize("config, words", [
    ({"regoin": "x"}, "did you mean `region`?"), ({"maxAttempts": "many"}, "whole number"),
    ({"assumeRole": {}}, "`assumeRole.roleArn` is missing"),
], ids=str)
def test_configure_refuses_what_check_would_have_refused(plugin, config, words):
    with Plugin(plugin) as provider, pytest.raises(grpc.RpcError) as caught:
        provider.configure(**config)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert words in caught.value.details()


def test_configure_says_nothing_of_secrets_that_it_refuses(plugin):
    with Plugin(plugin) as provider, pytest.raises(grpc.RpcError) as caught:
        provider.configure(token=secret(["hunter2"]), defaultTags=secret("hunter2"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("config", [
    {"region": "eu-central-1", "accessKey": "AKIA", "secretKey": "s"},
    {"region": secret("eu-central-1"), "accessKey": secret("AKIA"), "secretKey": secret("s")},
    encoded({"region": "eu-central-1", "assumeRole": {"roleArn": ROLE}, "allowedAccountIds": ["123456789012"]}),
    {"profile": "nobody's", "region": "eu-central-1"},
    {},
], ids=str)
def test_configure_is_offline(plugin, config):
    """Neither endpoint nor credentials nor files are there, and it does not notice."""
    env = {"HOME": "/nonexistent", "AWS_REGION": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    with Plugin(plugin, endpoint=CLOSED, env=env) as provider:
        provider.handshake()
        provider.configure(**config)


def signed(tap: Tap) -> set[tuple[str, str]]:
    """Keys and Regions of the calls, as their signatures name them."""
    credentials = [re.search(r"Credential=(\w+)/\d+/([^/]+)/", call.headers["authorization"]) for call in tap.calls]
    return {(found[1], found[2]) for found in credentials}


def create(provider, **inputs) -> None:
    """Nobody answers, but the calls show what was used."""
    with pytest.raises(grpc.RpcError):
        Resource(provider, "data").create({"waitForReady": False} | inputs)


OTHERS = {"AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "other", "AWS_SECRET_ACCESS_KEY": "other"}


@pytest.mark.parametrize("wrap", [lambda value: value, secret], ids=["plain", "secret"])
def test_what_is_configured_wins_over_the_environment(plugin, wrap):
    with Tap(CLOSED) as tap, Plugin(plugin, endpoint=CLOSED, env=OTHERS) as provider:
        provider.handshake()
        provider.configure(
            region=wrap("eu-central-1"), accessKey=wrap("AKIAOURS"), secretKey=wrap("s"), token=wrap("session"),
            endpointUrl=wrap(tap.url), maxAttempts=wrap("1"),
        )
        create(provider)
        assert signed(tap) == {("AKIAOURS", "eu-central-1")}
        assert {call.headers["x-amz-security-token"] for call in tap.calls} == {"session"}


@pytest.mark.parametrize("services", [{"s3"}, {"iam"}, {"apigateway"}], ids=str)
def test_a_services_own_endpoint_wins(plugin, services):
    with Tap(CLOSED) as tap, Tap(CLOSED) as own, Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure(endpoints=dict.fromkeys(services, own.url), maxAttempts=1)
        # The first look finds nothing; then all is begun at the same time.
        for each in (tap, own):
            each.inject(Answer(200, b'{"item": []}', {"Content-Type": "application/json"}), operation="GetRestApis")
        create(provider, name="own-endpoint")
        assert {call.service for call in own.calls} == services
        assert {call.service for call in tap.calls} == {"apigateway", "s3", "iam"} - services


def test_a_profile_that_is_configured_wins_over_keys_in_the_environment(plugin, tmp_path):
    """Else everything would be made in another account than the one that was named."""
    (tmp_path / "config").write_text(
        "[profile ours]\nregion = eu-central-1\naws_access_key_id = AKIAOURS\naws_secret_access_key = s\n")
    env = OTHERS | {"AWS_CONFIG_FILE": str(tmp_path / "config")}
    with Tap(CLOSED) as tap, Plugin(plugin, endpoint=tap.url, env=env) as provider:
        provider.handshake()
        provider.configure(profile="ours", maxAttempts=1)
        create(provider)
        assert {keys for keys, _ in signed(tap)} == {"AKIAOURS"}


def test_the_last_configuration_counts(plugin):
    with Plugin(plugin, endpoint=CLOSED) as provider:
        provider.handshake()
        resource = Resource(provider, "data")
        for region in ("eu-central-1", "cn-north-1"):
            provider.configure(region=region)
            partition = {"eu-central-1": "aws", "cn-north-1": "aws-cn"}[region]
            arn = resource.preview({"name": "data-1"})["bucketArn"]
            assert arn == f"arn:{partition}:s3:::data-1"


def test_secrets_of_the_configuration_come_back_as_secrets(provider):
    response = check(provider, {"accessKey": "AKIA", "secretKey": secret("hunter2"), "token": secret("hunter2")})
    assert exposed(plain(response.inputs), "hunter2") == []
    assert plain(response.inputs)["secretKey"] == {SIGNATURE: SECRET, "value": "hunter2"}
