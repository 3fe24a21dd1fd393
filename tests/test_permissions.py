"""The IAM policy that users are told to give the plugin grants what its calls need, and nothing else."""

import json
import re

import pytest

from harness import ROOT
from harness.engine import PROXY, Stack
from harness.faults import Answer, Error, Lost
from harness.tap import Tap
from test_lifecycle import BOUNDARY, FUNCTION, KEY, left, one

POLICY = ROOT / "docs/permissions.json"

BUCKET, OBJECTS = "arn:aws:s3:::NAME*", "arn:aws:s3:::NAME*/*"
ROLE = "arn:aws:iam::ACCOUNT:role/NAME*"
# The one that lets API Gateway write logs, which an administrator has made for the account.
LOGS_ROLE = "arn:aws:iam::ACCOUNT:role/LOGS_ROLE"
LOG_GROUP, EXECUTION_LOGS, LOG_GROUPS = (
    f"arn:aws:logs:REGION:ACCOUNT:log-group:{name}" for name in ("/aws/apigateway/NAME*", "API-Gateway-Execution-Logs_*", "*"))
APIS, API, TAGS = (f"arn:aws:apigateway:REGION::/{path}" for path in ("restapis", "restapis/*", "tags/*"))
PLANS, PLAN, KEYS, ANY_KEY = (
    f"arn:aws:apigateway:REGION::/{path}" for path in ("usageplans", "usageplans/*", "apikeys", "apikeys/*"))

