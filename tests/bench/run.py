"""The measurements: `make bench`, or `run.py --write`, or `run.py [create] [startup] [preview] [quotas]` for some of them.

Each sets what the plugin does beside a second command that does the same work in the usual way; `quotas` beside what AWS
allows. Times are only told; what fails are wrong counts of AWS calls. `--write` puts the table into RESULTS.md, where the
README takes its figures.
"""

import os
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import ROOT, processes  # noqa: E402
from harness.aws import LocalAws  # noqa: E402

import create  # noqa: E402
import preview  # noqa: E402
import quotas  # noqa: E402
import second  # noqa: E402
import startup  # noqa: E402
import table  # noqa: E402

#: Seconds for all of it, without builds. It takes five minutes, most of it for what the quotas make wait.
PATIENCE = 1200
PARTS = {"create": create, "startup": startup, "preview": preview, "quotas": quotas}


def main(words: list[str]) -> int:
    write = words == ["--write"]
    wanted = list(PARTS) if write or not words else words
    if unknown := set(wanted) - set(PARTS):
        print(f"either --write alone or some of {', '.join(PARTS)}, not {', '.join(unknown)}", file=sys.stderr)
        return 2
    plugin = Path(os.environ.get("S3DATAPROXY_PLUGIN") or ROOT / "target/release/pulumi-resource-s3dataproxy").resolve()
    if not plugin.exists():
        print("the plugin is missing: `make plugin` builds it", file=sys.stderr)
        return 2
    go_plugin = second.build()
    sections, problems = [], []
    signal.signal(signal.SIGALRM, give_up)  # an exception, so that everything started is ended
    signal.alarm(PATIENCE)
    with LocalAws() as aws:
        for name in wanted:
            print(f"measuring: {name}", file=sys.stderr)
            section = PARTS[name].measure(aws, plugin, go_plugin)
            sections.append(section)
            problems += section.problems
    signal.alarm(0)
    text = table.render(sections)
    print(text)
    if write:
        (HERE / "RESULTS.md").write_text(text)
    for process in processes.left(grace=15):
        problems.append(f"still running: {' '.join(process.cmdline())}")
        process.kill()
    for problem in problems:
        print(f"FAILED: {problem}", file=sys.stderr)
    return 1 if problems else 0


def give_up(*_) -> None:
    raise TimeoutError(f"the measurements take more than {PATIENCE} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
