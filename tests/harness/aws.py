"""A local AWS of its own: port, process and folder; nothing is shared with another one."""

import json
import os
import subprocess
import threading
from collections import deque
from functools import lru_cache

import boto3
from botocore.config import Config

from . import ROOT, TOOLS, processes

REGION = "us-east-1"
ACCOUNT = "000000000000"


class LocalAws:
    """Started by construction; `with LocalAws() as aws:` or `aws.stop()` ends it."""

    def __init__(self, port: int = 0, timeout: float = 120):
        environment = {**os.environ, "AWS_PORT": str(port)}
        self._process = processes.start(
            [TOOLS / "aws/bin/python", ROOT / "tests/aws/launcher.py"],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self._log: deque[str] = deque(maxlen=500)
        threading.Thread(target=self._read_log, daemon=True).start()
        patience = threading.Timer(timeout, self._process.kill)
        patience.daemon = True  # whoever is interrupted here does not wait for it
        patience.start()
        line = self._process.stdout.readline().split()
        patience.cancel()
        if line[:1] != ["ready"]:
            processes.stop(self._process)
            raise RuntimeError(f"the local AWS did not start\n{self.log}")
        self.url = line[1]

    def _read_log(self) -> None:
        self._log.extend(self._process.stderr)

    @property
    def log(self) -> str:
        """The end of its log."""
        return "".join(self._log)

    @property
    def pid(self) -> int:
        return self._process.pid

    def client(self, service: str, region: str = REGION):
        return client(service, self.url, region)

    def inventory(self) -> dict[str, list[str]]:
        return inventory(self.url)

    def invoke_url(self, rest_api_id: str, stage: str, path: str = "") -> str:
        return f"{self.url}/_aws/execute-api/{rest_api_id}/{stage}{path}"

    def stop(self) -> None:
        processes.stop(self._process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@lru_cache
def client(service: str, url: str, region: str = REGION):
    """A boto3 client of a local AWS (or a tap). It does not retry: tests want to see what happens."""
    return boto3.session.Session().client(
        service, region, endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def allow_logs(url: str) -> None:
    """What an administrator does once: the account's role for CloudWatch Logs, which `accessLog` and `executionLog` need."""
    iam, api = client("iam", url), client("apigateway", url)
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="the-accounts-role-for-logs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    api.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role["Arn"]}])


def inventory(url: str) -> dict[str, list[str]]:
    """The names of all there is in the account of the kinds that the provider makes. Empty lists: nothing is left."""
    listings = {
        "buckets": ("s3", "list_buckets", "Buckets", "Name"),
        "roles": ("iam", "list_roles", "Roles", "RoleName"),
        "policies": ("iam", "list_policies", "Policies", "PolicyName"),
        "rest_apis": ("apigateway", "get_rest_apis", "items", "name"),
        "usage_plans": ("apigateway", "get_usage_plans", "items", "name"),
        "api_keys": ("apigateway", "get_api_keys", "items", "name"),
        "domain_names": ("apigateway", "get_domain_names", "items", "domainName"),
        "log_groups": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    }
    found = {}
    for kind, (service, operation, items, name) in listings.items():
        paginator = client(service, url).get_paginator(operation)
        arguments = {"Scope": "Local"} if operation == "list_policies" else {}
        names = (item[name] for page in paginator.paginate(**arguments) for item in page.get(items, []))
        found[kind] = sorted(each.removeprefix("/aws/apigateway/") for each in names)
    return found
