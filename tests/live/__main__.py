"""Asks, makes the one-line program and one with everything, tries every point, and removes all of it."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3
from botocore.credentials import Credentials

# Before the harness hides them from everything else.
SESSION = boto3.session.Session()
CREDENTIALS, REGION = SESSION.get_credentials(), SESSION.region_name

from conformance.client import Client  # noqa: E402
from conformance.compare import compare  # noqa: E402
from conformance.site import MOUNTS, Mount, Site, fill  # noqa: E402
from harness.engine import PROXY, Stack  # noqa: E402
from live import callers, management, rows  # noqa: E402
from live.place import Account, Place, Row  # noqa: E402

# The table's proxies: the first makes the bucket, the others serve it too.
FIRST = {"versioning": True, "forceDestroy": True}
SHARED = {"existing": True, "name": "${live-data.bucketName}"}
TABLE = {
    f"live-{name}": inputs | {"bucket": (FIRST if name == "data" else SHARED) | inputs.get("bucket", {})}
    for name, inputs in MOUNTS.items()
}

COST = """This makes four S3 buckets, eight roles, seven REST APIs and a usage plan with a key in the account {account},
Region {region}, tagged `s3dataproxy-live`, with some 60 MB of objects and some 11,000 requests, and removes them again.
That takes some ten minutes, as API Gateway deletes one REST API in 30 seconds. By the list prices of S3 and API Gateway
it is less than ten US cents. What an interruption leaves has that tag."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make live", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--rows", action="store_true", help="print each row of the table")
    parser.add_argument("--step", type=int, default=1, help="take only one of so many requests for the table")
    parser.add_argument("--endpoint", help="another endpoint for all services, for a test of this program")
    arguments = parser.parse_args()
    if CREDENTIALS is None or REGION is None:
        print("There are no AWS credentials, or there is no Region: set AWS_PROFILE or AWS_REGION and the keys.",
              file=sys.stderr)
        return 2
    keys = CREDENTIALS.get_frozen_credentials()
    credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
    account = Account(credentials, REGION, arguments.endpoint)
    account_id = account.client("sts").get_caller_identity()["Account"]
    print(COST.format(account=account_id, region=REGION))
    if not arguments.yes and input("Type the account's id to go on: ").strip() != account_id:
        print("Nothing was done.")
        return 1
    env = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key, "AWS_REGION": REGION}
    env |= {"AWS_SESSION_TOKEN": keys.token} if keys.token else {}
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        return 0 if run(Path(folder) / "stack", env, account, arguments) else 1


def run(folder: Path, env: dict[str, str], account: Account, arguments: argparse.Namespace) -> bool:
    inputs = {"live": {}, "live-full": rows.INPUTS, "live-callers": callers.INPUTS, **TABLE}
    resources = {name: {"type": PROXY, "properties": given | {"tags": management.TAGS}}
                 for name, given in inputs.items()}
    # Deleting waits for the pace of API Gateway: one REST API in 30 seconds.
    with Stack(f"resources: {json.dumps(resources)}\n", account.endpoint, folder=folder, env=env, timeout=900) as stack:
        found = [Row("pulumi up", [], stack.up().messages("error"))]
        found += [Row(f"a second {name} shows no change", True, unchanged(command)) for name, command in {
            "up": stack.up, "refresh": stack.refresh}.items()]
        outputs = {resource["urn"].rpartition("::")[2]: resource["outputs"]
                   for resource in stack.resources() if resource["type"] == PROXY}
        full, called = (Place(account, outputs[name]) for name in ("live-full", "live-callers"))
        for group, place in [(rows.one_line, Place(account, outputs["live"]))] + [(group, full) for group in rows.ALL] + [(group, called) for group in callers.ALL] + [
                (group, full) for group in management.ALL]:
            for row in guarded(group, place):
                found.append(row)
                tell(row)

        def table(_: Place) -> Iterator[Row]:
            yield conformance(outputs, account, arguments)

        for row in guarded(table, full):
            found.append(row)
            tell(row)
        destroyed = stack.destroy(fails=None)
        found.append(Row("pulumi destroy", [], destroyed.messages("error")))
    odd = [row for row in found if not row.holds]
    print(f"\n{len(found)} points, {len(odd)} otherwise than expected.")
    for row in odd:
        tell(row)
    return not odd


def guarded(group, place: Place) -> Iterator[Row]:
    """The points of a group. What breaks one of them is a point of its own, and the other groups go on."""
    try:
        yield from group(place)
    except Exception as error:
        yield Row(f"the points of `{group.__name__}` are tried to their end", None, repr(error))


def conformance(outputs: dict, account: Account, arguments: argparse.Namespace) -> Row:
    """The table of `tests/test_http_conformance.py`, with this account's S3 and API Gateway."""
    s3 = account.client("s3")
    proxies = {name: outputs[f"live-{name}"] for name in MOUNTS}
    mounts = {name: Mount.of(made, client(made["invokeUrl"], account)) for name, made in proxies.items()}
    site = Site(client(s3.meta.endpoint_url, account), outputs["live-data"]["bucketName"], mounts)
    fill(site, s3)
    outcome = compare(site, local=account.endpoint is not None, step=arguments.step)
    print("", *(outcome.rows if arguments.rows else outcome.unexplained[:20]), outcome, "", sep="\n", flush=True)
    return Row("requests whose difference from S3 is not explained", 0, len(outcome.unexplained))


def client(url: str, account: Account) -> Client:
    return Client(url, account.credentials, account.region)


def unchanged(command) -> bool:
    return command("--expect-no-changes", fails=None).returncode == 0


def tell(row: Row) -> None:
    verdict = f"seen {row.seen!r}" if row.only_told else "as expected" if row.holds else f"OTHERWISE: expected {row.expected!r}, seen {row.seen!r}"[:300]
    print(f"  {row.name}: {verdict}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
