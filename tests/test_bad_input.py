"""What users get wrong, through the real CLI: an error that names it, in words that help, and nothing made."""

import copy
import json

import pytest

from harness.engine import PROXY, Result, Stack, python_program

PLANTED = "Hunter2"  # upper case, so that no rule lets it pass


def program(properties: dict, config: dict | None = None, **resources: dict) -> str:
    resources |= {"data": {"type": PROXY, "properties": properties}}
    return f"config: {json.dumps(config or {})}\nresources: {json.dumps(resources)}\n"


def untyped(properties: str) -> dict[str, str]:
    """A program in Python without the SDK, so that nobody but the plugin looks at the properties."""
    return python_program(
        f"import pulumi\nfrom pulumi import Output\npulumi.CustomResource('{PROXY}', 'data', {properties})\n")


@pytest.fixture(scope="module")
def shared(aws):
    """A stack in which nothing is ever made: a stack for each test takes most of the test's time."""
    with Stack(program({}), aws.url) as shared:
        yield shared


@pytest.fixture
def configured(shared):
    """A function that sets the provider's configuration in it, for one test."""
    keys = []

    def configure(key: str, value: str) -> None:
        keys.append(f"s3dataproxy:{key}")
        shared.set_config(keys[-1], value)

    yield configure
    for key in keys:
        shared.run("config", "rm", "--stack", shared.name, key)


def refused(made: Stack, aws, text: str | dict[str, str], resource: str = "data", **options) -> str:
    """What `up` of a program says of a resource; nothing is made and nothing is stored."""
    made.write(text)
    before = aws.inventory()
    result = made.up(fails=True, **options)
    told = "\n".join(result.messages("error", resource))
    assert told and "panic" not in str(result), str(result)
    assert aws.inventory() == before
    stored = list((made.folder / "state").rglob("stacks/**/*.json"))
    assert stored and not any(f'"type": "{PROXY}"' in file.read_text() for file in stored)
    return told


LONG = "x" * 64
BAD_NAMES = [
    ("ab", "3 to 63 characters, not 2"), (LONG, "3 to 63 characters, not 64"),
    ("My-Data", "no upper-case letters: write `my-data`"), ("my.data", "breaks HTTPS"), ("my_data", "take out `_`"),
    ("-data", "begins and ends with"), ("data-", "begins and ends with"),
    ("xn--data", "names that begin with `xn--`"), ("sthree-data", "begin with `sthree-`"),
    ("amzn-s3-demo-data", "begin with `amzn-s3-demo-`"), ("data-s3alias", "names that end with `-s3alias`"),
    ("data--ol-s3", "end with `--ol-s3`"), ("data--x-s3", "end with `--x-s3`"),
]


@pytest.mark.parametrize("name, words", BAD_NAMES, ids=[name for name, _ in BAD_NAMES])
def test_a_bad_bucket_name(shared, aws, name, words):
    told = refused(shared, aws, program({"name": name, "bucket": {"name": name}}))
    assert told.count(words) == 2
    assert "`name` is also the bucket's name" in told and "`bucket.name` cannot be used" in told


@pytest.mark.parametrize("path, words", [
    ("", "`path` is empty"), ("a//b", "`path` has an empty segment"), ("/a", "write `a`"), ("a/", "write `a`"),
    ("a/{id}", "`path` has no `{}`"), ("{proxy+}", "`path` has no `{}`"), ("a/../b", "`path` has the segment `..`"),
    ("a b", "take out ` `"), ("a?b", "take out `?`"), ("ä", "take out `ä`"),
])
def test_a_bad_path(shared, aws, path, words):
    told = refused(shared, aws, program({"path": path}))
    assert "property path value" in told and words in told


