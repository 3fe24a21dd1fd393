"""A bucket that was made elsewhere: served, and never changed or deleted."""

import math
import uuid

import grpc
import pytest
import requests

from harness.faults import Answer, Error
from harness.rpc import Plugin, Resource, init_failed, plain

WRITES = ("Create", "Put", "Delete")


@pytest.fixture
def bucket(aws):
    name = f"there-{uuid.uuid4().hex[:8]}"
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="models/v1/a", Body=b"precious")
    yield name
    s3.delete_object(Bucket=name, Key="models/v1/a")
    s3.delete_bucket(Bucket=name)


def serving(bucket: str, **more) -> dict:
    return {"bucket": {"name": bucket, "existing": True} | more}


def on_bucket(tap, bucket: str) -> list[str]:
    """What was asked of S3 about it, besides reads of objects by API Gateway."""
    return [call.operation for call in tap.calls if call.service == "s3" and call.target.startswith(f"/{bucket}")]


def test_a_life_with_it(resource, tap, bucket):
    inputs = serving(bucket, prefix="models") | {"tags": {"a": "1"}}
    made = resource.create(inputs)
    assert made["bucketName"] == bucket and made["bucketArn"] == f"arn:aws:s3:::{bucket}"
    assert requests.get(f"{made['invokeUrl']}/v1/a", timeout=30).content == b"precious"
    assert plain(resource.read().properties) == made
    assert not resource.diff(resource.checked(inputs)).detailedDiff
    resource.update(inputs | {"tags": {"a": "2"}, "operations": ["GET"]})
    resource.delete()
    assert on_bucket(tap, bucket) == ["HeadBucket"]


def test_another_one_is_an_update(resource, tap, bucket, aws):
    aws.client("s3").create_bucket(Bucket=f"{bucket}-2")
    try:
        resource.create(serving(bucket))
        response = resource.diff(resource.checked(serving(f"{bucket}-2")))
        assert list(response.detailedDiff) == ["bucket.name"] and not response.replaces
        made = resource.update(serving(f"{bucket}-2"))
        assert made["bucketName"] == f"{bucket}-2" and plain(resource.read().properties) == made
        resource.delete()
        assert f"{bucket}-2" in aws.inventory()["buckets"]
    finally:
        aws.client("s3").delete_bucket(Bucket=f"{bucket}-2")


def test_with_the_credentials_of_another_account_it_is_not_gone(resource, plugin, tap, bucket):
    """What is made elsewhere says nothing of whose account this is, and the rest is not there in the other one."""
    made = resource.create(serving(bucket))
    # Of the local AWS, a key of twelve digits is the account.
    with Plugin(plugin, endpoint=tap.url, env={"AWS_ACCESS_KEY_ID": "111111111111"}) as other:
        other.handshake()
        other.configure()
        wrong = Resource(other, resource.urn.rpartition(":")[2])
        wrong.id, wrong.inputs, wrong.outputs = resource.id, resource.inputs, made
        for call in (wrong.read, wrong.delete):
            with pytest.raises(grpc.RpcError) as failed:
                call()
            words = failed.value.details()
            assert "it is in account 000000000000, and the credentials belong to account 111111111111" in words
    assert plain(resource.read().properties) == made
    # In its own account, what is gone is gone.
    resource.delete()
    assert not resource.read().id
    tap.reset()
    resource.delete()
    assert tap.operations("sts") == ["GetCallerIdentity"]


def test_one_that_is_not_there(resource, tap):
    with pytest.raises(grpc.RpcError) as failed:
        resource.create(serving("not-there-at-all"))
    words = failed.value.details()
    assert "`not-there-at-all`" in words and "check `bucket.name`" in words
    # Nothing is made for it.
    assert init_failed(failed.value) is None and tap.operations() == ["HeadBucket"]


def test_another_one_that_is_not_there(resource, tap, bucket):
    made = resource.create(serving(bucket))
    tap.reset()
    resource.fail_half_way(lambda: resource.update(serving("not-there-at-all", prefix="x")))
    # The URL goes on with the old one. The role, whose policy would change, is still ours.
    assert tap.operations() == ["GetRole", "HeadBucket"]
    assert requests.get(f"{made['invokeUrl']}/models/v1/a", timeout=30).content == b"precious"
    assert resource.update(serving(bucket)) == made
    resource.delete()


def test_one_of_another_region(resource, tap, bucket):
    elsewhere = Answer(301, headers={"x-amz-bucket-region": "eu-west-3"})
    tap.inject(elsewhere, operation="HeadBucket", times=math.inf)
    with pytest.raises(grpc.RpcError, match="set `bucket.region` to `eu-west-3`"):
        resource.create(serving(bucket))
    tap.reset()
    tap.inject(Answer(200, headers={"x-amz-bucket-region": "eu-west-3"}), operation="HeadBucket", times=math.inf)
    made = resource.create(serving(bucket, region="eu-west-3"))
    assert f"apigateway:eu-west-3:s3:path/{bucket}/" in made["openApiDocument"]
    resource.delete()


def test_one_that_only_the_role_may_see(resource, tap, bucket):
    tap.inject(Error("AccessDenied", 403), operation="HeadBucket", times=math.inf)
    made = resource.create(serving(bucket))
    assert made["bucketName"] == bucket
    resource.delete()


def test_one_of_ours_is_released(resource, aws):
    made = resource.create({})
    name = made["bucketName"]
    resource.update(serving(name))
    assert plain(resource.read().properties) == resource.outputs
    resource.delete()
    assert name in aws.inventory()["buckets"]


def test_one_made_elsewhere_is_not_taken_over(resource, tap, bucket):
    resource.create(serving(bucket))
    tap.reset()
    detail = resource.fail_half_way(lambda: resource.update({"bucket": {"name": bucket}}))
    assert "there already" in detail.reasons[0] and "never taken over" in detail.reasons[0]
    assert not [call for call in on_bucket(tap, bucket) if call.startswith(WRITES)]
    resource.update(serving(bucket))
    resource.delete()
