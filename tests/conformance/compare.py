"""What of two answers has to be the same, and the table of them all."""

import json
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from .client import READS, Answer, Request
from .documented import NOT_KEPT, documented, explained
from .lists import comparable, lists
from .reads import reads
from .site import Site
from .writes import writes

CHECKSUMS = [f"x-amz-checksum-{name}" for name in ("crc32", "crc32c", "crc64nvme", "sha1", "sha256", "type")]
HEADERS = [
    "ETag", "Content-Type", "Content-Range", "Last-Modified", "Cache-Control", "Content-Disposition",
    "Content-Encoding", "Content-Language", "Expires", "x-amz-version-id", "x-amz-mp-parts-count", *CHECKSUMS,
]
# What the proxy passes of a 304; the type is not an object's there.
NOT_MODIFIED = ["ETag", "Last-Modified", "Cache-Control", "Expires", "x-amz-version-id"]
WRITTEN = ["ETag", "x-amz-delete-marker", *CHECKSUMS]
# What is new with each write is not the same twice.
STORED = [name for name in [*HEADERS, *NOT_KEPT] if name not in ("Last-Modified", "x-amz-version-id")]


def differences(site: Site, request: Request, s3: Answer, proxy: Answer) -> list[str]:
    # A condition that S3 does not know for writes is the client's mistake.
    expected = 400 if s3.status == 501 and request.method == "PUT" else 502 if s3.status >= 500 else s3.status
    if proxy.status != expected:
        found = [f"status {s3.status} became {proxy.status}"]
    elif expected >= 400:
        found = faults_of_error(site, request, proxy)
    elif request.method not in READS:
        found = of_write(s3, proxy)
    elif request.key or site.mounts[request.mount].index:
        found = of_read(request, s3, proxy)
    else:
        found = other(["Content-Type"], s3, proxy)
        found += ["another list"] * (comparable(s3.body) != comparable(proxy.body))
    return found + (of_stored(s3.after, proxy.after) if s3.after and proxy.after else [])


def other(names: Iterable[str], s3: Answer, proxy: Answer, what: str = "") -> list[str]:
    """The headers that are not the same."""
    return [f"{what}{name}: {s3[name]!r} became {proxy[name]!r}" for name in names if s3[name] != proxy[name]]


def of_read(request: Request, s3: Answer, proxy: Answer) -> list[str]:
    found = ["a body"] * bool(proxy.body and (request.method == "HEAD" or s3.status == 304))
    if s3.status == 304:
        return found + other(NOT_MODIFIED, s3, proxy)
    found += other(HEADERS, s3, proxy)
    found += [f"Accept-Ranges: {proxy['Accept-Ranges']!r}"] * (proxy["Accept-Ranges"] != "bytes")
    found += ["another body"] * (request.method == "GET" and s3.body != proxy.body)
    # A part has Content-Range.
    size = s3["Content-Length"] if s3.status == 200 else None
    return found + [f"X-Object-Size: {size} became {proxy['X-Object-Size']}"] * (proxy["X-Object-Size"] != size)


def of_write(s3: Answer, proxy: Answer) -> list[str]:
    found = other(WRITTEN, s3, proxy) + ["a body"] * bool(proxy.body)
    versions = [bool(answer["x-amz-version-id"]) for answer in (s3, proxy)]
    return found + ["x-amz-version-id"] * (versions[0] != versions[1])


def of_stored(s3: Answer, proxy: Answer) -> list[str]:
    """What a write has left at the key."""
    if s3.status != proxy.status:
        return [f"stored status {s3.status} became {proxy.status}"]
    if s3.status != 200:
        return []
    return other(STORED, s3, proxy, "stored ") + ["stored body"] * (s3.body != proxy.body)


def faults_of_error(site: Site, request: Request, proxy: Answer) -> list[str]:
    """An error is JSON, says three things, and names nothing of ours."""
    everything = json.dumps(proxy.headers) + proxy.body.decode(errors="replace")
    found = [f"it names {name}" for name in site.names if name in everything]
    if proxy["Content-Type"] != "application/json":
        found.append(f"an error of type {proxy['Content-Type']}")
    if request.method == "HEAD":
        return found + ["a body"] * bool(proxy.body)
    try:
        if set(json.loads(proxy.body)) != {"code", "message", "requestId"}:
            found.append(f"an error {proxy.body!r}")
    except ValueError:
        found.append(f"an error that is no JSON: {proxy.body!r}")
    return found


@dataclass
class Row:
    """One request and what came of it."""

    request: Request
    s3: Answer
    proxy: Answer
    different: list[str]
    #: The documented differences that it shows; None where there is another one.
    why: set[str] | None

    @property
    def verdict(self) -> str:
        return "unexplained" if self.why is None else "documented" if self.why else "equal"

    def __str__(self) -> str:
        said = "; ".join(sorted(self.why) if self.why else self.different)
        return f"{str(self.request):100} | S3 {self.s3.status} | proxy {self.proxy.status} | {self.verdict} {said}"


@dataclass
class Outcome:
    """All answers compared."""

    rows: list[Row]
    local: bool

    @property
    def unexplained(self) -> list[Row]:
        return [row for row in self.rows if row.why is None]

    @property
    def shown(self) -> Counter:
        """How often each documented difference showed."""
        return Counter(chain.from_iterable(row.why or () for row in self.rows))

    def statuses(self, method: str) -> set[int]:
        """What S3 itself answered with."""
        return {row.s3.status for row in self.rows if row.request.method == method}

    def __str__(self) -> str:
        """The table: of each kind of request, how many were equal, different as documented, or unexplained."""
        table: dict[str, Counter] = {}
        for row in self.rows:
            table.setdefault(row.request.kind, Counter())[row.verdict] += 1
        table["all"] = sum(table.values(), Counter())
        columns = ["equal", "documented", "unexplained"]
        lines = [f"{'':40}{'count':>12}" + "".join(f"{column:>12}" for column in columns)]
        for kind, counts in table.items():
            numbers = [counts.total(), *(counts[column] for column in columns)]
            lines.append(f"{kind:40}" + "".join(f"{number:12}" for number in numbers))
        known, shown = documented(self.local).items(), self.shown
        return "\n".join(lines + [f"{name}, {shown[name]}: {difference.reason}" for name, difference in known])


def compare(site: Site, *, local: bool, step: int = 1) -> Outcome:
    """Asks S3 and the proxy for everything, or for one of so many. On AWS, what is the local AWS's own is no excuse."""
    asked = [*reads(site), *lists(site)][::step]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(site.both, asked))
        # They change what is read, so they come last, and those of one key after each other.
        by_key: dict[str, list[Request]] = {}
        for request in writes()[::step]:
            by_key.setdefault(request.key, []).append(request)
        asked += chain.from_iterable(by_key.values())
        answers += chain.from_iterable(pool.map(lambda group: [site.both(each) for each in group], by_key.values()))
    rows = []
    for request, (s3, proxy) in zip(asked, answers, strict=True):
        different = differences(site, request, s3, proxy)
        why = explained(request, s3, different, local)
        rows.append(Row(request, s3, proxy, different, why))
    return Outcome(rows, local)
