"""What API Gateway's management does: an API made by hand for it, a role that comes late, the pace, a time limit."""

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator

import requests
from botocore.exceptions import ClientError

from .place import BODY, Place, Row, code

TAGS = {"s3dataproxy-live": "1"}


def management(place: Place) -> Iterator[Row]:
    """An API with the same document, for a role that is not there yet."""
    api, iam = place.account.client("apigateway"), place.account.client("iam")
    name = f"s3dataproxy-live-{uuid.uuid4().hex[:8]}"
    role = place.outputs["roleName"]
    role_arn = place.outputs["roleArn"]
    body = place.outputs["openApiDocument"].replace(role_arn, role_arn.replace(role, name))
    rest_api = api.create_rest_api(name=name, tags=TAGS, endpointConfiguration={"types": ["REGIONAL"]})["id"]
    try:
        put = {"restApiId": rest_api, "mode": "overwrite", "body": body.encode()}
        deploy = {"restApiId": rest_api, "stageName": place.stage}
        yield Row("an import with a role that is not there", None, refusal(lambda: api.put_rest_api(**put)))
        yield Row("a deployment with a role that is not there", None, refusal(lambda: api.create_deployment(**deploy)))
        yield from late_role(place, iam, role, name, place.url.replace(place.outputs["restApiId"], rest_api))
        for call, arguments, times, pace in [(api.put_rest_api, put, 5, 1), (api.create_deployment, deploy, 3, 5)]:
            seconds = [measured(call, arguments, pace * place.account.pause) for _ in range(times)]
            yield Row(f"seconds of {call.__name__}", None, [round(each, 2) for each in seconds], only_told=True)
        yield pace_of(place, put)
    finally:
        api.delete_rest_api(restApiId=rest_api)


def late_role(place: Place, iam, role: str, name: str, url: str) -> Iterator[Row]:
    """The role is made after it was asked for in vain, and for how long that is remembered."""
    place.put("late.bin", BODY)
    answer = requests.get(f"{url}/late.bin", timeout=60)
    yield Row("the answer without the role", (502, "StorageError"), (answer.status_code, code(answer)), only_told=True)
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    policy = iam.get_role_policy(RoleName=role, PolicyName="s3dataproxy")["PolicyDocument"]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust),
                    Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()])
    try:
        iam.put_role_policy(RoleName=name, PolicyName="s3dataproxy", PolicyDocument=json.dumps(policy))
        started = time.monotonic()
        while (answer := requests.get(f"{url}/late.bin", timeout=60)).status_code != 200:
            if time.monotonic() - started > 180:
                break
            time.sleep(place.account.pause)
        yield Row("a role that comes late is used", 200, answer.status_code)
        yield Row("a role that comes late is used after so many seconds", None, round(time.monotonic() - started),
                  only_told=True)
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="s3dataproxy")
        iam.delete_role(RoleName=name)


def refusal(call: Callable[[], object]) -> str | None:
    """What API Gateway says against it."""
    try:
        call()
    except ClientError as error:
        return str(error)
    return None


def measured(call: Callable[..., object], arguments: dict, pause: float) -> float:
    time.sleep(pause)
    started = time.monotonic()
    call(**arguments)
    return time.monotonic() - started


def pace_of(place: Place, put: dict) -> Row:
    """One import a second is let through; whether the answer to more of them says when to come again."""
    api, seen = place.account.client("apigateway", retries={"total_max_attempts": 1}), "no call was over the pace"
    for _ in range(20 if place.account.pause else 2):
        try:
            api.put_rest_api(**put)
        except ClientError as error:
            answer = error.response
            seen = answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPHeaders"].get("retry-after")
            break
    return Row("a call over the pace: its code and Retry-After", None, seen, only_told=True)


def timeouts(place: Place) -> Iterator[Row]:
    """S3 does not take 29 seconds, so the time is cut to the shortest there is. The URL is no good after it."""
    api, rest_api = place.account.client("apigateway"), place.outputs["restApiId"]
    resources = api.get_resources(restApiId=rest_api, limit=500)["items"]
    [resource] = [each["id"] for each in resources if each["path"].endswith("/{key+}")]
    shorter = {"op": "replace", "path": "/timeoutInMillis", "value": "50"}
    api.update_integration(restApiId=rest_api, resourceId=resource, httpMethod="GET", patchOperations=[shorter])
    api.create_deployment(restApiId=rest_api, stageName=place.stage)
    place.put("slow.bin", os.urandom(9_900_000))
    for _ in range(30 if place.account.pause else 1):
        answer = place.ask("GET", "/slow.bin")
        if answer.status_code == 504:
            break
        time.sleep(place.account.pause)
    yield Row("S3 takes longer than the integration's time", (504, "Timeout"), (answer.status_code, code(answer)))


ALL = [management, timeouts]
