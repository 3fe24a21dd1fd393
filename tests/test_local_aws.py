"""The local AWS: each repair in tests/aws/repairs, and that two of them do not meet."""

import json
import os
import signal
import subprocess
import time
import uuid

import psutil
import pytest
import requests

from harness import ROOT, processes
from harness.aws import ACCOUNT, LocalAws

LIMIT = 10 * 1024 * 1024
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
INTEGRATION = "x-amazon-apigateway-integration"


@pytest.fixture
def bucket(aws):
    s3 = aws.client("s3")
    name = f"local-aws-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    yield name
    for item in s3.list_objects_v2(Bucket=name).get("Contents", []):
        s3.delete_object(Bucket=name, Key=item["Key"])
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def deploy(aws):
    """Makes a REST API with one path, `/{key+}`, whose GET has this integration; gives its id and URL."""
    api = aws.client("apigateway")
    made = []

    def deploy(integration: dict, **extensions) -> tuple[str, str]:
        codes = {str(response["statusCode"]): {"description": "", "headers": {"Content-Type": {"schema": {"type": "string"}}}}
                 for response in integration["responses"].values()}
        key = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}
        document = {
            "openapi": "3.0.1", "info": {"title": "local-aws", "version": "1"},
            "x-amazon-apigateway-binary-media-types": ["*/*"],
            **extensions,
            "paths": {"/{key+}": {"get": {"parameters": [key], "responses": codes, INTEGRATION: integration}}},
        }
        rest_api = api.create_rest_api(name="local-aws", endpointConfiguration={"types": ["REGIONAL"]})["id"]
        made.append(rest_api)
        api.put_rest_api(restApiId=rest_api, mode="overwrite", body=json.dumps(document).encode())
        api.create_deployment(restApiId=rest_api, stageName="s")
        return rest_api, aws.invoke_url(rest_api, "s")

    yield deploy
    for rest_api in made:
        api.delete_rest_api(restApiId=rest_api)


def get_object(bucket: str, responses: dict) -> dict:
    """An integration that reads an object as the path names it."""
    return {
        "type": "aws", "httpMethod": "GET", "uri": f"arn:aws:apigateway:us-east-1:s3:path/{bucket}/{{key}}",
        "credentials": ROLE, "passthroughBehavior": "when_no_match",
        "requestParameters": {"integration.request.path.key": "method.request.path.key"},
        "responses": responses,
    }


OK = {"statusCode": "200", "responseParameters": {"method.response.header.Content-Type": "integration.response.header.Content-Type"}}


@pytest.mark.parametrize("accept", [None, "*/*", "text/html,application/xhtml+xml"])
@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", "application/json"])
def test_any_binary_media_type_keeps_bytes(aws, bucket, deploy, content_type, accept):
    every_byte = bytes(range(256))
    aws.client("s3").put_object(Bucket=bucket, Key="a/b", Body=every_byte, ContentType=content_type)
    _, url = deploy(get_object(bucket, {"default": OK}))
    response = requests.get(f"{url}/a/b", headers={"Accept": accept}, timeout=30)
    assert response.status_code == 200
    assert response.content == every_byte
    assert response.headers["Content-Type"] == content_type


def test_import_keeps_credentials_and_content_handling(aws, bucket, deploy):
    integration = get_object(bucket, {"default": OK, "404": {"statusCode": "404", "contentHandling": "CONVERT_TO_TEXT"}})
    integration["cacheKeyParameters"] = ["method.request.path.key"]
    rest_api, _ = deploy(integration)
    resources = aws.client("apigateway").get_resources(restApiId=rest_api, embed=["methods"])["items"]
    [method] = [resource["resourceMethods"]["GET"] for resource in resources if resource["path"] == "/{key+}"]
    found = method["methodIntegration"]
    assert found["credentials"] == ROLE
    assert found["cacheKeyParameters"] == ["method.request.path.key"]
    assert found["integrationResponses"]["404"]["contentHandling"] == "CONVERT_TO_TEXT"
    assert "contentHandling" not in found["integrationResponses"]["200"]


