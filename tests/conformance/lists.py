"""Lists: every parameter of ListObjectsV2, of the bucket and below a prefix, and, seeded, many of them at once."""

import html
import random
import re

from .client import Request
from .site import KEYS, Site

SEED = 20240608
RANDOM_LISTS = 80
TOKEN = re.compile(b"<NextContinuationToken>(.*?)</NextContinuationToken>")

BEGINNINGS = [key[:len(key) // 2] for key in KEYS.values() if len(key) < 100]
PARAMETERS = {
    "prefix": ["", "a", "a/", "a/b/c/d.bin", "not/there", "/", "../", *BEGINNINGS],
    "delimiter": ["/", "a", "//", "%", "é", "&", ""],
    "max-keys": ["1", "2", "1000", "5000", "0", "-1", "x", "1.5", ""],
    "start-after": ["", "a/", "not/there", *list(KEYS.values())[::3]],
    "encoding-type": ["url", "x", ""],
    "continuation-token": ["", "x", "bm8gdG9rZW4="],
}
NOT_PASSED = [{"fetch-owner": "true"}, {"fetch-owner": "true", "max-keys": "2"}, {"marker": "b"}, {"versionId": "x"}]


def lists(site: Site) -> list[Request]:
    found = []

    def add(kind: str, mount: str, query: dict[str, str], headers: dict[str, str] = {}) -> None:
        where = kind if mount == "data" else f"{kind}, below a prefix"
        found.append(Request(where, "GET", "", tuple(headers.items()), tuple(query.items()), mount=mount))

    choose = random.Random(SEED)
    for mount in ("data", "below"):
        parameters = PARAMETERS | {"continuation-token": [*PARAMETERS["continuation-token"], token(site, mount)]}
        add("LIST", mount, {})
        for name, values in parameters.items():
            for value in values:
                add("LIST", mount, {name: value})
        for query in NOT_PASSED:
            add("LIST, what is not passed", mount, query)
        add("LIST, an odd type", mount, {"prefix": "a/"}, {"Content-Type": "image/png"})
        for _ in range(RANDOM_LISTS):
            chosen = choose.sample(list(parameters), choose.randint(2, 4))
            # Mostly numbers and tokens that are some: the local AWS's S3 fails at others.
            query = {name: choose.choice(parameters[name][:3] if name == "max-keys" else parameters[name])
                     for name in chosen if name != "continuation-token"}
            query |= {"continuation-token": parameters["continuation-token"][-1]} if choose.random() < 0.2 else {}
            add("LIST, several parameters", mount, query)
    return found


def token(site: Site, mount: str) -> str:
    """Where S3 itself goes on after some keys."""
    answer, _ = site.both(Request("", "GET", "", query=(("max-keys", "5"),), mount=mount))
    return html.unescape(TOKEN.search(answer.body)[1].decode())


def comparable(body: bytes) -> bytes:
    """A list without the token for the next page, which may be another one each time."""
    return TOKEN.sub(b"<NextContinuationToken/>", body)
