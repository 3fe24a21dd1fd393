"""What happens to a resource's pieces at AWS from create to delete: each input changed, alone and together,
replacements, and data that is in the way of a delete."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
import requests

from harness.engine import PROXY, Fleet, Result

EVERY_BYTE = bytes(range(256)) * 512 + b"\r\n\x00\xff"
DOCUMENTED = {
    "invokeUrl", "bucketName", "bucketArn", "roleName", "roleArn", "restApiId", "executionArn", "stageArn",
    "deploymentId", "openApiDocument",
}
# What the engine has for a value that is not known yet.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
EXPORTS = "".join(f"  {name}: ${{data.{name}}}\n" for name in sorted(DOCUMENTED | {"name", "path"}))


def one(name: str, inputs: dict | None = None) -> str:
    """A program with one resource."""
    return f"resources: {json.dumps({name: {'type': PROXY, 'properties': inputs or {}}})}\n"


def look(aws, outputs: dict) -> dict:
    """All that AWS has for a resource, without what AWS chooses (ids)."""
    s3, iam, api = (aws.client(service) for service in ("s3", "iam", "apigateway"))
    bucket, role, id_ = outputs["bucketName"], outputs["roleName"], outputs["restApiId"]
    rest_api = api.get_rest_api(restApiId=id_)
    deployments = [deployment["id"] for deployment in api.get_deployments(restApiId=id_)["items"]]
    stages = api.get_stages(restApiId=id_)["item"]
    answer = requests.get(f"{outputs['invokeUrl']}/no-such-key", timeout=30)
    return {
        "bucket tags": _bucket_tags(s3, bucket),
        "bucket policy": _policy(s3, bucket),
        "versioning": s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled",
        "key": _key(s3, bucket),
        "encryption": _encryption(s3, bucket),
        "bucket cors": _cors(s3, bucket),
        "public access": _public_access(s3, bucket),
        "role tags": _tags(iam.list_role_tags(RoleName=role)["Tags"]),
        "trust": iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"],
        "boundary": iam.get_role(RoleName=role)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "role policies": {
            policy: iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
        },
        "attached policies": iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"],
        "api": {key: rest_api.get(key) for key in ("name", "description", "binaryMediaTypes", "apiKeySource",
                                                        "minimumCompressionSize", "disableExecuteApiEndpoint")},
        "policy": _resource_policy(rest_api),
        "endpoint": rest_api["endpointConfiguration"],
        "tls": rest_api.get("securityPolicy", "TLS_1_0"),
        "api tags": rest_api.get("tags", {}),
        "routes": _routes(api, id_),
        "own answers": {
            answer["responseType"]: {key: answer.get(key) for key in OWN}
            for answer in api.get_gateway_responses(restApiId=id_, limit=500)["items"]
        },
        "log group": _log_group(aws, outputs["name"]),
        "authorizers": [{key: value for key, value in each.items() if key != "id"}
                        for each in api.get_authorizers(restApiId=id_)["items"]],
        "deployments": len(deployments),
        "stages": {
            stage["stageName"]: {
                "tags": stage.get("tags", {}), "serves ours": stage["deploymentId"] in deployments,
                "methods": _set(stage), "traced": stage.get("tracingEnabled", False),
                "access log": _access_log(stage, outputs["name"]), "notes": _notes(stage), "cache": _cache(stage),
                "canary": stage.get("canarySettings"),
            } for stage in stages
        },
        "usage plans": _usage_plans(api, id_),
        "a missing key": (answer.status_code, answer.headers["Content-Type"], _code(answer)),
    }


def _resource_policy(rest_api: dict) -> list[dict] | None:
    """The statements about who may call from where. API Gateway tells them as an escaped text."""
    text = rest_api.get("policy")
    if not text:
        return None
    found = json.loads(json.loads(f'"{text}"'))["Statement"]
    return found if isinstance(found, list) else [found]


def _log_group(aws, name: str) -> dict | None:
    logs, name = aws.client("logs"), f"/aws/apigateway/{name}"
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    found = next((group for group in groups if group["logGroupName"] == name), None)
    return found and {"retention": found.get("retentionInDays"), "key": found.get("kmsKeyId"),
                      "tags": logs.list_tags_for_resource(resourceArn=found["arn"].removesuffix(":*"))["tags"]}


def _access_log(stage: dict, name: str) -> tuple | None:
    """Where lines go, and what they say: of a JSON object the names."""
    found = stage.get("accessLogSettings")
    if found is None:
        return None
    line = found["format"]
    says = list(json.loads(line)) if line.startswith("{") else line
    return found["destinationArn"].replace(name, "NAME"), says


def _notes(stage: dict) -> tuple:
    """Level and data trace of the execution log."""
    found = stage.get("methodSettings", {}).get("*/*", {})
    return found.get("loggingLevel", "OFF"), found.get("dataTraceEnabled", False)


def _cache(stage: dict) -> tuple | None:
    """Size, time to live, encryption, whether it is in use, and what becomes of those who would empty it."""
    if not stage.get("cacheClusterEnabled"):
        return None
    methods = stage["methodSettings"]["*/*"]
    return stage["cacheClusterSize"], *(methods[name] for name in (
        "cacheTtlInSeconds", "cacheDataEncrypted", "cachingEnabled", "requireAuthorizationForCacheControl",
        "unauthorizedCacheControlHeaderStrategy"))


def _usage_plans(api, id_: str) -> list[dict]:
    """The plans of an API's stages, with their keys by name."""
    plans = [plan for plan in api.get_usage_plans(limit=500)["items"]
             if any(stage["apiId"] == id_ for stage in plan["apiStages"])]
    keys = {key["id"]: key for key in api.get_api_keys(limit=500)["items"]}
    return [{
        "stages": [stage["stage"] for stage in plan["apiStages"]], "throttle": plan.get("throttle"),
        "quota": plan.get("quota"), "tags": plan["tags"],
        "keys": {keys[key["id"]]["name"]: {part: keys[key["id"]][part] for part in ("enabled", "tags")}
                 for key in api.get_usage_plan_keys(usagePlanId=plan["id"], limit=500)["items"]},
    } for plan in plans]


def _set(stage: dict) -> tuple:
    """Rate, burst and metrics of all methods. API Gateway keeps what has been set, so off is a value of its own."""
    found = stage.get("methodSettings", {}).get("*/*", {"throttlingRateLimit": -1, "throttlingBurstLimit": -1})
    return found["throttlingRateLimit"], found["throttlingBurstLimit"], found.get("metricsEnabled", False)


