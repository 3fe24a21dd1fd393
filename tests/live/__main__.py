"""Asks, makes the one-line program and one with everything, tries every point, and removes all of it."""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import boto3

# Before the harness hides them from everything else.
SESSION = boto3.session.Session()
CREDENTIALS, REGION = SESSION.get_credentials(), SESSION.region_name

from harness.engine import PROXY, Stack  # noqa: E402
from live import rows  # noqa: E402

COST = """This makes two S3 buckets, two roles and two REST APIs in the account {account}, Region {region}, tagged
`s3dataproxy-live`, with some 30 MB of objects and some 80 requests, and removes them again after some minutes. By the
list prices of S3 and API Gateway that is less than one US cent. What an interruption leaves has that tag."""


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
        return 0 if run(Path(folder) / "stack", env, boto3.client("s3", **client), arguments.endpoint) else 1


def run(folder: Path, env: dict[str, str], s3, endpoint: str | None) -> bool:
    tags = {"s3dataproxy-live": "1"}
    resources = {
        "live": {"type": PROXY, "properties": {"tags": tags}},
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
            for row in group(place):
                found.append(row)
                tell(row)
        destroyed = stack.destroy(fails=None)
        found.append(rows.Row("pulumi destroy", [], destroyed.messages("error")))
    odd = [row for row in found if not row.holds]
    print(f"\n{len(found)} points, {len(odd)} otherwise than expected.")
    for row in odd:
        tell(row)
    return not odd


def unchanged(command) -> bool:
    return command("--expect-no-changes", fails=None).returncode == 0


def tell(row: rows.Row) -> None:
    verdict = "as expected" if row.holds else f"OTHERWISE: expected {row.expected!r}, seen {row.seen!r}"[:300]
    print(f"  {row.name}: {verdict}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
