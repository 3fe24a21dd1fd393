"""API keys: who has one gets in, a client's key stays whatever happens around it, and no key is ever shown or lost."""

import json
import math
import uuid

import grpc
import pytest
import requests
from google.protobuf import json_format
from pulumi.runtime.proto import provider_pb2

from harness.engine import PROXY
from harness.faults import After, Answer, Error, Lost, Spoilt
from harness.rpc import Plugin, Resource, bare, exposed, plain, wipe
from test_lifecycle import left, one

DENIED = Error("AccessDenied", 403)
CLIENTS = {"apiKeys": ["alice", "lab-7"], "waitForReady": False}
QUOTA = {"limit": 1000, "period": "MONTH"}


# Through the URL


def ask(url: str, key: str | None = None, **options) -> requests.Response:
    headers = {"x-api-key": key} if key else {}
    return requests.request(options.pop("method", "GET"), url, headers=headers | options.pop("headers", {}), timeout=30)


def proxy(stack) -> dict:
    [resource] = [resource for resource in stack.resources() if resource["type"] == PROXY]
    return resource["outputs"]


PROGRAM_OUTPUTS = """
outputs:
  url: ${data.invokeUrl}
  keys: ${data.apiKeyValues}
  ids: ${data.apiKeyIds}
"""


def test_a_key_opens_the_url_for_its_client(aws, stack):
    def program(**inputs):
        return one("data", {"name": "keyed", "bucket": {"forceDestroy": True}, **inputs}) + PROGRAM_OUTPUTS

    made = stack(program(apiKeys=["alice", "lab-7"], quota=QUOTA, cors={"allowOrigins": ["*"]}))
    preview = made.preview()
    [created] = preview.done("data")
    assert created["op"] == "create"
    made.up()
    aws.client("s3").put_object(Bucket="keyed", Key="a", Body=b"the data")
    outputs = made.outputs()
    url, keys = outputs["url"] + "/a", outputs["keys"]
    assert sorted(keys) == sorted(outputs["ids"]) == ["alice", "lab-7"]
    assert not set(keys.values()) & set(outputs["ids"].values())

    for wrong in (None, "0123456789abcdefghij"):
        answer = ask(url, wrong)
        assert (answer.status_code, answer.json()["code"]) == (403, "InvalidApiKey")
        assert "x-api-key" in answer.json()["message"]
    for key in keys.values():
        assert (ask(url, key).status_code, ask(url, key).content) == (200, b"the data")
    # A browser asks before it has a key to send.
    preflight = ask(url, method="OPTIONS", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"})
    assert preflight.status_code in (200, 204)
    assert "x-api-key" in preflight.headers["Access-Control-Allow-Headers"].lower()

    # Another client comes, one goes.
    made.write(program(apiKeys=["lab-7", "zoe"], quota=QUOTA))
    made.up()
    new = made.outputs()["keys"]
    assert (sorted(new), new["lab-7"]) == (["lab-7", "zoe"], keys["lab-7"])
    assert [ask(url, key).status_code for key in (keys["alice"], new["lab-7"], new["zoe"])] == [403, 200, 200]

    # Nobody needs one any more.
    made.write(program())
    made.up()
    assert ask(url).status_code == 200
    assert not {"apiKeyIds", "apiKeyValues"} & proxy(made).keys()
    assert made.up().changes.keys() == {"same"}
    aws.client("s3").delete_object(Bucket="keyed", Key="a")
    made.destroy()
    assert left(aws, "keyed") == {}


def test_the_stored_state_and_the_screen_show_no_key(aws, stack):
    made = stack(one("data", {"name": "unseen", **CLIENTS}) + PROGRAM_OUTPUTS)
    told = [made.up()]
    keys = made.outputs()["keys"].values()
    told += [made.preview("--diff"), made.refresh(), made.up()]
    stored = made.run("stack", "export", "--stack", made.name).stdout
    assert "ciphertext" in stored
    for key in keys:
        assert key not in stored
        assert not any(key in result.stdout + result.stderr for result in told)
    told.append(made.destroy())
    assert not any(key in told[-1].stdout + told[-1].stderr for key in keys)


# Faults


@pytest.fixture
def provider(plugin, engine, tap):
    with Plugin(plugin, engine.address, endpoint=tap.url) as provider:
        provider.handshake(engine.address)
        provider.configure(maxAttempts=2)
        yield provider


@pytest.fixture
def resource(provider, aws, tap):
    resource = Resource(provider, f"keys-{uuid.uuid4().hex[:8]}")
    yield resource
    tap.reset()
    wipe(aws, resource.urn.rpartition(":")[2])


def there(aws, resource: Resource) -> tuple[int, list[str]]:
    """How many plans the account has of this resource, and the clients of its keys."""
    found, name = left(aws, resource.inputs["name"]), resource.inputs["name"]
    return len(found.get("usage_plans", [])), [key.removeprefix(f"{name}-") for key in found.get("api_keys", [])]


def values(resource: Resource) -> dict[str, str]:
    return bare(resource.outputs.get("apiKeyValues", {}))


def as_it_should_be(aws, resource: Resource, clients: list[str]) -> None:
    """One plan with its clients' keys, which work, and nothing to do."""
    assert there(aws, resource) == (1, clients)
    seen = resource.read()
    assert (plain(seen.inputs), plain(seen.properties)) == (resource.inputs, resource.outputs)
    assert not resource.diff(resource.inputs).detailedDiff
    api = aws.client("apigateway")
    [plan] = [plan for plan in api.get_usage_plans(limit=500)["items"] if plan["name"] == resource.inputs["name"]]
    linked = {key["id"] for key in api.get_usage_plan_keys(usagePlanId=plan["id"])["items"]}
    assert linked == set(resource.outputs["apiKeyIds"].values())
    # The local AWS keeps a stage that is gone in the list, too.
    assert [stage["stage"] for stage in plan["apiStages"] if stage["apiId"] == resource.outputs["restApiId"]] == ["prod"]
    for key_id, value in zip(resource.outputs["apiKeyIds"].values(), values(resource).values()):
        key = api.get_api_key(apiKey=key_id, includeValue=True)
        assert (key["value"], key["enabled"]) == (value, True)


# What makes something, and what tells what it has made.
CREATE = {"CreateUsagePlan": "GetUsagePlans", "CreateApiKey": "GetApiKeys", "CreateUsagePlanKey": "GetUsagePlanKey"}


def break_for_good(tap, operation: str, fault) -> None:
    """No answer of it ever comes, and a look does not help either."""
    tap.inject(fault, operation=operation, times=math.inf)
    tap.inject(DENIED, operation=CREATE[operation], times=math.inf)


@pytest.mark.parametrize("fault", [DENIED, Lost()], ids=["denied", "lost"])
@pytest.mark.parametrize("operation", CREATE)
def test_a_create_that_fails_is_finished(resource, aws, tap, operation, fault):
    break_for_good(tap, operation, fault)
    detail = resource.fail_half_way(resource.start_create(CLIENTS))
    assert any(operation in reason for reason in detail.reasons), detail.reasons
    known = values(resource)
    tap.reset()
    resource.plugin.handshake()
    resource.update(CLIENTS)
    as_it_should_be(aws, resource, CLIENTS["apiKeys"])
    assert known.items() <= values(resource).items()
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


@pytest.mark.parametrize("fault", [DENIED, Lost()], ids=["denied", "lost"])
@pytest.mark.parametrize("operation", CREATE)
def test_a_create_that_fails_is_deleted(resource, aws, tap, operation, fault):
    break_for_good(tap, operation, fault)
    resource.fail_half_way(resource.start_create(CLIENTS))
    tap.reset()
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


@pytest.mark.parametrize("times", [1, math.inf], ids=["once", "always"])
@pytest.mark.parametrize("operation", ["CreateUsagePlan", "CreateApiKey"])
def test_an_answer_that_is_lost_is_no_failure(resource, aws, tap, operation, times):
    tap.inject(Lost(), operation=operation, times=times)
    resource.create(CLIENTS)
    as_it_should_be(aws, resource, CLIENTS["apiKeys"])
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


def test_a_list_that_lacks_a_key_does_not_take_it_from_its_client(resource, aws, tap):
    resource.create(CLIENTS)
    known = values(resource)
    # Lists may lag behind.
    tap.inject(Answer(200, b'{"item":[]}', {"Content-Type": "application/json"}), operation="GetApiKeys")
    resource.update(CLIENTS | {"apiKeys": ["alice", "lab-7", "zoe"]})
    as_it_should_be(aws, resource, ["alice", "lab-7", "zoe"])
    assert known.items() <= values(resource).items()
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


def test_a_key_that_is_one_too_many_goes(resource, aws):
    """As a CreateApiKey leaves it that timed out and took effect all the same."""
    resource.create(CLIENTS)
    known, name = values(resource), resource.inputs["name"]
    key = bare(resource.outputs["__state"])["usagePlan"]["keys"]["alice"]
    aws.client("apigateway").create_api_key(name=f"{name}-alice", enabled=True, tags=key["tags"])
    seen = resource.read()
    resource.outputs = plain(seen.properties)
    assert "apiKeys" in resource.diff(resource.inputs).detailedDiff
    resource.update(CLIENTS)
    as_it_should_be(aws, resource, CLIENTS["apiKeys"])
    assert values(resource) == known
    resource.delete()
    assert left(aws, name) == {}


def test_a_move_to_another_stage_whose_answer_is_lost(resource, aws, tap):
    resource.create(CLIENTS)
    # It took effect, and AWS refuses what is done already.
    tap.inject(Spoilt(Error("BadRequestException", 400, "Invalid API Stage specified")), operation="UpdateUsagePlan")
    resource.update(CLIENTS | {"stageName": "v2"})
    assert tap.operations().count("UpdateUsagePlan") == 1
    [stage] = _plan(aws, resource)["apiStages"]
    assert stage["stage"] == "v2"
    assert not resource.diff(resource.inputs).detailedDiff
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


def test_a_plan_that_is_for_another_stage_too(resource, aws, tap):
    made = resource.create(CLIENTS)
    api = aws.client("apigateway")
    plan = bare(resource.outputs["__state"])["usagePlan"]["id"]
    api.create_stage(restApiId=made["restApiId"], stageName="theirs", deploymentId=made["deploymentId"])
    link = f"{made['restApiId']}:theirs"
    api.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "add", "path": "/apiStages", "value": link}])
    with pytest.raises(grpc.RpcError, match="somebody has attached the usage plan to another stage"):
        resource.delete()
    api.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "remove", "path": "/apiStages", "value": link}])
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


