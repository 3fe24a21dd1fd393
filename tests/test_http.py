"""What clients see of the proxy's URL: bytes, methods, lists, index documents, writes, CORS, odd and bad requests."""

import base64
import hashlib
import html
import http.client
import json
import os
import re
import shutil
import subprocess
import uuid
from contextlib import closing
from urllib.parse import quote, urlsplit

import numpy
import pytest
import requests
import safetensors.numpy

from harness.aws import ACCOUNT, REGION
from harness.rpc import Plugin, Resource

EVERY_BYTE = bytes(range(256))
ALL = {"operations": ["GET", "HEAD", "LIST", "PUT", "DELETE"]}
PREFIXED = ALL | {"bucket": {"prefix": "models/v1"}}
LIMIT = 10 * 1024 * 1024
SECRET, LONG = b"outside of the prefix", "k" * 1025
A, B, C = "https://a.example", "https://b.example", "https://c.example"
CORS = {
    "one": ALL | {"cors": {"allowOrigins": [A], "maxAgeSeconds": 60}},
    "all": ALL | {"cors": {"allowOrigins": ["*"]}},
    "several": ALL | {"cors": {"allowOrigins": [A, B], "allowCredentials": True, "exposeHeaders": ["ETag"]}},
}


class Proxy:
    """A proxy's URL: `proxy("GET", "/key")`, or `proxy.raw(...)` for what no client would send."""

    def __init__(self, aws, outputs: dict):
        self.url, self.bucket, self.role = (outputs[name] for name in ("invokeUrl", "bucketName", "roleName"))
        self.stage_url = aws.invoke_url(outputs["restApiId"], "prod")
        self.s3, self.session = aws.client("s3"), requests.Session()

    def __call__(self, method: str, path: str = "", **options) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=60, **options)

    def put(self, key: str, body: bytes, **fields) -> dict:
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **fields)

    def stored(self, key: str) -> dict:
        found = self.s3.get_object(Bucket=self.bucket, Key=key)
        return found | {"Body": found["Body"].read()}

    def raw(self, method: str, path: str, body: bytes | None = None, headers: dict = {}) -> tuple[int, bytes]:
        """The path goes onto the wire as it is."""
        url = urlsplit(self.url)
        with closing(http.client.HTTPConnection(url.netloc, timeout=60)) as connection:
            connection.request(method, url.path + path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def error(self, answer: requests.Response, status: int, code: str) -> None:
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json"), answer.text
        assert set(answer.json()) == {"code", "message", "requestId"} and answer.json()["code"] == code
        assert self.bucket not in answer.text and self.role not in answer.text


@pytest.fixture(scope="module")
def proxies(plugin, aws):
    """A function that gives the proxy with these inputs; tests share it and use keys of their own."""
    made: dict[str, tuple[Resource, Proxy]] = {}
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()

        def proxy(inputs: dict) -> Proxy:
            inputs = {"path": "data", "waitForReady": False} | inputs
            inputs["bucket"] = {"forceDestroy": True} | inputs.get("bucket", {})
            key = json.dumps(inputs)
            if key not in made:
                resource = Resource(provider, f"http-{uuid.uuid4().hex[:8]}")
                made[key] = resource, Proxy(aws, resource.create(inputs))
            return made[key][1]

        yield proxy
        for resource, _ in made.values():
            resource.delete()


@pytest.fixture
def proxy(proxies):
    """The proxy with every operation and nothing else."""
    return proxies(ALL)


# Bytes

ACCEPTS = [None, "*/*", "text/html,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "image/webp,*/*;q=0.5",
           "application/json", "text/plain", "no type", ""]


@pytest.mark.parametrize("body", [EVERY_BYTE, b"", b"x", os.urandom(9_900_000)], ids=["every", "none", "one", "9.9 MB"])
@pytest.mark.parametrize("content_type", ["image/png", "text/plain", "application/json"])
def test_bytes_come_back_as_they_are(proxy, body, content_type):
    proxy.put("bytes", body, ContentType=content_type)
    for accept in ACCEPTS:
        answer = proxy("GET", "/bytes", headers={"Accept": accept}, stream=True)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
        assert b"".join(answer.iter_content(1 << 16)) == body and answer.headers["Content-Length"] == str(len(body))
    head = proxy("HEAD", "/bytes")
    assert (head.status_code, head.content, head.headers["X-Object-Size"]) == (200, b"", str(len(body)))


def test_a_large_object_in_parts(proxy):
    body, step = os.urandom(64 << 20), 8 << 20
    proxy.put("large", body)
    digest = hashlib.sha256()
    for start in range(0, len(body), step):
        answer = proxy("GET", "/large", headers={"Range": f"bytes={start}-{start + step - 1}"})
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + step - 1}/{len(body)}"
        digest.update(answer.content)
    assert digest.digest() == hashlib.sha256(body).digest()


def test_an_object_that_is_too_large_says_how_to_read_it(proxies):
    proxy, body = proxies(CORS["one"]), os.urandom(LIMIT + 1)
    proxy.put("limit", body[:-1])
    assert proxy("GET", "/limit").content == body[:-1]
    proxy.put("above", body)
    answer = proxy("GET", "/above", headers={"Origin": A})
    proxy.error(answer, 502, "StorageError")
    assert "10 MB" in answer.json()["message"] and "Range" in answer.json()["message"]
    assert answer.headers["Access-Control-Allow-Origin"] == A
    head = proxy("HEAD", "/above")
    assert (head.status_code, head.headers["X-Object-Size"]) == (200, str(len(body)))
    parts = [proxy("GET", "/above", headers={"Range": f"bytes={start}-{start + 9_999_999}"}).content
             for start in range(0, len(body), 10_000_000)]
    assert b"".join(parts) == body


def test_a_write_that_is_too_large_writes_nothing(proxies):
    proxy, body = proxies(CORS["one"]), os.urandom(LIMIT)
    assert proxy("PUT", "/written", data=body).status_code == 200
    answer = proxy("PUT", "/written", data=bytes(LIMIT + 1), headers={"Origin": A})
    proxy.error(answer, 413, "TooLarge")
    assert answer.headers["Access-Control-Allow-Origin"] == A
    assert proxy.stored("written")["Body"] == body


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "image/png", "text/plain; charset=x", None])
def test_bytes_are_written_as_they_are(proxy, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    assert proxy("PUT", "/written", data=EVERY_BYTE, headers=headers).status_code == 200
    found = proxy.stored("written")
    assert found["Body"] == EVERY_BYTE and found["ContentType"] == (content_type or "binary/octet-stream")


# Methods

@pytest.mark.parametrize("content_type, body", [
    (None, b""), (None, EVERY_BYTE), ("application/json", b'{"a": 1}'), ("application/json", b"{"),
    ("application/json; charset=utf-8", b""), ("text/plain", b"a"), ("image/png", EVERY_BYTE), ("image/png", b""),
    ("application/x-www-form-urlencoded", b"a=1"), ("text/csv", b"x" * 1_000_000), ("no type", b"a"),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n'),
], ids=lambda value: repr(value)[:24])
def test_methods_that_are_not_offered(proxies, content_type, body):
    proxy = proxies({})
    proxy.put("there", b"x")
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        proxy.error(proxy(method, "/there", data=body, headers={"Content-Type": content_type}), 405, "MethodNotAllowed")
        assert proxy("GET", "/there").content == b"x"


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
def test_an_answer_names_the_methods_that_are_offered(proxies, content_type):
    for inputs, path, expected, everywhere in [
        ({}, "/there", "GET, HEAD", True), ({"indexDocument": "index.html"}, "", "GET, HEAD", True),
        (ALL, "/there", "DELETE, GET, HEAD, PUT", False), (ALL, "", "GET", False),
        (CORS["one"], "/there", "DELETE, GET, HEAD, OPTIONS, PUT", False),
    ]:
        answer = proxies(inputs)("POST", path, data=b"x", headers={"Content-Type": content_type})
        assert answer.status_code == 405
        # Another type than JSON is refused by a gateway response, which is one for all paths.
        told = expected if everywhere or content_type != "text/plain" else ""
        assert ", ".join(sorted(answer.headers.get("Allow", "").split(", "))) == told


# Lists

def listed(answer: requests.Response) -> tuple[list[str], str | None]:
    """The keys and common prefixes in order, and where to go on."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml"), answer.text
    more = re.search("<NextContinuationToken>(.*?)<", answer.text)
    keys = re.findall("<Key>(.*?)</Key>|<CommonPrefixes><Prefix>(.*?)</Prefix>", answer.content.decode())
    return sorted(html.unescape(key or prefix) for key, prefix in keys), more and more[1]


@pytest.mark.parametrize("prefix", ["", "models/v1/"], ids=["the bucket", "a prefix"])
def test_lists(proxies, prefix):
    proxy = proxies((PREFIXED if prefix else ALL) | {"description": "A bucket of its own for lists"})
    names = ["a/1", "a/2", "a/b/3", "c d+é&", "z"]
    for name in names:
        proxy.put(prefix + name, b"x")
    for outside in ("models/v0/x", "models/v10", "models/v2", "top") if prefix else ():
        proxy.put(outside, b"x")
    every = [prefix + name for name in names]
    for path, expected in [
        ("", every), ("/", every), ("?list-type=1", every), ("?prefix=a/", every[:3]), ("?prefix=nothing", []),
        ("?prefix=" + quote("c d+é&"), [every[3]]), ("?delimiter=/", [f"{prefix}a/", *every[3:]]),
        ("?prefix=a/&delimiter=/", [*every[:2], f"{prefix}a/b/"]), ("?start-after=a/2", every[2:]),
        ("?start-after=a/2&prefix=a/", every[2:3]), ("?delimiter=/&max-keys=1", [f"{prefix}a/"]),
        ("?start-after=..", every),
    ]:
        assert listed(proxy("GET", path))[0] == expected, path
    for hostile in ("../", "/", "../v0/", "..", "%2e%2e%2f", "$", "#set($x=1)", '"', "\\", "'", "&prefix=models/v0/"):
        for headers in ({}, {"Content-Type": "image/png"}):  # templates of API Gateway apply to JSON only
            keys, _ = listed(proxy("GET", "?prefix=" + hostile, headers=headers))
            assert [key for key in keys if not key.startswith(prefix)] == []
    query, pages = {"max-keys": "2"}, []
    while not pages or query["continuation-token"]:
        keys, query["continuation-token"] = listed(proxy("GET", params=query))
        pages.append(keys)
    assert pages == [every[:2], every[2:4], every[4:]]


# The mount path

@pytest.mark.parametrize("path", ["site", "v1/site", "/"])
@pytest.mark.parametrize("prefix", [None, "html"])
def test_an_index_document(proxies, path, prefix):
    bucket = {"bucket": {"prefix": prefix}} if prefix else {}
    proxy = proxies({"path": path, "indexDocument": "index.html"} | bucket)
    proxy.error(proxy("GET"), 404, "NoSuchKey")
    proxy.put(f"{prefix}/index.html" if prefix else "index.html", b"<p>Hello", ContentType="text/html")
    for end in ("", "/"):
        answer = proxy("GET", end)
        assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"<p>Hello", "text/html")
        assert proxy("HEAD", end).headers["X-Object-Size"] == "8"
        assert proxy("GET", end, headers={"Range": "bytes=3-"}).content == b"Hello"
    proxy.error(proxy("GET", "/other"), 404, "NoSuchKey")


def test_a_mount_path_without_anything(proxies):
    for proxy in (proxies({"path": "data"}), proxies({"path": "/"})):
        for end in ("", "/"):
            proxy.error(proxy("GET", end), 404, "NotFound")


# Writes

def sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def test_what_a_write_says_is_kept(proxy):
    headers = {
        "Content-Type": "text/csv", "Cache-Control": "max-age=5", "Content-Disposition": 'attachment; filename="a b"',
        "Content-Encoding": "br", "Content-Language": "de", "x-amz-checksum-sha256": sha256(b"a,b"),
    }
    written = proxy("PUT", "/kept", data=b"a,b", headers=headers)
    assert (written.status_code, written.content) == (200, b"")
    assert written.headers["x-amz-checksum-sha256"] == headers["x-amz-checksum-sha256"]
    answer = proxy("GET", "/kept", headers={"x-amz-checksum-mode": "ENABLED"})
    assert answer.content == b"a,b" and answer.headers["ETag"] == written.headers["ETag"]
    assert {name: answer.headers[name] for name in headers} == headers


def test_writes_with_conditions(proxy):
    def put(body: bytes, name: str, value: str) -> requests.Response:
        return proxy("PUT", "/once", data=body, headers={name: value})

    for wrong in (sha256(b"other"), "x", "="):
        proxy.error(put(b"0", "x-amz-checksum-sha256", wrong), 400, "BadRequest")
    proxy.error(put(b"0", "If-Match", '"0"'), 404, "NoSuchKey")
    first = put(b"1", "If-None-Match", "*")
    assert first.status_code == 200
    proxy.error(put(b"2", "If-None-Match", "*"), 412, "PreconditionFailed")
    proxy.error(put(b"2", "If-Match", '"0"'), 412, "PreconditionFailed")
    assert put(b"2", "If-Match", first.headers["ETag"]).status_code == 200
    assert proxy.stored("once")["Body"] == b"2"


@pytest.mark.parametrize("inputs", [ALL, PREFIXED], ids=["the bucket", "a prefix"])
def test_an_object_s_life(proxies, inputs):
    proxy = proxies(inputs)
    for key in ("life", "a b/+ü%.bin"):
        path = "/" + quote(key)
        assert proxy("PUT", path, data=b"x").status_code == 200
        assert proxy.stored(("models/v1/" if inputs is PREFIXED else "") + key)["Body"] == b"x"
        assert proxy("GET", path).content == b"x"
        for _ in range(2):
            gone = proxy("DELETE", path)
            assert (gone.status_code, gone.content) == (204, b"")
        proxy.error(proxy("GET", path), 404, "NoSuchKey")


def test_a_key_of_kms_encrypts_and_nobody_hears_of_it(proxies):
    """The local AWS keeps the key's name with the object; that the role may use the key is asked in test_least_privilege.py."""
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    proxy = proxies(ALL | {"bucket": {"kmsKeyArn": key}})
    written = proxy("PUT", "/hidden", data=EVERY_BYTE)
    assert written.status_code == 200
    stored = proxy.stored("hidden")
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"], stored["Body"]) == ("aws:kms", key, EVERY_BYTE)
    read, part = proxy("GET", "/hidden"), proxy("GET", "/hidden", headers={"Range": "bytes=1-3"})
    assert (read.status_code, read.content) == (200, EVERY_BYTE) and (part.status_code, part.content) == (206, EVERY_BYTE[1:4])
    for answer in (written, read, part, proxy("HEAD", "/hidden")):
        assert not [name for name, value in answer.headers.items() if "kms" in name.lower() or "kms" in value]


# Web pages of other origins

ALLOW = "Access-Control-Allow-"


def told(answer: requests.Response) -> tuple[str | None, ...]:
    """Who may read the answer, whether it depends on who asks, and whether cookies may be sent."""
    return tuple(answer.headers.get(name) for name in (f"{ALLOW}Origin", "Vary", f"{ALLOW}Credentials"))


@pytest.mark.parametrize("kind, origin, allowed", [
    ("one", A, A), ("one", C, A), ("one", None, A), ("all", A, "*"), ("all", None, "*"), ("several", A, A),
    ("several", B, B), ("several", C, None), ("several", f"{A}.evil.example", None), ("several", "null", None),
    ("several", None, None),
])
def test_pages_of_other_origins(proxies, kind, origin, allowed):
    proxy = proxies(CORS[kind])
    proxy.put("page", b"x")
    expected = (allowed, "Origin", "true") if kind == "several" else (allowed, None, None)
    headers = {"Origin": origin}
    requested = headers | {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "range"}
    answers = {
        204: proxy("OPTIONS", "/page", headers=requested), 200: proxy("GET", "/page", headers=headers),
        206: proxy("GET", "/page", headers=headers | {"Range": "bytes=0-0"}), 404: proxy("GET", "/no", headers=headers),
        412: proxy("GET", "/page", headers=headers | {"If-Match": '"0"'}), 405: proxy("POST", "/page", headers=headers),
    }
    for status, answer in answers.items():
        assert (answer.status_code, told(answer)) == (status, expected), answer.headers
    assert told(proxy("GET", headers=headers)) == told(proxy("PUT", "/page", data=b"x", headers=headers)) == expected
    preflight = answers[204].headers
    assert preflight[f"{ALLOW}Methods"] == "GET,HEAD,PUT,DELETE" and answers[204].content == b""
    assert {"Range", "If-None-Match", "Content-Type"} <= set(preflight[f"{ALLOW}Headers"].split(","))
    assert preflight["Access-Control-Max-Age"] == ("60" if kind == "one" else "600")
    exposed = answers[200].headers["Access-Control-Expose-Headers"].split(",")
    assert exposed == ["ETag"] if kind == "several" else {"ETag", "Content-Range", "X-Object-Size"} <= set(exposed)


@pytest.mark.parametrize("kind, expected", [
    ("one", (A, None, None)), ("all", ("*", None, None)), ("several", (C, "Origin", "true"))])
def test_pages_may_read_the_gateway_s_errors(proxies, kind, expected):
    proxy = proxies(CORS[kind])
    nowhere = requests.get(f"{proxy.stage_url}/elsewhere", headers={"Origin": C}, timeout=60)
    proxy.error(nowhere, 404, "NotFound")
    refused = proxy("POST", "/page", data=b"x", headers={"Origin": C, "Content-Type": "image/png"})
    proxy.error(refused, 405, "MethodNotAllowed")
    assert told(nowhere) == told(refused) == expected


# Out of the prefix

LEAKS = pytest.mark.xfail(
    strict=True, reason="the local API Gateway resolves `..` on its way to S3, where no IAM confines it to the prefix")
UP, SLASH = ("..", "%2e%2e", "%2E%2E", ".%2e", "%252e%252e"), ("/", "%2F", "%2f", "//", "%5c", "%252f")
PATHS = [path.replace("|", slash).replace("..", up) for up in UP for slash in SLASH
         for path in ("..|..|secret", "x|..|..|..|secret", "..|v1-other|secret", "..|..|", "..|..|..|BUCKET/secret")]
PATHS += ["..;/..;/secret", "./../../secret", "..%00/secret", "../../secret?x=/", "%c0%ae%c0%ae/%c0%ae%c0%ae/secret"]


@pytest.mark.parametrize("path", [
    pytest.param(path, marks=LEAKS) if "../" in path and "//" not in path else path for path in PATHS])
def test_no_path_leads_out_of_the_prefix(proxies, path):
    proxy, other = proxies(PREFIXED), proxies(ALL)
    secrets = [(other, "secret"), (proxy, "secret"), (proxy, "models/secret"), (proxy, "models/v1-other/secret")]
    for each, key in secrets:
        each.put(key, SECRET)
    for method in ("GET", "PUT", "DELETE"):
        _, found = proxy.raw(method, f"/{path.replace('BUCKET', other.bucket)}", b"x" if method == "PUT" else None)
        assert SECRET not in found and b"ListBucketResult" not in found
    assert [each.stored(key)["Body"] for each, key in secrets] == [SECRET] * 4


def test_a_read_that_becomes_a_list_stays_below_the_prefix(proxies):
    """The local API Gateway makes a list of one, as it resolves `..`; the prefix that each read names holds it."""
    proxy = proxies(PREFIXED | {"description": "A bucket of its own for reads that become lists"})
    for key in ("models/v1/in", "models/v1-other/out", "out"):
        proxy.put(key, b"x")
    status, found = proxy.raw("GET", "/../../")
    assert status == 200 and re.findall("<Key>(.*?)</Key>", found.decode()) == ["models/v1/in"]
    # What S3 itself makes of that request.
    listed = proxy.s3.list_objects(Bucket=proxy.bucket, Prefix="models/v1/")
    assert [item["Key"] for item in listed["Contents"]] == ["models/v1/in"]


@pytest.mark.parametrize("part", ["acl", "tagging", "policy", "versions", "uploads", "location", "torrent"])
def test_nothing_else_of_s3_is_within_reach(proxy, part):
    proxy.put("alone", b"x")
    assert proxy("GET", f"/alone?{part}").content == b"x"
    assert b"<ListBucketResult" in proxy("GET", f"?{part}").content
    headers = {"x-amz-acl": "public-read", "x-amz-copy-source": f"{proxy.bucket}/alone", "x-amz-meta-a": "b"}
    assert proxy("PUT", f"/alone?{part}", data=b"y", headers=headers).status_code == 200
    assert (proxy.stored("alone")["Body"], proxy.stored("alone")["Metadata"]) == (b"y", {})
    assert len(proxy.s3.get_object_acl(Bucket=proxy.bucket, Key="alone")["Grants"]) == 1


# Clients

@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_curl_resumes(proxy, tmp_path):
    body, file = os.urandom(3_000_000), tmp_path / "file"
    proxy.put("resume", body)
    file.write_bytes(body[:1_234_567])
    ran = subprocess.run(["curl", "--silent", "--show-error", "--fail", "-C", "-", "-o", file, f"{proxy.url}/resume"],
                         capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "") and file.read_bytes() == body


def test_a_tensor_by_ranges(proxy):
    tensors = {"a": numpy.arange(1000, dtype=numpy.float32), "b": numpy.ones((7, 9), dtype=numpy.int64)}
    proxy.put("model.safetensors", safetensors.numpy.save(tensors))

    def read(start: int, end: int) -> bytes:
        answer = proxy("GET", "/model.safetensors", headers={"Range": f"bytes={start}-{end - 1}"})
        assert (answer.status_code, len(answer.content)) == (206, end - start)
        return answer.content

    length = 8 + int.from_bytes(read(0, 8), "little")
    header = json.loads(read(8, length))
    assert {name: entry["shape"] for name, entry in header.items()} == {"a": [1000], "b": [7, 9]}
    start, end = header["b"]["data_offsets"]
    assert numpy.array_equal(numpy.frombuffer(read(length + start, length + end), "<i8").reshape(7, 9), tensors["b"])


# Bad input

READ, LISTED, DONE, WRITTEN = (200, b"x"), (200, b"<?xml"), (204, b""), (200, b"")
MISSING, REFUSED = (404, "NoSuchKey"), (400, "BadRequest")


def failing(method: str, path: str, body: bytes | None, headers: dict, expected: tuple, why: str):
    reason = f"the local S3 answers 500: {why}"
    return pytest.param(method, path, body, headers, expected, marks=pytest.mark.xfail(strict=True, reason=reason))


@pytest.mark.parametrize("method, path, body, headers, expected", [
    # As S3 says: a range that is none is no range, and what it does not know it does not look at.
    *[("GET", "/there", None, {name: value}, READ) for name, value in [
        ("Range", "bytes=x"), ("Range", "bytes=9-1,,"), ("Range", "x" * 1000), ("X-Long", "x" * 12_000),
        ("If-Match", ""), ("If-None-Match", "x" * 12_000), ("Origin", "x" * 12_000), ("Content-Type", "no type")]],
    *[("GET", path, None, {}, READ) for path in ["/there?%&%zz=1", "/there?" + "a=b&" * 2000]],
    ("GET", "/there", b"a body", {}, READ), ("GET", "/there", b"{", {"Content-Type": "application/json"}, READ),
    ("HEAD", "/there", b"a body", {}, WRITTEN), ("GET", "", EVERY_BYTE, {}, LISTED),
    ("OPTIONS", "/there", EVERY_BYTE, {}, DONE),
    *[("GET", path, None, {}, MISSING) for path in [
        "/%", "/%zz", "/%ff%fe", "/%00", "/%e4%bd", "/%0d%0aA:b", f"/{LONG}", "/" + "%E6%8D%AE" * 342, f"/{LONG * 9}"]],
    ("HEAD", f"/{LONG}", None, {}, (404, b"")),
    ("GET", "/there?versionId=x&partNumber=0", None, {}, REFUSED), ("GET", "?encoding-type=x", None, {}, REFUSED),
    ("PUT", "/odd", b"x", {"Content-Encoding": "\t"}, WRITTEN), ("PUT", "/odd", b"x", {"Content-Type": "ä"}, WRITTEN),
    ("PUT", "/odd", b"x", {"x-amz-checksum-sha256": "ä"}, REFUSED),
    ("PUT", "/odd", b"x", {"If-None-Match": '"x"'}, REFUSED),
    ("PUT", "/odd", b"x", {"If-None-Match": "*", "If-Match": '"x"'}, REFUSED),
    ("PUT", "/%zz", b"x", {}, WRITTEN), ("PUT", "/%ff", b"x", {}, WRITTEN), ("PUT", f"/{LONG}", b"x", {}, REFUSED),
    ("DELETE", f"/{LONG}", None, {}, DONE),
    ("PROPFIND", "/there", None, {}, (404, "NotFound")),  # API Gateway knows seven methods
    failing("DELETE", "/odd", b"a body", {}, DONE, "it takes a DELETE's body for XML"),
    failing("PUT", "/odd", b"x", {"Expires": "never"}, WRITTEN, "it cannot read the date"),
    failing("GET", "?max-keys=x", None, {}, REFUSED, "it cannot read the number"),
    failing("GET", "?continuation-token=x", None, {}, REFUSED, "it cannot read the token"),
], ids=lambda value: repr(value)[:30])
def test_odd_requests_break_nothing(proxies, method, path, body, headers, expected):
    proxy = proxies(CORS["several"])
    proxy.put("there", b"x")
    status, answer = proxy.raw(method, path, body, headers)
    wanted, content = expected
    assert status == wanted, answer
    if isinstance(content, str):
        told = json.loads(answer)
        assert (set(told), told["code"]) == ({"code", "message", "requestId"}, content)
    else:
        assert answer.startswith(content) if content == b"<?xml" else answer == content
    assert proxy("GET", "/there").content == b"x"
