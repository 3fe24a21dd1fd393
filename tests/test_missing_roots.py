"""A bucket, a role or a REST API that a state lacks: a create was refused it, or somebody has deleted it and a refresh
has told. The update that makes it may be lost: the state is the old one, without a mark, and what it lacks is there,
ours or somebody else's by now; or it may not be looked at."""

import math
from collections.abc import Callable

import grpc
import pytest

from harness.account import recorded, there
from harness.faults import After, Error, Lost
from harness.lookalikes import Lookalikes
from harness.rpc import Plugin, Resource, bare, plain
from test_domain import CERTIFICATE
from test_drift import Account
from test_limits import LIMITS

INPUTS = {"waitForReady": False, "bucket": {"forceDestroy": True}, "accessLog": {}, "apiKeys": ["ann"]}
MAKES = {"bucket": "CreateBucket", "role": "CreateRole", "restApi": "CreateRestApi"}
#: Where the update is lost: when it has done all, made what was missing, or deployed.
LOST = {"done": lambda _: None, "made": MAKES.get, "deployed": lambda _: "CreateDeployment"}


def next_command(resource: Resource) -> None:
    resource.plugin.handshake()
    resource.plugin.configure(maxAttempts=2)


def refresh(resource: Resource) -> None:
    next_command(resource)
    seen = resource.read()
    assert seen.id == resource.id
    resource.inputs, resource.outputs = plain(seen.inputs), plain(seen.properties)


def state(resource: Resource) -> dict:
    return bare(resource.outputs)["__state"]


def refused(limit: str) -> Callable:
    """The create may not make it, and makes the rest."""
    def lack(resource, _aws, tap, inputs):
        _, operation, fault, _ = LIMITS[limit]
        tap.inject(fault, operation=operation)
        resource.fail_half_way(resource.start_create(inputs))
        assert operation in tap.operations()
    return lack


def deleted(by_hand: Callable[[Account], None]) -> Callable:
    """Somebody deletes it, and a refresh tells."""
    def lack(resource, aws, _tap, inputs):
        resource.create(inputs)
        by_hand(Account(aws, resource.outputs))
        refresh(resource)
    return lack


#: What the state lacks, the output that tells it, and how it comes to that.
LACKS = {
    "REST API refused": ("restApi", "restApiId", refused("regional APIs, by another code")),
    "REST API deleted": ("restApi", "restApiId", deleted(Account.delete_api)),
    "role refused": ("role", "roleArn", refused("roles")),
    "role deleted": ("role", "roleArn", deleted(Account.delete_role)),
    "bucket refused": ("bucket", "bucketArn", refused("buckets")),
    "bucket deleted": ("bucket", "bucketArn", deleted(Account.delete_bucket)),
}

COMMANDS = {"delete": Resource.delete, "refresh": Resource.read}


@pytest.fixture
def lacking(resource, aws, tap):
    """A function that brings the resource to lack something; it gives its inputs and the output that is missing."""
    next_command(resource)

    def lack(how: str, **more) -> tuple[dict, str]:
        piece, output, act = LACKS[how]
        inputs = INPUTS | {"name": resource.urn.rpartition(":")[2]} | more
        act(resource, aws, tap, inputs)
        # Nothing says that there may be more.
        assert piece not in state(resource) and not state(resource).get("cutOff")
        next_command(resource)
        tap.reset()
        return inputs, output

    return lack


def lose_an_update(resource: Resource, tap, inputs: dict, last: str | None = None) -> None:
    """An update that comes to an end when `last` is done, and of which nobody hears."""
    known = resource.inputs, resource.outputs
    if last:
        def end():
            tap.policy = lambda _call: Error("AccessDenied", 403)
        tap.inject(After(end), operation=last)
        with pytest.raises(grpc.RpcError):
            resource.update(inputs)
        assert last in tap.operations()
        tap.policy = lambda _call: None
    else:
        resource.update(inputs)
    resource.inputs, resource.outputs = known
    next_command(resource)
    tap.reset()


def ids(objects, kind: str) -> list[str]:
    return [id_ for each, id_ in objects if each == kind]


# What is there and ours


@pytest.mark.parametrize("how, lost, then", [
    (how, lost, then) for how in LACKS for lost in LOST for then in ("delete", "refresh", "update")
    # Where a bucket or a role was deleted, the document is what it was.
    if (lost != "deployed" or how not in ("role deleted", "bucket deleted")) and (then != "update" or lost == "made")])
def test_what_a_lost_update_made_is_not_lost(resource, aws, tap, lacking, how, lost, then):
    inputs, output = lacking(how)
    lose_an_update(resource, tap, inputs, LOST[lost](LACKS[how][0]))
    apis = ids(there(aws, inputs["name"]), "REST API")
    if then == "update":
        # It does not look for a deployment that the lost one made; a refresh does.
        resource.update(inputs)
    if then != "delete":
        refresh(resource)
        assert output in resource.outputs and [resource.outputs["restApiId"]] == apis
        next_command(resource)
        resource.update(inputs)
        made = [call for call in tap.calls if call.operation == MAKES[LACKS[how][0]] and call.status < 300]
        assert not made
        account = there(aws, inputs["name"])
        assert recorded(state(resource)) == set(account) and ids(account, "REST API") == apis
        assert not resource.diff(resource.checked(inputs)).detailedDiff
        next_command(resource)
    resource.delete()
    assert not there(aws, inputs["name"])


