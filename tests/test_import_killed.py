"""An import of what a killed run was about to change: the state is gone, and what the run made last is on no record."""

import json

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from harness.aws import ACCOUNT, REGION
from harness.engine import PROXY
from harness.faults import After
from harness.rpc import Plugin, Resource, plain
from test_import import generated
from test_lifecycle import left

PLAIN = {"waitForReady": False}
DOMAIN = PLAIN | {"domain": {
    "name": "NAME.example.com", "certificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/a", "basePath": "v1"}}
LOGGED = PLAIN | {"accessLog": {"retentionInDays": 7}}
#: What the killed run wanted, and the call after which it was killed.
KILLS = {
    "a domain name that leads nowhere": (DOMAIN, "CreateDomainName"),
    "a domain name": (DOMAIN, "CreateBasePathMapping"),
    "a log group without its days": (LOGGED, "CreateLogGroup"),
    "a log group without its stage": (LOGGED, "PutRetentionPolicy"),
    "both": (DOMAIN | LOGGED, "CreateDomainName"),
}


@pytest.fixture
def killed(plugin, tap, resource):
    """A function that makes the resource and kills the plugin while it updates; gives the API's id."""
    def kill(wanted: dict, operation: str) -> str:
        with Plugin(plugin, endpoint=tap.url) as provider:
            provider.handshake()
            provider.configure()
            lost = Resource(provider, wanted["name"])
            api = lost.create(PLAIN | {"name": wanted["name"]})["restApiId"]
            tap.inject(After(provider.process.kill), operation=operation)
            with pytest.raises(grpc.RpcError):
                lost.update(wanted)
        tap.reset()
        return api
    return kill


def named(inputs: dict, name: str) -> dict:
    domain = {"domain": inputs["domain"] | {"name": f"{name}.example.com"}} if "domain" in inputs else {}
    return inputs | domain | {"name": name}


@pytest.mark.parametrize("then", ["wanted", "imported"])
@pytest.mark.parametrize("what", KILLS)
def test_it_is_finished_or_taken_away(aws, resource, killed, what, then):
    wanted, operation = KILLS[what]
    name = resource.urn.rpartition(":")[2]
    wanted = named(wanted, name)
    api = killed(wanted, operation)
    found = resource.stub.Read(provider_pb2.ReadRequest(id=api, urn=resource.urn))
    resource.id, resource.outputs, resource.inputs = found.id, plain(found.properties), plain(found.inputs)
    # A program without it would take it away, and says so before.
    told = resource.diff(resource.checked({"name": name} | PLAIN)).detailedDiff
    assert set(told) & {"domain", "logGroupArn", "accessLog"}
    program = wanted if then == "wanted" else resource.inputs
    resource.update(program)
    assert not resource.diff(resource.checked(program)).detailedDiff
    seen = resource.read()
    assert (plain(seen.properties), plain(seen.inputs)) == (resource.outputs, resource.inputs)
    there = left(aws, name)
    assert ("log_groups" in there, "domain_names" in there) == ("accessLog" in program, "domain" in program)
    resource.delete()
    assert left(aws, name) == {}


@pytest.mark.parametrize("way", ["command", "option"])
def test_through_the_engine(aws, resource, killed, stack, way):
    wanted, operation = KILLS["a domain name that leads nowhere"]
    name = resource.urn.rpartition(":")[2]
    api = killed(named(wanted, name), operation)
    made = stack("", aws.url)
    if way == "command":
        program = generated(made.import_(PROXY, name, api, "--protect=false"))
        made.write(f"resources: {json.dumps(program)}\n")
        assert [step["op"] for step in made.up().done(name)] == ["update"]
    else:
        program = {name: {"type": PROXY, "properties": named(wanted, name), "options": {"import": api}}}
        made.write(f"resources: {json.dumps(program)}\n")
        assert [step["op"] for step in made.up().done(name)] == ["import", "update"]
        del program[name]["options"]
        made.write(f"resources: {json.dumps(program)}\n")
    made.up("--expect-no-changes")
    assert made.refresh("--expect-no-changes").messages("warning", name) == []
    assert left(aws, name).get("domain_names", []) == ([] if way == "command" else [f"{name}.example.com"])
    made.destroy()
    assert left(aws, name) == {}
