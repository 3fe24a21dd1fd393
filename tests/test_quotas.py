"""API Gateway's quotas of management calls: many resources at once keep to them, instead of being refused."""

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.aws import ACCOUNT, REGION
from harness.quotas import EDGE, Quotas, least
from harness.rpc import Plugin, Resource, wipe
from harness.tap import Call

RESOURCES = 40
#: How long a second of the quotas lasts: forty deletes, of which one is allowed in 30 s, take 24 s.
SCALE = 0.02
INPUTS = {"waitForReady": False}
DOMAINS, SLOWER = 4, 0.03
CERTIFICATE, OTHER = (f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{name}" for name in ("a", "b"))


@pytest.fixture
def prefix(aws):
    prefix = f"quotas-{uuid.uuid4().hex[:8]}"
    yield prefix
    wipe(aws, prefix)


def at_once(work, resources: list[Resource]) -> None:
    with ThreadPoolExecutor(len(resources)) as pool:
        list(pool.map(work, resources))


def named(resource: Resource, certificate: str = CERTIFICATE) -> dict:
    """An edge-optimized API with a domain name of its own: all that has a quota of one call in half a minute."""
    name = resource.urn.rpartition(":")[2]
    return INPUTS | {"endpoint": {"type": "EDGE"},
                     "domain": {"name": f"{name}.example.com", "certificateArn": certificate}}


def test_forty_at_once_keep_to_the_quotas(plugin, tap, aws, prefix):
    tap.policy = quotas = Quotas(SCALE)
    with Plugin(plugin, endpoint=tap.url, env={"S3DATAPROXY_PACE": str(SCALE)}) as process:
        process.handshake()
        process.configure()
        resources = [Resource(process, f"{prefix}-{number}") for number in range(RESOURCES)]
        at_once(lambda resource: resource.create(INPUTS), resources)
        at_once(lambda resource: resource.update(INPUTS | {"operations": ["GET"]}), resources)
        at_once(lambda resource: resource.delete(), resources)
    assert len(quotas.passed) >= RESOURCES * 6
    # A call that a busy machine delays comes too close to the next one; without a pace most are refused.
    assert len(quotas.refused) <= len(quotas.passed) / 9, quotas.refused
    assert not any(name.startswith(prefix) for names in aws.inventory().values() for name in names)


def test_domain_names_and_edge_optimized_apis_keep_to_theirs(plugin, tap, aws, prefix):
    tap.policy = quotas = Quotas(SLOWER)
    with Plugin(plugin, endpoint=tap.url, env={"S3DATAPROXY_PACE": str(SLOWER)}) as process:
        process.handshake()
        process.configure()
        resources = [Resource(process, f"{prefix}-{number}") for number in range(DOMAINS)]
        at_once(lambda resource: resource.create(named(resource)), resources)
        at_once(lambda resource: resource.update(named(resource, OTHER)), resources)
        at_once(lambda resource: resource.delete(), resources)
    for name in (EDGE, "CreateDomainName", "UpdateDomainName", "DeleteDomainName"):
        assert quotas.passed.count(name) == DOMAINS
    # Those of a busy machine; without a pace all but one of each are refused, and again when they are repeated.
    assert len(quotas.refused) <= DOMAINS, quotas.refused
    assert not any(name.startswith(prefix) for names in aws.inventory().values() for name in names)


@pytest.mark.parametrize("inputs, lane", [(lambda resource: INPUTS, "DeleteRestApi"), (named, EDGE)],
                         ids=["plain", "named"])
def test_the_model_refuses_who_keeps_no_pace(plugin, tap, prefix, inputs, lane):
    tap.policy = quotas = Quotas(SCALE)
    with Plugin(plugin, endpoint=tap.url) as process:
        process.handshake()
        process.configure()
        resources = [Resource(process, f"{prefix}-{number}") for number in range(4)]
        at_once(lambda resource: resource.create(inputs(resource)), resources)
        at_once(lambda resource: resource.delete(), resources)
    assert lane in quotas.refused


@pytest.mark.parametrize("lanes, seconds", [
    (["CreateDeployment"] * 40, 195), (["GetResources"] * 7, 0.8), (["GetStage"] * 60, 2), (["GetStage"] * 40, 0),
    (["CreateDomainName", "UpdateDomainName", "DeleteDomainName"] * 2, 30),
    ([EDGE] * 2 + ["CreateRestApi"] * 9, 30), (["PutRestApi"] * 6 + ["GetStage"] * 94, 6),
])
def test_what_they_allow_is_what_the_model_lets_through(lanes, seconds):
    """Asked again and again, it lets the last of them through after `least`: not sooner, not later."""
    assert least(lanes) == pytest.approx(seconds)
    quotas, waiting, step = Quotas(1), list(lanes), 0
    begin = time.monotonic()
    while waiting and step <= 10 * seconds + 1:
        waiting = [name for name in waiting if quotas(asked(name, begin + step / 10))]
        step += 1
    assert not waiting and step - 1 == pytest.approx(10 * seconds, abs=1)


def asked(lane: str, when: float) -> Call:
    """A call of this lane at this time."""
    told = {"endpointConfiguration": {"types": ["EDGE" if lane == EDGE else "REGIONAL"]}}
    operation = "CreateRestApi" if lane == EDGE else lane
    return Call(1, "apigateway", operation, "POST", "/", {}, json.dumps(told).encode(), when)