@pytest.mark.parametrize("then", ["delete", "refresh"])
@pytest.mark.parametrize("how", ["REST API refused", "REST API deleted"])
def test_ours_is_told_from_others_of_its_name(resource, aws, tap, lacking, how, then):
    inputs, output = lacking(how)
    lose_an_update(resource, tap, inputs)
    [ours] = ids(there(aws, inputs["name"]), "REST API")
    theirs = Lookalikes(aws, inputs["name"])
    theirs.plant_beside("nobody's", "another's", "another Region's")
    before = theirs.seen()
    if then == "refresh":
        refresh(resource)
        assert resource.outputs[output] == ours
        next_command(resource)
    resource.delete()
    assert theirs.seen() == before
    theirs.remove()
    assert not there(aws, inputs["name"])


@pytest.mark.parametrize("how", ["REST API refused", "bucket refused"])
def test_what_is_on_a_stage_that_is_not_recorded_goes_before_the_rest_api(resource, aws, tap, lacking, how):
    """Or AWS does not let the REST API go: the domain name that a lost update made leads there."""
    domain = {"name": f"{resource.urn.rpartition(':')[2]}.example.com", "certificateArn": CERTIFICATE}
    inputs, _ = lacking(how, domain=domain)
    lose_an_update(resource, tap, inputs)
    assert "stage" not in state(resource)
    resource.delete()
    calls = {call.operation: call for call in tap.calls}
    for first in ("UpdateUsagePlan", "DeleteBasePathMapping"):
        assert calls[first].end <= calls["DeleteRestApi"].start
    assert not there(aws, inputs["name"])


# What is somebody else's


@pytest.mark.parametrize("then", ["delete", "refresh"])
@pytest.mark.parametrize("owner", ["nobody's", "another's", "another life's"])
@pytest.mark.parametrize("how", ["REST API refused", "REST API deleted", "role deleted", "bucket deleted"])
def test_what_is_not_ours_is_neither_recorded_nor_deleted(resource, aws, lacking, how, owner, then):
    inputs, output = lacking(how)
    kind = how.rpartition(" ")[0]
    theirs = Lookalikes(aws, inputs["name"])
    if kind == "REST API":
        theirs.plant_beside(owner)
    else:
        theirs.plant_in_the_way(kind, owner)
    before = theirs.seen()
    if then == "refresh":
        refresh(resource)
        assert LACKS[how][0] not in state(resource) and output not in resource.outputs
        next_command(resource)
    resource.delete()
    assert theirs.seen() == before
    theirs.remove()
    assert not there(aws, inputs["name"])


# In an account that is not looked at, and where nobody may look


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("clients", [["ann"], None], ids=["with keys", "without"])
@pytest.mark.parametrize("how", ["bucket refused", "bucket deleted", "bucket deleted, and not told"])
def test_with_the_credentials_of_another_account_it_is_not_gone(
        resource, aws, plugin, tap, lacking, how, clients, command):
    """There is no bucket of which S3 could tell that it is another account's."""
    if how in LACKS:
        lacking(how, apiKeys=clients)
    else:
        resource.create(INPUTS | {"apiKeys": clients})
        Account(aws, resource.outputs).delete_bucket()
        tap.reset()
    before = there(aws, resource.id)
    assert ids(before, "REST API") and ids(before, "role") and not ids(before, "bucket")
    # Of the local AWS, a key of twelve digits is the account.
    with Plugin(plugin, endpoint=tap.url, env={"AWS_ACCESS_KEY_ID": "111111111111"}) as other:
        other.handshake()
        other.configure(maxAttempts=2)
        wrong = Resource(other, resource.urn.rpartition(":")[2])
        wrong.id, wrong.inputs, wrong.outputs = resource.id, resource.inputs, resource.outputs
        with pytest.raises(grpc.RpcError) as failed:
            COMMANDS[command](wrong)
    words = failed.value.details()
    assert "it is in account 000000000000, and the credentials belong to account 111111111111" in words
    assert not tap.writes() and there(aws, resource.id) == before
    next_command(resource)
    resource.delete()
    assert not there(aws, resource.id)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_look_that_is_denied_tells_nothing(resource, aws, tap, command):
    """The create was cut off, and the bucket is there with our tag: that it may not be read does not make it absent."""
    next_command(resource)
    tap.inject(Lost(), operation="CreateBucket", times=math.inf)
    resource.fail_half_way(resource.start_create(INPUTS))
    assert state(resource)["cutOff"] and "bucket" not in state(resource)
    before = there(aws, resource.id)
    assert ids(before, "bucket") and ids(before, "REST API")
    next_command(resource)
    tap.reset()
    tap.inject(Error("AccessDenied", 403), operation="GetBucketCors", times=math.inf)
    with pytest.raises(grpc.RpcError, match="GetBucketCors failed: AccessDenied"):
        COMMANDS[command](resource)
    assert not tap.writes() and there(aws, resource.id) == before
    tap.reset()
    if command == "refresh":
        refresh(resource)
        assert state(resource)["bucket"]["name"] == resource.id
    next_command(resource)
    resource.delete()
    assert not there(aws, resource.id)