def test_converted_text_reaches_a_response_template(deploy, bucket):
    not_found = {
        "statusCode": "404", "contentHandling": "CONVERT_TO_TEXT",
        "responseTemplates": {"application/json": '{"message": "no such object"}'},
        "responseParameters": {"method.response.header.Content-Type": "'application/json'"},
    }
    _, url = deploy(get_object(bucket, {"default": OK, "404": not_found}))
    response = requests.get(f"{url}/missing", timeout=30)
    assert (response.status_code, response.json()) == (404, {"message": "no such object"})
    assert response.headers["Content-Type"] == "application/json"


def test_import_sets_gateway_responses(deploy, bucket):
    kinds = {"DEFAULT_4XX": {"responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}}}
    _, url = deploy(get_object(bucket, {"default": OK}), **{"x-amazon-apigateway-gateway-responses": kinds})
    response = requests.delete(f"{url}/a", timeout=30)
    assert response.status_code == 403
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_import_sets_and_overwrites_authorization(aws, deploy, bucket):
    api, integration = aws.client("apigateway"), get_object(bucket, {"default": OK})
    rest_api, _ = deploy(integration)

    def put(kind: str, **more) -> tuple[str, int]:
        scheme = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": kind, **more}
        operation = {"responses": {}, "security": [{"who": []}], INTEGRATION: integration}
        document = {"openapi": "3.0.1", "info": {"title": "local-aws"}, "paths": {"/a": {"get": operation}},
                    "components": {"securitySchemes": {"who": scheme}}}
        api.put_rest_api(restApiId=rest_api, mode="overwrite", body=json.dumps(document).encode())
        items = api.get_resources(restApiId=rest_api, embed=["methods"])["items"]
        [method] = [resource["resourceMethods"]["GET"] for resource in items if resource["path"] == "/a"]
        return method["authorizationType"], len(api.get_authorizers(restApiId=rest_api)["items"])

    uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/F/invocations"
    authorizer = {"x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": uri}}
    assert put("awsSigv4") == ("AWS_IAM", 0)
    assert put("custom", **authorizer) == put("custom", **authorizer) == ("CUSTOM", 1)
    assert put("awsSigv4") == ("AWS_IAM", 0)


def test_a_usage_plan_that_is_not_there_or_in_use_is_told_so(aws):
    """Repair: usage_plans."""
    api = aws.client("apigateway")
    rest_api = api.create_rest_api(name="planned")["id"]
    [root] = api.get_resources(restApiId=rest_api)["items"]
    method = {"restApiId": rest_api, "resourceId": root["id"], "httpMethod": "GET"}
    api.put_method(**method, authorizationType="NONE")
    api.put_integration(**method, type="MOCK")
    api.create_deployment(restApiId=rest_api, stageName="prod")
    plan = api.create_usage_plan(name="planned", apiStages=[{"apiId": rest_api, "stage": "prod"}])["id"]
    with pytest.raises(api.exceptions.BadRequestException, match="API Stages associated"):
        api.delete_usage_plan(usagePlanId=plan)
    with pytest.raises(api.exceptions.NotFoundException):
        api.delete_usage_plan_key(usagePlanId=plan, keyId="none")
    patch = {"op": "remove", "path": "/apiStages", "value": f"{rest_api}:prod"}
    api.update_usage_plan(usagePlanId=plan, patchOperations=[patch])
    api.delete_usage_plan(usagePlanId=plan)
    with pytest.raises(api.exceptions.NotFoundException):
        api.delete_usage_plan(usagePlanId=plan)
    api.delete_rest_api(restApiId=rest_api)


def test_a_stage_logs_only_where_the_account_has_a_role(aws, deploy):
    """Repair: logging."""
    api = aws.client("apigateway")
    rest_api, _ = deploy({"type": "mock", "responses": {"default": {"statusCode": "200"}}})
    role = api.get_account()["cloudwatchRoleArn"]
    noted = [{"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"}]
    line = [{"op": "replace", "path": f"/accessLogSettings/{key}", "value": value} for key, value in {
        "destinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:a", "format": "$context.requestId"}.items()]
    api.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}])
    try:
        for patches in (noted, line):
            with pytest.raises(api.exceptions.BadRequestException, match="role ARN must be set"):
                api.update_stage(restApiId=rest_api, stageName="s", patchOperations=patches)
    finally:
        api.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])
    for patches in (noted, line):
        api.update_stage(restApiId=rest_api, stageName="s", patchOperations=patches)