def test_wrong_types_and_unknown_properties(shared, aws):
    """All in one answer, each by its name, and the nearest right one."""
    told = refused(shared, aws, untyped(
        "{'name': 5, 'waitForReady': 'yes', 'operations': ['GET', 'FETCH', 7], 'tags': {'a': []}, "
        "'bucket': {'forceDestory': True, 'nmae': 'x'}, 'stagename': 'x', 'pth': 'x', 'Description': 'x'}"))
    for words in (
        "`name` must be a string, not a number", "`waitForReady` must be a boolean, not a string",
        "`operations[1]` must be one of `GET`, `HEAD`", "`operations[2]` must be a string, not a number",
        "`bucket.forceDestory`; did you mean `bucket.forceDestroy`?", "`bucket.nmae`; did you mean `bucket.name`?",
        "`tags.a` must be a string, not a list", "`stagename`; did you mean `stageName`?",
        "`pth`; did you mean `path`?", "`Description`; did you mean `description`?",
    ):
        assert words in told


@pytest.mark.parametrize("properties, words", [
    ({"stageName": "my stage"}, ["`stageName`"]), ({"operations": []}, ["`operations`"]),
    ({"operations": ["GET", "GET"]}, ["`operations`", "twice"]),
    ({"operations": ["POST"]}, ["`operations[0]`", "`HEAD`"]),
    ({"operations": ["HEAD"], "indexDocument": "index.html"}, ["`indexDocument`", "`GET`"]),
    ({"indexDocument": "a b"}, ["`indexDocument`", "index.html"]),
    ({"bucket": {"existing": True}}, ["`bucket.existing`", "`bucket.name`"]),
    ({"bucket": {"existing": True, "name": "b-1", "forceDestroy": True}}, ["`bucket.forceDestroy`", "never changed"]),
    ({"bucket": {"region": "eu-west-1"}}, ["`bucket.region`", "existing bucket"]),
    ({"bucket": {"prefix": "../a"}}, ["`bucket.prefix`", "models/v1"]),
    ({"bucket": {"kmsKeyArn": "alias/a"}}, ["`bucket.kmsKeyArn`", "arn:aws:kms"]),
    ({"cors": {"allowOrigins": ["example.com"]}}, ["`cors.allowOrigins[0]`", "https://"]),
    ({"cors": {"allowOrigins": ["*"], "allowCredentials": True}}, ["`cors.allowCredentials`", "`*`"]),
    ({"cors": {"allowOrigins": ["*"], "maxAgeSeconds": 86401}}, ["`cors.maxAgeSeconds`", "86400"]),
    ({"domain": {"name": "*.example.com", "certificateArn": "a", "basePath": "a/b"}},
     ["`domain.name`", "without a wildcard", "`domain.certificateArn`", "arn:aws:acm", "`domain.basePath`", "one segment"]),
    ({"authorizer": {"functionArn": "f"}}, ["`authorizer`", "`CUSTOM`"]),
    ({"authorization": "COGNITO_USER_POOLS"}, ["`authorizer.userPoolArns`", "at least one"]),
    ({"authorization": "CUSTOM", "authorizer": {"functionArn": "f", "resultTtlInSeconds": 3601}},
     ["`authorizer.functionArn`", "arn:aws:lambda", "`authorizer.resultTtlInSeconds`", "3600"]),
    ({"allowedIpRanges": ["10.0.0.1", "10.0.0.0/99"]}, ["`allowedIpRanges[0]`", "`allowedIpRanges[1]`", "203.0.113.0/24"]),
    ({"policy": "{'Statement': []}"}, ["`policy`", "no JSON", "column"]),
    ({"role": {"path": "research", "permissionsBoundaryArn": "b"}}, ["`role.path`", "`role.permissionsBoundaryArn`"]),
    ({"apiKeys": []}, ["`apiKeys` names no client"]),
    ({"apiKeys": ["a b"], "quota": {"limit": 0, "period": "DAY", "offset": 1}},
     ["`apiKeys[0]`", "`quota.limit`", "`quota.offset`"]),
    ({"quota": {"limit": 1, "period": "DAY"}}, ["`quota`", "there is no `apiKeys`"]),
    ({"throttle": {"rateLimit": -1, "burstLimit": 5}}, ["`throttle.rateLimit`", "a second"]),
    ({"throttle": {"rateLimit": 1, "burstLimit": 1 << 31}}, ["`throttle.burstLimit`", "2147483647"]),
    ({"tags": {"aws:team": "x"}}, ["`tags[\"aws:team\"]`"]), ({"tags": {"s3dataproxy:owner": "x"}}, ["owner"]),
    ({"tags": {f"t{number}": "x" for number in range(50)}}, ["`tags`", "49"]),
], ids=lambda value: str(value)[:40])
def test_other_bad_values(shared, aws, properties, words):
    told = refused(shared, aws, program(properties))
    assert [word for word in words if word not in told] == []


