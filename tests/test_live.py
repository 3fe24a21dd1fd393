"""`make live` runs to its end; what AWS does there, only AWS can tell."""

import os
import re
import subprocess
import sys

from harness import ROOT
from test_lifecycle import left

ENV = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": str(ROOT / "tests"),
}
# What the local AWS does otherwise, see test_http.py and conformance/documented.py, or has not: checks of signatures, a
# limit of headers, HTTP/2, a pace, quotas and time limits.
GAPS = {
    "an object that says it is gzip: bytes untouched", "PUT of what says it is gzip: bytes untouched",
    "PUT of what says it is a form: bytes untouched", "`/../secret` stays below the prefix",
    "`/x/../../secret` stays below the prefix", "If-Range with another ETag", "HTTP/2: Range",
    "PUT of `/%zz`, which does not decode: refused", "PUT of `/%ff`, which does not decode: refused",
    "headers of 12,000 bytes: refused", "a caller without a signature", "a caller with a wrong signature",
    "100 requests at once, of 5 a second: some are throttled", "a quota that is used up",
    "S3 takes longer than the integration's time",
}


def live(*args: str, env: dict[str, str], **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "live", *args]
    options |= {"capture_output": True, "text": True, "timeout": 500, "check": False}
    return subprocess.run(command, env=os.environ | env, **options)


def test_every_point_is_tried_and_everything_removed(aws):
    before = aws.inventory()
    done = live("--yes", "--step", "9", "--endpoint", aws.url, env=ENV)
    told, _, summary = done.stdout.partition(" points, ")
    lines = [line for line in told.splitlines() if any(f": {verdict}" in line for verdict in ("as expected", "OTHERWISE", "seen"))]
    assert len(lines) > 60, done.stdout + done.stderr
    assert re.search(r"^all +\d{3} +\d{3} +\d+ +0$", done.stdout, re.MULTILINE), done.stdout
    odd = [line for line in summary.splitlines() if "OTHERWISE" in line]
    names = {line.strip().partition(": OTHERWISE")[0] for line in odd}
    # Without curl nothing asks for HTTP/2. What no longer shows is no gap any more.
    assert sorted(GAPS ^ (names | {"HTTP/2: Range"})) == []
    assert left(aws, "live") == {} and aws.inventory() == before


def test_nothing_is_done_unasked(aws):
    before = aws.inventory()
    done = live("--endpoint", aws.url, env=ENV, input="no\n")
    assert done.returncode == 1 and "000000000000" in done.stdout and "Nothing was done." in done.stdout
    assert aws.inventory() == before


def test_without_credentials_it_says_so():
    done = live("--yes", env=ENV | {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})
    assert done.returncode == 2 and "no AWS credentials" in done.stderr
