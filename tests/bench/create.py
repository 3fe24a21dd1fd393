"""How many AWS calls creating the default resource takes, and how many of them one after another."""

import itertools
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import classic
from harness.aws import LocalAws
from harness.rpc import Plugin, Resource
from harness.tap import Call, Tap
from table import Row, Section

#: Seconds added to each call: about what a call to AWS takes.
DELAY = 0.1
#: Seconds more for one operation, so that only what needs its answer comes after it.
SLOW = 0.8
#: The tap notes the end of a call just after its answer has gone out.
SLACK = 0.05
RUNS = 5
#: How many calls may be in a row: as it is, and with a `name` that the user gives, which is looked for first.
LONGEST, LONGEST_NAMED = 4, 5

#: Seconds a create may take at all.
PATIENCE = 120


@dataclass
class Measured:
    """What creates with the same inputs took."""

    seconds: float
    calls: list[str]
    chain: list[str]
    problems: list[str]


def measure(aws: LocalAws, plugin: Path, _go_plugin: Path) -> Section:
    with Tap(aws.url) as tap, Plugin(plugin, endpoint=tap.url) as process:
        process.handshake()
        process.configure()
        create(process, tap, {})  # the local AWS loads a service at its first call
        plain = ours(process, tap, itertools.repeat({}), LONGEST)
        names = (f"bench-{number}" for number in itertools.count())
        named = ours(process, tap, ({"name": name} for name in names), LONGEST_NAMED)
        problems = plain.problems + named.problems
        second_seconds, second_calls = zip(*(create_classic(tap, next(names)) for _ in range(RUNS)))
    if second_calls[0] != len(classic.CALLS):
        problems.append(f"the second command made {second_calls[0]} calls, not the {len(classic.CALLS)} it lists")
    return Section(
        f"Create, {DELAY * 1000:.0f} ms a call",
        "the plugin's Check and Create over gRPC, default inputs, `waitForReady: false`.",
        "the same with boto3, resource by resource, a call after the other: "
        + ", ".join(name for name, _, _ in classic.CALLS) + ".",
        [
            Row("AWS calls", "", len(plain.calls), len(classic.CALLS)),
            Row("longest chain of calls", "", len(plain.chain), len(classic.CALLS), LONGEST, absolute=True),
            Row("time", "s", plain.seconds, statistics.median(second_seconds)),
            Row("AWS calls, with a `name`", "", len(named.calls), len(classic.CALLS)),
            Row("longest chain of calls, with a `name`", "", len(named.chain), len(classic.CALLS), LONGEST_NAMED,
                absolute=True),
            Row("time, with a `name`", "s", named.seconds, statistics.median(second_seconds)),
        ],
        [
            f"Our calls: {', '.join(plain.calls)}; the chain: {', '.join(plain.chain)}. With a `name`: "
            f"{', '.join(named.calls)}; the chain: {', '.join(named.chain)}. The second command's calls need at least {classic.least_chain()} in a row, if all that can be done at "
            "once is.",
        ],
        problems,
    )


def ours(process: Plugin, tap: Tap, inputs: Iterator[dict], longest: int) -> Measured:
    """Creates one after the other, each with the next inputs."""
    seconds, runs = zip(*(create(process, tap, next(inputs)) for _ in range(RUNS)))
    calls = runs[0]
    slowed = [create(process, tap, next(inputs), slow=call.operation)[1] for call in calls]
    chain = longest_chain([*runs, *slowed])
    problems = []
    if any(sorted(keys(run)) != sorted(keys(calls)) for run in [*runs, *slowed]):
        problems.append("the calls of a create differ from run to run")
    if len(chain) > longest:
        problems.append(f"the longest chain of a create is {len(chain)} calls, not {longest}: {', '.join(chain)}")
    return Measured(statistics.median(seconds), [call.operation for call in calls], chain, problems)


def create(process: Plugin, tap: Tap, inputs: dict, slow: str | None = None) -> tuple[float, list[Call]]:
    """Creates one and deletes it; gives the seconds and the calls of the create."""
    resource = Resource(process, "ai-data-repository")
    tap.reset()
    tap.delay = lambda call: DELAY + (SLOW if call.operation == slow else 0)
    started = time.perf_counter()
    resource.create(inputs | {"waitForReady": False}, timeout=PATIENCE)
    seconds, calls = time.perf_counter() - started, list(tap.calls)
    tap.reset()
    resource.delete(timeout=PATIENCE)
    return seconds, calls


def create_classic(tap: Tap, name: str) -> tuple[float, int]:
    proxy = classic.Proxy(tap.url, name)
    for service in ("s3", "iam", "apigateway"):
        classic.client(service, tap.url)  # made before the clock starts, as the plugin's are
    tap.reset()
    tap.delay = DELAY
    started = time.perf_counter()
    classic.create(proxy)
    seconds, calls = time.perf_counter() - started, len(tap.calls)
    tap.reset()
    classic.delete(proxy)
    return seconds, calls


def keys(calls: list[Call]) -> list[tuple[str, int]]:
    """Each call's operation, and the how-manieth of it it is."""
    seen: dict[str, int] = {}
    found = []
    for call in calls:
        seen[call.operation] = seen.get(call.operation, 0) + 1
        found.append((call.operation, seen[call.operation]))
    return found


def longest_chain(runs: list[list[Call]]) -> list[str]:
    """The longest row of calls in which each began after the one before had ended, in every run.

    One run is not enough: what does not depend on each other may come one after the other by chance.
    """
    timed = [dict(zip(keys(run), run)) for run in runs]
    common = set.intersection(*(set(run) for run in timed))

    def after(first, then) -> bool:
        return all(run[first].end - SLACK <= run[then].start for run in timed)

    best: dict[tuple[str, int], list[str]] = {}
    for then in sorted(common, key=lambda key: timed[0][key].start):
        before = [best[first] for first in best if after(first, then)]
        best[then] = [*max(before, key=len, default=[]), then[0]]
    return max(best.values(), key=len, default=[])