# Secrets


@pytest.mark.parametrize("properties", [
    {"name": {"fn::secret": PLANTED}}, {"bucket": {"name": {"fn::secret": PLANTED}}},
    {"bucket": {"fn::secret": {"name": PLANTED}}}, {"path": {"fn::secret": f"/{PLANTED}"}},
    {"stageName": {"fn::secret": f"{PLANTED}!"}}, {"tags": {"a": {"fn::secret": f"<{PLANTED}>"}}},
], ids=str)
def test_a_secret_that_is_wrong_is_not_printed(shared, aws, properties):
    """A literal one: the CLI hides only those that it has from the stack's settings."""
    shared.write(program(properties))
    before = aws.inventory()
    result = shared.up(fails=True)
    assert next(iter(properties)) in "\n".join(result.messages("error", "data"))
    for hidden in (PLANTED, PLANTED.lower()):
        assert hidden not in result.stdout + result.stderr + json.dumps(result.events)
    assert aws.inventory() == before


def test_a_secret_setting_as_bucket_name_is_not_printed(stack, aws):
    made = stack(program({"bucket": {"name": "${planted}"}}, {"planted": {"type": "string"}}))
    made.set_config("planted", PLANTED, "--secret")
    result = made.up(fails=True)
    assert "`bucket.name` cannot be used" in result.stdout
    assert PLANTED not in str(result) and PLANTED.lower() not in str(result)


# The provider's configuration


@pytest.mark.parametrize("key, value, words", [
    ("regoin", "x", ["`regoin`", "did you mean `region`?"]), ("region", "Frankfurt!", ["`region`", "`eu-central-1`"]),
    ("maxAttempts", "many", ["`maxAttempts`", "whole number"]), ("maxAttempts", "-1", ["`maxAttempts`"]),
    ("endpointUrl", "127.0.0.1", ["`endpointUrl`", "http://"]), ("accessKey", "AKIA", ["`secretKey` is not"]),
    ("executeApiUrl", "http://127.0.0.1", ["`executeApiUrl`", "{restApiId}"]),
    ("assumeRole", '{"roleArn": "me"}', ["`assumeRole.roleArn`", "ARN of a role"]),
    ("allowedAccountIds", "[123]", ["`allowedAccountIds[0]`"]),
    ("defaultTags", '{"aws:x": "y"}', ["`defaultTags[\"aws:x\"]`"]),
], ids=str)
def test_bad_configuration(shared, configured, aws, key, value, words):
    configured(key, value)
    told = refused(shared, aws, program({}), "default")
    assert [word for word in words if word not in told] == []


def test_a_secret_of_the_configuration_is_not_printed(shared, aws):
    provider = {"type": "pulumi:providers:s3dataproxy", "properties": {"token": {"fn::secret": PLANTED}}}
    told = refused(shared, aws, program({}, provider=provider), "provider")
    assert "`token`" in told and PLANTED not in told


def test_another_account(shared, configured, aws):
    configured("allowedAccountIds", '["123456789012"]')
    told = refused(shared, aws, program({}))
    assert "000000000000" in told and "allowedAccountIds" in told


# The way to AWS

NOBODY = "http://127.0.0.1:1"
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.mark.parametrize("operation", ["up", "preview"])
@pytest.mark.parametrize("removed, words", [
    (["AWS_REGION"], ["no AWS Region is set", "`pulumi config set s3dataproxy:region REGION`", "`AWS_REGION`"]),
    (list(NO_KEYS), ["no usable AWS credentials", "`AWS_ACCESS_KEY_ID`", "`profile`"]),
], ids=["no region", "no credentials"])
def test_what_is_missing(shared, aws, tmp_path, monkeypatch, removed, words, operation):
    shared.write(program({}))
    before = aws.inventory()
    assert shared.env["AWS_EC2_METADATA_DISABLED"] == "true"
    env = {key: value for key, value in shared.env.items() if key not in removed} | {"HOME": str(tmp_path)}
    monkeypatch.setattr(shared, "env", env)
    result: Result = getattr(shared, operation)(fails=True)
    told = "\n".join(result.messages("error", "data"))
    assert [word for word in words if word not in told] == []
    assert aws.inventory() == before


