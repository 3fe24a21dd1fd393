"""The IAM policy that users are told to give the plugin grants what its calls need, and nothing else."""

import json
import re
from fnmatch import fnmatch
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

from harness import ROOT
from harness.aws import ACCOUNT, REGION
from harness.engine import PROXY, Stack
from harness.faults import Answer, Error, Lost
from harness.iam import Ask, actions, allowed
from harness.tap import Call, Tap
from test_domain import CERTIFICATE
from test_lifecycle import BOUNDARY, FUNCTION, KEY, left, one
from test_web_acl import make_web_acl

POLICY = ROOT / "docs/permissions.json"

BUCKET, OBJECTS = "arn:aws:s3:::NAME*", "arn:aws:s3:::NAME*/*"
ROLE = "arn:aws:iam::ACCOUNT:role/NAME*"
# The one that lets API Gateway write logs, which an administrator has made for the account.
LOGS_ROLE = "arn:aws:iam::ACCOUNT:role/LOGS_ROLE"
LOG_GROUP, EXECUTION_LOGS = (
    f"arn:aws:logs:REGION:ACCOUNT:log-group:{name}" for name in ("/aws/apigateway/NAME*", "API-Gateway-Execution-Logs_*"))
APIS, API, TAGS = (f"arn:aws:apigateway:REGION::/{path}" for path in ("restapis", "restapis/*", "tags/*"))
DOMAINS, DOMAIN, MAPPINGS = (
    f"arn:aws:apigateway:REGION::/{path}" for path in ("domainnames", "domainnames/DOMAIN", "domainnames/DOMAIN/*"))
STAGE, WEB_ACL = "arn:aws:apigateway:REGION::/restapis/*/stages/*", "arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/WEB_ACL"
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
            "DeleteBucketPolicy", "GetBucketVersioning", "PutBucketVersioning", "GetBucketOwnershipControls",
            "PutBucketOwnershipControls")},
        **{name: {f"s3:{action}": BUCKET} for name, action in {
            "GetBucketEncryption": "GetEncryptionConfiguration", "PutBucketEncryption": "PutEncryptionConfiguration",
            "DeleteBucketEncryption": "PutEncryptionConfiguration", "GetBucketCors": "GetBucketCORS",
            "PutBucketCors": "PutBucketCORS", "DeleteBucketCors": "PutBucketCORS",
            "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
            "PutPublicAccessBlock": "PutBucketPublicAccessBlock"}.items()},
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
            "DeleteRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "ListRolePolicies",
            "ListAttachedRolePolicies", "DetachRolePolicy")},
    },
    "apigateway": {
        # With tags.
        "CreateRestApi": {"apigateway:POST": APIS, "apigateway:PUT": TAGS},
        "CreateStage": {"apigateway:POST": API, "apigateway:PUT": TAGS},
        "GetRestApis": {"apigateway:GET": APIS},
        **{name: {"apigateway:GET": API} for name in ("GetRestApi", "GetResources", "GetGatewayResponses", "GetAuthorizers",
                                                        "GetStage", "GetStages", "GetDeployments")},
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
        "GetApiKey": {"apigateway:GET": ANY_KEY},
        **{name: {"apigateway:DELETE": PLAN} for name in ("DeleteUsagePlan", "DeleteUsagePlanKey")},
        "DeleteApiKey": {"apigateway:DELETE": ANY_KEY},
        # With tags.
        "CreateDomainName": {"apigateway:POST": DOMAINS, "apigateway:PUT": TAGS},
        "GetDomainNames": {"apigateway:GET": DOMAINS},
        "GetDomainName": {"apigateway:GET": DOMAIN},
        "UpdateDomainName": {"apigateway:PATCH": DOMAIN},
        "DeleteDomainName": {"apigateway:DELETE": DOMAIN},
        "CreateBasePathMapping": {"apigateway:POST": MAPPINGS},
        "GetBasePathMappings": {"apigateway:GET": MAPPINGS},
        "UpdateBasePathMapping": {"apigateway:PATCH": MAPPINGS},
        "DeleteBasePathMapping": {"apigateway:DELETE": MAPPINGS},
        "TagResource": {"apigateway:PUT": TAGS},
        "UntagResource": {"apigateway:DELETE": TAGS},
        "GetAccount": {"apigateway:GET": "arn:aws:apigateway:REGION::/account"},
    },
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    "logs": {
        # With tags.
        "CreateLogGroup": {"logs:CreateLogGroup": LOG_GROUP, "logs:TagResource": LOG_GROUP},
        "DeleteLogGroup": {"logs:DeleteLogGroup": [LOG_GROUP, EXECUTION_LOGS]},
        # It lists, and is for no single one.
        "DescribeLogGroups": {"logs:DescribeLogGroups": "*"},
        **{name: {f"logs:{name}": LOG_GROUP} for name in (
            "PutRetentionPolicy", "DeleteRetentionPolicy", "AssociateKmsKey", "DisassociateKmsKey",
            "ListTagsForResource", "TagResource", "UntagResource")},
    },
    # https://docs.aws.amazon.com/waf/latest/developerguide/security_iam_service-with-iam.html
    "wafv2": {
        "AssociateWebACL": {"wafv2:AssociateWebACL": [WEB_ACL, STAGE], "apigateway:SetWebACL": STAGE},
        "DisassociateWebACL": {"wafv2:DisassociateWebACL": STAGE, "apigateway:SetWebACL": STAGE},
    },
    # Nobody needs a permission for it: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    "sts": {"GetCallerIdentity": {}},
}