def test_import_overwrites_the_policy(aws, deploy, bucket):
    policy = {"Version": "2012-10-17", "Statement": []}
    integration = get_object(bucket, {"default": OK})
    rest_api, _ = deploy(integration, **{"x-amazon-apigateway-policy": policy})
    api = aws.client("apigateway")
    assert json.loads(api.get_rest_api(restApiId=rest_api)["policy"].replace('\\"', '"')) == policy
    document = {"openapi": "3.0.1", "info": {"title": "local-aws"}, "paths": {}}
    api.put_rest_api(restApiId=rest_api, mode="overwrite", body=json.dumps(document).encode())
    assert "policy" not in api.get_rest_api(restApiId=rest_api)


def test_ten_megabytes_pass_and_no_more(aws, deploy, bucket):
    _, url = deploy(get_object(bucket, {"default": OK}))
    for key, size in [("small", 1), ("most", LIMIT), ("above", LIMIT + 1)]:
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=bytes(size))
    assert requests.get(f"{url}/most", timeout=60).content == bytes(LIMIT)
    answer = requests.get(f"{url}/above", timeout=60)
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal server error"})
    assert requests.get(f"{url}/small", data=bytes(LIMIT), timeout=60).content == bytes(1)
    answer = requests.get(f"{url}/small", data=bytes(LIMIT + 1), timeout=60)
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Too Long"})


def test_two_side_by_side(aws):
    with LocalAws() as other:
        assert other.url != aws.url
        other.client("s3").create_bucket(Bucket="only-here")
        other.client("iam").create_role(RoleName="only-here", AssumeRolePolicyDocument="{}")
        assert other.inventory()["buckets"] == other.inventory()["roles"] == ["only-here"]
        found = aws.inventory()
        assert "only-here" not in found["buckets"] + found["roles"]


def test_it_listens_on_loopback_only(aws):
    listening = [c.laddr.ip for c in psutil.Process(aws.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "the parent's end"])
