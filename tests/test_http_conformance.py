"""The proxy against S3: the same generated requests go to both, and what comes back must say the same.

Whatever a client may say of an object (method, key, Range, conditions, versions, checksums, overrides) is sent to S3
by itself, signed, and to the proxy. Where the two differ and the document cannot help it, DIFFERENCES says how and why.
"""

import uuid
from urllib.parse import urlsplit

import pytest
from botocore.credentials import Credentials

from conformance.client import Client
from conformance.compare import DIFFERENCES, compare
from conformance.site import Site, fill
from harness.aws import REGION
from harness.rpc import Plugin, Resource


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
            client = Client(aws.url, Credentials("test", "test"), REGION)
            site = Site(client, client, out["bucketName"], out["roleName"], urlsplit(out["invokeUrl"]).path)
            fill(site, aws.client("s3"))
            yield site
        finally:
            resource.delete()


def test_the_proxy_says_what_s3_says(site, capsys):
    outcome = compare(site, local=True)
    with capsys.disabled():
        print(f"\n{outcome}")
    assert not outcome.unexplained, "\n".join(map(str, outcome.unexplained[:20]))
    # What no longer shows is no difference any more.
    assert set(outcome.shown) == set(DIFFERENCES)
    assert outcome.statuses >= {200, 206, 304, 404, 405, 412, 416, 500}, "the requests do not cover S3's answers"
