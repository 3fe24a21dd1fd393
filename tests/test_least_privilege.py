"""The role may do what its operations need, and nothing else: its policies, as the plugin puts them, asked one by one."""

import itertools
import math
import uuid

import pytest

from harness.aws import ACCOUNT, REGION
from harness.faults import Error
from harness.iam import Ask, actions, allowed_each
from harness.rpc import Plugin, Resource, wipe
from harness.tap import Tap
from test_lifecycle import KEY

ELSEWHERE = "eu-west-1"
VERBS = ["GET", "HEAD", "LIST", "PUT", "DELETE"]
SUBSETS = [list(verbs) for size in range(1, 6) for verbs in itertools.combinations(VERBS, size)]
# The bucket: inputs and Region.
PLACES = {
    "own": ({}, REGION), "versioned": ({"versioning": True}, REGION),
    "existing": ({"existing": True}, REGION), "another Region": ({"existing": True, "region": ELSEWHERE}, ELSEWHERE),
}
# The key's own policy leaves it to the account's, as AWS's default does.
KEY_POLICY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}]}

# What each operation needs on objects and on their key:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
OBJECTS = {
    "GET": {"s3:GetObject", "s3:GetObjectVersion"}, "HEAD": {"s3:GetObject", "s3:GetObjectVersion"}, "LIST": set(),
    "PUT": {"s3:PutObject", "s3:GetObject"}, "DELETE": {"s3:DeleteObject"},
}
KEYS = {"GET": {"kms:Decrypt"}, "HEAD": {"kms:Decrypt", "kms:GenerateDataKey"}, "LIST": set(),
        "PUT": {"kms:GenerateDataKey"}, "DELETE": set()}


class Case:
    """One policy, with what it was made for."""

    def __init__(self, place: str, bucket: str, verbs: list[str], prefix: str, key: bool, policy: dict):
        self.place, self.verbs, self.prefix, self.key, self.policy = place, verbs, prefix, key, policy
        self.arn = f"arn:aws:s3:::{bucket}"
        self.region = PLACES[place][1]

    def __str__(self) -> str:
        return f"{'+'.join(self.verbs)} in {self.place}, prefix {self.prefix!r}, key {self.key}"

    @property
    def object(self) -> str:
        return f"{self.arn}/{self.prefix and self.prefix + '/'}a/b.bin"

    def on_objects(self) -> set[str]:
        return set().union(*(OBJECTS[verb] for verb in self.verbs))

    def lists(self) -> dict[Ask, bool]:
        """With and without a prefix: a look for a missing key has none, a list has always one where we have one."""
        reads, any_list = {"GET", "HEAD"} & {*self.verbs}, {"GET", "HEAD", "LIST"} & {*self.verbs}
        below = f"{self.prefix}/" if self.prefix else ""
        asks = {Ask("s3:ListBucket", self.arn): bool(reads or any_list and not self.prefix)}
        for prefix in (below, below + "a"):
            asks[Ask("s3:ListBucket", self.arn, {"s3:prefix": prefix})] = bool(any_list)
        for prefix in ("", self.prefix, f"{self.prefix}2/", "other/") if self.prefix else ():
            asks[Ask("s3:ListBucket", self.arn, {"s3:prefix": prefix})] = False
        return asks

    def elsewhere(self) -> dict[Ask, bool]:
        """The same actions on what is another's."""
        objects = [f"{self.arn}2/{self.prefix}/a"]
        if self.prefix:
            objects += [f"{self.arn}/{key}" for key in ("a", f"{self.prefix}2/a", f"x/{self.prefix}/a")]
        asks = {Ask(action, arn): False for action in sorted(self.on_objects()) for arn in objects}
        return asks | {Ask("s3:ListBucket", self.arn + "2"): False}

    def sweep(self, every: dict[str, list[str]]) -> dict[Ask, bool]:
        """All actions of S3 on the bucket and on an object."""
        asks = {}
        for action, patterns in every.items():
            named = {"arn:${Partition}:s3:::${BucketName}": self.arn,
                     "arn:${Partition}:s3:::${BucketName}/${ObjectName}": self.object}
            arns = [named[pattern] for pattern in patterns if pattern in named] if patterns else ["*"]
            for arn in arns:
                if action != "s3:ListBucket":
                    asks[Ask(action, arn)] = arn == self.object and action in self.on_objects()
        return asks

    def keys(self, every: dict[str, list[str]]) -> dict[Ask, bool]:
        """All actions of KMS on the key, and those that are needed by other ways and on other keys."""
        needed = set().union(*(KEYS[verb] for verb in self.verbs)) if self.key else set()
        arn = KEY.replace(REGION, self.region)
        via = {"kms:ViaService": f"s3.{self.region}.amazonaws.com"}
        asks = {}
        for action, patterns in every.items():
            if "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}" in patterns:
                asks[Ask(action, arn)] = False
        for action in ("kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt"):
            asks[Ask(action, arn, via)] = action in needed
            asks[Ask(action, arn + "2", via)] = False
            for other in ("s3.us-west-2.amazonaws.com", f"dynamodb.{self.region}.amazonaws.com"):
                asks[Ask(action, arn, {"kms:ViaService": other})] = False
        return asks


