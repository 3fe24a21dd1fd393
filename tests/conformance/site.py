"""The proxy, its bucket, and the objects that are asked for."""

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass, field

from .client import Answer, Client, Request

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


@dataclass
class Site:
    """The proxy, its bucket and what is in it."""

    s3: Client
    proxy: Client
    bucket: str
    role: str
    mount: str
    #: Of a key: the versions' ids and the newest one's ETag and Last-Modified.
    versions: dict[str, list[str]] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    modified: dict[str, str] = field(default_factory=dict)

    def put(self, key: str, body: bytes, headers: dict[str, str]) -> None:
        target = Request("", "PUT", key).target(f"/{self.bucket}")
        answer = self.s3.signed("PUT", target, headers, body)
        assert answer.status == 200, (key, answer)
        self.versions.setdefault(key, []).append(answer["x-amz-version-id"])
        found = self.s3.signed("HEAD", target)
        assert found.status == 200, (key, found)
        self.etags[key], self.modified[key] = found["ETag"], found["Last-Modified"]

    def delete(self, key: str) -> None:
        answer = self.s3.signed("DELETE", Request("", "DELETE", key).target(f"/{self.bucket}"))
        assert answer.status == 204
        self.versions[key].append(answer["x-amz-version-id"])

    def both(self, request: Request) -> tuple[Answer, Answer]:
        from_s3 = self.s3.signed(request.method, request.target(f"/{self.bucket}"), request.headers)
        return from_s3, self.proxy.send(request.method, request.target(self.mount), request.headers)


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