def test_a_plan_without_an_answer_goes_where_the_user_drops_it(resource, aws, tap):
    resource.create({"waitForReady": False})
    tap.inject(Lost(), operation="CreateUsagePlan", times=math.inf)
    # The look before it passes.
    tap.inject(After(lambda: None), operation="GetUsagePlans")
    tap.inject(DENIED, operation="GetUsagePlans", times=math.inf)
    resource.fail_half_way(lambda: resource.update(CLIENTS))
    assert there(aws, resource)[0] == 1
    tap.reset()
    resource.update({"waitForReady": False})
    assert there(aws, resource) == (0, [])
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


@pytest.mark.parametrize("lost", ["plan", "links"])
def test_what_a_killed_run_left_is_imported_and_finished(resource, aws, lost):
    """Without a state, and without what would have come after the stage."""
    resource.create(CLIENTS)
    name, api_id = resource.inputs["name"], resource.outputs["restApiId"]
    api, plan = aws.client("apigateway"), bare(resource.outputs["__state"])["usagePlan"]
    for key in plan["keys"].values():
        api.delete_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"])
        if lost == "plan":
            api.delete_api_key(apiKey=key["id"])
    if lost == "plan":
        api.update_usage_plan(usagePlanId=plan["id"], patchOperations=[
            {"op": "remove", "path": "/apiStages", "value": plan["link"]}])
        api.delete_usage_plan(usagePlanId=plan["id"])
    found = resource.stub.Read(provider_pb2.ReadRequest(id=api_id, urn=resource.urn))
    assert found.id == name
    resource.outputs, resource.inputs = plain(found.properties), plain(found.inputs)
    resource.update(CLIENTS | {"name": name})
    as_it_should_be(aws, resource, CLIENTS["apiKeys"])
    resource.delete()
    assert left(aws, name) == {}


