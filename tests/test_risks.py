"""Risks and costs are told in the preview, once, with the properties that change them; and only there."""

import pytest

from harness.aws import ACCOUNT, REGION
from harness.engine import Fleet
from test_lifecycle import one

OPEN = "everybody who knows the URL may call it"
WRITES = "everybody who knows the URL may write objects"
DELETES = "everybody who knows the URL may delete objects"
BOTH = "everybody who knows the URL may write and delete objects"
CLIENTS_WRITE = "whoever has an API key may write objects"
CACHED = "a cache is charged by the hour"
TRACED = "headers and bodies of requests and answers are written to the execution log"
TWICE = "the URL that API Gateway gives answers besides the one of `domain`"
SIGNED = {"authorization": "AWS_IAM"}
LIMITED = {"throttle": {"rateLimit": 9, "burstLimit": 9}}
PRIVATE = {"endpoint": {"type": "PRIVATE", "vpcEndpointIds": ["vpce-1"]}}
DOMAIN = {"domain": {"name": "data.example.com", "certificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/a"}}


def told(result) -> list[str]:
    return result.messages("warning", "data")


# What a program says, and what a preview of it warns of: the risk, and the properties that change it.
RISKS = {
    "open": ({}, {OPEN: ["throttle", "authorization", "apiKeys", "allowedIpRanges"]}),
    "writes": ({"operations": ["GET", "PUT"]},
               {OPEN: [], WRITES: ["authorization", "allowedIpRanges", "PUT", "operations"]}),
    "deletes": ({"operations": ["DELETE"], **LIMITED}, {DELETES: ["DELETE"]}),
    "both": ({"operations": ["PUT", "GET", "DELETE"], **LIMITED}, {BOTH: ["PUT", "DELETE"]}),
    "clients": ({"operations": ["GET", "PUT"], "apiKeys": ["a"]}, {CLIENTS_WRITE: ["PUT"]}),
    "cache": ({"cache": {}, **LIMITED}, {CACHED: ["cache"]}),
    "trace": ({"executionLog": {"dataTrace": True}, **SIGNED}, {TRACED: ["executionLog.dataTrace"]}),
    "domain": ({**DOMAIN, **LIMITED}, {TWICE: ["endpoint.disableExecuteApi"]}),
    "all": ({"operations": ["GET", "PUT"], "cache": {}, "executionLog": {"dataTrace": True}, **DOMAIN},
            {OPEN: [], WRITES: [], CACHED: [], TWICE: [], TRACED: []}),
    # Each by one of the properties that its warning names.
    "limited": (LIMITED, {}),
    "signed": ({"operations": ["GET", "PUT"], **SIGNED}, {}),
    "near": ({"operations": ["PUT", "DELETE"], "allowedIpRanges": ["203.0.113.0/24"]}, {}),
    "untraced": ({"executionLog": {"dataTrace": False}, **LIMITED}, {}),
    "only-the-domain": ({**DOMAIN, **LIMITED, "endpoint": {"disableExecuteApi": True}}, {}),
    "both-urls": ({**DOMAIN, **LIMITED, "endpoint": {"disableExecuteApi": False}}, {}),
    # Nobody outside a VPC gets there.
    "private": ({"operations": ["GET", "PUT", "DELETE"], **PRIVATE}, {}),
}


@pytest.fixture(scope="module")
def previewed(aws, tmp_path_factory):
    """One preview of all of them."""
    with Fleet(aws.url, tmp_path_factory.mktemp("risks")) as fleet:
        fleet.write({name: inputs for name, (inputs, _) in RISKS.items()})
        yield fleet.stack.preview()


@pytest.mark.parametrize("name", RISKS)
def test_a_preview_tells_risks(previewed, name):
    _, expected = RISKS[name]
    warnings = previewed.messages("warning", name)
    assert len(warnings) == len(expected), warnings
    for warning, (risk, properties) in zip(warnings, expected.items()):
        assert warning.startswith(risk) and all(f"`{name}`" in warning for name in properties), warning


def test_a_risk_is_told_once(stack):
    made = stack(one("data", {"waitForReady": False}))
    assert told(made.up()) == []  # without a preview
    assert told(made.preview()) == []
    made.write(one("data", {"waitForReady": False, "path": "elsewhere"}))
    assert told(made.preview()) == []
    made.write(one("data", {"waitForReady": False, "operations": ["GET", "PUT"]}))
    [warning] = told(made.preview())
    assert WRITES in warning and "`PUT`" in warning
    made.up()
    made.write(one("data", {"waitForReady": False, "operations": ["GET"], **SIGNED}))
    assert told(made.preview()) == []
