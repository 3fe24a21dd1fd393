"""A preview of many resources through the real engine: it must not call AWS, and should be quick."""

import statistics
from contextlib import ExitStack
from pathlib import Path

from harness.aws import LocalAws
from harness.engine import Stack
from harness.tap import Tap
from table import Row, Section

MANY = 100
RUNS = 5


def program(count: int) -> str:
    lines = ["resources:"]
    for number in range(count):
        lines += [f"  repository-{number}:", "    type: s3dataproxy:S3DataProxy"]
    return "\n".join(lines) + "\n"


def measure(aws: LocalAws, plugin: Path, go_plugin: Path) -> Section:
    problems: list[str] = []
    plugins = {"ours": plugin, "the second plugin": go_plugin}
    with Tap(aws.url) as tap:
        many = preview(tap, plugins, MANY, problems)
        one = preview(tap, plugins, 1, problems)
    further = [(long.seconds - short.seconds) / (MANY - 1) * 1000 for long, short in zip(many, one)]
    return Section(
        f"Preview of {MANY} new resources",
        f"`pulumi preview` of a YAML program with {MANY} S3DataProxy.",
        "the same program with the Go plugin of the start measurement.",
        [
            Row("AWS calls", "", *(each.calls for each in many), 0, absolute=True),
            Row("time", "s", *(each.seconds for each in many)),
            Row("time with 1 resource", "s", *(each.seconds for each in one)),
            Row("time for each further one", "ms", *further),
        ],
        [f"Medians of {RUNS}, ours and the second in turns; times are the whole command's, much of it the CLI's own."],
        problems,
    )


class Measured:
    """A preview, run several times."""

    def __init__(self):
        self.calls, self.times = 0, []

    @property
    def seconds(self) -> float:
        return statistics.median(self.times)


def preview(tap: Tap, plugins: dict[str, Path], count: int, problems: list[str]) -> list[Measured]:
    measured = [Measured() for _ in plugins]
    with ExitStack() as opened:
        stacks = [opened.enter_context(Stack(program(count), tap.url, plugin=binary)) for binary in plugins.values()]
        for turn in range(RUNS + 1):
            for name, stack, mine in zip(plugins, stacks, measured):
                tap.reset()
                result = stack.preview()
                mine.calls += len(tap.calls)
                if turn:  # the first one fills caches
                    mine.times.append(result.seconds)
                if tap.calls and name == "ours":
                    problems.append(f"a preview called AWS: {', '.join(map(str, tap.calls[:5]))}")
                if result.changes.get("create") != count + 1:
                    problems.append(f"{name}: a preview of {count} resources planned {result.changes}")
    return measured
