"""What the points are tried on: an account, a resource in it, and the form of a point."""

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

import boto3
import requests
from botocore.config import Config
from botocore.credentials import Credentials

BODY = bytes(range(256))


@dataclass
class Row:
    """One point."""

    name: str
    expected: object
    seen: object
    #: Whether it is only told: nothing rests on it.
    only_told: bool = False

    @property
    def holds(self) -> bool:
        return self.only_told or self.expected == self.seen


class Account:
    """Whose resources they are: clients of its services, and its credentials."""

    def __init__(self, credentials: Credentials, region: str, endpoint: str | None):
        self.credentials, self.region, self.endpoint = credentials, region, endpoint
        #: How long to wait before trying again for what takes its time on AWS.
        self.pause = 0 if endpoint else 1

    def client(self, service: str, **config):
        """With the SDK's retries, unless `config` says otherwise."""
        config = {"retries": {"mode": "standard", "max_attempts": 10}} | config
        return boto3.client(
            service, aws_access_key_id=self.credentials.access_key, aws_secret_access_key=self.credentials.secret_key,
            aws_session_token=self.credentials.token, region_name=self.region, endpoint_url=self.endpoint,
            config=Config(**config),
        )


class Place:
    """The URL of a resource, and the bucket behind it."""

    def __init__(self, account: Account, outputs: dict):
        self.account, self.outputs = account, outputs
        self.s3, self.bucket, self.url = account.client("s3"), outputs["bucketName"], outputs["invokeUrl"]
        self.stage = outputs["stageArn"].rpartition("/")[2]
        prefix = outputs.get("bucket", {}).get("prefix")
        self.prefix = f"{prefix}/" if prefix else ""

    def put(self, key: str, body: bytes, **more) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=body, **more)

    def stored(self, key: str) -> bytes | None:
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None

    def keys(self) -> set[str]:
        """The first thousand."""
        return {each["Key"] for each in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", ())}

    def ask(self, method: str, path: str, **more) -> requests.Response:
        return requests.request(method, self.url + path, timeout=60, **more)

    def raw(self, target: str, headers: dict[str, str] | None = None, method: str = "GET",
            body: bytes | None = None) -> tuple[int, bytes]:
        """A request that nothing of ours normalises; `target` follows the mount path."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=60)
        try:
            connection.request(method, parts.path + target, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def code(answer: requests.Response) -> str | None:
    try:
        return answer.json().get("code")
    except (ValueError, AttributeError):
        return None
