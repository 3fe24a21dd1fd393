"""Writes: every header of a PUT, what a PUT and a DELETE find at the key, and, seeded, many things at once."""

import base64
import hashlib
import random
import zlib

from .client import Request
from .documented import FORM
from .site import EVERY_BYTE, KEYS

SEED = 20240609
RANDOM_WRITES = 110

BODIES = [b"", b"\xff", EVERY_BYTE, "größe,1\n".encode() * 50, b'{"a": [1, 2]}']
TYPES = [None, "text/csv", "application/json", "image/png", "text/plain; charset=utf-8", "no type",
         FORM]
HEADERS = {
    "Cache-Control": ["max-age=60, public", "no-store"],
    "Content-Disposition": ["inline", "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"],
    "Content-Encoding": ["br", "gzip", "identity, x"],
    "Content-Language": ["de, en", "x"],
    "Expires": ["Wed, 21 Oct 2037 07:28:00 GMT"],
}
#: A body whose checksums are the check values of the algorithms' definitions.
CHECKED = b"123456789"


def encoded(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


CHECKSUMS = {
    "crc32": encoded(zlib.crc32(CHECKED).to_bytes(4)), "crc32c": encoded(bytes.fromhex("e3069283")),
    "crc64nvme": encoded(bytes.fromhex("ae8b14860a799888")), "sha1": encoded(hashlib.sha1(CHECKED).digest()),
    "sha256": encoded(hashlib.sha256(CHECKED).digest()),
}
BEFORE = b"what was there before"
ETAG, WRONG = f'"{hashlib.md5(BEFORE).hexdigest()}"', '"00000000000000000000000000000000"'
CONDITIONS = {"If-Match": [ETAG, ETAG.strip('"'), WRONG, "*"], "If-None-Match": ["*", ETAG, WRONG]}
NOT_PASSED = [
    {"x-amz-meta-a": "b"}, {"x-amz-tagging": "a=b"},
    {"x-amz-storage-class": "STANDARD_IA"}, {"x-amz-website-redirect-location": "/other"},
    {"Content-MD5": encoded(hashlib.md5(b"another body").digest())}, {"x-amz-server-side-encryption": "AES256"},
    {"x-unknown": "x"},
]


def writes() -> list[Request]:
    found = []

    def add(kind: str, method: str, key: str | None = None, headers={}, query={}, **more) -> None:
        # Each has a key of its own, where the key is not what it is about.
        key = f"written/{len(found)}" if key is None else key
        found.append(Request(kind, method, key, tuple(headers.items()), tuple(query.items()), **more))

    for before in (None, BEFORE):
        for key in [*KEYS.values(), "k" * 1025]:
            add("PUT, keys", "PUT", key, body=key.encode(), before=before)
            add("DELETE, keys", "DELETE", key, before=before)
        for name, values in CONDITIONS.items():
            for value in values:
                add("PUT, conditions", "PUT", headers={name: value}, body=b"new", before=before)
                add("PUT, conditions", "PUT", headers={name.lower(): value}, body=b"new", before=before)
        for headers in NOT_PASSED:
            add("PUT, what is not passed", "PUT", headers=headers, body=b"new", before=before)
        for headers, query in [
            ({"If-Match": WRONG}, {}), ({}, {"versionId": "null"}), ({"x-unknown": "x"}, {"x": "y"}),
        ]:
            add("DELETE, what is not passed", "DELETE", headers=headers, query=query, before=before)
    for key in list(KEYS.values())[:20]:
        add("PUT, keys, as browsers write them", "PUT", key, body=b"x", safe="/~!$&'()*+,;=:@")
    for body in BODIES:
        for content_type in TYPES:
            headers = {"Content-Type": content_type} if content_type else {}
            add("PUT, bytes and types", "PUT", headers=headers, body=body)
    for name, values in HEADERS.items():
        for value in values:
            add("PUT, headers", "PUT", headers={name: value}, body=b"new")
            add("PUT, headers", "PUT", headers={name.lower(): value}, body=b"new")
    for name, value in CHECKSUMS.items():
        for each in (value, value.swapcase(), "x", "="):
            add("PUT, checksums", "PUT", headers={f"x-amz-checksum-{name}": each}, body=CHECKED)

    choose = random.Random(SEED)
    for _ in range(RANDOM_WRITES):
        headers, body = {"Content-Type": choose.choice(TYPES[1:])}, choose.choice([*BODIES, CHECKED])
        for name, values in HEADERS.items():
            if choose.random() < 0.4:
                headers[name] = choose.choice(values)
        if choose.random() < 0.4:
            name, values = choose.choice(list(CONDITIONS.items()))
            headers[name] = choose.choice(values)
        if choose.random() < 0.5:
            name, value = choose.choice(list(CHECKSUMS.items()))
            headers[f"x-amz-checksum-{name}"] = value
        add("PUT, everything at once", "PUT", headers=headers, body=body, before=choose.choice([None, BEFORE]))
    return found
