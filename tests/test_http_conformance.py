"""The proxy against S3: the same generated requests go to both, and what comes back must say the same.

Whatever a client may say of an object or a list (method, key, body, Range, conditions, versions, checksums, overrides)
is sent to S3 by itself, signed, and to the proxy; of a write, what is stored is compared too. Where the two differ and the
document cannot help it, `conformance/documented.py` says how and why.
"""

import uuid

import pytest
from botocore.credentials import Credentials

from conformance.client import Client
from conformance.compare import compare
from conformance.documented import DIFFERENCES
from conformance.site import MOUNTS, Mount, Site, fill
from harness.aws import REGION
from harness.rpc import Plugin, Resource


@pytest.fixture(scope="module")
def site(plugin, aws):
    name = f"conform-{uuid.uuid4().hex[:8]}"
    client, mounts, made = Client(aws.url, Credentials("test", "test"), REGION), {}, []
    with Plugin(plugin, endpoint=aws.url) as provider:
        provider.handshake()
        provider.configure()
        try:
            for mount, inputs in MOUNTS.items():
                given = {"name": f"{name}-{mount}", "path": mount, "waitForReady": False} | inputs
                first = {"versioning": True, "forceDestroy": True}
                bucket = {"existing": True, "name": f"{name}-data"} if made else first
                resource = Resource(provider, given["name"])
                outputs = resource.create(given | {"bucket": bucket | inputs.get("bucket", {})})
                made.append(resource)
                mounts[mount] = Mount.of(outputs, client)
            site = Site(client, f"{name}-data", mounts)
            fill(site, aws.client("s3"))
            yield site
        finally:
            for resource in reversed(made):
                resource.delete()


def test_the_proxy_says_what_s3_says(site, capsys, request):
    outcome = compare(site, local=True)
    with capsys.disabled():
        print("", *(outcome.rows if request.config.getoption("--rows") else ()), outcome, sep="\n")
    assert len(outcome.rows) > 3500
    assert not outcome.unexplained, "\n".join(map(str, outcome.unexplained[:20]))
    # What no longer shows is no difference any more.
    assert set(outcome.shown) == set(DIFFERENCES)
    for method, statuses in {"GET": {200, 206, 304, 400, 403, 404, 405, 412, 416, 500},
                             "HEAD": {200, 206, 304, 404, 405, 412}, "PUT": {200, 400, 404, 412}, "DELETE": {204}}.items():
        assert outcome.statuses(method) >= statuses, f"the requests do not cover S3's answers to {method}"
