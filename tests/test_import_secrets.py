"""Errors of an import tell names and places; what an API says there may be nobody's business."""

import json
import uuid

import grpc
import pytest

from harness.aws import REGION
from harness.faults import Error
from harness.rpc import Resource, wipe

SECRET = "hunter2-hunter2-hunter2"
DENIED = Error("AccessDeniedException", 403, "not authorized")
POLICY = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
    "Condition": {"StringEquals": {"aws:Referer": SECRET}}}]}


@pytest.fixture
def hushed(aws, provider):
    """A resource's API after somebody has written this into all that takes text, and taken the owner tag away: so all that
    differs is told. Its id."""
    name = f"hushed-{uuid.uuid4().hex[:8]}"
    resource = Resource(provider, name)
    made = resource.create({"name": name, "waitForReady": False, "apiKeys": ["ann"], "accessLog": {}, "path": "sets"})
    id_, api, logs = made["restApiId"], aws.client("apigateway"), aws.client("logs")
    api.untag_resource(resourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{id_}", tagKeys=["s3dataproxy:owner"])
    api.update_rest_api(restApiId=id_, patchOperations=[
        {"op": "replace", "path": "/policy", "value": json.dumps(POLICY)},
        {"op": "replace", "path": "/description", "value": SECRET}])
    [key] = [each["id"] for each in api.get_resources(restApiId=id_)["items"] if each["path"].endswith("/{key+}")]
    api.update_integration(restApiId=id_, resourceId=key, httpMethod="GET", patchOperations=[
        {"op": "add", "path": "/requestParameters/integration.request.header.X-Token", "value": f"'{SECRET}'"}])
    api.update_stage(restApiId=id_, stageName="prod", patchOperations=[
        {"op": "replace", "path": "/variables/token", "value": SECRET},
        {"op": "replace", "path": "/accessLogSettings/format", "value": f"$context.requestId {SECRET}"}])
    api.tag_resource(resourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{id_}", tags={"token": SECRET})
    logs.tag_log_group(logGroupName=f"/aws/apigateway/{name}", tags={"token": SECRET})
    [plan] = [each["id"] for each in api.get_usage_plans(limit=500)["items"] if each["name"] == name]
    bob = api.create_api_key(name=f"{name}-bob", value=SECRET, enabled=True)["id"]
    api.create_usage_plan_key(usagePlanId=plan, keyId=bob, keyType="API_KEY")
    yield id_
    wipe(aws, name)


def import_(provider, id_: str) -> grpc.RpcError | None:
    other = Resource(provider, "other")
    other.id = id_
    try:
        other.read(properties=None, inputs=None)
    except grpc.RpcError as error:
        return error


def test_what_differs_is_told_without_what_it_says(provider, tap, hushed):
    tap.reset()
    error = import_(provider, hushed).details()
    for words in ("GET /sets/{key+}", "parameters, integration.request.header.X-Token", "its stage is not what", "tags.token"):
        assert words in error
    assert SECRET not in error
    # Nor in what keeps it from being looked at.
    operations = sorted(set(tap.operations()))
    assert {"GetApiKeys", "GetStage", "GetUsagePlanKeys"} <= set(operations)
    for operation in operations:
        tap.reset()
        tap.inject(DENIED, operation=operation, times=9)
        assert SECRET not in str(import_(provider, hushed))


def test_an_integration_with_something_else_is_named_without_what_it_sends(aws, provider):
    api = aws.client("apigateway")
    id_ = api.create_rest_api(name="hushed-other")["id"]
    does = {"type": "aws", "httpMethod": "GET", "credentials": "arn:aws:iam::000000000000:role/x", "uri": (
        f"arn:aws:apigateway:{REGION}:sqs:action/SendMessage&MessageBody={SECRET}")}
    try:
        api.put_rest_api(restApiId=id_, mode="overwrite", body=json.dumps({
            "openapi": "3.0.1", "info": {"title": "x", "version": "1"}, "paths": {"/x/{key+}": {"get": {
                "responses": {"200": {"description": "it"}}, "x-amazon-apigateway-integration": does}}}}))
        api.create_deployment(restApiId=id_, stageName="prod")
        error = import_(provider, id_).details()
    finally:
        api.delete_rest_api(restApiId=id_)
    assert f"its integration `arn:aws:apigateway:{REGION}:sqs:action/SendMessage` is not one bucket's objects by key" in error
    assert SECRET not in error
