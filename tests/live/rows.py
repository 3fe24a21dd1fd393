"""The points: what is tried, what the documentation lets one expect, and what was seen."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from urllib.parse import quote

import requests

from .place import BODY, Place, Row, code

PREFIX = "below"
ORIGINS = ["https://a.example", "https://b.example"]
INPUTS = {
    "operations": ["GET", "HEAD", "LIST", "PUT", "DELETE"],
    "bucket": {"forceDestroy": True, "prefix": PREFIX},
    "cors": {"allowOrigins": ORIGINS},
}
# What API Gateway might change on its way to S3.
KEYS = {
    "a space": "with space.bin", "a plus": "a+b.bin", "a percent sign": "100%.bin", "an escape": "a%20b.bin",
    "parentheses": "(1).bin", "an ampersand": "a&b=c.bin", "a quote": "it's.bin", "a semicolon": "a;b.bin",
    "braces": "{a}|b.bin", "umlauts": "größe.bin", "a character outside of the BMP": "🦀.bin",
    "a double slash": "a//b.bin", "1,000 bytes": "k" * 1000,
}
LARGE = 10 * 1024 * 1024 + 1


def keys(place: Place) -> Iterator[Row]:
    for name, key in KEYS.items():
        place.put(key, BODY)
        answer = place.ask("GET", f"/{quote(key)}")
        yield Row(f"a key with {name}" if not name[0].isdigit() else f"a key of {name}", (200, True),
                  (answer.status_code, answer.content == BODY))


def sizes(place: Place) -> Iterator[Row]:
    place.put("small.bin", BODY)
    head = place.ask("HEAD", "/small.bin")
    yield Row("HEAD: X-Object-Size", "256", head.headers.get("X-Object-Size"))
    # The documentation says both.
    yield Row("HEAD: Content-Length", "256", head.headers.get("Content-Length"), only_told=True)
    large = os.urandom(LARGE)
    place.put("large.bin", large)
    answer = place.ask("GET", "/large.bin")
    text = answer.text if answer.status_code >= 400 else ""
    yield Row("an object of more than 10 MB: an error that says how", (502, True), (answer.status_code, "Range" in text))
    found = b"".join(place.ask("GET", "/large.bin", headers={"Range": f"bytes={start}-{start + 8_388_607}"}).content
                     for start in range(0, LARGE, 8_388_608))
    yield Row("the same object in parts", hashlib.sha256(large).hexdigest(), hashlib.sha256(found).hexdigest())
    answer = place.ask("PUT", "/put.bin", data=b"x" * LARGE)
    yield Row("PUT of more than 10 MB", 413, answer.status_code)
    # The documentation says that it cannot be customised.
    yield Row("PUT of more than 10 MB: the code", "TooLarge", code(answer), only_told=True)


def headers(place: Place) -> Iterator[Row]:
    place.put("headers.bin", BODY)
    yield Row("names of headers in lower case: Range", (206, 2),
              (lambda answer: (answer[0], len(answer[1])))(place.raw("/headers.bin", {"range": "bytes=0-1"})))
    refused = requests.put(f"{place.url}/headers.bin", data=b"x", headers={"if-none-match": "*"}, timeout=60)
    yield Row("names of headers in lower case: If-None-Match of a PUT", 412, refused.status_code)
    answer = place.ask("GET", "/headers.bin", headers={"origin": ORIGINS[0]})
    yield Row("names of headers in lower case: Origin", ORIGINS[0],
              answer.headers.get("Access-Control-Allow-Origin"))
    yield from http2(place)
    etag = place.ask("HEAD", "/headers.bin").headers.get("ETag", "")
    answer = place.ask("GET", "/headers.bin", headers={"If-None-Match": etag})
    yield Row("a 304: its type", None, (answer.status_code, answer.headers.get("Content-Type")), only_told=True)
    ranged = {"Range": "bytes=0-1"}
    yield Row("If-Range with the right ETag", 206,
              place.ask("GET", "/headers.bin", headers=ranged | {"If-Range": etag}).status_code)
    yield Row("If-Range with another ETag", 200,
              place.ask("GET", "/headers.bin", headers=ranged | {"If-Range": '"other"'}).status_code)
    place.put("zipped.bin", BODY, ContentEncoding="gzip")
    with requests.get(f"{place.url}/zipped.bin", stream=True, timeout=60) as answer:
        yield Row("an object that says it is gzip: bytes untouched", BODY, answer.raw.read(decode_content=False))


def http2(place: Place) -> Iterator[Row]:
    """With a client that speaks it, if it is there: nothing of Python's own does."""
    if not shutil.which("curl"):
        return
    command = ["curl", "--silent", "--http2", "--range", "0-1", "--output", os.devnull, "--max-time", "60",
               "--write-out", "%{http_version} %{http_code} %{size_download}", f"{place.url}/headers.bin"]
    seen = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    yield Row("HTTP/2: Range", "2 206 2", seen)


