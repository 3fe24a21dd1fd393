"""The proxy against S3: the same generated requests go to both, and what comes back must say the same.

Whatever a client may say of an object (method, key, Range, conditions, versions, checksums, overrides) is sent to S3
by itself, signed, and to the proxy. Where the two differ and the document cannot help it, DIFFERENCES says how and why.
"""

import base64
import hashlib
import http.client
import itertools
import json
import random
import threading
import uuid
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import quote, urlencode, urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.aws import REGION
from harness.rpc import Plugin, Resource

SEED = 20240607
RANDOM_REQUESTS = 1100

HEADERS = [
    "ETag", "Content-Type", "Content-Range", "Last-Modified", "Cache-Control", "Content-Disposition",
    "Content-Encoding", "Content-Language", "Expires", "x-amz-version-id", "x-amz-mp-parts-count",
    "x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1",
    "x-amz-checksum-sha256", "x-amz-checksum-type",
]
# What the proxy passes of a 304; the type is not an object's there.
NOT_MODIFIED = ["ETag", "Last-Modified", "Cache-Control", "Expires", "x-amz-version-id"]

KEYS = {
    "nested": "a/b/c/d.bin", "space": "with space/and two  .txt", "space at the end": "end ", "plus": "a+b++c.txt",
    "percent": "100%.txt", "an escape itself": "a%20b%2Fc", "parentheses": "(copy) 1.bin", "ampersand": "a&b&c",
    "equals": "a=b/c=d", "quote": "it's", "double quote": '"quoted"', "tilde": "~user/~", "at": "me@host",
    "colon": "a:b:c", "question mark": "what?x=1", "hash": "a#b", "semicolon, comma": "a;b,c", "dollar": "a!b*c$d",
    "brackets": "[a]{b}<c>", "backslash": "a\\b|c^d`e", "a placeholder": "{key}/${stageVariables.x}/$x",
    "Latin": "größe/naïve.txt", "Chinese": "数据/模型.bin", "Hebrew": "נתונים.bin", "combining": "cafe\u0301",
    "outside of the BMP": "🦀/😀𝒳.bin", "dots": "v1.2.3.tar.gz", "dots at the start": "..a/...b/.c",
    "the stage's name": "prod/prod", "the mount's name": "data/data", "double slash": "a//b",
    "slash at the start": "/a", "slash at the end": "folder/", "dot segment": "x/./y", "dot dot segment": "x/z/../y",
    "1,024 bytes": "k" * 1024, "1,024 bytes in Chinese": "据" * 341 + "k", "control": "a\tb\nc",
    "long path": "/".join("abcdefgh" * 8),
}
MISSING = "not/there.bin"
EVERY_BYTE = bytes(range(256)) * 4
RICH = {
    "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "max-age=60, public", "Content-Language": "de, en",
    "Content-Disposition": "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt",
}
RANGES = [
    "bytes=0-0", "bytes=0-9", "bytes=5-", "bytes=-5", "bytes=10-1023", "bytes=1000-5000", "bytes=0-" + "9" * 20,
    "bytes=-99999", "bytes=1024-", "bytes=1024-2000", "bytes=99999-", "bytes=-0", "bytes=9-5", "bytes=a-b", "bytes=",
    "bytes=-", "bytes", "0-9", "items=0-9", "bytes=0-9,20-29", "bytes=0-0,-1", "bytes= 0-9", "bytes=0 - 9", "Bytes=0-9",
    "bytes=0x0-0x9", "bytes=-1-5", "bytes=+1-5", "bytes=1.5-9", "bytes=0-9;q=1", "bytes=00-09",
]
MODES = ["ENABLED", "enabled", "DISABLED"]
OVERRIDES = {
    "response-content-type": ["application/json", "text/html; charset=utf-8", "x/y+z", "ä/ö", "image/svg+xml "],
    "response-content-disposition": ["inline", 'attachment; filename="a & b=c+d.txt"', "x; filename*=UTF-8''%C3%A4"],
}


