"""What of two answers has to be the same, and which differences are documented."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .asked import requests
from .client import Answer, Request
from .site import Site

HEADERS = [
    "ETag", "Content-Type", "Content-Range", "Last-Modified", "Cache-Control", "Content-Disposition",
    "Content-Encoding", "Content-Language", "Expires", "x-amz-version-id", "x-amz-mp-parts-count",
    "x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1",
    "x-amz-checksum-sha256", "x-amz-checksum-type",
]
# What the proxy passes of a 304; the type is not an object's there.
NOT_MODIFIED = ["ETag", "Last-Modified", "Cache-Control", "Expires", "x-amz-version-id"]


def differences(site: Site, request: Request, s3: Answer, proxy: Answer) -> list[str]:
    expected = 502 if s3.status >= 500 else s3.status
    if proxy.status != expected:
        return [f"status {s3.status} became {proxy.status}"]
    found = []
    if request.method == "HEAD" or expected == 304:
        found += ["a body"] * bool(proxy.body)
    if expected in (200, 206):
        found += [f"{name}: {s3[name]!r} became {proxy[name]!r}" for name in HEADERS if s3[name] != proxy[name]]
        found += [f"Accept-Ranges: {proxy['Accept-Ranges']!r}"] * (proxy["Accept-Ranges"] != "bytes")
        found += ["another body"] * (request.method == "GET" and s3.body != proxy.body)
        # A part has Content-Range.
        size = s3["Content-Length"] if expected == 200 else None
        found += [f"X-Object-Size: {size} became {proxy['X-Object-Size']}"] * (proxy["X-Object-Size"] != size)
    elif expected == 304:
        found += [f"{name}: {s3[name]!r} became {proxy[name]!r}" for name in NOT_MODIFIED if s3[name] != proxy[name]]
    else:
        found += faults_of_error(site, request, proxy)
    return found


def faults_of_error(site: Site, request: Request, proxy: Answer) -> list[str]:
    """An error is JSON, says three things, and names nothing of ours."""
    everything = json.dumps(proxy.headers) + proxy.body.decode(errors="replace")
    found = [f"it names {name}" for name in {site.bucket, site.role} if name in everything]
    if proxy["Content-Type"] != "application/json":
        found.append(f"an error of type {proxy['Content-Type']}")
    if request.method != "HEAD":
        try:
            if set(json.loads(proxy.body)) != {"code", "message", "requestId"}:
                found.append(f"an error {proxy.body!r}")
        except ValueError:
            found.append(f"an error that is no JSON: {proxy.body!r}")
    return found


@dataclass
class Difference:
    """What API Gateway or the local AWS does otherwise than S3, and which requests show it."""

    reason: str
    applies: Callable[[Request, Answer], bool]
    #: What is different then begins with one of these.
    how: tuple[str, ...]
    #: Whether it is the local AWS's own, and so no excuse on AWS.
    only_local: bool = False


DIFFERENCES = {
    "a slash at the key's end": Difference(
        "API Gateway's router ignores a trailing slash, so the key arrives without it",
        lambda request, s3: request.key.endswith("/"), ("status",)),
    "dot segments": Difference(
        "the local API Gateway calls S3 with urllib3, which resolves `.` and `..` in a path",
        lambda request, s3: bool({".", ".."} & set(request.key.split("/"))), ("status",), only_local=True),
    "gzip": Difference(
        "the local API Gateway calls S3 with requests, which unpacks gzip, and fails at a part of it",
        lambda request, s3: request.method == "GET" and s3["Content-Encoding"] == "gzip",
        ("another body", "status 206 became 500"), only_local=True),
    "Expires": Difference(
        "the local S3 writes the header's name in lower case, and API Gateway tells names by case",
        lambda request, s3: s3["Expires"] is not None, ("Expires: ",), only_local=True),
}


def documented(local: bool) -> dict[str, Difference]:
    return {name: known for name, known in DIFFERENCES.items() if local or not known.only_local}


def explained(request: Request, s3: Answer, different: list[str], local: bool) -> set[str] | None:
    """The names of the documented differences that make up all of it, if they do."""
    names = set()
    for what in different:
        why = {name for name, known in documented(local).items()
               if known.applies(request, s3) and what.startswith(known.how)}
        if not why:
            return None
        names |= why
    return names


@dataclass
class Outcome:
    """All answers compared."""

    #: Of each kind of request, how many were equal, different as documented, or unexplained.
    table: dict[str, Counter]
    #: How often each documented difference showed.
    shown: Counter
    unexplained: list[tuple[Request, list[str]]]
    #: What S3 itself answered with.
    statuses: set[int]
    local: bool

    def __str__(self) -> str:
        columns = ["equal", "documented", "unexplained"]
        table = self.table | {"all": sum(self.table.values(), Counter())}
        lines = [f"{'':30}{'count':>12}" + "".join(f"{column:>12}" for column in columns)]
        for kind, counts in table.items():
            numbers = [counts.total(), *(counts[column] for column in columns)]
            lines.append(f"{kind:30}" + "".join(f"{number:12}" for number in numbers))
        known = documented(self.local).items()
        return "\n".join(lines + [f"{name}, {self.shown[name]}: {difference.reason}" for name, difference in known])


def compare(site: Site, *, local: bool) -> Outcome:
    """Asks S3 and the proxy for everything. On AWS, what is the local AWS's own is no excuse."""
    asked = requests(site)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(site.both, asked))
    table, statuses = {request.kind: Counter() for request in asked}, {s3.status for s3, _ in answers}
    outcome = Outcome(table, Counter(), [], statuses, local)
    for request, (s3, proxy) in zip(asked, answers):
        different = differences(site, request, s3, proxy)
        why = explained(request, s3, different, local) if different else set()
        verdict = "equal" if not different else "unexplained" if why is None else "documented"
        outcome.table[request.kind][verdict] += 1
        outcome.shown.update(why or ())
        outcome.unexplained += [(request, different)] if why is None else []
    return outcome