@pytest.mark.parametrize("operation", ["GetUsagePlans", "GetApiKeys", *CREATE])
def test_switching_on_that_fails_is_finished(resource, aws, tap, operation):
    resource.create({"waitForReady": False})
    tap.inject(DENIED, operation=operation, times=math.inf)
    resource.fail_half_way(lambda: resource.update(CLIENTS))
    tap.reset()
    resource.update(CLIENTS)
    as_it_should_be(aws, resource, CLIENTS["apiKeys"])
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


DELETE = ["UpdateUsagePlan", "DeleteUsagePlan", "DeleteApiKey"]


# That the plan has left its stage is seen also where the answer is lost.
@pytest.mark.parametrize(("operation", "fault"), [(name, DENIED) for name in DELETE] + [(name, Lost()) for name in DELETE[1:]],
                         ids=[f"{name}-denied" for name in DELETE] + [f"{name}-lost" for name in DELETE[1:]])
def test_a_delete_that_fails_is_finished(resource, aws, tap, operation, fault):
    resource.create(CLIENTS)
    tap.inject(fault, operation=operation, times=math.inf)
    with pytest.raises(grpc.RpcError) as caught:
        resource.delete()
    assert operation in caught.value.details()
    tap.reset()
    resource.plugin.handshake()
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