@dataclass(frozen=True)
class Request:
    kind: str
    method: str
    key: str
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    #: What of the key is not percent-encoded.
    safe: str = "/~"

    def target(self, base: str) -> str:
        query = f"?{urlencode(self.query, quote_via=quote)}" if self.query else ""
        return f"{base}/{quote(self.key, safe=self.safe)}{query}"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def __getitem__(self, name: str) -> str | None:
        return self.headers.get(name.lower())


class Client:
    """Plain HTTP that changes nothing of what it is given, one connection for each thread."""

    def __init__(self, url: str):
        self.host = urlsplit(url).netloc
        self.local = threading.local()

    def send(self, method: str, target: str, headers=(), body: bytes = b"") -> Answer:
        for last in (False, True):
            connection = getattr(self.local, "connection", None) or http.client.HTTPConnection(self.host, timeout=60)
            self.local.connection = connection
            try:
                connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in dict(headers).items():
                    connection.putheader(name, value)
                if body or method == "PUT":
                    connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body or None)
                response = connection.getresponse()
                return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
            except (http.client.RemoteDisconnected, ConnectionError):
                connection.close()  # kept open for too long
                if last:
                    raise

    def sign(self, method: str, target: str, headers) -> dict[str, str]:
        request = AWSRequest(method, f"http://{self.host}{target}", dict(headers))
        S3SigV4Auth(Credentials("test", "test"), "s3", REGION).add_auth(request)
        return dict(request.headers.items())

    def signed(self, method: str, target: str, headers=(), body: bytes = b"") -> Answer:
        return self.send(method, target, self.sign(method, target, headers), body)


@dataclass
class Site:
    """The proxy, its bucket and what is in it."""

    client: Client
    bucket: str
    role: str
    mount: str
    #: Of a key: the versions' ids and the newest one's ETag and Last-Modified.
    versions: dict[str, list[str]] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    modified: dict[str, str] = field(default_factory=dict)

    def put(self, key: str, body: bytes, headers: dict[str, str]) -> None:
        target = Request("", "PUT", key).target(f"/{self.bucket}")
        answer = self.client.signed("PUT", target, headers, body)
        assert answer.status == 200, (key, answer)
        self.versions.setdefault(key, []).append(answer["x-amz-version-id"])
        found = self.client.signed("HEAD", target)
        assert found.status == 200, (key, found)
        self.etags[key], self.modified[key] = found["ETag"], found["Last-Modified"]

    def delete(self, key: str) -> None:
        answer = self.client.signed("DELETE", Request("", "DELETE", key).target(f"/{self.bucket}"))
        assert answer.status == 204
        self.versions[key].append(answer["x-amz-version-id"])

    def both(self, request: Request) -> tuple[Answer, Answer]:
        from_s3 = self.client.signed(request.method, request.target(f"/{self.bucket}"), request.headers)
        return from_s3, self.client.send(request.method, request.target(self.mount), request.headers)


@pytest.fixture(scope="module")
def site(plugin, aws):
    name = f"conform-{uuid.uuid4().hex[:8]}"
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()
        resource = Resource(provider, name)
        bucket = {"versioning": True, "forceDestroy": True}
        out = resource.create({"name": name, "path": "data", "bucket": bucket, "waitForReady": False})
        try:
            site = Site(Client(aws.url), out["bucketName"], out["roleName"], urlsplit(out["invokeUrl"]).path)
            fill(site, aws.client("s3"))
            yield site
        finally:
            resource.delete()


def fill(site: Site, s3) -> None:
    for key in KEYS.values():
        site.put(key, f"This is {key}.".encode(), {"Content-Type": "text/x-key"})
    sha256 = base64.b64encode(hashlib.sha256(EVERY_BYTE).digest()).decode()
    site.put("bytes", EVERY_BYTE, {"Content-Type": "image/png", "x-amz-checksum-sha256": sha256})
    crc32 = base64.b64encode(zlib.crc32(b"x").to_bytes(4)).decode()
    site.put("one", b"x", {"x-amz-checksum-crc32": crc32})
    site.put("empty", b"", {"Content-Type": "application/json"})
    site.put("rich", b"text " * 400, RICH)
    site.put("expires", b"text", RICH | {"Expires": "Wed, 21 Oct 2037 07:28:00 GMT"})
    site.put("json", json.dumps({"a": ["ä"] * 200}).encode(), {"Content-Type": "application/json"})
    site.put("brotli", EVERY_BYTE, RICH | {"Content-Encoding": "br"})
    site.put("gzip", zlib.compress(b"text " * 400, wbits=31), RICH | {"Content-Encoding": "gzip"})
    for body in (b"first", b"second one", b"third and last one"):
        site.put("versions", body, RICH)
    site.put("deleted", b"gone", {})
    site.delete("deleted")
    upload = {"Bucket": site.bucket, "Key": "parts"}
    started = s3.create_multipart_upload(**upload, ContentType="model/x", ChecksumAlgorithm="CRC32")
    upload["UploadId"] = started["UploadId"]
    parts = []
    for number, body in enumerate((b"1" * (5 << 20), b"second part"), 1):
        part = s3.upload_part(**upload, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32")
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]})
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


