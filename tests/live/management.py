"""What API Gateway's management does: an API made by hand for it, a role that comes late, the pace, a time limit."""

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests
from botocore.exceptions import ClientError

from .place import BODY, Place, Row, code

TAGS = {"s3dataproxy-live": "1"}
# The two are set together: the policies of this kind need a mode.
ENDPOINT = {"securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09", "endpointAccessMode": "BASIC"}


def management(place: Place) -> Iterator[Row]:
    """An API with the same document, for a role that is not there yet."""
    api = place.account.client("apigateway")
    name = f"s3dataproxy-live-{uuid.uuid4().hex[:8]}"
    rest_api = api.create_rest_api(name=name, tags=TAGS, endpointConfiguration={"types": ["REGIONAL"]})["id"]
    try:
        put = {"restApiId": rest_api, "mode": "overwrite", "body": document(place, name)}
        deploy = {"restApiId": rest_api, "stageName": place.stage}
        yield Row("an import with a role that is not there", None, refusal(lambda: api.put_rest_api(**put)))
        yield Row("a deployment with a role that is not there", None, refusal(lambda: api.create_deployment(**deploy)))
        url = place.url.replace(place.outputs["restApiId"], rest_api)
        yield from late_role(place, name, url)
        yield confined_role(place, f"{name}-confined", rest_api, url)
        for call, arguments, times, pace in [(api.put_rest_api, put, 5, 1), (api.create_deployment, deploy, 3, 5)]:
            seconds = [measured(call, arguments, pace * place.account.pause) for _ in range(times)]
            yield Row(f"seconds of {call.__name__}", None, [round(each, 2) for each in seconds], only_told=True)
        yield pace_of(place, put)
        yield endpoint(place, rest_api)
    finally:
        api.delete_rest_api(restApiId=rest_api)


def document(place: Place, role: str) -> bytes:
    """The proxy's, with another role."""
    name, arn = place.outputs["roleName"], place.outputs["roleArn"]
    return place.outputs["openApiDocument"].replace(arn, arn.replace(name, role)).encode()


@contextmanager
def another_role(place: Place, name: str, condition: dict = {}) -> Iterator[None]:
    """What the proxy's role is and may, under another name, and with a condition on its use."""
    iam, role = place.account.client("iam"), place.outputs["roleName"]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    if condition:
        trust["Statement"]["Condition"] = condition
    policy = iam.get_role_policy(RoleName=role, PolicyName="s3dataproxy")["PolicyDocument"]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust),
                    Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()])
    try:
        iam.put_role_policy(RoleName=name, PolicyName="s3dataproxy", PolicyDocument=json.dumps(policy))
        yield
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="s3dataproxy")
        iam.delete_role(RoleName=name)


def served_after(place: Place, url: str, limit: int) -> int | None:
    """The seconds until it is a 200, if it becomes one."""
    started = time.monotonic()
    while requests.get(url, timeout=60).status_code != 200:
        if time.monotonic() - started > limit:
            return None
        time.sleep(place.account.pause)
    return round(time.monotonic() - started)


def late_role(place: Place, name: str, url: str) -> Iterator[Row]:
    """The role is made after it was asked for in vain, and for how long that is remembered."""
    place.put("late.bin", BODY)
    answer = requests.get(f"{url}/late.bin", timeout=60)
    yield Row("the answer without the role", (502, "StorageError"), (answer.status_code, code(answer)), only_told=True)
    with another_role(place, name):
        seconds = served_after(place, f"{url}/late.bin", 180)
    yield Row("a role that comes late is used", True, seconds is not None)
    yield Row("a role that comes late is used after so many seconds", None, seconds, only_told=True)


def confined_role(place: Place, name: str, rest_api: str, url: str) -> Row:
    """Whether API Gateway names the API when it assumes a role: its trust could then be confined to it."""
    api, stage = place.account.client("apigateway"), f"{place.stage}-confined"
    source = f"{place.outputs['executionArn'].rpartition(':')[0]}:{rest_api}/*"
    place.put("confined.bin", BODY)
    with another_role(place, name, {"ArnLike": {"aws:SourceArn": source}}):
        api.put_rest_api(restApiId=rest_api, mode="overwrite", body=document(place, name))
        # A stage of its own, as an answer by the role before would be none.
        api.create_deployment(restApiId=rest_api, stageName=stage)
        seconds = served_after(place, f"{url.replace(f'/{place.stage}', f'/{stage}', 1)}/confined.bin", 60)
    return Row("a role whose trust names the API is used after so many seconds", None, seconds, only_told=True)


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


def endpoint(place: Place, rest_api: str) -> Row:
    """The paths of these two are not documented."""
    api = place.account.client("apigateway")
    patches = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in ENDPOINT.items()]
    refused = refusal(lambda: api.update_rest_api(restApiId=rest_api, patchOperations=patches))
    for _ in range(180):
        found = api.get_rest_api(restApiId=rest_api)
        if found.get("apiStatus") not in ("UPDATING", "PENDING"):
            break
        time.sleep(place.account.pause)
    return Row("a security policy and its access mode are set", (None, ENDPOINT),
               (refused, {name: found.get(name) for name in ENDPOINT}))


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