@pytest.mark.parametrize("operation", [*DELETE, "DeleteUsagePlanKey"])
def test_switching_off_that_fails_is_finished(resource, aws, tap, operation):
    resource.create(CLIENTS)
    new = {"waitForReady": False} | ({"apiKeys": ["alice"]} if operation == "DeleteUsagePlanKey" else {})
    tap.inject(DENIED, operation=operation, times=math.inf)
    resource.fail_half_way(lambda: resource.update(new))
    tap.reset()
    resource.update(new)
    assert there(aws, resource) == ((1, ["alice"]) if "apiKeys" in new else (0, []))
    assert not resource.diff(resource.inputs).detailedDiff
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


def test_the_plan_is_gone_only_after_keys_are_not_asked_for(resource, tap):
    """Otherwise those who send a key would be refused in between."""
    resource.create(CLIENTS)
    tap.reset()
    resource.update({"waitForReady": False})
    order = [name for name in tap.operations() if name in ("CreateDeployment", "UpdateUsagePlan", "DeleteApiKey")]
    assert order == ["CreateDeployment", "UpdateUsagePlan", "DeleteApiKey", "DeleteApiKey"]


# By hand


def _plan(aws, resource: Resource) -> dict:
    plans = aws.client("apigateway").get_usage_plans(limit=500)["items"]
    [plan] = [plan for plan in plans if plan["name"] == resource.inputs["name"]]
    return plan


def _delete_plan(aws, resource: Resource) -> None:
    plan = _plan(aws, resource)
    api = aws.client("apigateway")
    stage = f"{resource.outputs['restApiId']}:prod"
    api.update_usage_plan(usagePlanId=plan["id"], patchOperations=[{"op": "remove", "path": "/apiStages", "value": stage}])
    api.delete_usage_plan(usagePlanId=plan["id"])


def _let_in(aws, resource: Resource) -> None:
    api = aws.client("apigateway")
    # The name ends with the test's.
    key = api.create_api_key(name=f"theirs-{resource.inputs['name']}", enabled=True)
    api.create_usage_plan_key(usagePlanId=_plan(aws, resource)["id"], keyId=key["id"], keyType="API_KEY")


def _alice(resource: Resource) -> str:
    return resource.outputs["apiKeyIds"]["alice"]