# The requests


def conditions(site: Site, key: str) -> dict[str, list[str]]:
    """Values of each conditional header: what holds, what does not, and what means nothing."""
    etag, modified = site.etags.get(key, '"0"'), site.modified.get(key, formatdate(usegmt=True))
    seconds = parsedate_to_datetime(modified).timestamp()
    dates = [modified, formatdate(seconds - 3600, usegmt=True), formatdate(seconds + 1, usegmt=True), "yesterday"]
    wrong = '"00000000000000000000000000000000"'
    tags = [etag, etag.strip('"'), f"W/{etag}", wrong, "*", f"{wrong}, {etag}", "no tag", '"']
    return {"If-Match": tags, "If-None-Match": tags, "If-Modified-Since": dates, "If-Unmodified-Since": dates,
            "If-Range": [etag, wrong, *dates]}


def requests(site: Site) -> list[Request]:
    found = []

    def add(kind: str, key: str, headers=(), query=(), methods=("GET", "HEAD"), **more) -> None:
        headers, query = tuple(dict(headers).items()), tuple(dict(query).items())
        found.extend(Request(kind, method, key, headers, query, **more) for method in methods)

    for key in KEYS.values():
        add("keys", key)
        add("keys, as browsers write them", key, safe="/~!$&'()*+,;=:@")
        add("keys, ranges", key, {"Range": "bytes=2-5"}, methods=["GET"])
        add("keys, conditions", key, {"If-None-Match": site.etags[key]})
        add("keys, versions", key, query={"versionId": site.versions[key][0]})
        add("no such key", f"{key}.not there")
    sizes = ["bytes", "one", "empty", "rich", "expires", "json", "brotli", "gzip", "versions", "deleted", MISSING]
    for key in sizes:
        add("plain", key)
        for value in RANGES if key in ("bytes", "one", "empty", "rich", "gzip", MISSING) else []:
            add("ranges", key, {"Range": value})
        for mode in MODES:
            add("checksums", key, {"x-amz-checksum-mode": mode})
        for name, values in OVERRIDES.items():
            for value in values:
                add("overrides", key, query={name: value})
        add("names in lower case", key, {"range": "bytes=0-0"})
        add("names in lower case", key, {"if-match": '"0"', "x-amz-checksum-mode": "ENABLED"})
    for key in ("bytes", "rich", "empty", "gzip", "deleted", MISSING):
        options = conditions(site, key)
        for name, values in options.items():
            for value in values:
                add("conditions", key, {name: value} | ({"Range": "bytes=3-8"} if name == "If-Range" else {}))
        for one, other in [("If-Match", "If-Unmodified-Since"), ("If-None-Match", "If-Modified-Since")]:
            for pair in itertools.product(options[one][:5], options[other][:3]):
                add("two conditions", key, {one: pair[0], other: pair[1]}, methods=["GET"])
    others = [site.versions["rich"][0], "null", "", "x", "A" * 32, "ä", "a&b=c"]
    for key in ("versions", "deleted", MISSING):
        for version in [*site.versions.get(key, []), *others]:
            add("versions", key, query={"versionId": version})
    for number in ("1", "2", "3", "0", "-1", "x", "10001"):
        add("parts", "parts", query={"partNumber": number}, methods=["HEAD"])
        add("parts", "rich", query={"partNumber": number})
    add("parts", "parts", query={"partNumber": "2"}, methods=["GET"])
    add("parts", "parts", {"Range": "bytes=5242870-5242890", "x-amz-checksum-mode": "ENABLED"})

    choose = random.Random(SEED)
    keys = sizes + list(KEYS.values())
    for _ in range(RANDOM_REQUESTS):
        key, headers, query = choose.choice(keys), {}, {}
        if choose.random() < 0.6:
            headers["Range"] = choose.choice(RANGES)
        for name, values in conditions(site, key).items():
            if choose.random() < 0.25:
                # Mostly dates that are some: the local AWS's S3 fails at others.
                headers[name] = choose.choice(values if choose.random() < 0.1 else values[:3])
        if choose.random() < 0.3:
            headers["x-amz-checksum-mode"] = choose.choice(MODES)
        if choose.random() < 0.2:
            query["versionId"] = choose.choice([*site.versions.get(key, []), *others])
        for name, values in OVERRIDES.items():
            if choose.random() < 0.15:
                query[name] = choose.choice(values)
        add("everything at once", key, headers, query, methods=[choose.choice(["GET", "GET", "HEAD"])])
    return found