# What each operation needs: actions and what they apply to. Where it is not the operation's own name:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html
NEEDS = {
    "s3": {
        # With an ownership header and tags.
        "CreateBucket": {"s3:CreateBucket": BUCKET, "s3:PutBucketOwnershipControls": BUCKET, "s3:TagResource": BUCKET},
        **{name: {f"s3:{name}": BUCKET} for name in (
            "DeleteBucket", "GetBucketTagging", "PutBucketTagging", "GetBucketPolicy", "PutBucketPolicy",
            "DeleteBucketPolicy", "GetBucketVersioning", "PutBucketVersioning")},
        **{name: {f"s3:{action}": BUCKET} for name, action in {
            "GetBucketEncryption": "GetEncryptionConfiguration", "PutBucketEncryption": "PutEncryptionConfiguration",
            "DeleteBucketEncryption": "PutEncryptionConfiguration", "GetBucketCors": "GetBucketCORS",
            "PutBucketCors": "PutBucketCORS", "DeleteBucketCors": "PutBucketCORS"}.items()},
        "HeadBucket": {"s3:ListBucket": "arn:aws:s3:::EXISTING"},
        "ListObjectVersions": {"s3:ListBucketVersions": BUCKET},
        "ListMultipartUploads": {"s3:ListBucketMultipartUploads": BUCKET},
        # With version ids.
        "DeleteObjects": {"s3:DeleteObject": OBJECTS, "s3:DeleteObjectVersion": OBJECTS},
        "AbortMultipartUpload": {"s3:AbortMultipartUpload": OBJECTS},
    },
    "iam": {
        # With tags.
        "CreateRole": {"iam:CreateRole": ROLE, "iam:TagRole": ROLE},
        "GetRole": {"iam:GetRole": [ROLE, LOGS_ROLE]},
        **{name: {f"iam:{name}": ROLE} for name in (
            "DeleteRole", "UpdateAssumeRolePolicy", "TagRole", "UntagRole", "GetRolePolicy", "PutRolePolicy",
            "DeleteRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary")},
    },
    "apigateway": {
        # With tags.
        "CreateRestApi": {"apigateway:POST": APIS, "apigateway:PUT": TAGS},
        "CreateStage": {"apigateway:POST": API, "apigateway:PUT": TAGS},
        "GetRestApis": {"apigateway:GET": APIS},
        **{name: {"apigateway:GET": API} for name in ("GetRestApi", "GetResources", "GetGatewayResponses", "GetAuthorizers",
                                                        "GetStage", "GetStages")},
        # The document names the role, and has the resource policy:
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html
        "PutRestApi": {"apigateway:PUT": API, "apigateway:UpdateRestApiPolicy": API, "iam:PassRole": ROLE},
        **{name: {"apigateway:PATCH": API} for name in ("UpdateRestApi", "UpdateStage")},
        "CreateDeployment": {"apigateway:POST": API},
        **{name: {"apigateway:DELETE": API} for name in ("DeleteRestApi", "DeleteDeployment", "DeleteStage")},
        # With tags.
        "CreateUsagePlan": {"apigateway:POST": PLANS, "apigateway:PUT": TAGS},
        "CreateApiKey": {"apigateway:POST": KEYS, "apigateway:PUT": TAGS},
        "CreateUsagePlanKey": {"apigateway:POST": PLAN},
        "GetUsagePlans": {"apigateway:GET": PLANS},
        "GetApiKeys": {"apigateway:GET": KEYS},
        **{name: {"apigateway:GET": PLAN} for name in ("GetUsagePlan", "GetUsagePlanKeys", "GetUsagePlanKey")},
        "UpdateUsagePlan": {"apigateway:PATCH": PLAN},
        "UpdateApiKey": {"apigateway:PATCH": ANY_KEY},
        **{name: {"apigateway:DELETE": PLAN} for name in ("DeleteUsagePlan", "DeleteUsagePlanKey")},
        "DeleteApiKey": {"apigateway:DELETE": ANY_KEY},
        "TagResource": {"apigateway:PUT": TAGS},
        "UntagResource": {"apigateway:DELETE": TAGS},
        "GetAccount": {"apigateway:GET": "arn:aws:apigateway:REGION::/account"},
    },
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    "logs": {
        # With tags.
        "CreateLogGroup": {"logs:CreateLogGroup": LOG_GROUP, "logs:TagResource": LOG_GROUP},
        "DeleteLogGroup": {"logs:DeleteLogGroup": [LOG_GROUP, EXECUTION_LOGS]},
        # It lists, so it is asked of all.
        "DescribeLogGroups": {"logs:DescribeLogGroups": LOG_GROUPS},
        **{name: {f"logs:{name}": LOG_GROUP} for name in (
            "PutRetentionPolicy", "DeleteRetentionPolicy", "AssociateKmsKey", "DisassociateKmsKey",
            "ListTagsForResource", "TagResource", "UntagResource")},
    },
    # Nobody needs a permission for it: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    "sts": {"GetCallerIdentity": {}},
}


