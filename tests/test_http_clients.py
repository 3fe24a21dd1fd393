"""Clients that know nothing of API Gateway: columns and row groups of a Parquet file, downloads in parts, a page in a browser."""

import base64
import http.server
import json
import random
import re
import shutil
import subprocess
import threading
import uuid
import zlib
from functools import partial

import fsspec
import numpy
import pandas
import pyarrow
import pyarrow.parquet
import pytest
import requests

from harness.rpc import Plugin, Resource

ROWS, GROUPS = 600_000, 6
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def provider(plugin, aws):
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()
        yield provider


@pytest.fixture
def made(provider):
    """Makes resources: inputs to outputs."""
    resources = []

    def make(**inputs) -> dict:
        resources.append(Resource(provider, f"client-{uuid.uuid4().hex[:8]}"))
        return resources[-1].create({"bucket": {"forceDestroy": True}, **inputs})

    yield make
    for resource in resources:
        resource.delete()


# Data frames


@pytest.fixture
def table(made, aws, tmp_path):
    """The URL of a Parquet file of several MB, and what is in it."""
    chance = numpy.random.default_rng(1)
    frame = pandas.DataFrame({"id": numpy.arange(ROWS), "x": chance.random(ROWS), "y": chance.random(ROWS),
                              "label": chance.choice(["cat", "dog", "größe"], ROWS)})
    file = tmp_path / "table.parquet"
    frame.to_parquet(file, row_group_size=ROWS // GROUPS)
    assert file.stat().st_size > 8 << 20
    outputs = made()
    aws.client("s3").upload_file(str(file), outputs["bucketName"], "tables/größe 1.parquet")
    return f"{outputs['invokeUrl']}/tables/gr%C3%B6%C3%9Fe%201.parquet", frame


@pytest.fixture
def opened(table):
    """The file as fsspec opens it. It is told the size, which is X-Object-Size: a HEAD has no Content-Length here."""
    url, _ = table
    size = int(requests.head(url, timeout=30).headers["X-Object-Size"])
    # The URL is encoded already.
    with fsspec.filesystem("http", encoded=True).open(url, size=size, block_size=1 << 16, cache_type="readahead") as file:
        yield file


def test_pyarrow_reads_one_column_of_one_row_group(table, opened):
    found = pyarrow.parquet.ParquetFile(opened).read_row_group(2, columns=["label"])
    expected = table[1]["label"].iloc[2 * ROWS // GROUPS:3 * ROWS // GROUPS]
    assert found.column_names == ["label"] and found.column("label").to_pylist() == expected.tolist()


def test_pandas_reads_columns(table, opened):
    found = pandas.read_parquet(opened, columns=["id", "x"])
    pandas.testing.assert_frame_equal(found, table[1][["id", "x"]])


def test_only_what_is_asked_for_is_read(table, opened):
    pyarrow.parquet.ParquetFile(opened).read_row_group(0, columns=["label"])
    assert opened.cache.total_requested_bytes < opened.size / 4


# A model hub's way: HEAD, then parts into an unfinished file, which a second run goes on with

PART = 4_000_000


def download(url: str, file, *, parts: int | None = None) -> None:
    """At most so many parts, each only of the version that HEAD told of."""
    head = requests.head(url, timeout=30)
    size, etag = int(head.headers["X-Object-Size"]), head.headers["ETag"]
    unfinished = file.with_name(etag.strip('"'))
    with unfinished.open("ab") as out:
        while out.tell() < size and parts != 0:
            headers = {"Range": f"bytes={out.tell()}-{out.tell() + PART - 1}", "If-Match": etag}
            answer = requests.get(url, headers=headers, timeout=60)
            answer.raise_for_status()
            assert answer.headers["Content-Range"].startswith(f"bytes {out.tell()}-")
            out.write(answer.content)
            parts = parts and parts - 1
    if unfinished.stat().st_size == size:
        unfinished.rename(file)


def test_a_download_in_parts_goes_on_where_it_stopped(made, aws, tmp_path):
    outputs, weights = made(), random.Random(3).randbytes(3 * PART + 77)
    aws.client("s3").put_object(Bucket=outputs["bucketName"], Key="org/model/weights.bin", Body=weights)
    url, file = f"{outputs['invokeUrl']}/org/model/weights.bin", tmp_path / "weights.bin"
    download(url, file, parts=2)
    assert not file.exists() and sum(path.stat().st_size for path in tmp_path.iterdir()) == 2 * PART
    download(url, file)
    assert file.read_bytes() == weights and list(tmp_path.iterdir()) == [file]


def test_parts_of_two_versions_are_never_joined(made, aws, tmp_path):
    outputs, s3 = made(), aws.client("s3")
    where = {"Bucket": outputs["bucketName"], "Key": "weights.bin"}
    etag = s3.put_object(**where, Body=b"1" * 100)["ETag"]
    s3.put_object(**where, Body=b"2" * 100)
    headers = {"Range": "bytes=50-", "If-Match": etag}
    assert requests.get(f"{outputs['invokeUrl']}/weights.bin", headers=headers, timeout=30).status_code == 412


def test_pandas_reads_a_csv_by_its_url(made, aws):
    outputs = made()
    frame = pandas.DataFrame({"a": [1, 2], "größe": ["x", None]})
    body = frame.to_csv(index=False).encode()
    aws.client("s3").put_object(Bucket=outputs["bucketName"], Key="a.csv", Body=body, ContentType="text/csv")
    pandas.testing.assert_frame_equal(pandas.read_csv(f"{outputs['invokeUrl']}/a.csv"), frame)


# A browser

PAGE = """<!doctype html><meta charset=utf-8><body><script>
const url = URL_HERE, seen = {};
const image = () => new Promise((done) => {
  const element = new Image();
  element.crossOrigin = "anonymous";
  element.onload = () => done([element.naturalWidth, element.naturalHeight]);
  element.onerror = () => done("error");
  element.src = url + "/image.png";
});
const named = (answer, names) => Object.fromEntries(names.map((name) => [name, answer.headers.get(name)]));
(async () => {
  let answer = await fetch(url + "/data.bin");
  const bytes = new Uint8Array(await answer.arrayBuffer());
  seen.whole = [answer.status, bytes.length, bytes.every((byte, index) => byte === index % 256)];
  answer = await fetch(url + "/data.bin", { headers: { Range: "bytes=256-259" } });
  seen.part = [answer.status, Array.from(new Uint8Array(await answer.arrayBuffer()))];
  seen.headers = named(answer, ["ETag", "Content-Range", "Accept-Ranges", "Content-Type"]);
  answer = await fetch(url + "/data.bin", { method: "HEAD" });
  seen.head = [answer.status, answer.headers.get("X-Object-Size")];
  answer = await fetch(url + "/nothing");
  seen.missing = [answer.status, (await answer.json()).code];
  answer = await fetch(url + "/written", { method: "PUT", body: new Uint8Array([0, 255]),
                                           headers: { "Content-Type": "application/x-odd" } });
  seen.put = answer.status;
  answer = await fetch(url + "/written", { method: "DELETE" });
  seen.delete = answer.status;
  seen.image = await image();
})().catch((error) => { seen.error = String(error); }).finally(() => {
  document.body.innerText = "<<" + btoa(JSON.stringify(seen)) + ">>";
});
</script>"""


def png(width: int, height: int) -> bytes:
    """A grey picture."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    size = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 0, 0, 0, 0])
    lines = zlib.compress(b"".join(b"\0" + bytes([127]) * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


@pytest.fixture
def origin(tmp_path):
    """A web server for a page: its origin, and its folder."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    folder = tmp_path / "pages"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    server.server_close()


def browse(page: str, profile) -> dict:
    """What the page has seen."""
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom",
               "--virtual-time-budget=30000", f"--user-data-dir={profile}", page]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r"&lt;&lt;(.*?)&gt;&gt;", done.stdout)
    assert found, done.stdout + done.stderr
    return json.loads(base64.b64decode(found[1]))