# The comparison


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


DIFFERENCES = {
    "a slash at the key's end": Difference(
        "API Gateway's router ignores a trailing slash, so the key arrives without it",
        lambda request, s3: request.key.endswith("/"), ("status",)),
    "dot segments": Difference(
        "the local API Gateway calls S3 with urllib3, which resolves `.` and `..` in a path",
        lambda request, s3: bool({".", ".."} & set(request.key.split("/"))), ("status",)),
    "gzip": Difference(
        "the local API Gateway calls S3 with requests, which unpacks gzip, and fails at a part of it",
        lambda request, s3: request.method == "GET" and s3["Content-Encoding"] == "gzip",
        ("another body", "status 206 became 500")),
    "Expires": Difference(
        "the local S3 writes the header's name in lower case, and API Gateway tells names by case",
        lambda request, s3: s3["Expires"] is not None, ("Expires: ",)),
    "names in lower case": Difference(
        "API Gateway tells names by case: a request's header in lower case is not passed on",
        lambda request, s3: request.kind == "names in lower case" and request.headers[0][0].islower(),
        ("status 206 became 200", "status 412 became 200", "status 412 became 404", "status 416 became 200")),
}


def explained(request: Request, s3: Answer, different: list[str]) -> set[str] | None:
    """The names of the documented differences that make up all of it, if they do."""
    names = set()
    for what in different:
        why = {name for name, known in DIFFERENCES.items() if known.applies(request, s3) and what.startswith(known.how)}
        if not why:
            return None
        names |= why
    return names


def test_the_proxy_says_what_s3_says(site, capsys):
    asked = requests(site)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(site.both, asked))
    table = {request.kind: Counter() for request in asked}
    shown, unexplained = Counter(), []
    for request, (s3, proxy) in zip(asked, answers):
        different = differences(site, request, s3, proxy)
        why = explained(request, s3, different) if different else set()
        table[request.kind]["equal" if not different else "unexplained" if why is None else "documented"] += 1
        shown.update(why or ())
        unexplained += [(request, different)] if why is None else []
    with capsys.disabled():
        print("\n" + report(table, shown))
    assert not unexplained, "\n".join(map(str, unexplained[:20]))
    # What no longer shows is no difference any more.
    assert set(shown) == set(DIFFERENCES)
    statuses = {s3.status for s3, _ in answers}
    assert statuses >= {200, 206, 304, 404, 405, 412, 416, 500}, "the requests do not cover S3's answers"


def report(table: dict[str, Counter], shown: Counter) -> str:
    columns = ["equal", "documented", "unexplained"]
    table = table | {"all": sum(table.values(), Counter())}
    lines = [f"{'':30}{'count':>12}" + "".join(f"{column:>12}" for column in columns)]
    for kind, counts in table.items():
        numbers = [counts.total(), *(counts[column] for column in columns)]
        lines.append(f"{kind:30}" + "".join(f"{number:12}" for number in numbers))
    return "\n".join(lines + [f"{name}, {shown[name]}: {known.reason}" for name, known in DIFFERENCES.items()])
