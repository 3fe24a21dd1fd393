"""Asks, makes the one-line program and one with everything, tries every point, and removes all of it."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.credentials import Credentials

# Before the harness hides them from everything else.
SESSION = boto3.session.Session()
CREDENTIALS, REGION = SESSION.get_credentials(), SESSION.region_name

from conformance.client import Client  # noqa: E402
from conformance.compare import compare  # noqa: E402
from conformance.site import Site, fill  # noqa: E402
from harness.engine import PROXY, Stack  # noqa: E402
from live import rows  # noqa: E402

TABLE = {"bucket": {"versioning": True, "forceDestroy": True}}

COST = """This makes three S3 buckets, three roles and three REST APIs in the account {account}, Region {region}, tagged
`s3dataproxy-live`, with some 40 MB of objects and some 6,000 requests, and removes them again after some minutes. By
the list prices of S3 and API Gateway that is about two US cents. What an interruption leaves has that tag."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make live", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--endpoint", help="another endpoint for all services, for a test of this program")
    arguments = parser.parse_args()
    if CREDENTIALS is None or REGION is None:
        print("There are no AWS credentials, or there is no Region: set AWS_PROFILE or AWS_REGION and the keys.",
              file=sys.stderr)
        return 2
    keys = CREDENTIALS.get_frozen_credentials()
    client = {"aws_access_key_id": keys.access_key, "aws_secret_access_key": keys.secret_key,
              "aws_session_token": keys.token, "region_name": REGION, "endpoint_url": arguments.endpoint}
    account = boto3.client("sts", **client).get_caller_identity()["Account"]
    print(COST.format(account=account, region=REGION))
    if not arguments.yes and input("Type the account's id to go on: ").strip() != account:
        print("Nothing was done.")
        return 1
    env = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key, "AWS_REGION": REGION}
    env |= {"AWS_SESSION_TOKEN": keys.token} if keys.token else {}
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        return 0 if run(Path(folder) / "stack", env, keys, boto3.client("s3", **client), arguments.endpoint) else 1


def run(folder: Path, env: dict[str, str], keys, s3, endpoint: str | None) -> bool:
    tags = {"s3dataproxy-live": "1"}
    resources = {
        "live": {"type": PROXY, "properties": {"tags": tags}},
        "live-table": {"type": PROXY, "properties": TABLE | {"tags": tags}},
        "live-full": {"type": PROXY, "properties": rows.INPUTS | {"tags": tags}},
    }
    # Deleting waits for the pace of API Gateway: one REST API in 30 seconds.
    with Stack(f"resources: {json.dumps(resources)}\n", endpoint, folder=folder, env=env, timeout=900) as stack:
        found = [rows.Row("pulumi up", [], stack.up().messages("error"))]
        found += [rows.Row(f"a second {name} shows no change", True, unchanged(command)) for name, command in {
            "up": stack.up, "refresh": stack.refresh}.items()]
        outputs = {resource["urn"].rpartition("::")[2]: resource["outputs"]
                   for resource in stack.resources() if resource["type"] == PROXY}
        place = rows.Place(s3, outputs["live-full"])
        for group in rows.ALL:
            for row in guarded(group, place):
                found.append(row)
                tell(row)
        row = conformance(outputs["live-table"], keys, s3, local=endpoint is not None)
        found.append(row)
        tell(row)
        destroyed = stack.destroy(fails=None)
        found.append(rows.Row("pulumi destroy", [], destroyed.messages("error")))
    odd = [row for row in found if not row.holds]
    print(f"\n{len(found)} points, {len(odd)} otherwise than expected.")
    for row in odd:
        tell(row)
    return not odd


def guarded(group, place: rows.Place) -> Iterator[rows.Row]:
    """The points of a group. What breaks one of them is a point of its own, and the other groups go on."""
    try:
        yield from group(place)
    except Exception as error:
        yield rows.Row(f"the points of `{group.__name__}` are tried to their end", None, repr(error))


def conformance(outputs: dict, keys, s3, *, local: bool) -> rows.Row:
    """The table of `tests/test_http_conformance.py`, with this account's S3 and API Gateway."""
    url = urlsplit(outputs["invokeUrl"])
    credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
    s3_itself, proxy = (Client(each, credentials, REGION) for each in (s3.meta.endpoint_url, outputs["invokeUrl"]))
    site = Site(s3_itself, proxy, outputs["bucketName"], outputs["roleName"], url.path)
    fill(site, s3)
    outcome = compare(site, local=local)
    print(f"\n{outcome}\n", flush=True)
    for request, different in outcome.unexplained[:20]:
        print(f"  {request}: {different}")
    return rows.Row("requests whose difference from S3 is not explained", 0, len(outcome.unexplained))


def unchanged(command) -> bool:
    return command("--expect-no-changes", fails=None).returncode == 0


def tell(row: rows.Row) -> None:
    verdict = f"seen {row.seen!r}" if row.only_told else "as expected" if row.holds else f"OTHERWISE: expected {row.expected!r}, seen {row.seen!r}"[:300]
    print(f"  {row.name}: {verdict}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