OTHER_TRUST = {"Version": "2012-10-17", "Statement": {
    "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}


@pytest.fixture(scope="module")
def seen(aws, tmp_path_factory) -> set[tuple[str, str]]:
    """(service, operation) of every call in a life with everything in it."""
    s3, iam, api = aws.client("s3"), aws.client("iam"), aws.client("apigateway")
    with Tap(aws.url) as tap, Stack("", tap.url, folder=tmp_path_factory.mktemp("permissions")) as stack:
        def up(**inputs):
            stack.write(one("allowed", {"name": "allowed", "waitForReady": False, **inputs}))
            stack.up()
            [resource] = [resource for resource in stack.resources() if resource["type"] == PROXY]
            return resource

        stack.set_config("s3dataproxy:allowedAccountIds", '["000000000000"]')
        up(tags={"a": "1", "b": "1"})
        up(path="elsewhere", stageName="v2", tags={"a": "2"}, bucket={"secureTransportOnly": False})
        up(path="elsewhere", stageName="v3", description="words", tracingEnabled=True)
        up(accessLog={"retentionInDays": 7}, tags={"a": "1"})
        up(accessLog={}, executionLog={}, tags={"a": "2"})
        # The local AWS has no keys for log groups.
        for operation in ("AssociateKmsKey", "DisassociateKmsKey"):
            tap.inject(Answer(200, b"{}", {"Content-Type": "application/x-amz-json-1.1"}), operation=operation)
        up(accessLog={"kmsKeyArn": KEY})
        up(accessLog={})
        stack.refresh()
        up(apiKeys=["a", "b"], role={"permissionsBoundaryArn": BOUNDARY})
        up(apiKeys=["b"], quota={"limit": 1, "period": "DAY"})
        [key] = api.get_api_keys()["items"]
        api.update_api_key(apiKey=key["id"], patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}])
        stack.refresh()
        # AWS refuses a key that the plan has; the local AWS takes it again.
        tap.inject(Lost(), operation="CreateUsagePlanKey")
        tap.inject(Error("ConflictException", 409, "it is in the plan"), operation="CreateUsagePlanKey")
        up(apiKeys=["b", "c"])
        up(authorization="CUSTOM", authorizer={"functionArn": FUNCTION})
        stack.refresh()
        up(path="elsewhere", stageName="v3", description="words",
           bucket={"versioning": True, "kmsKeyArn": KEY}, cors={"allowOrigins": ["https://a.example", "https://b.example"]})
        up(path="elsewhere", stageName="v3", description="words")
        s3.create_bucket(Bucket="made-elsewhere")
        up(path="elsewhere", stageName="v3", bucket={"name": "made-elsewhere", "existing": True})
        up(path="elsewhere", stageName="v3")
        # It is still there.
        s3.delete_bucket(Bucket="made-elsewhere")
        iam.update_assume_role_policy(RoleName="allowed", PolicyDocument=json.dumps(OTHER_TRUST))
        stack.refresh()
        resource = up(path="elsewhere", stageName="v3", bucket={"forceDestroy": True})
        stack.run("state", "delete", resource["urn"], "--yes", "--stack", stack.name)
        stack.import_(PROXY, "allowed", "allowed", "--protect=false")
        up(path="elsewhere", stageName="v3", bucket={"forceDestroy": True})
        s3.put_object(Bucket="allowed", Key="a", Body=b"x")
        s3.create_multipart_upload(Bucket="allowed", Key="b")
        stack.destroy()
        assert left(aws, "allowed") == {}
        return {(call.service, call.operation) for call in tap.calls if call.service != "execute-api"}


def test_no_call_of_the_source_was_missed(seen):
    found = set()
    for file in (ROOT / "provider/src").rglob("*.rs"):
        found |= set(re.findall(r'Call\(\s*(?:Service::)?(\w+),\s*"(\w+)"', file.read_text()))
    assert {(service.lower(), operation) for service, operation in found} == seen


def test_what_every_call_needs_is_on_record(seen):
    assert seen == {(service, operation) for service, operations in NEEDS.items() for operation in operations}


def many(value) -> list[str]:
    return value if isinstance(value, list) else [value]


def granted() -> list[tuple[str, str]]:
    return [(action, resource) for statement in json.loads(POLICY.read_text())["Statement"]
            for action in many(statement["Action"]) for resource in many(statement["Resource"])]


def test_the_policy_grants_exactly_what_is_needed(seen):
    needed = {(action, resource) for service, operation in seen
              for action, resources in NEEDS[service][operation].items() for resource in many(resources)}
    assert sorted(granted()) == sorted(needed)


def test_the_policy_is_in_order():
    policy = json.loads(POLICY.read_text())
    assert policy["Version"] == "2012-10-17"
    sids = [statement["Sid"] for statement in policy["Statement"]]
    assert len(set(sids)) == len(sids) and all(sid.isalnum() for sid in sids)
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}
    # The role may be given to nobody but API Gateway.
    [pass_role] = [statement for statement in policy["Statement"] if "iam:PassRole" in statement["Action"]]
    assert pass_role["Action"] == "iam:PassRole"
    assert pass_role["Condition"] == {"StringEquals": {"iam:PassedToService": "apigateway.amazonaws.com"}}
    # A managed policy has at most 6144 characters.
    assert len(re.sub(r"\s", "", POLICY.read_text())) < 6144