@pytest.mark.parametrize("empty, words", [
    ({"AWS_REGION": ""}, "no AWS Region is set"), (NO_KEYS, "no usable AWS credentials"),
], ids=["region", "keys"])
def test_what_is_empty_is_missing(stack, aws, empty, words):
    assert words in refused(stack(program({})), aws, program({}), env=empty)


def test_an_endpoint_that_nobody_answers(stack, aws):
    """That it gives up at all is what the time limit of the command holds."""
    told = refused(stack(program({})), aws, program({}), env={"AWS_ENDPOINT_URL": NOBODY}, timeout=120)
    assert f"no connection to {NOBODY}" in told and "`endpointUrl`" in told
    assert "dispatch failure" not in told


def test_an_endpoint_of_the_configuration_that_nobody_answers(stack, aws):
    """It wins over the environment's, where somebody would."""
    made = stack(program({}))
    made.set_config("s3dataproxy:endpointUrl", NOBODY)
    assert f"no connection to {NOBODY}" in refused(made, aws, program({}), timeout=120)


def test_an_endpoint_of_one_service_that_nobody_answers(stack, aws):
    """The others are made, saved and gone with a destroy: nothing can be where no connection ever was."""
    made = stack(program({}))
    made.set_config("s3dataproxy:endpoints", json.dumps({"apigateway": NOBODY}))
    before = aws.inventory()
    result = made.up(fails=True, timeout=120)
    assert f"no connection to {NOBODY}" in (told := "\n".join(result.messages("error", "data")))
    assert "`endpoints.apigateway`" in told
    made.destroy()
    assert aws.inventory() == before


# Stored states

@pytest.mark.parametrize("damage, words", [
    (lambda state: state.update(region=5), ["damaged", "`pulumi state delete`"]),
    (lambda state: state.update(version=99), ["version 99", "install the newer s3dataproxy plugin"]),
], ids=["damaged", "newer"])
def test_a_state_that_is_no_use(stack, aws, damage, words):
    made = stack(program({"description": "d"}))
    made.up()
    good = made.export()
    bad = copy.deepcopy(good)
    damage(proxy(bad)["outputs"]["__state"])
    made.import_state(bad)
    before = aws.inventory()
    made.write(program({"description": "other"}))
    for operation in (made.preview, made.up, made.refresh, made.destroy):
        result = operation(fails=True)
        told = "\n".join(result.messages("error", "data"))
        assert [word for word in words if word not in told] == [] and "panic" not in str(result), str(result)
    assert aws.inventory() == before
    # Nothing of it was changed, so that what was good is good again.
    made.import_state(good)
    assert made.up().changes == {"same": 1, "update": 1}


def proxy(state: dict) -> dict:
    [resource] = [resource for resource in state["deployment"]["resources"] if resource["type"] == PROXY]
    return resource


def test_a_state_that_is_missing_comes_back_with_a_refresh(stack, aws):
    made = stack(program({}))
    made.up()
    state = made.export()
    resource = proxy(state)
    del resource["outputs"]["__state"]
    made.import_state(state)
    result = made.up(fails=True)
    assert "`pulumi refresh`" in "\n".join(result.messages("error", "data"))
    made.refresh()
    assert made.up().changes == {"same": 2}


def test_an_older_state(stack, aws):
    """Fields that a later version has added are missing; those that it knows no more are there."""
    made = stack(program({"tags": {"a": "1"}}))
    made.up()
    state = made.export()
    resource = proxy(state)
    resource["outputs"]["__state"]["old"] = {"x": 1}
    resource["outputs"]["__state"]["stage"]["old"] = "x"
    resource["inputs"]["old"] = {"x": 1}
    made.import_state(state)
    assert made.preview().changes == {"same": 2}
    made.refresh()
    assert made.up().changes == {"same": 2}
    made.import_state(state)
    made.destroy()
    assert made.resources() == []
