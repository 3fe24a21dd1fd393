"""Reads: every single thing a client may say of an object, and, seeded, many of them at once."""

import itertools
import random
from email.utils import formatdate, parsedate_to_datetime

from .client import Request
from .site import INDEX, KEYS, PREFIX, Site

SEED = 20240607
RANDOM_REQUESTS = 1100

MISSING = "not/there.bin"
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

NOT_PASSED = {
    "response-cache-control": "no-store", "response-content-encoding": "br", "response-content-language": "fr",
    "response-expires": "Wed, 21 Oct 2037 07:28:00 GMT",
}


def conditions(site: Site, key: str) -> dict[str, list[str]]:
    """Values of each conditional header of a read: what holds, what does not, and what means nothing."""
    etag, modified = site.etags.get(key, '"0"'), site.modified.get(key, formatdate(usegmt=True))
    seconds = parsedate_to_datetime(modified).timestamp()
    dates = [modified, formatdate(seconds - 3600, usegmt=True), formatdate(seconds + 1, usegmt=True), "yesterday"]
    wrong = '"00000000000000000000000000000000"'
    tags = [etag, etag.strip('"'), f"W/{etag}", wrong, "*", f"{wrong}, {etag}", "no tag", '"']
    return {"If-Match": tags, "If-None-Match": tags, "If-Modified-Since": dates, "If-Unmodified-Since": dates,
            "If-Range": [etag, wrong, *dates]}


def reads(site: Site) -> list[Request]:
    """Of keys, and of the index document."""
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

    for headers in [{}, {"Range": "bytes=0-1"}, {"If-None-Match": site.etags["archived"]}]:
        add("archived", "archived", headers)

    for name, values in NOT_PASSED.items():
        add("what is not passed", "rich", query={name: values})
    for key in KEYS.values():
        add("below a prefix", key, mount="below")
        add("below a prefix", f"{key}.not there", mount="below", methods=["GET"])
    add("below a prefix", "bytes", mount="below")
    index = f"{PREFIX}/{INDEX}"
    for headers in [{}, *({"Range": value} for value in RANGES), {"x-amz-checksum-mode": "ENABLED"}]:
        add("index document", "", headers, mount="site")
    for name, values in conditions(site, index).items():
        for value in values:
            add("index document", "", {name: value, "Range": "bytes=3-8"}, mount="site")
    for version in [*site.versions[index], *others[1:]]:
        add("index document", "", query={"versionId": version}, mount="site")
    for name, values in OVERRIDES.items():
        for value in values:
            add("index document", "", query={name: value, "partNumber": "1"}, mount="site")

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