def test_it_ends_without_a_trace(tmp_path, how):
    # A shell between us and it is its parent, so that the parent can end alone.
    launcher = f'"{ROOT / ".tools/aws/bin/python"}" "{ROOT / "tests/aws/launcher.py"}"'
    shell = processes.start(
        ["bash", "-c", f"{launcher} & echo $!; wait"], env={**os.environ, "AWS_PORT": "0", "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    try:
        local_aws = psutil.Process(int(shell.stdout.readline()))
        assert shell.stdout.readline().startswith("ready http://127.0.0.1:")
        assert list(tmp_path.iterdir())
        if how == "the parent's end":
            shell.kill()
        else:
            local_aws.send_signal(getattr(signal, how))
        deadline = time.monotonic() + 20
        while local_aws.is_running() and local_aws.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, "it did not end"
            time.sleep(0.1)
        assert list(tmp_path.iterdir()) == []
    finally:
        processes.stop(shell)


def test_tags_that_are_put_on_show_and_stay(aws):
    """Repair: kept_tags."""
    apigateway = aws.client("apigateway")
    api = apigateway.create_rest_api(name="kept-tags", tags={"a": "1", "b": "2"})["id"]
    try:
        root = apigateway.get_resources(restApiId=api)["items"][0]["id"]
        apigateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
        apigateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
        deployment = apigateway.create_deployment(restApiId=api)["id"]
        apigateway.create_stage(restApiId=api, stageName="prod", deploymentId=deployment, tags={"a": "1", "b": "2"})
        arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}/stages/prod"
        apigateway.tag_resource(resourceArn=arn, tags={"b": "3", "c": "4"})
        apigateway.untag_resource(resourceArn=arn, tagKeys=["a"])
        apigateway.update_stage(restApiId=api, stageName="prod", patchOperations=[
            {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "7"}, {"op": "replace", "path": "/tracingEnabled", "value": "true"}])
        before = apigateway.get_stage(restApiId=api, stageName="prod")
        assert before["tags"] == {"b": "3", "c": "4"}
        deployment = apigateway.create_deployment(restApiId=api, stageName="prod")["id"]
        after = apigateway.get_stage(restApiId=api, stageName="prod")
        assert after["deploymentId"] == deployment != before["deploymentId"]
        for part in ("tags", "methodSettings", "tracingEnabled"):
            assert after[part] == before[part]
        arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
        apigateway.tag_resource(resourceArn=arn, tags={"b": "3", "c": "4"})
        apigateway.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert apigateway.get_rest_api(restApiId=api)["tags"] == {"b": "3", "c": "4"}
    finally:
        apigateway.delete_rest_api(restApiId=api)


def test_tags_of_clients_show(aws):
    """Repair: kept_tags."""
    api = aws.client("apigateway")
    plan = api.create_usage_plan(name="kept-tags", tags={"a": "1", "b": "2"})["id"]
    key = api.create_api_key(name="kept-tags", tags={"a": "1", "b": "2"})["id"]
    try:
        for arn in (f"/usageplans/{plan}", f"/apikeys/{key}"):
            api.tag_resource(resourceArn=f"arn:aws:apigateway:us-east-1::{arn}", tags={"b": "3", "c": "4"})
            api.untag_resource(resourceArn=f"arn:aws:apigateway:us-east-1::{arn}", tagKeys=["a"])
        [listed] = [each for each in api.get_usage_plans(limit=500)["items"] if each["id"] == plan]
        assert listed["tags"] == api.get_usage_plan(usagePlanId=plan)["tags"] == {"b": "3", "c": "4"}
        [listed] = [each for each in api.get_api_keys(limit=500)["items"] if each["id"] == key]
        assert listed["tags"] == api.get_api_key(apiKey=key)["tags"] == {"b": "3", "c": "4"}
    finally:
        api.delete_api_key(apiKey=key)
        api.delete_usage_plan(usagePlanId=plan)


def test_an_endpoint_keeps_its_kind_and_other_ids(aws, deploy):
    """Repair: endpoint_configuration."""
    api = aws.client("apigateway")
    mock = {"type": "mock", "responses": {"default": {"statusCode": "200"}}}
    rest_api, _ = deploy(mock, **{"x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": True}})
    found = api.get_rest_api(restApiId=rest_api)
    assert (found["endpointConfiguration"]["types"], found["disableExecuteApiEndpoint"]) == (["REGIONAL"], True)

    def patch(*patches: tuple) -> dict:
        patches = [dict(zip(("op", "path", "value"), each, strict=True)) for each in patches]
        return api.update_rest_api(restApiId=rest_api, patchOperations=patches)["endpointConfiguration"]

    ids = "/endpointConfiguration/vpcEndpointIds"
    private = patch(("replace", "/endpointConfiguration/types/0", "PRIVATE"), ("add", ids, "vpce-1"), ("add", ids, "vpce-2"))
    assert private == {"types": ["PRIVATE"], "ipAddressType": "dualstack", "vpcEndpointIds": ["vpce-1", "vpce-2"]}
    assert patch(("remove", ids, "vpce-1"))["vpcEndpointIds"] == ["vpce-2"]
    document = {"openapi": "3.0.1", "info": {"title": "local-aws", "version": "1"}, "paths": {}}
    api.put_rest_api(restApiId=rest_api, mode="overwrite", body=json.dumps(document).encode())
    found = api.get_rest_api(restApiId=rest_api)
    assert "vpcEndpointIds" not in found["endpointConfiguration"] and not found["disableExecuteApiEndpoint"]