def undecodable(place: Place) -> Iterator[Row]:
    for target in ("/%zz", "/%ff"):
        before = place.keys()
        status, _ = place.raw(target, method="PUT", body=BODY)
        yield Row(f"PUT of `{target}`, which does not decode: refused", (4, set()),
                  (status // 100, place.keys() - before))


def slashes(place: Place) -> Iterator[Row]:
    """The router is said to take a key with a slash at its end for the one without."""
    place.put("slash/", b"with")
    place.put("slash", b"without")
    yield Row("GET of a key with a slash at the end reads the one without", b"without",
              place.ask("GET", "/slash/").content)
    place.ask("PUT", "/slash/", data=b"written")
    yield Row("PUT of a key with a slash at the end writes the one without", (b"with", b"written"),
              (place.stored("slash/"), place.stored("slash")))
    place.ask("DELETE", "/slash/")
    yield Row("DELETE of a key with a slash at the end deletes the one without", (b"with", None),
              (place.stored("slash/"), place.stored("slash")))


def one_line(place: Place) -> Iterator[Row]:
    """The program of one line, as it comes."""
    place.put("weights/a b.bin", BODY)
    try:
        path = "/weights/a%20b.bin"
        answer = place.ask("GET", path)
        yield Row("one line: GET", (200, BODY), (answer.status_code, answer.content))
        head = place.ask("HEAD", path)
        yield Row("one line: HEAD", (200, str(len(BODY))), (head.status_code, head.headers.get("X-Object-Size")))
        part = place.ask("GET", path, headers={"Range": "bytes=1-3"})
        yield Row("one line: a range", (206, BODY[1:4]), (part.status_code, part.content))
        missing = place.ask("GET", "/weights/nothing")
        yield Row("one line: a missing key", (404, "NoSuchKey"), (missing.status_code, code(missing)))
        written = place.ask("PUT", path, data=b"x")
        yield Row("one line: a write", (405, "MethodNotAllowed"), (written.status_code, code(written)))
    finally:
        place.s3.delete_object(Bucket=place.bucket, Key="weights/a b.bin")


def bodies(place: Place) -> Iterator[Row]:
    for name, headers in {"gzip": {"Content-Encoding": "gzip"},
                          "a form": {"Content-Type": "application/x-www-form-urlencoded"}}.items():
        place.ask("PUT", "/body.bin", data=BODY, headers=headers)
        yield Row(f"PUT of what says it is {name}: bytes untouched", BODY, place.stored("body.bin"))


def odd(place: Place) -> Iterator[Row]:
    """What the local S3 fails at, or nobody says what API Gateway does with."""
    place.put("odd.bin", BODY)
    status, body = place.raw("/odd.bin", body=b"a body")
    yield Row("GET with a body", (200, BODY), (status, body), only_told=True)
    yield Row("PUT with a date that is none", 200, place.ask("PUT", "/odd.bin", data=BODY, headers={"Expires": "never"}).status_code,
              only_told=True)
    for name, value in (("If-None-Match", '"x"'), ("If-Match", "x")):
        answer = place.ask("PUT", "/odd.bin", data=BODY, headers={name: value})
        yield Row(f"PUT with {name}: {value} is the client's mistake", 4, answer.status_code // 100)
    status, _ = place.raw("/odd.bin", method="DELETE", body=b"a body")
    yield Row("DELETE with a body", 204, status, only_told=True)


def errors(place: Place) -> Iterator[Row]:
    for kind in (None, "image/png", "application/json"):
        answer = place.ask("POST", "/x", data=b"\xff\x00", headers={"Content-Type": kind} if kind else {})
        yield Row(f"a method that is not offered, with {kind or 'no'} type", (405, "MethodNotAllowed"),
                  (answer.status_code, code(answer)))
    answer = requests.get(f"{place.url.rpartition('/')[0]}/no/such/path", timeout=60)
    yield Row("a path that is not there", (404, "NotFound"), (answer.status_code, code(answer)))
    # A gateway response's mapping reads one case of the name.
    answer = requests.get(f"{place.url.rpartition('/')[0]}/no/such/path", headers={"origin": ORIGINS[0]}, timeout=60)
    yield Row("API Gateway's own errors tell an origin whose header is in lower case", ORIGINS[0],
              answer.headers.get("Access-Control-Allow-Origin"), only_told=True)
    for origin in (*ORIGINS, "https://c.example"):
        answer = place.ask("GET", "/not-there", headers={"Origin": origin})
        yield Row(f"S3 tells the origin {origin} on its errors", origin if origin in ORIGINS else None,
                  answer.headers.get("Access-Control-Allow-Origin"))
        answer = requests.get(f"{place.url.rpartition('/')[0]}/no/such/path", headers={"Origin": origin}, timeout=60)
        yield Row(f"API Gateway's own errors tell the origin {origin}", origin,
                  answer.headers.get("Access-Control-Allow-Origin"))
        answer = place.ask("OPTIONS", "/x", headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
        yield Row(f"the preflight tells the origin {origin}", (204, origin if origin in ORIGINS else None),
                  (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")))


def limits(place: Place) -> Iterator[Row]:
    for name, target, sent in [("headers of 12,000 bytes", "/headers.bin", {"X-Long": "x" * 12_000}),
                               ("a URL of 11,000 bytes", f"/{'k' * 11_000}", {})]:
        status, text = place.raw(target, sent)
        yield Row(f"{name}: refused", 4, status // 100)
        yield Row(f"{name}: the status and the text", None, (status, text[:200]), only_told=True)
        yield Row(f"{name}: the next request works", 200, place.ask("GET", "/headers.bin").status_code)


def prefix(place: Place) -> Iterator[Row]:
    place.s3.put_object(Bucket=place.bucket, Key="secret", Body=b"outside")
    for target in ("/../secret", "/%2e%2e/secret", "/x/../../secret", "/..%2Fsecret"):
        yield Row(f"`{target}` stays below the prefix", False, b"outside" in place.raw(target)[1])
    for target in ("/../", "/../../", "/x/../../"):
        yield Row(f"`{target}` lists no key outside of the prefix", False, b"<Key>secret</Key>" in place.raw(target)[1])
    place.put("list/a", b"1")
    # Each read names the prefix, which says something to lists only.
    yield Row("S3 ignores the `prefix` of a read", (200, 404),
              (place.ask("GET", "/list/a").status_code, place.ask("GET", "/list/b").status_code))
    answer = place.ask("GET", "?prefix=list/")
    yield Row("a list joins the client's prefix to ours", (200, True),
              (answer.status_code, f"<Key>{PREFIX}/list/a</Key>" in answer.text))
    answer = place.ask("GET", "?prefix=list/", headers={"Content-Type": "text/x-odd"})
    yield Row("a list with an odd type stays below the prefix", False, "<Key>secret</Key>" in answer.text)


ALL: list[Callable[[Place], Iterator[Row]]] = [
    keys, undecodable, slashes, sizes, headers, bodies, odd, limits, errors, prefix,
]