@pytest.fixture(scope="module")
def role() -> str:
    return f"least-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def cases(aws, plugin, tmp_path_factory, role):
    """A policy for every combination, as it is in the role after the plugin has put it there."""
    found, iam = [], aws.client("iam")
    existing = {place: f"{role}-{place.split()[0]}" for place in ("existing", "another Region")}
    aws.client("s3").create_bucket(Bucket=existing["existing"])
    aws.client("s3", ELSEWHERE).create_bucket(
        Bucket=existing["another Region"], CreateBucketConfiguration={"LocationConstraint": ELSEWHERE})
    with Tap(aws.url) as tap, Plugin(plugin, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure()
        for number, (place, (bucket, _)) in enumerate(PLACES.items()):
            name = f"{role}-{number}"
            resource = Resource(provider, name)
            base = bucket | ({"name": existing[place]} if place in existing else {})
            resource.create({"name": name, "path": "/", "waitForReady": False, "bucket": base})
            # The policy is what is looked at: it is quick where the content, which the path is part of, is refused.
            tap.inject(Error("BadRequestException", 400), operation="PutRestApi", times=math.inf)
            key_arn = KEY.replace(REGION, PLACES[place][1])
            # The Region is in the policy only where there is a key, and otherwise the place is not in it.
            whole = [key for key in (False, True) if place == "own" or place == "another Region" and key]
            for key, prefix, verbs in itertools.product((False, True), ("", "data"), SUBSETS):
                if key not in whole and verbs != VERBS:
                    continue
                inputs = base | ({"prefix": prefix} if prefix else {}) | ({"kmsKeyArn": key_arn} if key else {})
                inputs = {"name": name, "waitForReady": False, "operations": verbs, "bucket": inputs}
                resource.fail_half_way(lambda: resource.update(inputs))
                policy = iam.get_role_policy(RoleName=name, PolicyName="s3dataproxy")["PolicyDocument"]
                found.append(Case(place, base.get("name", name), verbs, prefix, key, policy))
            trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
            tap.reset()
            resource.delete()
    for bucket in existing.values():
        aws.client("s3").delete_bucket(Bucket=bucket)
    yield found, trust
    wipe(aws, role)


def wrong(cases: list[Case], asks: list[dict[Ask, bool]], resource: dict | None = None) -> list[str]:
    """What is allowed and should not be, and the other way round."""
    principal = f"arn:aws:iam::{ACCOUNT}:role/any"
    told = allowed_each([(principal, case.policy, list(each), resource) for case, each in zip(cases, asks)])
    return [f"{case}: {ask} is {'' if answer else 'not '}allowed"
            for case, each, answers in zip(cases, asks, told)
            for (ask, right), answer in zip(each.items(), answers) if answer != right]


def test_there_is_a_policy_for_every_combination(cases):
    found, _ = cases
    assert len(found) == len({str(case) for case in found}) == 6 * 31 + 2 * 4 + 2


def test_objects_and_lists(cases):
    found, _ = cases
    asks = [{Ask(action, case.object): True for action in case.on_objects()} | case.lists() | case.elsewhere()
            for case in found]
    assert wrong(found, asks) == []


def test_no_other_action_of_s3(cases):
    """With everything that can be in a policy at once, for every set of operations."""
    found = [case for case in cases[0] if case.key and case.prefix and case.place == "own"]
    every = actions("s3")
    assert {"s3:PutObjectAcl", "s3:PutBucketPolicy", "s3:DeleteObjectVersion", "s3:DeleteBucket"} <= every.keys()
    assert wrong(found, [case.sweep(every) for case in found]) == []


def test_the_key_through_s3_alone(cases):
    found = [case for case in cases[0] if case.place == "another Region" or case.verbs == VERBS]
    every = actions("kms")
    # Most actions need one look, not one for each combination.
    asks = [case.keys(every if case.verbs == VERBS else {}) for case in found]
    assert wrong(found, asks, KEY_POLICY) == []


def test_only_api_gateway_assumes_it(cases):
    """The trust policy, asked for services, for the account itself and for others."""
    _, trust = cases
    role = f"arn:aws:iam::{ACCOUNT}:role/any"
    principals = {
        "apigateway.amazonaws.com": True, "lambda.amazonaws.com": False, "ec2.amazonaws.com": False,
        f"arn:aws:iam::{ACCOUNT}:user/somebody": False, f"arn:aws:iam::{ACCOUNT}:role/another": False,
        "arn:aws:iam::111111111111:user/somebody": False,
    }
    told = allowed_each([(principal, None, [Ask("sts:AssumeRole", role)], trust) for principal in principals])
    assert dict(zip(principals, told)) == {principal: [right] for principal, right in principals.items()}
