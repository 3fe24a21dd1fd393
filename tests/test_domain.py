"""A custom domain name: it leads to the stage from the first to the last moment, and nobody else's is taken or lost."""

import json
import math
import uuid

import grpc
import pytest

from harness.aws import ACCOUNT, REGION
from harness.faults import After, Answer, Error, Lost
from harness.rpc import Engine, Plugin, Resource, plain
from test_lifecycle import left

DENIED = Error("AccessDeniedException", 403)
CERTIFICATE, OTHER = (f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{name}" for name in ("a", "b"))


def domain(name: str = "data", **more) -> dict:
    return {"name": f"{name}.example.com", "certificateArn": CERTIFICATE} | more


@pytest.fixture
def resource(resource, aws, tap):
    yield resource
    tap.reset()
    api = aws.client("apigateway")
    for each in aws.inventory()["domain_names"]:
        api.delete_domain_name(domainName=each)


def program(part: dict | None = None, **more) -> dict:
    inputs = {"waitForReady": False, "path": "sets"} | more
    return inputs if part is None else inputs | {"domain": part}


def mapped(aws, name: str = "data") -> list[tuple[str, str, str]]:
    """Base path, REST API and stage of each mapping."""
    items = aws.client("apigateway").get_base_path_mappings(domainName=f"{name}.example.com").get("items", [])
    return [(item["basePath"], item["restApiId"], item["stage"]) for item in items]


def test_a_life_with_it(resource, aws, tap):
    api = aws.client("apigateway")
    assert resource.preview(program(domain()))["invokeUrl"] == "https://data.example.com/sets"
    own = resource.create(program())
    tap.reset()

    # Switched on.
    planned = resource.preview(program(domain()))
    assert planned["invokeUrl"] == "https://data.example.com/sets"
    made = resource.update(program(domain()))
    assert tap.operations() == ["CreateDomainName", "CreateBasePathMapping"]
    assert made["invokeUrl"] == planned["invokeUrl"]
    assert made["domainTarget"] == {
        "name": f"d-local.execute-api.{REGION}.amazonaws.com", "hostedZoneId": "ZREGIONAL"}
    seen = api.get_domain_name(domainName="data.example.com")
    assert (seen["regionalCertificateArn"], seen["securityPolicy"]) == (CERTIFICATE, "TLS_1_2")
    assert seen["endpointConfiguration"]["types"] == ["REGIONAL"] and "s3dataproxy:owner" in seen["tags"]
    assert mapped(aws) == [("(none)", made["restApiId"], "prod")]
    assert plain(resource.read().properties) == made
    assert not resource.diff(resource.checked(program(domain(securityPolicy="TLS_1_2")))).detailedDiff

    # Changed, each property by itself, in place.
    for part, operation in [
        (domain(certificateArn=OTHER), "UpdateDomainName"),
        (domain(certificateArn=OTHER, securityPolicy="TLS_1_0"), "UpdateDomainName"),
        (domain(certificateArn=OTHER, securityPolicy="TLS_1_0", basePath="v1"), "UpdateBasePathMapping"),
    ]:
        tap.reset()
        resource.update(program(part))
        # Whose it is by now is looked at first.
        assert tap.operations() == ["GetDomainName", operation]
        assert plain(resource.read().properties) == resource.outputs
    assert resource.outputs["invokeUrl"] == "https://data.example.com/v1/sets"
    tap.reset()
    resource.update(program(part, tags={"a": "1"}))
    assert tap.operations().count("TagResource") == 3
    assert api.get_domain_name(domainName="data.example.com")["tags"]["a"] == "1"
    resource.update(program(part))

    # The mapping moves before the old stage goes.
    tap.reset()
    resource.update(program(part, stageName="v2"))
    assert tap.operations() == ["GetDomainName", "GetStage", "CreateStage", "UpdateBasePathMapping", "DeleteStage"]
    assert mapped(aws) == [("v1", made["restApiId"], "v2")]
    resource.update(program(part))

    # Another name answers before the old one goes.
    tap.reset()
    resource.update(program(domain("other")))
    assert tap.operations() == ["GetDomainName", "CreateDomainName", "CreateBasePathMapping", "DeleteBasePathMapping", "DeleteDomainName"]
    assert aws.inventory()["domain_names"] == ["other.example.com"]
    assert mapped(aws, "other") == [("(none)", made["restApiId"], "prod")]

    # Switched off.
    tap.reset()
    resource.update(program())
    assert tap.operations() == ["GetDomainName", "DeleteBasePathMapping", "DeleteDomainName"]
    assert resource.outputs["invokeUrl"] == own["invokeUrl"] and "domainTarget" not in resource.outputs

    # A REST API with a mapping cannot go.
    resource.update(program(domain()))
    tap.reset()
    resource.delete()
    operations = tap.operations()
    assert operations.index("DeleteBasePathMapping") < operations.index("DeleteDomainName") < operations.index("DeleteRestApi")
    assert left(aws, resource.inputs["name"]) == {} and aws.inventory()["domain_names"] == []


def test_it_moves_to_another_kind_of_endpoint_and_back(resource, aws, tap):
    resource.create(program(domain()))
    tap.reset()
    made = resource.update(program(domain(), endpoint={"type": "EDGE"}))
    # A run that was lost may have moved them.
    assert sorted(tap.operations()) == [
        "GetDomainName", "GetDomainName", "GetRestApi", "UpdateDomainName", "UpdateDomainName", "UpdateRestApi"]
    assert made["domainTarget"] == {"name": "d-local.cloudfront.net", "hostedZoneId": "ZEDGE"}
    seen = aws.client("apigateway").get_domain_name(domainName="data.example.com")
    assert seen["endpointConfiguration"]["types"] == ["EDGE"] and seen["certificateArn"] == CERTIFICATE
    assert plain(resource.read().properties) == made
    # A move that is broken off goes on.
    tap.reset()
    tap.inject(After(lambda: None), operation="UpdateDomainName")
    tap.inject(Error("BadRequestException"), operation="UpdateDomainName")
    resource.fail_half_way(lambda: resource.update(program(domain())))
    tap.reset()
    made = resource.update(program(domain()))
    assert tap.operations() == ["GetDomainName", "GetDomainName", "UpdateDomainName"]
    assert made["domainTarget"]["hostedZoneId"] == "ZREGIONAL"


def test_it_can_be_reached_as_the_rest_api(resource, aws, tap):
    def protocols() -> str:
        seen = aws.client("apigateway").get_domain_name(domainName="data.example.com")
        return seen["endpointConfiguration"]["ipAddressType"]

    both = {"ipAddressType": "dualstack"}
    resource.create(program(domain(), endpoint=both))
    assert protocols() == "dualstack" and plain(resource.read().properties) == resource.outputs
    for endpoint, expected in (({}, "ipv4"), (both, "dualstack")):
        tap.reset()
        resource.update(program(domain(), endpoint=endpoint))
        look, *changes = tap.operations()
        assert look == "GetDomainName" and sorted(changes) == ["UpdateDomainName", "UpdateRestApi"]
        assert protocols() == expected and plain(resource.read().properties) == resource.outputs


# The look that tells whose it is by now.
AS_IT_IS = After(lambda: None)


def seen(status: str) -> Answer:
    told = {"domainName": "data.example.com", "domainNameStatus": status, "regionalCertificateArn": OTHER,
            "endpointConfiguration": {"types": ["REGIONAL"]}, "securityPolicy": "TLS_1_2",
            "domainNameStatusMessage": "words of AWS"}
    return Answer(200, json.dumps(told).encode(), {"Content-Type": "application/json"})


def test_a_change_under_way_is_waited_for(resource, tap):
    resource.create(program(domain()))
    tap.reset()
    tap.inject(seen("UPDATING"), operation="UpdateDomainName")
    tap.inject(AS_IT_IS, operation="GetDomainName")
    tap.inject(seen("UPDATING"), operation="GetDomainName")
    tap.inject(seen("AVAILABLE"), operation="GetDomainName")
    resource.update(program(domain(certificateArn=OTHER)))
    assert tap.operations() == ["GetDomainName", "UpdateDomainName", "GetDomainName", "GetDomainName"]
    tap.inject(seen("FAILED"), operation="UpdateDomainName")
    detail = resource.fail_half_way(lambda: resource.update(program(domain(certificateArn=CERTIFICATE))))
    assert "its status is FAILED: words of AWS" in detail.reasons[0] and "`domain.certificateArn`" in detail.reasons[0]


def test_a_move_that_a_lost_run_began_is_waited_for(resource, tap):
    """And one that failed is tried again."""
    resource.create(program(domain(certificateArn=OTHER)))
    rest_api = {"id": resource.outputs["restApiId"], "endpointConfiguration": {"types": ["REGIONAL"]}, "apiStatus": "UPDATING"}
    for status, looks in (("UPDATING", 3), ("FAILED", 2)):
        tap.reset()
        tap.inject(Answer(200, json.dumps(rest_api | {"apiStatus": status}).encode(), {"Content-Type": "application/json"}),
                   operation="GetRestApi")
        tap.inject(AS_IT_IS, operation="GetDomainName")
        tap.inject(seen(status), operation="GetDomainName")
        resource.update(program(domain(certificateArn=OTHER), endpoint={"type": "EDGE"}))
        assert sorted(tap.operations()) == [*["GetDomainName"] * looks, *["GetRestApi"] * (looks - 1),
                                            "UpdateDomainName", "UpdateDomainName", "UpdateRestApi"]
        resource.update(program(domain(certificateArn=OTHER)))


@pytest.mark.parametrize("operation", ["CreateDomainName", "CreateBasePathMapping"])
@pytest.mark.parametrize("fault", [DENIED, Lost()], ids=["denied", "lost"])
def test_what_fails_while_it_is_made_is_finished_by_the_next_update(resource, aws, tap, operation, fault):
    if isinstance(fault, Lost):
        tap.inject(fault, operation=operation)
        resource.create(program(domain()))
    else:
        tap.inject(fault, operation=operation, times=math.inf)
        detail = resource.fail_half_way(resource.start_create(program(domain())))
        [reason] = detail.reasons
        assert operation in reason and "made up by the tap" in reason
        assert ("domain" in resource.outputs["__state"]) == bool(aws.inventory()["domain_names"])
        tap.reset()
        resource.update(program(domain()))
    assert mapped(aws) == [("(none)", resource.outputs["restApiId"], "prod")]
    assert not resource.diff(resource.checked(program(domain()))).detailedDiff
    resource.delete()
    assert left(aws, resource.inputs["name"]) == {} and aws.inventory()["domain_names"] == []


@pytest.mark.parametrize("operation, part", [
    ("UpdateDomainName", domain(certificateArn=OTHER)),
    ("UpdateBasePathMapping", domain(basePath="v1")),
    ("CreateDomainName", domain("other")),
    ("DeleteBasePathMapping", domain("other")),
    ("DeleteDomainName", domain("other")),
])
@pytest.mark.parametrize("fault", [DENIED, Lost()], ids=["denied", "lost"])
def test_what_fails_while_it_is_changed_is_finished_by_the_next_update(resource, aws, tap, operation, part, fault):
    resource.create(program(domain()))
    tap.inject(fault, operation=operation, times=math.inf if fault is DENIED else 1)
    if fault is DENIED:
        resource.fail_half_way(lambda: resource.update(program(part)))
        tap.reset()
    resource.update(program(part))
    assert aws.inventory()["domain_names"] == [part["name"]]
    assert mapped(aws, part["name"].partition(".")[0]) == [
        (part.get("basePath", "(none)"), resource.outputs["restApiId"], "prod")]
    assert not resource.diff(resource.checked(program(part))).detailedDiff
    resource.delete()
    assert aws.inventory()["domain_names"] == []


@pytest.mark.parametrize("before", [None, domain()], ids=["first", "another"])
def test_one_without_an_answer_at_any_try_is_found_again(resource, aws, tap, before):
    resource.create(program(before))
    tap.inject(Lost(), operation="CreateDomainName", times=math.inf)
    resource.fail_half_way(lambda: resource.update(program(domain("lost"))))
    assert "lost.example.com" in aws.inventory()["domain_names"]
    tap.reset()
    resource.delete()
    assert aws.inventory()["domain_names"] == [] and left(aws, resource.inputs["name"]) == {}


@pytest.mark.parametrize("operation", ["DeleteBasePathMapping", "DeleteDomainName"])
def test_a_delete_that_fails_is_finished_by_the_next(resource, aws, tap, operation):
    resource.create(program(domain()))
    tap.inject(DENIED, operation=operation, times=math.inf)
    with pytest.raises(grpc.RpcError, match=operation):
        resource.delete()
    tap.reset()
    tap.inject(Lost(), operation=operation)
    resource.delete()
    assert aws.inventory()["domain_names"] == [] and left(aws, resource.inputs["name"]) == {}


def test_somebody_elses_is_not_taken(resource, aws):
    api = aws.client("apigateway")
    api.create_domain_name(domainName="data.example.com", regionalCertificateArn=OTHER,
                           endpointConfiguration={"types": ["REGIONAL"]})
    detail = resource.fail_half_way(resource.start_create(program(domain())))
    [reason] = detail.reasons
    assert "a domain name of this name is there already" in reason
    assert "choose another `domain.name`, or delete that domain name" in reason
    resource.delete()
    assert api.get_domain_name(domainName="data.example.com")["regionalCertificateArn"] == OTHER


def test_one_that_somebody_took_over_stays(resource, aws):
    made = resource.create(program(domain()))
    api = aws.client("apigateway")
    api.tag_resource(resourceArn=f"arn:aws:apigateway:{REGION}::/domainnames/data.example.com",
                     tags={"s3dataproxy:owner": "another"})
    # With the mapping still there, API Gateway would not let the REST API go.
    api.delete_base_path_mapping(domainName="data.example.com", basePath="(none)")
    resource.delete()
    assert aws.inventory()["domain_names"] == ["data.example.com"]
    assert made["restApiId"] not in {item["id"] for item in api.get_rest_apis(limit=500)["items"]}


def test_a_mapping_of_somebody_else_is_told(resource, aws):
    made = resource.create(program())
    api = aws.client("apigateway")
    api.create_domain_name(domainName="data.example.com", regionalCertificateArn=OTHER,
                           endpointConfiguration={"types": ["REGIONAL"]})
    api.create_base_path_mapping(domainName="data.example.com", restApiId=made["restApiId"], stage="prod")
    with pytest.raises(grpc.RpcError, match="mapped a domain name of their own"):
        resource.delete()
    api.delete_domain_name(domainName="data.example.com")
    resource.delete()


DRIFT = {
    "domain.certificateArn": lambda api, made: api.update_domain_name(
        domainName="data.example.com", patchOperations=[
            {"op": "replace", "path": "/regionalCertificateArn", "value": OTHER}]),
    "domain.securityPolicy": lambda api, made: api.update_domain_name(
        domainName="data.example.com", patchOperations=[{"op": "replace", "path": "/securityPolicy", "value": "TLS_1_0"}]),
    "domain.basePath": lambda api, made: api.update_base_path_mapping(
        domainName="data.example.com", basePath="v1", patchOperations=[
            {"op": "replace", "path": "/basePath", "value": "v2"}]),
    "domain": lambda api, made: api.delete_domain_name(domainName="data.example.com"),
}


@pytest.mark.parametrize("path", DRIFT)
def test_what_was_changed_by_hand_is_told_and_repaired(plugin, aws, tap, path):
    inputs = program(domain(basePath="v1"))
    with Engine() as engine, Plugin(plugin, engine.address, endpoint=tap.url) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, f"rpc-{uuid.uuid4().hex[:8]}")
        made = resource.create(inputs)
        DRIFT[path](aws.client("apigateway"), made)
        seen = resource.read()
        told = [log.message for log in engine.logs if "changed outside of Pulumi" in log.message]
        assert len(told) == 1 and f"domain name: {path}" in told[0]
        resource.outputs = plain(seen.properties)
        assert list(resource.diff(resource.checked(inputs)).detailedDiff) == [path]
        resource.update(inputs)
        assert plain(resource.read().properties) == resource.outputs == made
        resource.delete()
        assert aws.inventory()["domain_names"] == []


def test_it_comes_in_with_an_import(resource, aws):
    inputs = program(domain(basePath="v1", securityPolicy="TLS_1_0"))
    made = resource.create(inputs)
    name, resource.id = resource.id, made["restApiId"]
    imported = resource.read(properties=None, inputs=None)
    assert plain(imported.inputs)["domain"] == inputs["domain"]
    assert plain(imported.properties)["domainTarget"] == made["domainTarget"]
    assert plain(imported.properties)["__state"]["domain"] == made["__state"]["domain"]
    resource.id = name
