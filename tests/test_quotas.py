"""API Gateway's quotas of management calls: many resources at once keep to them, instead of being refused."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.quotas import Quotas
from harness.rpc import Plugin, Resource, wipe

RESOURCES = 40
#: How long a second of the quotas lasts: forty deletes, of which one is allowed in 30 s, take 24 s.
SCALE = 0.02
INPUTS = {"waitForReady": False}


@pytest.fixture
def prefix(aws):
    prefix = f"quotas-{uuid.uuid4().hex[:8]}"
    yield prefix
    wipe(aws, prefix)


def at_once(work, resources: list[Resource]) -> None:
    with ThreadPoolExecutor(len(resources)) as pool:
        list(pool.map(work, resources))


def test_forty_at_once_keep_to_the_quotas(plugin, tap, aws, prefix):
    tap.policy = quotas = Quotas(SCALE)
    with Plugin(plugin, endpoint=tap.url, env={"S3DATAPROXY_PACE": str(SCALE)}) as process:
        process.handshake()
        process.configure()
        resources = [Resource(process, f"{prefix}-{number}") for number in range(RESOURCES)]
        at_once(lambda resource: resource.create(INPUTS), resources)
        at_once(lambda resource: resource.update(INPUTS | {"operations": ["GET"]}), resources)
        at_once(lambda resource: resource.delete(), resources)
    calls = len(tap.operations("apigateway"))
    assert calls - len(quotas.refused) >= RESOURCES * 6
    # A call that a busy machine delays comes too close to the next one; without a pace most are refused.
    assert len(quotas.refused) <= calls / 10, quotas.refused
    assert not any(name.startswith(prefix) for names in aws.inventory().values() for name in names)


def test_the_model_refuses_who_keeps_no_pace(plugin, tap, prefix):
    tap.policy = quotas = Quotas(SCALE)
    with Plugin(plugin, endpoint=tap.url) as process:
        process.handshake()
        process.configure()
        resources = [Resource(process, f"{prefix}-{number}") for number in range(4)]
        at_once(lambda resource: resource.create(INPUTS), resources)
        at_once(lambda resource: resource.delete(), resources)
    assert "DeleteRestApi" in quotas.refused