def _tags(tags: list[dict]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _key(s3, bucket: str) -> str | None:
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"].get("Rules", [])
    return next((rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID") for rule in rules), None)


def _encryption(s3, bucket: str) -> list[tuple]:
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"].get("Rules")
    # What AWS tells where nothing is set, the local AWS leaves out.
    rules = rules or [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    return [(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], rule.get("BucketKeyEnabled", False))
            for rule in rules]


def _public_access(s3, bucket: str) -> tuple:
    """What is blocked, and who owns objects."""
    [rule] = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    return s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"], rule["ObjectOwnership"]


def _code(answer: requests.Response) -> str | None:
    return answer.json().get("code") if "json" in answer.headers["Content-Type"] and answer.content else None


def _bucket_tags(s3, bucket: str) -> dict[str, str]:
    try:
        return _tags(s3.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchTagSet"
        return {}


def _cors(s3, bucket: str) -> list[dict] | None:
    try:
        return s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    except s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchCORSConfiguration"


def _policy(s3, bucket: str) -> dict | None:
    try:
        return json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchBucketPolicy"
        return None


def _routes(api, id_: str) -> dict:
    routes, names = {}, {each["id"]: each["name"] for each in api.get_authorizers(restApiId=id_)["items"]}
    for resource in api.get_resources(restApiId=id_, embed=["methods"], limit=500)["items"]:
        for verb, method in resource.get("resourceMethods", {}).items():
            integration = method["methodIntegration"]
            parts = ("type", "uri", "credentials", "requestParameters", "integrationResponses", "passthroughBehavior",
                     "timeoutInMillis")
            routes[f"{verb} {resource['path']}"] = {key: integration.get(key) for key in parts} | {
                "authorization": method["authorizationType"], "scopes": method.get("authorizationScopes"),
                "asked": names.get(method.get("authorizerId")), "validated": "requestValidatorId" in method,
                "key": method.get("apiKeyRequired", False),
                "cache keys": sorted(integration.get("cacheKeyParameters", [])),
            }
    return routes


# What API Gateway tells of an answer of its own.
OWN = ("statusCode", "responseParameters", "responseTemplates")


def left(aws, prefix: str) -> dict[str, list[str]]:
    """What the account has of the names that begin like this."""
    found = {kind: [name for name in names if name.startswith(prefix)] for kind, names in aws.inventory().items()}
    return {kind: names for kind, names in found.items() if names}


# The one line


@pytest.fixture(scope="module")
def default(aws, tmp_path_factory):
    """The resource without inputs, with an object in its bucket: the tests that use it only look."""
    with Fleet(aws.url, tmp_path_factory.mktemp("default"), ["data"]) as fleet:
        fleet.write({"data": {"bucket": {"forceDestroy": True}}})
        fleet.stack.up()
        outputs = fleet.outputs()["data"]
        aws.client("s3").put_object(
            Bucket=outputs["bucketName"], Key="a/every byte.bin", Body=EVERY_BYTE, ContentType="application/x-test")
        yield fleet, outputs


def test_outputs(aws, stack):
    made = stack(one("data") + "outputs:\n" + EXPORTS)
    made.up()
    outputs = made.outputs()
    name, id_ = outputs["name"], outputs["restApiId"]
    api = aws.client("apigateway")
    assert outputs == {
        "name": name,
        "path": "data",
        "invokeUrl": aws.invoke_url(id_, "prod", "/data"),
        "bucketName": name,
        "bucketArn": f"arn:aws:s3:::{name}",
        "roleName": name,
        "roleArn": aws.client("iam").get_role(RoleName=name)["Role"]["Arn"],
        "restApiId": id_,
        "executionArn": f"arn:aws:execute-api:us-east-1:000000000000:{id_}",
        "stageArn": f"arn:aws:apigateway:us-east-1::/restapis/{id_}/stages/prod",
        "deploymentId": api.get_stage(restApiId=id_, stageName="prod")["deploymentId"],
        "openApiDocument": outputs["openApiDocument"],
    }
    assert list(json.loads(outputs["openApiDocument"])["paths"]) == ["/data/{key+}"]
    assert api.get_rest_api(restApiId=id_)["name"] == name
    made.destroy()
    assert left(aws, name) == {}


def test_a_first_preview_calls_nothing_and_knows_the_names(tap, stack):
    made = stack(one("data", {"name": "preview-known"}), tap.url)
    preview = made.preview()
    created = preview.done("data")[-1]
    assert created["op"] == "create"
    assert tap.operations() == []
    outputs = created["new"]["outputs"]
    known = {key: value for key, value in outputs.items() if value != UNKNOWN}
    assert known == {"name": "preview-known", "path": "data", "bucketName": "preview-known",
                     "roleName": "preview-known", "bucketArn": "arn:aws:s3:::preview-known"}
    assert outputs.keys() >= DOCUMENTED


ANSWERS = {
    # method, key, request headers, status, response headers, body
    "whole": ("GET", "", {}, 200, {"Content-Type": "application/x-test"}, EVERY_BYTE),
    "range": ("GET", "", {"Range": "bytes=250-261"}, 206,
              {"Content-Range": f"bytes 250-261/{len(EVERY_BYTE)}"}, EVERY_BYTE[250:262]),
    "end": ("GET", "", {"Range": "bytes=-3"}, 206, {}, EVERY_BYTE[-3:]),
    "not modified": ("GET", "", {"If-None-Match": "ETAG"}, 304, {}, b""),
    "other version": ("GET", "", {"If-Match": '"0123"'}, 412, {}, "PreconditionFailed"),
    "missing": ("GET", "/no", {}, 404, {}, "NoSuchKey"),
    "range outside": ("GET", "", {"Range": "bytes=999999999-"}, 416, {}, "InvalidRange"),
    "head": ("HEAD", "", {}, 200, {"X-Object-Size": str(len(EVERY_BYTE))}, b""),
    "head of nothing": ("HEAD", "/no", {}, 404, {}, b""),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_the_url_answers(default, case):
    method, suffix, headers, status, told, body = ANSWERS[case]
    etag = f'"{hashlib.md5(EVERY_BYTE).hexdigest()}"'
    headers = {key: etag if value == "ETAG" else value for key, value in headers.items()}
    url = default[1]["invokeUrl"] + "/a/every%20byte.bin" + suffix
    response = requests.request(method, url, headers=headers, timeout=30)
    assert response.status_code == status, response.text[:500]
    assert told.items() <= response.headers.items()
    if isinstance(body, bytes):
        assert response.content == body
        assert status >= 304 or response.headers["ETag"] == etag
    else:
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["code"] == body


def test_nothing_changes_by_itself(default):
    fleet, _ = default
    before = json.dumps(fleet.resources())
    fleet.reset()
    assert set(fleet.stack.up("--expect-no-changes").changes) == {"same"}
    assert fleet.taps["data"].operations() == []
    assert set(fleet.stack.preview("--expect-no-changes").changes) == {"same"}
    assert fleet.taps["data"].operations() == []
    refresh = fleet.stack.refresh("--expect-no-changes")
    assert set(refresh.changes) == {"same"}
    assert refresh.messages("warning", "data") == []
    assert fleet.taps["data"].operations() != []
    assert json.dumps(fleet.resources()) == before


# Changes

TAGGED = ["bucket tags", "role tags", "api tags"]


def retag(seen: dict, change: dict[str, str | None]) -> dict:
    """What a look shows when these tags are set, or with None removed."""
    def new(tags):
        return {key: value for key, value in (tags | change).items() if value is not None}

    stages = {name: stage | {"tags": new(stage["tags"])} for name, stage in seen["stages"].items()}
    return {kind: new(seen[kind]) for kind in TAGGED} | {"stages": stages}


def moved(seen: dict, old: str, new: str) -> dict:
    return {"routes": {route.replace(old, new): does for route, does in seen["routes"].items()}}


def offering(seen: dict, verb: str) -> dict:
    """The routes when of GET and HEAD one is offered; the rest says which."""
    return {route: json.loads(json.dumps(does).replace("'GET, HEAD'", f"'{verb}'"))
            for route, does in seen["routes"].items() if route.split()[0] in (verb, "ANY")}


def refusing(seen: dict, verb: str) -> dict:
    """API Gateway's own answers in the same case: the one to a type of content says what is offered."""
    return json.loads(json.dumps(seen["own answers"]).replace("'GET, HEAD'", f"'{verb}'"))


@dataclass
class Case:
    """A change from some inputs to others and back."""

    to: dict
    #: What the preview shows: property to kind.
    shows: dict[str, str]
    #: Every AWS call of the update, and of the update back; sorted.
    calls: list[str]
    calls_back: list[str]
    #: From what a look shows before, what it shows otherwise afterwards; none where that is too much to write down here.
    effect: Callable[[dict], dict] | None = lambda seen: {}
    #: What the preview of the way back shows, where it is not the same.
    shows_back: dict[str, str] | None = None
    start: dict = field(default_factory=dict)


POOL = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_Ab1Cd2Ef3"
OTHER_POOL = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_Gh4Ij5Kl6"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:authorize"
CALL = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke"}
RULE = CALL | {"Resource": "execute-api:/prod/GET/v1/*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [RULE]})
# Signed, for pages of all origins, and from some addresses.
PLACED = {"authorization": "AWS_IAM", "cors": {"allowOrigins": ["*"]}, "allowedIpRanges": ["203.0.113.0/24"]}
# What a policy of ours begins with where everybody may call from the right place.
OPEN = CALL | {"Resource": "execute-api:/*"}
UNSIGNED = {"MISSING_AUTHENTICATION_TOKEN": {"statusCode": "403", "responseParameters": {}, "responseTemplates": {
    "application/json": '{"code":"MissingAuthentication","message":"There is nothing at this path, or the request is not '
                        'signed with AWS Signature Version 4.","requestId":"$context.requestId"}'}}}
NOT_FOUND = {"MISSING_AUTHENTICATION_TOKEN": {"statusCode": "404", "responseParameters": {}, "responseTemplates": {
    "application/json": '{"code":"NotFound","message":"There is nothing at this path.","requestId":"$context.requestId"}'}}}
LOG_GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:requests"
LINE = "$context.requestId $context.status"
# Where lines go by default, and what of.
OWN_GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/apigateway/NAME"
FIELDS = ["requestId", "extendedRequestId", "requestTime", "ip", "user", "principalId", "subject", "apiKeyId", "httpMethod",
          "path", "protocol", "status", "responseLength", "responseLatency", "integrationStatus", "integrationLatency",
          "errorType", "error"]
BOUNDARY = "arn:aws:iam::000000000000:policy/boundary"
KEY = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_BOUNDARY = "arn:aws:iam::000000000000:policy/tighter"
INVOKER = "arn:aws:iam::000000000000:role/invoker"
SOURCES = ["method.request.header.X-Client", "method.request.querystring.token"]
TLSPQ = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
TLS13 = "SecurityPolicy_TLS13_1_3_2025_09"
DEPLOY = ["CreateDeployment", "DeleteDeployment", "PutRestApi"]
CACHE = sorted([*DEPLOY, "GetStage", "UpdateStage"])
# A run that was lost may have moved it.
MOVE = ["GetRestApi", "UpdateRestApi"]
# What is changed by its name is looked at first: whose it is by now.
WHOSE_GROUP = ["DescribeLogGroups", "ListTagsForResource"]
NEW_POLICY = ["GetRole", "PutRolePolicy"]
WHOSE = ["GetBucketTagging", "GetRole"]
TAGS = ["GetBucketTagging", "PutBucketTagging", "TagResource", "TagResource", "TagRole"]
UNTAGS = ["GetBucketTagging", "PutBucketTagging", "UntagResource", "UntagResource", "UntagRole"]
TAG, UNTAG = sorted([*WHOSE, *TAGS]), sorted([*WHOSE, *UNTAGS])


def users(pools: list[str], scopes: list[str] | None = None) -> dict:
    """The inputs of an API for users of these pools."""
    authorizer = {"userPoolArns": pools} | ({"scopes": scopes} if scopes else {})
    return {"authorization": "COGNITO_USER_POOLS", "authorizer": authorizer}


def function(**more) -> dict:
    """The inputs of an API that asks a function."""
    return {"authorization": "CUSTOM", "authorizer": {"functionArn": FUNCTION} | more}


def reaching(seen: dict, **changes) -> dict:
    """The routes, where those that reach S3 do this."""
    return {route: does | changes if does["type"] == "AWS" else does for route, does in seen["routes"].items()}


def asked_by(seen: dict, authorizer: dict, scopes: list[str] | None = None) -> dict:
    """What a look shows where an authorizer says who calls."""
    kind = authorizer["type"].replace("TOKEN", "CUSTOM")
    routes = reaching(seen, authorization=kind, scopes=scopes, asked="authorization")
    return {"routes": routes, "authorizers": [authorizer]}


HEADER = "method.request.header.Authorization"


def by_pools(*pools: str) -> dict:
    """The authorizer for users of these pools."""
    return {"name": "authorization", "type": "COGNITO_USER_POOLS", "authType": "cognito_user_pools",
            "identitySource": HEADER, "providerARNs": [*pools]}


def by_function(**more) -> dict:
    """The authorizer that is a function."""
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
    return {"name": "authorization", "type": "TOKEN", "authType": "custom", "authorizerUri": uri,
            "identitySource": HEADER, "authorizerResultTtlInSeconds": 0} | more


def refusal(sid: str, condition: dict) -> dict:
    """The statement that refuses who does not come from the right place."""
    return OPEN | {"Effect": "Deny", "Condition": condition, "Sid": sid}


def among(*ranges: str) -> dict:
    return refusal("AllowedIpRanges", {"NotIpAddress": {"aws:SourceIp": [*ranges]}})


def through(*ids: str) -> dict:
    return refusal("AllowedVpcEndpoints", {"StringNotEquals": {"aws:SourceVpce": [*ids]}})


def cached(seen: dict) -> dict:
    """The routes, where answers of those that read objects are told apart by all that S3 is asked with."""
    def keys(does: dict) -> list[str]:
        given = does["requestParameters"] or {}
        return sorted(value for value in given.values() if value.startswith("method.request."))

    return {route: does | {"cache keys": keys(does)} if route.startswith("GET ") else does
            for route, does in seen["routes"].items()}


def with_keys(seen: dict, *clients: str) -> list[dict]:
    """The usage plan of these clients."""
    tags = {key: value for key, value in seen["role tags"].items() if key == "s3dataproxy:owner"}
    keys = {f"{seen['api']['name']}-{client}": {"enabled": True, "tags": tags} for client in clients}
    return [{"stages": ["prod"], "throttle": None, "quota": None, "tags": tags, "keys": keys}]


def own(seen: dict, **texts: tuple[str, str]) -> dict:
    """API Gateway's own answers, where these say this: code and message."""
    def says(kind: str, code: str, message: str) -> dict:
        text = json.dumps({"code": code, "message": message, "requestId": "$context.requestId"}, separators=(",", ":"))
        return seen["own answers"][kind] | {"responseTemplates": {"application/json": text}}

    return seen["own answers"] | {kind: says(kind, *said) for kind, said in texts.items()}


def tagged_keys(seen: dict, tags: dict[str, str]) -> dict:
    """A usage plan and its keys with these tags besides."""
    [plan] = seen["usage plans"]
    keys = {name: key | {"tags": key["tags"] | tags} for name, key in plan["keys"].items()}
    return plans(seen, tags=plan["tags"] | tags, keys=keys)


def prod(seen: dict, **changes) -> dict:
    return {"stages": {"prod": seen["stages"]["prod"] | changes}}


def plans(seen: dict, **changes) -> dict:
    [plan] = seen["usage plans"]
    return {"usage plans": [plan | changes]}


CASES = {
    "path": Case({"path": "v1/models"}, {"path": "update"}, DEPLOY, DEPLOY,
                 lambda seen: moved(seen, "/path/", "/v1/models/")),
    "base": Case({"path": "/"}, {"path": "update"}, DEPLOY, DEPLOY, lambda seen: moved(seen, "/base/", "/")),
    "stage": Case({"stageName": "v2"}, {"stageName": "update"},
                  ["CreateStage", "DeleteStage", "GetStage"], ["CreateStage", "DeleteStage", "GetStage"],
                  lambda seen: {"stages": {"v2": seen["stages"]["prod"]}}),
    "description": Case({"description": "models, é and <b>"}, {"description": "add"}, ["UpdateRestApi"],
                        ["UpdateRestApi"], lambda seen: {"api": seen["api"] | {"description": "models, é and <b>"}},
                        {"description": "delete"}),
    "words": Case({"description": "b"}, {"description": "update"}, ["UpdateRestApi"], ["UpdateRestApi"],
                  lambda seen: {"api": seen["api"] | {"description": "b"}}, start={"description": "a"}),
    "operations": Case({"operations": ["GET"]}, {"operations": "update"}, DEPLOY, DEPLOY,
                       lambda seen: {"routes": offering(seen, "GET"), "own answers": refusing(seen, "GET")}),
    "transport": Case({"bucket": {"secureTransportOnly": False}}, {"bucket.secureTransportOnly": "update"},
                      ["DeleteBucketPolicy", "GetBucketTagging"], ["GetBucketTagging", "PutBucketPolicy"], lambda seen: {"bucket policy": None}),
    "force": Case({"bucket": {"forceDestroy": True}}, {"bucket.forceDestroy": "update"}, [], []),
    "wait": Case({"waitForReady": False}, {"waitForReady": "update"}, [], []),
    "tags": Case({"tags": {"team": "data"}}, {"tags.team": "add"}, TAG, UNTAG,
                 lambda seen: retag(seen, {"team": "data"}), {"tags.team": "delete"}),
    "tagvalue": Case({"tags": {"team": "b", "odd.key": "1"}}, {"tags.team": "update"}, TAG, TAG,
                     lambda seen: retag(seen, {"team": "b"}), start={"tags": {"team": "a", "odd.key": "1"}}),
    "tagkey": Case({"tags": {"other": "1"}}, {"tags.team": "delete", "tags.other": "add"},
                   sorted(TAG + UNTAGS[2:]), sorted(TAG + UNTAGS[2:]),
                   lambda seen: retag(seen, {"team": None, "other": "1"}),
                   {"tags.team": "add", "tags.other": "delete"}, {"tags": {"team": "a"}}),
    "versioning": Case({"bucket": {"versioning": True}}, {"bucket.versioning": "update"},
                       ["GetBucketTagging", "PutBucketVersioning"], ["GetBucketTagging", "PutBucketVersioning"], lambda seen: {"versioning": True}),
    "key": Case({"bucket": {"kmsKeyArn": KEY}}, {"bucket.kmsKeyArn": "add"},
                sorted([*WHOSE, "PutBucketEncryption", "PutRolePolicy"]),
                sorted([*WHOSE, "DeleteBucketEncryption", "PutRolePolicy"]), None, {"bucket.kmsKeyArn": "delete"}),
    "prefix": Case({"bucket": {"prefix": "models/v1"}}, {"bucket.prefix": "add"}, sorted([*DEPLOY, *NEW_POLICY]),
                   sorted([*DEPLOY, *NEW_POLICY]), None, {"bucket.prefix": "delete"}),
    "writes": Case({"operations": ["GET", "LIST", "PUT", "DELETE"]}, {"operations": "update"},
                   sorted([*DEPLOY, *NEW_POLICY]), sorted([*DEPLOY, *NEW_POLICY]), None),
    "pages": Case({"cors": {"allowOrigins": ["*"]}}, {"cors": "add"}, DEPLOY, DEPLOY, None, {"cors": "delete"}),
    "origins": Case({"cors": {"allowOrigins": ["https://a.example", "https://b.example"]}},
                    {"cors.allowOrigins": "update"}, sorted([*DEPLOY, "GetBucketTagging", "PutBucketCors"]),
                    sorted([*DEPLOY, "DeleteBucketCors", "GetBucketTagging"]), None, start={"cors": {"allowOrigins": ["https://a.example"]}}),
    "index": Case({"indexDocument": "index.html"}, {"indexDocument": "add"}, DEPLOY, DEPLOY, None,
                  {"indexDocument": "delete"}),
    "signed": Case({"authorization": "AWS_IAM"}, {"authorization": "update"}, DEPLOY, DEPLOY,
                   lambda seen: {"routes": reaching(seen, authorization="AWS_IAM"),
                                 "own answers": seen["own answers"] | UNSIGNED}),
    "users": Case({"authorization": "COGNITO_USER_POOLS", "authorizer": {"userPoolArns": [POOL], "scopes": ["data/read"]}},
                  {"authorization": "update", "authorizer": "add"}, DEPLOY, DEPLOY,
                  lambda seen: asked_by(seen, by_pools(POOL), ["data/read"]),
                  {"authorization": "update", "authorizer": "delete"}),
    "function": Case({"authorization": "CUSTOM", "authorizer": {"functionArn": FUNCTION, "resultTtlInSeconds": 60}},
                     {"authorizer.resultTtlInSeconds": "update"}, DEPLOY, DEPLOY,
                     lambda seen: {"authorizers": [by_function(authorizerResultTtlInSeconds=60)]},
                     start={"authorization": "CUSTOM", "authorizer": {"functionArn": FUNCTION}}),
    "scopes": Case(users([POOL], ["data/write", "data/read"]), {"authorizer.scopes": "update"}, DEPLOY, DEPLOY,
                   lambda seen: {"routes": reaching(seen, scopes=["data/write", "data/read"])},
                   start=users([POOL], ["data/read"])),
    "noscopes": Case(users([POOL]), {"authorizer.scopes": "delete"}, DEPLOY, DEPLOY,
                     lambda seen: {"routes": reaching(seen, scopes=None)},
                     {"authorizer.scopes": "add"}, users([POOL], ["data/read"])),
    "pools": Case(users([POOL, OTHER_POOL]), {"authorizer.userPoolArns": "update"}, DEPLOY, DEPLOY,
                  lambda seen: {"authorizers": [by_pools(POOL, OTHER_POOL)]},
                  start=users([POOL])),
    "custom": Case(function(), {"authorization": "update", "authorizer": "add"}, DEPLOY, DEPLOY,
                   lambda seen: asked_by(seen, by_function()),
                   {"authorization": "update", "authorizer": "delete"}),
    "functionrole": Case(function(roleArn=INVOKER), {"authorizer.roleArn": "add"}, DEPLOY, DEPLOY,
                         lambda seen: {"authorizers": [by_function(authorizerCredentials=INVOKER)]},
                         {"authorizer.roleArn": "delete"}, function()),
    "request": Case(function(type="REQUEST", identitySources=SOURCES),
                    {"authorizer.type": "update", "authorizer.identitySources": "update"}, DEPLOY, DEPLOY,
                    lambda seen: {"authorizers": [by_function(type="REQUEST", identitySource=", ".join(SOURCES))]},
                    start=function()),
    "sources": Case(function(type="REQUEST", identitySources=SOURCES[:1]), {"authorizer.identitySources": "update"},
                    DEPLOY, DEPLOY,
                    lambda seen: {"authorizers": [by_function(type="REQUEST", identitySource=SOURCES[0])]},
                    start=function(type="REQUEST", identitySources=SOURCES)),
    "signedorasked": Case(function(), {"authorization": "update", "authorizer": "add"}, DEPLOY, DEPLOY,
                          lambda seen: asked_by(seen, by_function()) | {"own answers": seen["own answers"] | NOT_FOUND},
                          {"authorization": "update", "authorizer": "delete"}, {"authorization": "AWS_IAM"}),
    "addresses": Case({"allowedIpRanges": ["203.0.113.0/24", "2001:db8::/32"]}, {"allowedIpRanges": "add"}, DEPLOY, DEPLOY,
                      lambda seen: {"policy": [OPEN, among("2001:db8::/32", "203.0.113.0/24")]},
                      {"allowedIpRanges": "delete"}),
    "moreaddresses": Case({"allowedIpRanges": ["198.51.100.0/24", "203.0.113.0/24"]}, {"allowedIpRanges": "update"},
                          DEPLOY, DEPLOY,
                          lambda seen: {"policy": [OPEN, among("198.51.100.0/24", "203.0.113.0/24")]},
                          start={"allowedIpRanges": ["203.0.113.0/24"]}),
    "rules": Case({"policy": POLICY}, {"policy": "add"}, DEPLOY, DEPLOY,
                  lambda seen: {"policy": [RULE]}, {"policy": "delete"}),
    "rulesandaddresses": Case({"policy": POLICY, "allowedIpRanges": ["203.0.113.0/24"]},
                              {"policy": "add", "allowedIpRanges": "add"}, DEPLOY, DEPLOY,
                              lambda seen: {"policy": [RULE, among("203.0.113.0/24")]},
                              {"policy": "delete", "allowedIpRanges": "delete"}),
    "rulesforaddresses": Case({"policy": POLICY, "allowedIpRanges": ["198.51.100.0/24"]},
                              {"policy": "add", "allowedIpRanges": "update"}, DEPLOY, DEPLOY,
                              lambda seen: {"policy": [RULE, among("198.51.100.0/24")]},
                              {"policy": "delete", "allowedIpRanges": "update"},
                              {"allowedIpRanges": ["203.0.113.0/24"]}),
    # What is allowed without a signature names the stage.
    "placedstage": Case(PLACED | {"stageName": "v2"}, {"stageName": "update"},
                        ["CreateDeployment", "DeleteDeployment", "DeleteStage", "GetStage", "PutRestApi"],
                        ["CreateDeployment", "DeleteDeployment", "DeleteStage", "GetStage", "PutRestApi"],
                        lambda seen: {"stages": {"v2": seen["stages"]["prod"]}, "policy": [
                            CALL | {"Resource": "execute-api:/v2/OPTIONS/*"}, among("203.0.113.0/24")]}, start=PLACED),
    "policy": Case({"policy": POLICY.replace("v1", "v2")}, {"policy": "update"}, DEPLOY, DEPLOY,
                   lambda seen: {"policy": [RULE | {"Resource": "execute-api:/prod/GET/v2/*"}]},
                   start={"policy": POLICY}),
    # Words and order do not matter.
    "policytext": Case({"policy": f" {POLICY}\n", "allowedIpRanges": ["203.0.113.0/24", "192.0.2.0/24"]}, {}, [], [],
                       start={"policy": POLICY, "allowedIpRanges": ["192.0.2.0/24", "203.0.113.0/24"]}),
    "throttle": Case({"throttle": {"rateLimit": 0.5, "burstLimit": 20}}, {"throttle": "add"}, ["UpdateStage"],
                     ["UpdateStage"], lambda seen: prod(seen, methods=(0.5, 20, False)), {"throttle": "delete"}),
    "slower": Case({"throttle": {"rateLimit": 50, "burstLimit": 10}}, {"throttle.rateLimit": "update"}, ["UpdateStage"],
                   ["UpdateStage"], lambda seen: prod(seen, methods=(50, 10, False)),
                   start={"throttle": {"rateLimit": 100, "burstLimit": 10}}),
    "metrics": Case({"metricsEnabled": True}, {"metricsEnabled": "update"}, ["UpdateStage"], ["UpdateStage"],
                    lambda seen: prod(seen, methods=(-1, -1, True))),
    "tracing": Case({"tracingEnabled": True}, {"tracingEnabled": "update"}, ["UpdateStage"], ["UpdateStage"],
                    lambda seen: prod(seen, traced=True)),
    # A new stage is told everything anew.
    "limitedstage": Case({"stageName": "v2", "throttle": {"rateLimit": 9, "burstLimit": 9}, "tracingEnabled": True},
                         {"stageName": "update"}, ["CreateStage", "DeleteStage", "GetStage", "UpdateStage"],
                         ["CreateStage", "DeleteStage", "GetStage", "UpdateStage"],
                         lambda seen: {"stages": {"v2": seen["stages"]["prod"]}},
                         start={"throttle": {"rateLimit": 9, "burstLimit": 9}, "tracingEnabled": True}),
    "keys": Case({"apiKeys": ["alice", "lab-7"]}, {"apiKeys": "add"},
                 sorted([*DEPLOY, "GetUsagePlans", "GetApiKeys", "CreateUsagePlan", *["CreateApiKey", "CreateUsagePlanKey"] * 2]),
                 sorted([*DEPLOY, "UpdateUsagePlan", "DeleteUsagePlan", *["DeleteApiKey"] * 2]), lambda seen: {
                     "usage plans": with_keys(seen, "alice", "lab-7"), "routes": reaching(seen, key=True),
                     "own answers": own(
                         seen, INVALID_API_KEY=("InvalidApiKey", "Send a valid API key in the header x-api-key."),
                         QUOTA_EXCEEDED=("QuotaExceeded", "The quota of this API key is used up.")),
                     "a missing key": (403, "application/json", "InvalidApiKey")}, {"apiKeys": "delete"}),
    "clients": Case({"apiKeys": ["bob", "carol"]}, {"apiKeys": "update"},
                    ["CreateApiKey", "CreateUsagePlanKey", "DeleteApiKey", "DeleteUsagePlanKey", "GetApiKeys",
                     "GetUsagePlan", "GetUsagePlanKeys"],
                    ["CreateApiKey", "CreateUsagePlanKey", "DeleteApiKey", "DeleteUsagePlanKey", "GetApiKeys",
                     "GetUsagePlan", "GetUsagePlanKeys"],
                    lambda seen: {"usage plans": with_keys(seen, "bob", "carol")}, start={"apiKeys": ["alice", "bob"]}),
    "sameclients": Case({"apiKeys": ["bob", "alice"]}, {}, [], [], start={"apiKeys": ["alice", "bob"]}),
    "quota": Case({"apiKeys": ["alice"], "quota": {"limit": 1000, "period": "MONTH", "offset": 2}}, {"quota": "add"},
                  ["UpdateUsagePlan"], ["UpdateUsagePlan"],
                  lambda seen: plans(seen, quota={"limit": 1000, "period": "MONTH", "offset": 2}), {"quota": "delete"},
                  {"apiKeys": ["alice"]}),
    "quotas": Case({"apiKeys": ["alice"], "quota": {"limit": 7, "period": "WEEK"}},
                   {"quota.limit": "update", "quota.period": "update"}, ["UpdateUsagePlan"], ["UpdateUsagePlan"],
                   lambda seen: plans(seen, quota={"limit": 7, "period": "WEEK", "offset": 0}),
                   start={"apiKeys": ["alice"], "quota": {"limit": 9, "period": "DAY", "offset": 0}}),
    "slowkeys": Case({"apiKeys": ["alice"], "throttle": {"rateLimit": 5, "burstLimit": 2}}, {"throttle": "add"},
                     ["UpdateStage", "UpdateUsagePlan"], ["UpdateStage", "UpdateUsagePlan"],
                     lambda seen: prod(seen, methods=(5, 2, False)) | plans(seen, throttle={"rateLimit": 5, "burstLimit": 2}),
                     {"throttle": "delete"}, {"apiKeys": ["alice"]}),
    # The plan leaves the old stage before that goes.
    "keystage": Case({"apiKeys": ["alice"], "stageName": "v2"}, {"stageName": "update"},
                     ["CreateStage", "DeleteStage", "GetStage", "UpdateUsagePlan"],
                     ["CreateStage", "DeleteStage", "GetStage", "UpdateUsagePlan"],
                     lambda seen: {"stages": {"v2": seen["stages"]["prod"]}} | plans(seen, stages=["v2"]),
                     start={"apiKeys": ["alice"]}),
    "keytags": Case({"apiKeys": ["alice"], "tags": {"team": "data"}}, {"tags.team": "add"},
                    sorted([*TAG, "TagResource", "TagResource"]), sorted([*UNTAG, "UntagResource", "UntagResource"]),
                    lambda seen: retag(seen, {"team": "data"}) | tagged_keys(seen, {"team": "data"}),
                    {"tags.team": "delete"}, {"apiKeys": ["alice"]}),
    "accesslog": Case({"accessLog": {"retentionInDays": 7}}, {"accessLog": "add"},
                      ["CreateLogGroup", "GetAccount", "GetRole", "PutRetentionPolicy", "UpdateStage"],
                      ["DeleteLogGroup", "DescribeLogGroups", "ListTagsForResource", "UpdateStage"],
                      lambda seen: prod(seen, **{"access log": (OWN_GROUP, FIELDS)}) | {"log group": {
                          "retention": 7, "key": None, "tags": {
                              key: value for key, value in seen["role tags"].items() if key == "s3dataproxy:owner"}}},
                      {"accessLog": "delete"}),
    "retention": Case({"accessLog": {"retentionInDays": 30}}, {"accessLog.retentionInDays": "add"},
                      [*WHOSE_GROUP, "PutRetentionPolicy"], ["DeleteRetentionPolicy", *WHOSE_GROUP], lambda seen: {"log group": seen["log group"] | {"retention": 30}},
                      {"accessLog.retentionInDays": "delete"}, {"accessLog": {}}),
    "line": Case({"accessLog": {"format": LINE}}, {"accessLog.format": "add"}, ["UpdateStage"], ["UpdateStage"],
                 lambda seen: prod(seen, **{"access log": (OWN_GROUP, LINE)}), {"accessLog.format": "delete"},
                 {"accessLog": {}}),
    "destination": Case({"accessLog": {"destinationArn": LOG_GROUP}},
                        {"accessLog.destinationArn": "add"}, ["DeleteLogGroup", "DescribeLogGroups", "ListTagsForResource", "UpdateStage"],
                        ["CreateLogGroup", "UpdateStage"],
                        lambda seen: prod(seen, **{"access log": (LOG_GROUP, FIELDS)})
                        | {"log group": None}, {"accessLog.destinationArn": "delete"},
                        {"accessLog": {}}),
    "logtags": Case({"accessLog": {}, "tags": {"team": "data"}}, {"tags.team": "add"}, sorted([*TAG, *WHOSE_GROUP, "TagResource"]),
                    sorted([*UNTAG, *WHOSE_GROUP, "UntagResource"]), lambda seen: retag(seen, {"team": "data"}) | {
                        "log group": seen["log group"] | {"tags": seen["log group"]["tags"] | {"team": "data"}}},
                    {"tags.team": "delete"}, {"accessLog": {}}),
    "notes": Case({"executionLog": {"level": "INFO", "dataTrace": True}}, {"executionLog": "add"},
                  ["GetAccount", "GetRole", "UpdateStage"], ["UpdateStage"],
                  lambda seen: prod(seen, notes=("INFO", True)), {"executionLog": "delete"}),
    "morenotes": Case({"executionLog": {"level": "INFO"}}, {"executionLog.level": "update"}, ["UpdateStage"],
                      ["UpdateStage"], lambda seen: prod(seen, notes=("INFO", False)), start={"executionLog": {}}),
    # The new stage is told where to write.
    "loggedstage": Case({"stageName": "v2", "accessLog": {}}, {"stageName": "update"},
                        ["CreateStage", "DeleteStage", "GetAccount", "GetRole", "GetStage", "UpdateStage"],
                        ["CreateStage", "DeleteStage", "GetAccount", "GetRole", "GetStage", "UpdateStage"],
                        lambda seen: {"stages": {"v2": seen["stages"]["prod"]}}, start={"accessLog": {}}),
    "edge": Case({"endpoint": {"type": "EDGE"}}, {"endpoint.type": "update"}, MOVE, MOVE,
                 lambda seen: {"endpoint": {"types": ["EDGE"], "ipAddressType": "ipv4"}}),
    "ipv6": Case({"endpoint": {"ipAddressType": "dualstack"}}, {"endpoint.ipAddressType": "update"}, ["UpdateRestApi"],
                 ["UpdateRestApi"], lambda seen: {"endpoint": {"types": ["REGIONAL"], "ipAddressType": "dualstack"}}),
    "private": Case({"endpoint": {"type": "PRIVATE", "vpcEndpointIds": ["vpce-2", "vpce-1"]}},
                    {"endpoint.type": "update", "endpoint.ipAddressType": "update", "endpoint.vpcEndpointIds": "add"},
                    sorted([*DEPLOY, *MOVE]), sorted([*DEPLOY, *MOVE, "UpdateRestApi"]), lambda seen: {
                        "policy": [OPEN, through("vpce-1", "vpce-2")],
                        "endpoint": {"types": ["PRIVATE"], "ipAddressType": "dualstack",
                                     "vpcEndpointIds": ["vpce-1", "vpce-2"]}},
                    {"endpoint.type": "update", "endpoint.ipAddressType": "update", "endpoint.vpcEndpointIds": "delete"}),
    "endpoints": Case({"endpoint": {"type": "PRIVATE", "vpcEndpointIds": ["vpce-3", "vpce-1"]}},
                      {"endpoint.vpcEndpointIds": "update"}, sorted([*DEPLOY, *MOVE]), sorted([*DEPLOY, *MOVE]),
                      lambda seen: {
                          "policy": [OPEN, through("vpce-1", "vpce-3")],
                          "endpoint": seen["endpoint"] | {"vpcEndpointIds": ["vpce-1", "vpce-3"]}},
                      start={"endpoint": {"type": "PRIVATE", "vpcEndpointIds": ["vpce-1", "vpce-2"]}}),
    "publicedge": Case({"endpoint": {"type": "EDGE"}},
                       {"endpoint.type": "update", "endpoint.ipAddressType": "update", "endpoint.vpcEndpointIds": "delete"},
                       sorted([*DEPLOY, *MOVE, "UpdateRestApi"]), sorted([*DEPLOY, *MOVE]),
                       lambda seen: {"policy": None, "endpoint": {"types": ["EDGE"], "ipAddressType": "ipv4"}},
                       {"endpoint.type": "update", "endpoint.ipAddressType": "update", "endpoint.vpcEndpointIds": "add"},
                       {"endpoint": {"type": "PRIVATE", "vpcEndpointIds": ["vpce-1"]}}),
    "tls13": Case({"endpoint": {"securityPolicy": TLS13}}, {"endpoint.securityPolicy": "add"},
                  sorted([*DEPLOY, "UpdateRestApi"]), sorted([*DEPLOY, "UpdateRestApi"]), lambda seen: {"tls": TLS13},
                  {"endpoint.securityPolicy": "delete"}),
    "tlspq": Case({"endpoint": {"securityPolicy": TLSPQ}}, {"endpoint.securityPolicy": "update"},
                  sorted([*DEPLOY, "UpdateRestApi"]), sorted([*DEPLOY, "UpdateRestApi"]), lambda seen: {"tls": TLSPQ},
                  start={"endpoint": {"securityPolicy": TLS13}}),
    "tls10": Case({"endpoint": {"securityPolicy": "TLS_1_0"}}, {}, [], []),
    # The stage knows of a cache only while the document tells answers apart.
    "cache": Case({"cache": {}}, {"cache": "add"}, CACHE, CACHE, lambda seen: {"routes": cached(seen)} | prod(
                      seen, cache=("0.5", 300, True, True, True, "SUCCEED_WITH_RESPONSE_HEADER")), {"cache": "delete"}),
    "bigcache": Case({"cache": {"sizeGb": 1.6, "ttlSeconds": 60, "encrypted": False}},
                     {"cache.sizeGb": "update", "cache.ttlSeconds": "update", "cache.encrypted": "update"},
                     ["GetStage", "UpdateStage"], ["GetStage", "UpdateStage"],
                     lambda seen: prod(seen, cache=("1.6", 60, False, True, True, "SUCCEED_WITH_RESPONSE_HEADER")),
                     start={"cache": {}}),
    "samecache": Case({"cache": {"sizeGb": 0.5, "ttlSeconds": 300, "encrypted": True}}, {}, [], [], start={"cache": {}}),
    "cachedstage": Case({"stageName": "v2", "cache": {}}, {"stageName": "update"},
                        ["CreateStage", "DeleteStage", "GetStage", "GetStage", "UpdateStage"],
                        ["CreateStage", "DeleteStage", "GetStage", "GetStage", "UpdateStage"],
                        lambda seen: {"stages": {"v2": seen["stages"]["prod"]}}, start={"cache": {}}),
    "nourl": Case({"endpoint": {"disableExecuteApi": True}}, {"endpoint.disableExecuteApi": "update"}, DEPLOY, DEPLOY,
                  lambda seen: {"api": seen["api"] | {"disableExecuteApiEndpoint": True}}),
    "regional": Case({"endpoint": {"type": "REGIONAL", "ipAddressType": "ipv4", "disableExecuteApi": False}}, {}, [], []),
    "boundary": Case({"role": {"permissionsBoundaryArn": BOUNDARY}}, {"role.permissionsBoundaryArn": "add"},
                     ["GetRole", "PutRolePermissionsBoundary"], ["DeleteRolePermissionsBoundary", "GetRole"],
                     lambda seen: {"boundary": BOUNDARY}, {"role.permissionsBoundaryArn": "delete"}),
    "otherboundary": Case({"role": {"permissionsBoundaryArn": OTHER_BOUNDARY}}, {"role.permissionsBoundaryArn": "update"},
                          ["GetRole", "PutRolePermissionsBoundary"], ["GetRole", "PutRolePermissionsBoundary"],
                          lambda seen: {"boundary": OTHER_BOUNDARY},
                          start={"role": {"permissionsBoundaryArn": BOUNDARY}}),
    "rolepath": Case({"role": {"path": "/"}}, {}, [], []),
    "defaults": Case({"path": "defaults", "metricsEnabled": False, "tracingEnabled": False, "stageName": "prod", "operations": ["HEAD", "GET"], "waitForReady": True,
                      "bucket": {"forceDestroy": False, "secureTransportOnly": True}, "tags": {}}, {}, [], []),
    "nowords": Case({"description": ""}, {}, [], []),
    "both": Case({"path": "elsewhere", "stageName": "v2"}, {"path": "update", "stageName": "update"},
                 ["CreateDeployment", "DeleteDeployment", "DeleteStage", "GetStage", "PutRestApi"],
                 ["CreateDeployment", "DeleteDeployment", "DeleteStage", "GetStage", "PutRestApi"],
                 lambda seen: moved(seen, "/both/", "/elsewhere/") | {"stages": {"v2": seen["stages"]["prod"]}}),
    "all": Case({"path": "new/place", "stageName": "v2", "description": "b", "operations": ["HEAD"],
                 "waitForReady": False, "bucket": {"secureTransportOnly": False, "forceDestroy": True},
                 "tags": {"team": "data"}},
                {"path": "update", "stageName": "update", "description": "add", "operations": "update",
                 "waitForReady": "update", "bucket.secureTransportOnly": "update", "bucket.forceDestroy": "update",
                 "tags.team": "add"},
                sorted([*DEPLOY, "DeleteBucketPolicy", "DeleteStage", "GetStage", *TAG]),
                # The new stage never had the tag.
                sorted([*DEPLOY, *WHOSE, "PutBucketPolicy", "DeleteStage", "GetStage", "GetBucketTagging", "PutBucketTagging",
                        "UntagResource", "UntagRole"]),
                lambda seen: retag(seen, {"team": "data"}) | {
                    "stages": {"v2": seen["stages"]["prod"] | {"tags": {"team": "data"}}},
                    "api": seen["api"] | {"description": "b"}, "bucket policy": None,
                    "routes": moved(seen | {"routes": offering(seen, "HEAD")}, "/all/", "/new/place/")["routes"],
                    "own answers": refusing(seen, "HEAD"),
                    "a missing key": (405, seen["a missing key"][1], "MethodNotAllowed")},
                {"path": "update", "stageName": "update", "description": "delete", "operations": "update",
                 "waitForReady": "update", "bucket.secureTransportOnly": "update", "bucket.forceDestroy": "update",
                 "tags.team": "delete"}),
}


@dataclass
class Leg:
    """One update of all cases, and a refresh: the commands' results, the calls, and what AWS has afterwards."""

    preview: Result | None
    up: Result
    again: Result
    refresh: Result | None
    calls: dict[str, list[str]]
    calls_again: dict[str, list[str]]
    seen: dict[str, dict]
    outputs: dict[str, dict]


@pytest.fixture(scope="module")
def journey(aws, tmp_path_factory):
    """All cases made, changed and changed back, in one stack."""
    with Fleet(aws.url, tmp_path_factory.mktemp("changes"), CASES) as fleet:
        starts, ends = ({name: part(case) for name, case in CASES.items()} for part in (lambda c: c.start, lambda c: c.to))
        yield [travel(aws, fleet, starts), travel(aws, fleet, ends, look_again=True), travel(aws, fleet, starts)]


def travel(aws, fleet: Fleet, inputs: dict[str, dict], look_again: bool = False) -> Leg:
    fleet.write(inputs)
    preview = fleet.stack.preview() if fleet.resources() else None
    fleet.reset()
    # One that fails shows in its own test.
    up = fleet.stack.up("--continue-on-error", fails=None)
    calls = {name: sorted(tap.operations()) for name, tap in fleet.taps.items()}
    outputs = fleet.outputs()
    seen = {name: look(aws, has) for name, has in outputs.items()}
    fleet.reset()
    again = fleet.stack.up("--continue-on-error", fails=None)
    calls_again = {name: sorted(tap.operations()) for name, tap in fleet.taps.items()}
    # Once: it takes as long as an update.
    refresh = fleet.stack.refresh(fails=None) if look_again else None
    return Leg(preview, up, again, refresh, calls, calls_again, seen, outputs)


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("name", CASES)
def test_change(aws, journey, name, back):
    case, (start, there, home) = CASES[name], journey
    leg = home if back else there
    shows = case.shows_back if back and case.shows_back is not None else case.shows

    [step] = leg.preview.done(name)
    assert step["op"] == ("update" if shows else "same")
    assert {path: diff["diffKind"] for path, diff in (step["detailedDiff"] or {}).items()} == shows
    assert leg.up.messages("error", name) == []
    assert [step["op"] for step in leg.up.done(name)] == ["update" if shows else "same"]
    assert leg.calls[name] == (case.calls_back if back else case.calls)
    assert leg.up.messages("warning", name) == []
    assert [step["op"] for step in leg.again.done(name)] == ["same"]
    assert leg.calls_again[name] == []
    if leg.refresh:
        # It finds what was made, and nothing else.
        assert [step["op"] for step in leg.refresh.done(name)] == ["same"]
        assert leg.refresh.messages("warning", name) + leg.refresh.messages("error", name) == []
    before = start.seen[name]
    if back or case.effect:
        assert leg.seen[name] == (before if back else before | case.effect(before))
    else:
        assert leg.seen[name] != before


def test_changed_inputs_are_outputs(journey):
    outputs = journey[1].outputs["all"]
    assert CASES["all"].to.items() <= outputs.items()
    assert outputs["invokeUrl"].endswith("/v2/new/place")
    assert list(json.loads(outputs["openApiDocument"])["paths"]) == ["/new/place/{key+}"]


def test_the_providers_default_tags(aws, tmp_path):
    """They go everywhere, the resource's own tags win, and a change of them is an update."""
    with Fleet(aws.url, tmp_path, ["tagged"]) as fleet:
        def tags(default, own):
            fleet.write({"tagged": {"tags": own}}, defaultTags=default)
            changes = fleet.stack.up().done("tagged")[-1]["op"]
            seen = look(aws, fleet.outputs()["tagged"])
            assert fleet.stack.refresh("--expect-no-changes").messages("warning", "tagged") == []
            assert fleet.stack.up("--expect-no-changes").changes.keys() == {"same"}
            found = [seen[kind] for kind in TAGGED] + [stage["tags"] for stage in seen["stages"].values()]
            return changes, [{key: value for key, value in each.items() if ":" not in key} for each in found]

        assert tags({"a": "1", "b": "1"}, {"b": "own"}) == ("create", [{"a": "1", "b": "own"}] * 4)
        assert tags({"c": "1", "b": "1"}, {"b": "own"}) == ("update", [{"c": "1", "b": "own"}] * 4)
        assert tags({"c": "1", "b": "1"}, {}) == ("update", [{"c": "1", "b": "1"}] * 4)


def test_the_providers_endpoint_wins_over_the_environments(aws, tap, stack):
    nowhere = "http://127.0.0.1:9"
    made = stack(one("pointed"), nowhere)
    made.set_config("s3dataproxy:endpointUrl", tap.url)
    made.set_config("s3dataproxy:maxAttempts", "1")
    made.up()
    assert "CreateRestApi" in tap.operations()


def test_only_what_is_waited_for_is_probed(tap, stack):
    def probes():
        return [(call.method, call.target.split("s3dataproxy-")[0], call.status)
                for call in tap.calls if call.service == "execute-api"]

    made = stack(one("probed", {"waitForReady": False}), tap.url)
    made.up()
    assert probes() == []
    made.write(one("probed", {"waitForReady": True, "path": "elsewhere"}))
    made.up()
    [outputs] = [resource["outputs"] for resource in made.resources() if resource["type"] == PROXY]
    assert probes() == [("GET", f"{urlsplit(outputs['invokeUrl']).path}/", 404)]


# Replacement

@dataclass
class Swap:
    old: dict
    new: dict
    shows: str
    steps: list[str]


NEW_FIRST = ["create-replacement", "replace", "delete-replaced"]
OLD_FIRST = ["delete-replaced", "replace", "create-replacement"]

SWAPS = {
    "name": Swap({"name": "swap-name-a"}, {"name": "swap-name-b"}, "name", NEW_FIRST),
    "auto": Swap({}, {"name": "swap-auto-b"}, "name", NEW_FIRST),
    "bucketstays": Swap({"name": "swap-stays-a", "bucket": {"name": "swap-stays"}},
                        {"name": "swap-stays-b", "bucket": {"name": "swap-stays"}}, "name", OLD_FIRST),
    "bucket": Swap({"name": "swap-bucket", "bucket": {"name": "swap-bucket-a"}},
                   {"name": "swap-bucket", "bucket": {"name": "swap-bucket-b"}}, "bucket.name", OLD_FIRST),
    "newbucket": Swap({"name": "swap-new"}, {"name": "swap-new", "bucket": {"name": "swap-new-b"}}, "bucket.name",
                      OLD_FIRST),
    "rolepath": Swap({"name": "swap-path"}, {"name": "swap-path", "role": {"path": "/research/"}}, "role.path", OLD_FIRST),
    "withkeys": Swap({"name": "swap-keys-a", "apiKeys": ["a"]}, {"name": "swap-keys-b", "apiKeys": ["a"]}, "name",
                     NEW_FIRST),
    "withmore": Swap({"name": "swap-more-a"}, {"name": "swap-more-b", "path": "x", "tags": {"a": "b"}}, "name",
                     NEW_FIRST),
}


@pytest.fixture(scope="module")
def swapped(aws, tmp_path_factory):
    """All swaps in one stack: (preview, up, up again, old outputs, new outputs)."""
    with Fleet(aws.url, tmp_path_factory.mktemp("swaps")) as fleet:
        fleet.write({name: swap.old for name, swap in SWAPS.items()})
        fleet.stack.up()
        old = fleet.outputs()
        fleet.write({name: swap.new for name, swap in SWAPS.items()})
        preview = fleet.stack.preview()
        up = fleet.stack.up("--continue-on-error", fails=None)
        yield preview, up, fleet.stack.up(fails=None), old, fleet.outputs()


@pytest.mark.parametrize("name", SWAPS)
def test_replacement(aws, swapped, name):
    swap, (preview, up, again, old, new) = SWAPS[name], swapped
    for result in (preview, up):
        assert [step["op"] for step in result.done(name)] == swap.steps
        [create] = [step for step in result.done(name) if step["op"] == "create-replacement"]
        assert create["keys"] == [swap.shows.partition(".")[0]]
        assert create["detailedDiff"][swap.shows]["diffKind"].endswith("-replace")
    assert up.messages("error", name) == []
    assert [step["op"] for step in again.done(name)] == ["same"]
    assert new[name]["name"] == swap.new["name"]
    assert look(aws, new[name])["a missing key"][0] == (403 if "apiKeys" in swap.new else 404)
    inventory = aws.inventory()
    names = {"buckets": "bucketName", "roles": "roleName", "rest_apis": "name"}
    names |= {"usage_plans": "name"} if "apiKeys" in swap.new else {}
    for kind, output in names.items():
        for value, there in ((old[name][output], old[name][output] == new[name][output]), (new[name][output], True)):
            assert inventory[kind].count(value) == there, (kind, value)
    with pytest.raises(aws.client("apigateway").exceptions.NotFoundException):
        aws.client("apigateway").get_rest_api(restApiId=old[name]["restApiId"])


def urns(stack) -> list[str]:
    return [resource["urn"] for resource in stack.resources() if resource["type"] == PROXY]


def outputs_of(stack) -> dict:
    [resource] = [resource for resource in stack.resources() if resource["type"] == PROXY]
    return resource["outputs"]


def test_a_replacement_that_is_asked_for_gets_new_names(aws, stack):
    made = stack(one("again"))
    made.up()
    [urn], old = urns(made), outputs_of(made)
    made.up("--replace", urn)
    new = outputs_of(made)
    assert new["name"] != old["name"] and left(aws, "again") == dict.fromkeys(left(aws, "again"), [new["name"]])
    assert made.up("--expect-no-changes").changes.keys() == {"same"}


def test_a_replacement_that_is_asked_for_takes_no_names_away(aws, stack):
    """The engine makes the new one first and does not ask the plugin: nothing happens to what is in use."""
    made = stack(one("named", {"name": "named-again"}))
    made.up()
    [urn], old = urns(made), outputs_of(made)
    put(aws, old)
    seen = look(aws, old)
    errors = made.up("--replace", urn, fails=True).messages("error", "named")
    assert any("`deleteBeforeReplace`" in error and old["restApiId"] in error for error in errors)
    assert look(aws, old) == seen
    assert made.up("--expect-no-changes").changes.keys() == {"same"}
    assert requests.get(f"{old['invokeUrl']}/kept", timeout=30).content == b"precious"
    aws.client("s3").delete_object(Bucket="named-again", Key="kept")


def test_a_replacement_for_the_programs_reasons_deletes_first(aws, stack):
    def program(description):
        options = {"replaceOnChanges": ["description"]}
        properties = {"name": "reasons", "description": description}
        return f"resources: {json.dumps({'reasons': {'type': PROXY, 'properties': properties, 'options': options}})}\n"

    made = stack(program("a"))
    made.up()
    old = outputs_of(made)
    made.write(program("b"))
    assert [step["op"] for step in made.up().done("reasons")] == OLD_FIRST
    new = outputs_of(made)
    assert new["restApiId"] != old["restApiId"] and left(aws, "reasons")["rest_apis"] == ["reasons"]
    assert made.up("--expect-no-changes").changes.keys() == {"same"}


def test_a_replacement_with_an_automatic_name_deletes_last(aws, stack):
    """Its names are new ones, so the URL's data is never without a home."""
    def program(description):
        resource = {"type": PROXY, "properties": {"description": description},
                    "options": {"replaceOnChanges": ["description"]}}
        return f"resources: {json.dumps({'auto': resource})}\n"

    made = stack(program("a"))
    made.up()
    old = outputs_of(made)
    made.write(program("b"))
    assert [step["op"] for step in made.up().done("auto")] == NEW_FIRST
    new = outputs_of(made)
    assert new["name"] != old["name"] and left(aws, "auto")["rest_apis"] == [new["name"]]
    assert made.up("--expect-no-changes").changes.keys() == {"same"}


# Data in the way

def put(aws, outputs: dict, key: str = "kept", body: bytes = b"precious") -> None:
    aws.client("s3").put_object(Bucket=outputs["bucketName"], Key=key, Body=body)


def test_a_bucket_that_holds_something_is_kept(aws, tmp_path):
    """Neither a destroy nor a replacement deletes it without `forceDestroy`, or anything else while it is there."""
    with Fleet(aws.url, tmp_path, ["kept"]) as fleet:
        tap, stack = fleet.taps["kept"], fleet.stack
        inputs = {"name": "kept", "bucket": {"name": "kept-data"}}
        fleet.write({"kept": inputs})
        stack.up()
        outputs = fleet.outputs()["kept"]
        put(aws, outputs)
        seen = look(aws, outputs)

        def still_there(result):
            [error, *_] = result.messages("error", "kept")
            for word in ("kept-data", "BucketNotEmpty", "forceDestroy"):
                assert word in error
            assert [call for call in tap.operations() if not call.startswith(("Get", "Describe"))] == ["DeleteBucket"]
            assert look(aws, outputs) == seen
            assert requests.get(f"{outputs['invokeUrl']}/kept", timeout=30).content == b"precious"

        tap.reset()
        still_there(stack.destroy(fails=True))
        fleet.write({"kept": {**inputs, "bucket": {"name": "kept-other"}}})
        tap.reset()
        still_there(stack.up(fails=True))

        # Back to the program that fits: nothing to do.
        fleet.write({"kept": inputs})
        assert stack.up().done("kept")[-1]["op"] == "same"
        assert look(aws, outputs) == seen

        fleet.write({"kept": {**inputs, "bucket": {"name": "kept-data", "forceDestroy": True}}})
        stack.up()
        stack.destroy()
        assert left(aws, "kept") == {}


def test_a_replaced_bucket_that_holds_something_is_kept(aws, stack):
    """Where the new one is made first, both are there until the old one is empty."""
    made = stack(one("full", {"name": "full-a"}))
    made.up()
    [old] = [resource["outputs"] for resource in made.resources() if resource["type"] == PROXY]
    put(aws, old)
    made.write(one("full", {"name": "full-b"}))
    result = made.up(fails=True)
    assert any("full-a" in error and "forceDestroy" in error for error in result.messages("error", "full"))
    assert requests.get(f"{old['invokeUrl']}/kept", timeout=30).content == b"precious"
    assert left(aws, "full")["buckets"] == ["full-a", "full-b"]
    aws.client("s3").delete_object(Bucket="full-a", Key="kept")
    made.up()
    assert {kind: names for kind, names in left(aws, "full").items()} == {
        "buckets": ["full-b"], "roles": ["full-b"], "rest_apis": ["full-b"]}
    assert made.up("--expect-no-changes").changes.keys() == {"same"}


def test_force_destroy_deletes_every_version_and_upload(aws, tap, stack):
    made = stack(one("forced", {"bucket": {"forceDestroy": True}}), tap.url)
    made.up()
    [outputs] = [resource["outputs"] for resource in made.resources() if resource["type"] == PROXY]
    s3, bucket = aws.client("s3"), outputs["bucketName"]
    s3.put_object(Bucket=bucket, Key="before", Body=b"0")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("before", "a", "a", "ä +?&<>'\"", "gone"):
        put(aws, outputs, key)
    s3.delete_object(Bucket=bucket, Key="gone")
    for key in ("part 1", "part 2"):
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"x")
    tap.reset()
    made.destroy()
    assert left(aws, "forced") == {}
    # Nobody may write while the bucket is emptied.
    done = tap.operations()
    assert done.index("DeleteRestApi") < done.index("DeleteObjects") < len(done) - 1 - done[::-1].index("DeleteBucket")


def test_an_empty_bucket_needs_no_force(aws, tap, stack):
    made = stack(one("empty"), tap.url)
    made.up()
    tap.reset()
    made.destroy()
    assert sorted(tap.operations()) == [
        "DeleteBucket", "DeleteRestApi", "DeleteRole", "DeleteRolePolicy", "DescribeLogGroups", "GetApiKeys",
        "GetBucketTagging", "GetDomainNames", "GetRestApi", "GetRestApis", "GetRole", "GetStages", "GetUsagePlans"]
    assert left(aws, "empty") == {}
    assert made.resources() == []