@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium")
@pytest.mark.parametrize("kind", ["all", "one", "several"])
def test_a_page_of_another_origin(made, aws, origin, tmp_path, kind):
    address, folder = origin
    origins = {"all": ["*"], "one": [address], "several": ["https://a.example", address]}[kind]
    outputs = made(operations=["GET", "HEAD", "PUT", "DELETE"], cors={"allowOrigins": origins})
    s3, bucket = aws.client("s3"), outputs["bucketName"]
    s3.put_object(Bucket=bucket, Key="data.bin", Body=bytes(range(256)) * 2, ContentType="application/x-data")
    s3.put_object(Bucket=bucket, Key="image.png", Body=png(5, 3), ContentType="image/png")
    (folder / "page.html").write_text(PAGE.replace("URL_HERE", json.dumps(outputs["invokeUrl"])))
    seen = browse(f"{address}/page.html", tmp_path / "profile")
    etag = s3.head_object(Bucket=bucket, Key="data.bin")["ETag"]
    assert seen == {
        "whole": [200, 512, True], "part": [206, [0, 1, 2, 3]], "head": [200, "512"], "missing": [404, "NoSuchKey"],
        "put": 200, "delete": 204, "image": [5, 3],
        "headers": {"ETag": etag, "Content-Range": "bytes 256-259/512", "Accept-Ranges": "bytes",
                    "Content-Type": "application/x-data"},
    }


@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium")
def test_a_page_of_an_origin_that_is_not_allowed(made, origin, tmp_path):
    address, folder = origin
    outputs = made(cors={"allowOrigins": ["https://a.example"]})
    (folder / "page.html").write_text(PAGE.replace("URL_HERE", json.dumps(outputs["invokeUrl"])))
    assert browse(f"{address}/page.html", tmp_path / "profile") == {"error": "TypeError: Failed to fetch"}