def test_the_settings_of_one_method_can_be_taken_off(aws, deploy):
    """Repair: method_settings."""
    api = aws.client("apigateway")
    rest_api, _ = deploy({"type": "mock", "responses": {"default": {"statusCode": "200"}}})
    stage = {"restApiId": rest_api, "stageName": "s"}
    set_ = [{"op": "replace", "path": f"/{method}/throttling/burstLimit", "value": "1"} for method in ("*/*", "~1{key+}/GET")]
    assert list(api.update_stage(**stage, patchOperations=set_)["methodSettings"]) == ["*/*", "~1{key+}/GET"]
    answer = api.update_stage(**stage, patchOperations=[{"op": "remove", "path": "/~1{key+}/GET"}])
    assert list(answer["methodSettings"]) == list(api.get_stage(**stage)["methodSettings"]) == ["*/*"]


def test_an_api_keeps_its_security_policy(aws):
    """Repair: security_policy."""
    api = aws.client("apigateway")
    told = {"securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09", "endpointAccessMode": "BASIC"}
    made = api.create_rest_api(name="local-aws", endpointConfiguration={"types": ["REGIONAL"]}, **told)
    one = {"restApiId": made["id"]}
    assert told.items() <= made.items() and told.items() <= api.get_rest_api(**one).items()
    [listed] = [item for item in api.get_rest_apis(limit=500)["items"] if item["id"] == made["id"]]
    assert told.items() <= listed.items()
    back = api.update_rest_api(**one, patchOperations=[{"op": "replace", "path": "/securityPolicy", "value": "TLS_1_0"}])
    assert back["securityPolicy"] == api.get_rest_api(**one)["securityPolicy"] == "TLS_1_0"
    api.delete_rest_api(**one)


def test_a_domain_name_keeps_what_it_is_told_and_its_api(aws):
    """Repair: domain_names."""
    api = aws.client("apigateway")
    rest_api = api.create_rest_api(name="with-a-domain-name")["id"]
    name = "told.example.com"
    api.create_domain_name(domainName=name, regionalCertificateArn="arn-1", securityPolicy="TLS_1_0", tags={"a": "1"},
                           endpointConfiguration={"types": ["REGIONAL"]})
    with pytest.raises(api.exceptions.BadRequestException, match="already exists"):
        api.create_domain_name(domainName=name, regionalCertificateArn="arn-1")
    api.update_domain_name(domainName=name, patchOperations=[
        {"op": "add", "path": "/endpointConfiguration/types", "value": "EDGE"},
        {"op": "add", "path": "/certificateArn", "value": "arn-2"}])
    api.update_domain_name(domainName=name, patchOperations=[
        {"op": "remove", "path": "/endpointConfiguration/types", "value": "REGIONAL"}])
    api.tag_resource(resourceArn=f"arn:aws:apigateway:us-east-1::/domainnames/{name}", tags={"b": "2"})
    seen = api.get_domain_name(domainName=name)
    assert seen["endpointConfiguration"]["types"] == ["EDGE"] and "regionalCertificateArn" not in seen
    assert (seen["certificateArn"], seen["securityPolicy"], seen["tags"]) == ("arn-2", "TLS_1_0", {"a": "1", "b": "2"})
    mapping = {"domainName": name, "restApiId": rest_api, "stage": "prod"}
    api.create_base_path_mapping(**mapping)
    with pytest.raises(api.exceptions.ConflictException, match="already exists"):
        api.create_base_path_mapping(**mapping)
    with pytest.raises(api.exceptions.BadRequestException, match="base path mappings"):
        api.delete_rest_api(restApiId=rest_api)
    api.delete_domain_name(domainName=name)
    api.delete_rest_api(restApiId=rest_api)
