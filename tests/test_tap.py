"""The tap itself: what it records, that it changes nothing on the way, and that faults happen where they are asked for."""

import os
import time

import pytest
import requests
from botocore.exceptions import ClientError, ConnectionClosedError, ConnectionError, HTTPClientError

from harness.aws import client
from harness.faults import Answer, Error, Lost, Refused, Throttled


@pytest.fixture
def bucket(aws, request):
    """A bucket of the test's own, gone afterwards."""
    s3 = aws.client("s3")
    name = f"tap-{abs(hash(request.node.name))}"
    s3.create_bucket(Bucket=name)
    yield name
    for item in s3.list_objects_v2(Bucket=name).get("Contents", []):
        s3.delete_object(Bucket=name, Key=item["Key"])
    s3.delete_bucket(Bucket=name)


def buckets(aws):
    return aws.inventory()["buckets"]


def test_operations_of_all_protocols_have_names(tap, bucket):
    s3, iam, api = (client(service, tap.url) for service in ("s3", "iam", "apigateway"))
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    s3.get_bucket_versioning(Bucket=bucket)
    s3.list_objects_v2(Bucket=bucket)
    iam.list_roles()
    rest_api = api.create_rest_api(name="tap")["id"]
    api.put_rest_api(restApiId=rest_api, mode="overwrite", body=b'{"openapi":"3.0.1","info":{"title":"t"},"paths":{}}')
    api.get_resources(restApiId=rest_api)
    api.delete_rest_api(restApiId=rest_api)
    client("logs", tap.url).describe_log_groups()
    client("sts", tap.url).get_caller_identity()
    assert tap.operations() == [
        "PutObject", "CopyObject", "GetBucketVersioning", "ListObjectsV2", "ListRoles", "CreateRestApi", "PutRestApi",
        "GetResources", "DeleteRestApi", "DescribeLogGroups", "GetCallerIdentity",
    ]
    assert tap.operations("iam") == ["ListRoles"]
    assert [call.number for call in tap.calls] == list(range(1, 12))
    assert all(call.start < call.end and call.status < 300 for call in tap.calls)


def test_bodies_and_names_pass_unchanged(aws, tap, bucket):
    every_byte = bytes(range(256)) * 5000  # more than one block
    key = "ä+b c//%41/ü.bin"
    client("s3", tap.url).put_object(Bucket=bucket, Key=key, Body=every_byte, Metadata={"x": "y"})
    stored = aws.client("s3").get_object(Bucket=bucket, Key=key)
    assert stored["Body"].read() == every_byte
    fetched = client("s3", tap.url).get_object(Bucket=bucket, Key=key, Range="bytes=250-259")
    assert fetched["Body"].read() == every_byte[250:260]
    assert client("s3", tap.url).head_object(Bucket=bucket, Key=key)["ContentLength"] == len(every_byte)


def test_refused_call_has_no_effect(aws, tap):
    tap.inject(Refused(), call=1)
    with pytest.raises((ConnectionError, HTTPClientError)):
        client("s3", tap.url).create_bucket(Bucket="tap-refused")
    assert "tap-refused" not in buckets(aws)
    assert tap.calls[0].status is None


def test_lost_answer_has_its_effect(aws, tap):
    tap.inject(Lost(), operation="CreateBucket")
    with pytest.raises(ConnectionClosedError):
        client("s3", tap.url).create_bucket(Bucket="tap-lost")
    assert "tap-lost" in buckets(aws)
    client("s3", tap.url).delete_bucket(Bucket="tap-lost")


@pytest.mark.parametrize("service, operation, code", [
    ("s3", "list_buckets", "SlowDown"), ("iam", "list_roles", "Throttling"),
    ("apigateway", "get_rest_apis", "TooManyRequestsException"), ("logs", "describe_log_groups", "ThrottlingException"),
])
def test_errors_are_in_the_services_own_words(tap, service, operation, code):
    tap.inject(Throttled(), call=1)
    tap.inject(Error("Odd", 418), call=2)
    for expected in (code, "Odd"):
        with pytest.raises(ClientError) as caught:
            getattr(client(service, tap.url), operation)()
        assert caught.value.response["Error"]["Code"] == expected
    getattr(client(service, tap.url), operation)()


def test_a_fault_lasts_as_long_as_asked(tap):
    tap.inject(Answer(500), call=2, times=2)
    statuses = [requests.get(f"{tap.url}/some", timeout=10).status_code for _ in range(4)]
    assert statuses[1:3] == [500, 500]
    assert 500 not in (statuses[0], statuses[3])


def test_delay(tap):
    tap.delay = 0.3
    before = time.monotonic()
    client("s3", tap.url).list_buckets()
    assert time.monotonic() - before >= 0.3


def test_a_body_in_chunks_passes_unchanged(aws, tap, bucket):
    content = os.urandom(200_000)
    url = client("s3", tap.url).generate_presigned_url("put_object", {"Bucket": bucket, "Key": "chunks"})
    response = requests.put(url, data=iter([content[:99_999], content[99_999:]]), timeout=30)
    assert response.status_code == 200, response.text
    assert aws.client("s3").get_object(Bucket=bucket, Key="chunks")["Body"].read() == content
