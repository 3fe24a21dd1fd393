"""The proxies, their bucket, and the objects that are asked for."""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from .client import READS, Answer, Client, Request, encoded

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
EVERY_BYTE = bytes(range(256)) * 4
RICH = {
    "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "max-age=60, public", "Content-Language": "de, en",
    "Content-Disposition": "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt",
}


#: What the mounts other than the first serve.
PREFIX = "below/it"
INDEX = "index-1.html"
#: The inputs of each mount; all serve the bucket of the first.
MOUNTS = {
    "data": {"operations": ["GET", "HEAD", "LIST", "PUT", "DELETE"]},
    "below": {"operations": ["GET", "HEAD", "LIST"], "bucket": {"prefix": PREFIX}},
    "site": {"indexDocument": INDEX, "bucket": {"prefix": PREFIX}},
}


@dataclass
class Mount:
    """One proxy's URL, and what it serves."""

    proxy: Client
    path: str
    role: str
    #: What every key begins with.
    prefix: str
    index: str | None

    @classmethod
    def of(cls, outputs: dict, client: Client) -> "Mount":
        prefix = outputs.get("bucket", {}).get("prefix")
        return cls(client, urlsplit(outputs["invokeUrl"]).path, outputs["roleName"], f"{prefix}/" if prefix else "",
                   outputs.get("indexDocument"))


@dataclass
class Site:
    """A bucket, what is in it, and the proxies before it."""

    s3: Client
    bucket: str
    mounts: dict[str, Mount]
    #: Of a key: the versions' ids and the newest one's ETag and Last-Modified.
    versions: dict[str, list[str]] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    modified: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """What no client may hear of."""
        return {self.bucket, *(mount.role for mount in self.mounts.values())}

    def put(self, key: str, body: bytes, headers: dict[str, str]) -> None:
        target = self.target(key)
        answer = self.s3.signed("PUT", target, headers, body)
        assert answer.status == 200, (key, answer)
        self.versions.setdefault(key, []).append(answer["x-amz-version-id"])
        found = self.s3.signed("HEAD", target)
        assert found.status == 200, (key, found)
        self.etags[key], self.modified[key] = found["ETag"], found["Last-Modified"]

    def delete(self, key: str) -> None:
        answer = self.s3.signed("DELETE", self.target(key))
        assert answer.status == 204
        self.versions[key].append(answer["x-amz-version-id"])

    def target(self, key: str, safe: str = "/~") -> str:
        """What S3 calls it."""
        return f"/{self.bucket}/{quote(key, safe=safe)}"

    def both(self, request: Request) -> tuple[Answer, Answer]:
        """What S3 and what the proxy answers; a write finds the same each time."""
        return self._written(request, self._direct), self._written(request, self._proxied)

    def _direct(self, request: Request) -> Answer:
        mount = self.mounts[request.mount]
        if request.key or mount.index:
            target, query = self.target(mount.prefix + (request.key or mount.index), request.safe), request.query
        else:
            target, query = f"/{self.bucket}", listed(request.query, mount.prefix)
        target += f"?{encoded(query)}" if query else ""
        return self.s3.signed(request.method, target, request.headers, request.body)

    def _proxied(self, request: Request) -> Answer:
        mount = self.mounts[request.mount]
        target = mount.path + (f"/{quote(request.key, safe=request.safe)}" if request.key else "")
        target += f"?{encoded(request.query)}" if request.query else ""
        return mount.proxy.send(request.method, target, request.headers, request.body)

    def _written(self, request: Request, send: Callable[[Request], Answer]) -> Answer:
        if request.method in READS:
            return send(request)
        target = self.target(request.key)
        if request.before is None:
            self.s3.signed("DELETE", target)
        else:
            self.s3.signed("PUT", target, {"Content-Type": "text/x-before"}, request.before)
        answer = send(request)
        answer.after = self.s3.signed("GET", target, {"x-amz-checksum-mode": "ENABLED"})
        return answer


def listed(query, prefix: str) -> tuple[tuple[str, str], ...]:
    """What S3 has to be asked for a list: with a prefix, what the client names is below it."""
    asked = {"list-type": "2", **dict(query)}
    if prefix:
        asked["prefix"] = prefix + asked.get("prefix", "")
        after = asked.pop("start-after", "")
        asked |= {"start-after": prefix + after} if after else {}
    return tuple(asked.items())


def fill(site: Site, s3) -> None:
    for key in KEYS.values():
        site.put(key, f"This is {key}.".encode(), {"Content-Type": "text/x-key"})
        if len(key.encode()) < 1000:
            site.put(f"{PREFIX}/{key}", f"This is {key}, below.".encode(), {"Content-Type": "text/x-key"})
    site.put(f"{PREFIX}/{INDEX}", b"<p>Hello" * 20, RICH | {"Content-Type": "text/html"})
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
    site.put("archived", b"cold", {"x-amz-storage-class": "GLACIER"})
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
