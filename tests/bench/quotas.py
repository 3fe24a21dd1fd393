"""Many resources at once, where the quotas of API Gateway's management calls hold: how near to them the plugin comes."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.aws import LocalAws
from harness.quotas import Quotas, least
from harness.rpc import Plugin, Resource
from harness.tap import Tap
from table import Row, Section

MANY = 40
#: How long a second of the quotas lasts: long enough for the local AWS to keep up with them.
SCALE = 0.1
PROMISED = 1.3
INPUTS = {"waitForReady": False}
CHANGED = INPUTS | {"operations": ["GET"]}

#: Seconds a command may take at all.
PATIENCE = 600


def measure(aws: LocalAws, plugin: Path, _go_plugin: Path) -> Section:
    with Tap(aws.url) as tap, Plugin(plugin, endpoint=tap.url, env={"S3DATAPROXY_PACE": str(SCALE)}) as process:
        process.handshake()
        process.configure()
        warm = Resource(process, "quotas-warm")  # the local AWS loads a service at its first call
        warm.create(INPUTS)
        warm.delete()
        resources = [Resource(process, f"quotas-{number}") for number in range(MANY)]
        runs = {
            "create": at_once(tap, resources, lambda resource: resource.create(INPUTS, timeout=PATIENCE)),
            "update": at_once(tap, resources, lambda resource: resource.update(CHANGED, timeout=PATIENCE)),
            "delete": at_once(tap, resources, lambda resource: resource.delete(timeout=PATIENCE)),
        }
    problems = [f"{what}: {calls} calls of {MANY} resources" for what, (_, quotas) in runs.items()
                if (calls := len(quotas.passed)) % MANY]
    needed = {what: least(quotas.passed) * SCALE for what, (_, quotas) in runs.items()}
    refused = sum(len(quotas.refused) for _, quotas in runs.values())
    return Section(
        f"{MANY} resources at once",
        f"{MANY} creates, then as many updates of the document, then as many deletes over gRPC, before a model of API "
        f"Gateway's quotas of management calls; a second of them lasts {SCALE} s.",
        "what the quotas alone need for these calls: the slowest operation, or the rate of all together.",
        [
            *(Row(what, "s", seconds, needed[what]) for what, (seconds, _) in runs.items()),
            Row("all three", "s", sum(seconds for seconds, _ in runs.values()), sum(needed.values()), PROMISED),
        ],
        [f"{sum(len(quotas.passed) for _, quotas in runs.values())} calls of API Gateway, and {refused} that the model refused."],
        problems,
    )


def at_once(tap: Tap, resources: list[Resource], act: Callable[[Resource], object]) -> tuple[float, Quotas]:
    """Seconds until it is done to each, and the quotas with the calls."""
    tap.policy = quotas = Quotas(SCALE)
    with ThreadPoolExecutor(len(resources)) as pool:
        started = time.perf_counter()
        list(pool.map(act, resources))
        return time.perf_counter() - started, quotas