OTHER_TRUST = {"Version": "2012-10-17", "Statement": {
    "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}


@pytest.fixture(scope="module")
def calls(aws, tmp_path_factory) -> list[Call]:
    """Every call in a life with everything in it."""
    s3, iam, api = aws.client("s3"), aws.client("iam"), aws.client("apigateway")
    web_acl = make_web_acl(aws, "allowed")["ARN"]
    with Tap(aws.url) as tap, Stack("", tap.url, folder=tmp_path_factory.mktemp("permissions")) as stack:
        def up(**inputs):
            stack.write(one("allowed", {"name": "allowed", "waitForReady": False, **inputs}))
            stack.up()
            [resource] = [resource for resource in stack.resources() if resource["type"] == PROXY]
            return resource

        stack.set_config("s3dataproxy:allowedAccountIds", '["000000000000"]')
        up(tags={"a": "1", "b": "1"})
        # A deployment that nobody hears of.
        tap.inject(Lost(), operation="CreateDeployment")
        tap.inject(Error("AccessDenied", 403), operation="GetStage")
        stack.write(one("allowed", {"name": "allowed", "waitForReady": False, "path": "elsewhere"}))
        stack.up(fails=True)
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
        domain = {"name": "data.example.com", "certificateArn": CERTIFICATE}
        up(domain=domain)
        up(domain=domain | {"securityPolicy": "TLS_1_0", "basePath": "v1"})
        stack.refresh()
        up(apiKeys=["a", "b"], role={"permissionsBoundaryArn": BOUNDARY})
        up(apiKeys=["b"], quota={"limit": 1, "period": "DAY"})
        [key] = api.get_api_keys(nameQuery="allowed-")["items"]
        api.update_api_key(apiKey=key["id"], patchOperations=[
            {"op": "replace", "path": "/enabled", "value": "false"}, {"op": "replace", "path": "/name", "value": "theirs"}])
        stack.refresh()
        # AWS refuses a key that the plan has; the local AWS takes it again.
        tap.inject(Lost(), operation="CreateUsagePlanKey")
        tap.inject(Error("ConflictException", 409, "it is in the plan"), operation="CreateUsagePlanKey")
        up(apiKeys=["b", "c"])
        up(webAclArn=web_acl)
        up()
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
        iam.attach_role_policy(RoleName="allowed", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
        s3.delete_public_access_block(Bucket="allowed")
        s3.delete_bucket_ownership_controls(Bucket="allowed")
        stack.refresh()
        resource = up(path="elsewhere", stageName="v3", bucket={"forceDestroy": True})
        stack.run("state", "delete", resource["urn"], "--yes", "--stack", stack.name)
        stack.import_(PROXY, "allowed", "allowed", "--protect=false")
        up(path="elsewhere", stageName="v3", bucket={"forceDestroy": True})
        s3.put_object(Bucket="allowed", Key="a", Body=b"x")
        s3.create_multipart_upload(Bucket="allowed", Key="b")
        stack.destroy()
        assert left(aws, "allowed") == {}
        return [call for call in tap.calls if call.number]


@pytest.fixture(scope="module")
def seen(calls) -> set[tuple[str, str]]:
    """(service, operation) of every call."""
    return {(call.service, call.operation) for call in calls}


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


# The same list, asked by the evaluator about each of these calls

PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:user/deployer"
# As a user fills it in.
FILLED = {"ACCOUNT": ACCOUNT, "REGION": REGION, "NAME": "allowed", "EXISTING": "made-elsewhere",
          "LOGS_ROLE": "the-accounts-role-for-logs", "DOMAIN": "data.example.com", "WEB_ACL": "allowed/*"}
# The reference has two ARNs in one for what it applies to, which the evaluator does not take apart.
UNTOLD = {"apigateway:SetWebACL"}
SERVICES = ("s3", "iam", "apigateway", "logs", "wafv2")


def policy_of_users() -> dict:
    text = POLICY.read_text()
    for placeholder, value in FILLED.items():
        text = re.sub(rf"\b{placeholder}\b", value, text)
    return json.loads(text)


def arns(call: Call, action: str) -> list[str]:
    """What an action of a call applies to, as AWS reads it from the request."""
    path = unquote(urlsplit(call.target).path)
    match action.split(":")[0]:
        case "s3":
            bucket, _, key = path.strip("/").partition("/")
            keys = re.findall("<Key>(.*?)</Key>", call.body.decode()) or [key] if "Object" in action or key else []
            return [f"arn:aws:s3:::{bucket}/{key}" for key in keys] or [f"arn:aws:s3:::{bucket}"]
        case "iam" if call.service == "iam":
            return [f"arn:aws:iam::{ACCOUNT}:role/{parse_qs(call.body.decode())['RoleName'][0]}"]
        case "iam":  # the role in a document
            return sorted(set(re.findall(r"arn:aws:iam::\d+:role/[\w/-]+", call.body.decode())))
        case "wafv2":
            body = json.loads(call.body)
            return [body[name] for name in ("ResourceArn", "WebACLArn") if name in body]
        case "logs" if call.operation == "DescribeLogGroups":
            return ["*"]
        case "logs":
            body = json.loads(call.body)
            group = body.get("logGroupName") or body["resourceArn"].rpartition(":log-group:")[2]
            return [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"]
    if action == "apigateway:PUT" and call.method == "POST":  # the tags of what is made
        path = f"/tags/{quote(f'arn:aws:apigateway:{REGION}::{path}/new', safe='')}"
    elif path.startswith("/tags/"):
        path = f"/tags/{quote(path.removeprefix('/tags/'), safe='')}"
    # The reference has two ARNs in one for these, which the evaluator does not take apart: a sibling stands for them.
    path = re.sub("^(/restapis/[^/]+)/(deployments|stages)$", r"\1/resources", path) if call.method == "POST" else path
    return [f"arn:aws:apigateway:{REGION}::{path}"]


@pytest.fixture(scope="module")
def asked(calls) -> list[Ask]:
    """What AWS asks of the caller's permissions for these calls, each once."""
    found = {}
    for call in calls:
        for action in NEEDS[call.service][call.operation].keys() - UNTOLD:
            context = {"iam:PassedToService": "apigateway.amazonaws.com"} if action == "iam:PassRole" else {}
            for arn in arns(call, action):
                found[(action, arn)] = Ask(action, arn, context)
    return list(found.values())


def not_as(right: bool, asks: list[Ask]) -> list[Ask]:
    return [ask for ask, answer in zip(asks, allowed(PRINCIPAL, policy_of_users(), asks)) if answer != right]


def test_every_call_is_allowed(asked):
    assert {ask.action for ask in asked} == {action for action, _ in granted()} - UNTOLD
    assert not_as(True, asked) == []


def test_what_the_evaluator_cannot_tell(calls):
    [pattern] = {resource for action, resource in granted() if action in UNTOLD}
    stages = {json.loads(call.body)["ResourceArn"] for call in calls if call.service == "wafv2"}
    assert stages and all(fnmatch(stage, pattern.replace("REGION", REGION)) for stage in stages)
    assert not fnmatch(f"arn:aws:apigateway:{REGION}::/restapis/a", pattern.replace("REGION", REGION))


def test_the_same_on_what_is_anothers_is_denied(asked):
    others = []
    for ask in asked:
        if "allowed" in ask.arn and ":apigateway:" not in ask.arn:
            others.append(Ask(ask.action, ask.arn.replace("allowed", "another"), ask.context))
        if ask.arn.startswith(("arn:aws:iam", "arn:aws:logs")):
            others.append(Ask(ask.action, ask.arn.replace(ACCOUNT, "111111111111"), ask.context))
        if f":{REGION}:" in ask.arn.split("/")[0]:
            others.append(Ask(ask.action, ask.arn.replace(REGION, "eu-west-1"), ask.context))
    assert {ask.action for ask in others} >= {action for action, arn in granted() if arn != "*"} - UNTOLD - {"s3:ListBucket"}
    others.append(Ask("s3:ListBucket", "arn:aws:s3:::another"))
    assert not_as(False, others) == []


def test_the_role_is_given_to_nobody_else(asked):
    [role] = {ask.arn for ask in asked if ask.action == "iam:PassRole"}
    others = ("lambda.amazonaws.com", "ec2.amazonaws.com", "ops.apigateway.amazonaws.com")
    asks = [Ask("iam:PassRole", role, {"iam:PassedToService": service}) for service in others]
    assert not_as(False, [Ask("iam:PassRole", role), *asks]) == []


def test_no_other_action_is_allowed():
    """Of the same services, on what is the resource's own."""
    own = {
        "arn:${Partition}:s3:::${BucketName}": "arn:aws:s3:::allowed",
        "arn:${Partition}:s3:::${BucketName}/${ObjectName}": "arn:aws:s3:::allowed/a",
        "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}": f"arn:aws:iam::{ACCOUNT}:role/allowed",
        "arn:${Partition}:apigateway:${Region}::/restapis/${RestApiId}": f"arn:aws:apigateway:{REGION}::/restapis/a",
        "arn:${Partition}:apigateway:${Region}::/domainnames": f"arn:aws:apigateway:{REGION}::/domainnames",
        "arn:${Partition}:apigateway:${Region}::/vpclinks": f"arn:aws:apigateway:{REGION}::/vpclinks",
        "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}":
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/apigateway/allowed",
        "arn:${Partition}:wafv2:${Region}:${Account}:${Scope}/webacl/${Name}/${Id}":
            f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/allowed/a",
    }
    listed, asks = {action for action, _ in granted()}, []
    for action, patterns in actions(*SERVICES).items():
        for arn in [own[pattern] for pattern in patterns if pattern in own] if patterns else ["*"]:
            # Domain names are made and listed there.
            made = arn.endswith("/domainnames") and action in ("apigateway:GET", "apigateway:POST")
            if action not in listed or arn.endswith(("/domainnames", "/vpclinks")) and not made:
                asks.append(Ask(action, arn))
    assert {arn.split(":")[2] for arn in (ask.arn for ask in asks) if arn != "*"} == {*SERVICES}
    assert not_as(False, asks) == []
