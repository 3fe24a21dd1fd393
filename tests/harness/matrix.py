"""The matrix of a file whose runs are disturbed in every way: what came of each row, counted and printed at the end."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What came of one row: whether the disturbed run failed, what is wrong, and what else is to be counted."""

    failed: bool
    problems: list[str]
    notes: set[str] = field(default_factory=set)


class Matrix:
    """The counts of each operation and way to disturb it: rows, those where the run failed, those that are right, notes."""

    def __init__(self, ways: Iterable[str], notes: tuple[str, ...] = ()):
        self._ways, self._counts = list(ways), ("rows", "failed", "right", *notes)
        self._table: dict[tuple[str, str], Counter] = {}

    def check(self, done: dict[tuple[str, str, str], Outcome]) -> None:
        """Counts outcomes by operation, way and the row's own name, and fails where something is wrong."""
        for (operation, way, _), outcome in done.items():
            counts = self._table.setdefault((operation, way), Counter())
            counts.update(rows=1, failed=outcome.failed, right=not outcome.problems, **dict.fromkeys(outcome.notes, 1))
        wrong = {", ".join(row): outcome.problems for row, outcome in done.items() if outcome.problems}
        assert done and not wrong, f"{len(wrong)} of {len(done)}: " + json.dumps(wrong, indent=1)

    def __str__(self) -> str:
        operations = list(dict.fromkeys(operation for operation, _ in self._table))
        ways = [way for way in self._ways if any((operation, way) in self._table for operation in operations)]
        first = max((len(operation) for operation in operations), default=0)
        width = max(len(each) for each in [*ways, self._cell(Counter())]) + 3
        lines = [" " * first + "".join(f"{way:>{width}}" for way in ways) + "   " + "/".join(self._counts)]
        for operation in operations:
            cells = (self._table.get((operation, way)) for way in ways)
            lines.append(f"{operation:{first}}" + "".join(f"{self._cell(each) if each else '':>{width}}" for each in cells))
        return "\n".join(lines)

    def _cell(self, counts: Counter) -> str:
        return "/".join(f"{counts[each]:>3}" for each in self._counts)


@contextmanager
def printed(pytestconfig, ways: Iterable[str], notes: tuple[str, ...] = ()) -> Iterator[Matrix]:
    """A matrix that is printed at the end, also where pytest captures what tests print."""
    matrix = Matrix(ways, notes)
    yield matrix
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{matrix}")
