"""Who gets in from where: the resource policies that the plugin writes, asked one by one as API Gateway asks them.

How a policy and an authorization go together is in AWS's tables: with no or Cognito's authorization a caller needs an
allowance of the policy; an AWS identity or a function's answer is one of its own, unless the policy denies.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""

import itertools
import json
import uuid
from dataclasses import dataclass

import pytest

from harness.aws import ACCOUNT, REGION
from harness.iam import Ask, allowed_each
from harness.rpc import Plugin, Resource, plain
from test_lifecycle import function, users

API = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5"
POOL = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_Ab1Cd2Ef3"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/somebody"
# What an AWS identity has, or a function answers, that lets a caller in.
LET_IN = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{API}/*"}]}

RANGES = ["203.0.113.0/24", "2001:db8::/32"]
RIGHT, WRONG = "vpce-0a1b2c3d4e5f67890", "vpce-09876f5e4d3c2b1a0"
ADDRESSES = {"203.0.113.77": True, "2001:db8::1": True, "198.51.100.1": False, "2001:db9::1": False}

AUTHORIZATIONS = {
    "NONE": {}, "AWS_IAM": {"authorization": "AWS_IAM"}, "COGNITO_USER_POOLS": users([POOL]), "CUSTOM": function(),
}
# Of these, what the answer of somebody else than the policy lets in.
BY_IDENTITY = ("AWS_IAM", "CUSTOM")


def statement(effect: str, resource: str) -> dict:
    return {"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": f"execute-api:/{resource}"}


# The user's own policies: statements, and whether they allow or deny a method below the path, or say nothing of it.
ALLOW_READS = statement("Allow", "prod/GET/data/*")
POLICIES = {
    "": (None, None),
    "reads": (ALLOW_READS, lambda method: method == "GET" or None),
    "no writes": ([statement("Allow", "*"), statement("Deny", "prod/PUT/data/*")], lambda method: method != "PUT"),
}

# Keys are anything, the names of methods among them.
REQUESTS = [("GET", "data/a/b.bin"), ("PUT", "data/a"), ("OPTIONS", "data/a/b.bin"), ("GET", "data/OPTIONS/a"),
            ("PUT", "data/prod/OPTIONS/data/a")]


@dataclass
class Case:
    """The policy of an API, with what it was made for."""

    kind: str
    ranges: bool
    ids: bool
    cors: bool
    own: str
    private: bool
    policy: dict | None

    def __str__(self) -> str:
        parts = {"addresses": self.ranges, "VPC endpoints": self.ids, "CORS": self.cors, self.own: self.own}
        there = ", ".join(part for part, there in parts.items() if there)
        return f"{'private' if self.private else 'public'}, {self.kind}, {there}"

    def contexts(self) -> list[tuple[dict, bool]]:
        """What API Gateway knows of where a caller is, and whether that is the right place."""
        if not self.private:
            return [({"aws:SourceIp": address}, right or not self.ranges) for address, right in ADDRESSES.items()]
        return [
            ({"aws:SourceVpce": id_, "aws:VpcSourceIp": address},
             (right or not self.ranges) and (id_ == RIGHT or not self.ids))
            for (address, right), id_ in itertools.product(ADDRESSES.items(), (RIGHT, WRONG))
        ]

    def lets_in(self, method: str, place: bool, identity: bool) -> bool:
        """What should come of a request."""
        told = POLICIES[self.own][1]
        says = told and told(method)
        if not place or says is False:
            return False
        if says or identity:
            return True
        if self.own:
            return False
        # Without the user's own, policies are there to refuse: they leave the rest as it is without them.
        return self.kind not in BY_IDENTITY or self.cors and method == "OPTIONS"

    def asks(self, identity: bool) -> dict[Ask, bool]:
        return {Ask("execute-api:Invoke", f"{API}/prod/{method}/{path}", context):
                self.lets_in(method, place, identity)
                for method, path in REQUESTS for context, place in self.contexts()}


def inputs(kind: str, ranges: bool, ids: bool, cors: bool, own: str, private: bool) -> dict:
    statements = POLICIES[own][0]
    parts = {
        "allowedIpRanges": ranges and RANGES, "cors": cors and {"allowOrigins": ["*"]},
        "policy": statements and json.dumps({"Version": "2012-10-17", "Statement": statements}),
        "endpoint": private and {"type": "PRIVATE"} | ({"vpcEndpointIds": [RIGHT]} if ids else {}),
    }
    return {"path": "data", "operations": ["GET", "PUT"], "waitForReady": False, **AUTHORIZATIONS[kind],
            **{name: part for name, part in parts.items() if part}}


def whole(policy: dict) -> dict:
    """A policy as API Gateway keeps it, with the API's whole name."""
    return json.loads(json.dumps(policy).replace("execute-api:/", f"{API}/"))


@pytest.fixture(scope="module")
def cases(aws, plugin):
    """The policies of every combination, out of the documents that previews of an update show."""
    found = []
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, f"places-{uuid.uuid4().hex[:8]}")
        resource.create({"path": "data", "waitForReady": False})
        for kind, ranges, ids, cors, own, private in itertools.product(
                AUTHORIZATIONS, (False, True), (False, True), (False, True), POLICIES, (False, True)):
            # Only a private endpoint has VPC endpoints, and it needs them or a policy.
            if ids and not private or private and not ids and not own:
                continue
            document = json.loads(resource.preview(inputs(kind, ranges, ids, cors, own, private))["openApiDocument"])
            policy = document.get("x-amazon-apigateway-policy")
            found.append(Case(kind, ranges, ids, cors, own, private, policy and whole(policy)))
        resource.delete()
    return found


def test_there_is_a_policy_where_one_is_asked_for(cases):
    assert len(cases) == len({str(case) for case in cases}) == 4 * 2 * (2 * 3 + 2 * 3 + 2 * 2)
    for case in cases:
        assert (case.policy is not None) == bool(case.ranges or case.ids or case.own), case


@pytest.mark.parametrize("identity", [False, True], ids=["nobody", "somebody"])
def test_who_gets_in_from_where(cases, identity):
    """`identity`: an AWS identity with a permission, or a function that lets in."""
    asked = [case for case in cases if case.policy and (case.kind in BY_IDENTITY or not identity)]
    asks = [case.asks(identity) for case in asked]
    told = allowed_each([(CALLER, LET_IN if identity else None, list(each), case.policy)
                         for case, each in zip(asked, asks)])
    wrong = [f"{case}: {ask.arn.removeprefix(API)} {ask.context} is {'' if answer else 'not '}let in"
             for case, each, answers in zip(asked, asks, told)
             for (ask, right), answer in zip(each.items(), answers) if answer != right]
    assert wrong == []
    # Both are among what was asked.
    assert {right for each in asks for right in each.values()} == {True, False}


def test_the_policy_is_what_api_gateway_gets(aws, plugin):
    """What a preview shows is what is there after the update."""
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, f"placed-{uuid.uuid4().hex[:8]}")
        made = resource.create(inputs("AWS_IAM", True, True, True, "", True))
        told = aws.client("apigateway").get_rest_api(restApiId=made["restApiId"])["policy"]
        document = json.loads(made["openApiDocument"])
        assert json.loads(json.loads(f'"{told}"')) == document["x-amazon-apigateway-policy"]
        assert plain(resource.read().properties) == made
        resource.delete()