# What somebody does, what shows, and whether Alice's key stays.
DRIFTS = {
    "a key deleted": (lambda aws, resource: aws.client("apigateway").delete_api_key(apiKey=_alice(resource)), {"apiKeys"}, False),
    "a key switched off": (lambda aws, resource: aws.client("apigateway").update_api_key(
        apiKey=_alice(resource), patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}]), {"apiKeys"}, True),
    "a key taken out": (lambda aws, resource: aws.client("apigateway").delete_usage_plan_key(
        usagePlanId=_plan(aws, resource)["id"], keyId=_alice(resource)), {"apiKeys"}, True),
    "the plan deleted": (_delete_plan, {"apiKeys"}, True),
    "a key renamed": (lambda aws, resource: aws.client("apigateway").update_api_key(
        apiKey=_alice(resource), patchOperations=[{"op": "replace", "path": "/name", "value": "theirs"}]), {"apiKeys"}, True),
    "another's key put in": (_let_in, {"apiKeys"}, True),
    "the plan renamed": (lambda aws, resource: aws.client("apigateway").update_usage_plan(
        usagePlanId=_plan(aws, resource)["id"],
        patchOperations=[{"op": "replace", "path": "/name", "value": "theirs"}]), {"name"}, True),
    "another rate": (lambda aws, resource: aws.client("apigateway").update_usage_plan(
        usagePlanId=_plan(aws, resource)["id"], patchOperations=[
            {"op": "add", "path": "/throttle/rateLimit", "value": "5"},
            {"op": "add", "path": "/throttle/burstLimit", "value": "5"}]), {"throttle"}, True),
    "another quota": (lambda aws, resource: aws.client("apigateway").update_usage_plan(
        usagePlanId=_plan(aws, resource)["id"],
        patchOperations=[{"op": "replace", "path": "/quota/limit", "value": "5"}]), {"quota.limit"}, True),
    "the stage taken off": (lambda aws, resource: aws.client("apigateway").update_usage_plan(
        usagePlanId=_plan(aws, resource)["id"], patchOperations=[
            {"op": "remove", "path": "/apiStages", "value": f"{resource.outputs['restApiId']}:prod"}]), {"apiKeys"}, True),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_what_is_changed_by_hand_is_mended(resource, aws, name):
    by_hand, shows, stays = DRIFTS[name]
    resource.create(CLIENTS | {"quota": QUOTA})
    before = values(resource)
    by_hand(aws, resource)
    seen = resource.read()
    resource.outputs = plain(seen.properties)
    assert set(resource.diff(resource.inputs).detailedDiff) == shows
    resource.update(CLIENTS | {"quota": QUOTA})
    as_it_should_be(aws, resource, CLIENTS["apiKeys"])
    after = values(resource)
    assert after["lab-7"] == before["lab-7"]
    assert (after["alice"] == before["alice"]) == stays
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {}


def test_a_rest_api_that_was_deleted_gets_its_plan_back(resource, aws):
    resource.create(CLIENTS)
    before = values(resource)
    aws.client("apigateway").delete_rest_api(restApiId=resource.outputs["restApiId"])
    resource.outputs = plain(resource.read().properties)
    resource.update(CLIENTS)
    as_it_should_be(aws, resource, CLIENTS["apiKeys"])
    assert values(resource) == before


# Secrets


def test_no_answer_and_no_word_shows_a_key(resource, aws, tap, engine):
    answers = [resource.preview(CLIENTS), resource.create(CLIENTS)]
    keys = list(values(resource).values())
    assert len(keys) == 2 and all(len(key) >= 20 for key in keys)
    seen = resource.read()
    answers += [plain(seen.inputs), plain(seen.properties)]
    changed = CLIENTS | {"apiKeys": ["alice", "zoe"]}
    answers += [resource.preview(changed), json_format.MessageToDict(resource.diff(resource.checked(changed)))]
    # AWS quotes what it refuses.
    tap.inject(Error("Refused", 400, f"not {keys[0]}"), operation="CreateApiKey", times=math.inf)
    with pytest.raises(grpc.RpcError) as caught:
        resource.update(changed)
    assert keys[0] not in caught.value.details()
    tap.reset()
    answers += [resource.update(changed)]
    keys += values(resource).values()
    resource.delete()
    resource.plugin.stop()
    said = resource.plugin.stdout + resource.plugin.stderr + "".join(str(log) for log in engine.logs)
    for key in keys:
        assert [exposed(answer, key) for answer in answers] == [[]] * len(answers)
        assert key not in said


def test_a_preview_knows_the_keys_that_stay(resource):
    resource.create(CLIENTS)
    same = resource.preview(CLIENTS | {"description": "words"})
    assert bare(same["apiKeyValues"]) == values(resource)
    fewer = resource.preview(CLIENTS | {"apiKeys": ["alice"]})
    assert list(bare(fewer["apiKeyValues"])) == list(fewer["apiKeyIds"]) == ["alice"]
    more = resource.preview(CLIENTS | {"apiKeys": ["alice", "lab-7", "zoe"]})
    assert json.dumps(more["apiKeyIds"]).count("-") == 4, "an unknown value is a UUID"
    assert "apiKeyValues" not in resource.preview({"waitForReady": False})
