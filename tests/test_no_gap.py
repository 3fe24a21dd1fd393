"""Forty updates, one after the other, while a client asks for an object all the time: it never fails to get it."""

import json
import threading
import time
from collections import Counter

import pytest
import requests

from harness.aws import ACCOUNT, REGION
from test_given_role import TRUST
from test_lifecycle import BOUNDARY, OTHER_BOUNDARY, POLICY, TLS13, TLSPQ, one
from test_web_acl import make_web_acl

CONTENT = b"the data"
LIMIT = {"rateLimit": 5000, "burstLimit": 5000}
GIVEN = "no-gap-given"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/a"
EVERYBODY = POLICY.replace("/prod/GET/v1/*", "/*")


def domain(name: str, **more) -> dict:
    return {"name": f"no-gap-{name}.example.com", "certificateArn": CERTIFICATE, **more}


# What is added to the inputs with each update; None takes it away.
UPDATES = [
    {"description": "words"},
    {"tags": {"team": "a"}},
    {"throttle": LIMIT},
    {"throttle": LIMIT | {"rateLimit": 6000}},
    {"metricsEnabled": True},
    {"tracingEnabled": True},
    {"tracingEnabled": None},
    {"accessLog": {}},
    {"accessLog": {"format": "$context.requestId", "retentionInDays": 7}},
    {"accessLog": None, "executionLog": {"level": "INFO"}},
    {"executionLog": None},
    {"cache": {}},
    {"cache": {"sizeGb": 1.6, "ttlSeconds": 0}},
    {"cache": None},
    {"role": {"arn": f"arn:aws:iam::{ACCOUNT}:role/{GIVEN}"}},
    {"role": None},
    {"role": {"permissionsBoundaryArn": BOUNDARY}},
    {"role": {"permissionsBoundaryArn": OTHER_BOUNDARY}},
    {"role": None},
    {"domain": domain("a")},
    {"domain": domain("a", basePath="v1")},
    {"endpoint": {"type": "EDGE"}},
    {"endpoint": {"securityPolicy": TLS13}},
    {"endpoint": {"securityPolicy": TLSPQ, "ipAddressType": "dualstack"}},
    {"domain": domain("b")},
    {"domain": None, "endpoint": None},
    {"cors": {"allowOrigins": ["https://a.example"]}},
    {"cors": {"allowOrigins": ["https://a.example", "https://b.example"]}},
    {"cors": None},
    {"operations": ["GET", "LIST", "PUT"]},
    {"allowedIpRanges": ["0.0.0.0/0"]},
    {"policy": EVERYBODY},
    {"allowedIpRanges": None, "policy": None},
    {"quota": {"limit": 1_000_000, "period": "MONTH"}},
    {"quota": {"limit": 2_000_000, "period": "WEEK"}},
    {"apiKeys": ["poller", "another"]},
    {"apiKeys": ["poller"]},
    {"quota": None, "throttle": None, "metricsEnabled": None},
    {"indexDocument": "index.html", "operations": None},
    # Who has a key still sends it.
    {"apiKeys": None},
]


class Client:
    """Asks for an object over and over, and counts what it gets."""

    def __init__(self, url: str, key: str):
        self.got, self._url, self._key = Counter(), url, key
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._run)

    def _run(self) -> None:
        with requests.Session() as session:
            while not self._stop.wait(0.01):
                try:
                    answer = session.get(self._url, headers={"x-api-key": self._key}, timeout=30)
                    self.got[(answer.status_code, answer.content)] += 1
                except requests.RequestException as error:
                    self.got[repr(error)] += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


@pytest.fixture
def given(aws):
    """A role that was made elsewhere. It has no policy here: the local AWS enforces none."""
    iam = aws.client("iam")
    iam.create_role(RoleName=GIVEN, AssumeRolePolicyDocument=json.dumps(TRUST))
    yield
    iam.delete_role(RoleName=GIVEN)


def test_no_update_interrupts_the_url(aws, given, stack):
    inputs = {"name": "no-gap", "apiKeys": ["poller"], "bucket": {"forceDestroy": True}, "waitForReady": False}
    outputs = "outputs: { url: '${data.invokeUrl}', keys: '${data.apiKeyValues}' }\n"
    made = stack(one("data", inputs) + outputs)
    made.up()
    aws.client("s3").put_object(Bucket="no-gap", Key="a", Body=CONTENT)
    told = made.outputs()
    web_acls = [{"webAclArn": make_web_acl(aws, f"no-gap-{name}")["ARN"]} for name in "ab"] + [{"webAclArn": None}]
    with Client(f"{told['url']}/a", told["keys"]["poller"]) as client:
        for update in [*web_acls, *UPDATES]:
            before = client.got.total()
            inputs |= update
            made.write(one("data", {name: value for name, value in inputs.items() if value is not None}))
            assert made.up().changes.get("update") == 1, update
            assert set(client.got) == {(200, CONTENT)}, (update, client.got)
            assert client.got.total() > before, "nobody asked meanwhile"
        time.sleep(0.2)
    assert set(client.got) == {(200, CONTENT)}, client.got
