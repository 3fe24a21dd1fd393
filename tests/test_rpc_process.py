"""The plugin as a process and the calls of the protocol that are no resource's: how it starts, answers and ends."""

import math
import re
import signal
import time

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from harness import ROOT
from harness.faults import Error
from harness.rpc import SECRET, SIGNATURE, Engine, Plugin, Resource, plain, struct, urn
from harness.tap import Tap

NOWHERE = "http://127.0.0.1:1"
EMPTY = empty_pb2.Empty()


@pytest.fixture
def refusing():
    """A tap that lets nothing through: whatever a Create does first is denied."""
    with Tap(NOWHERE) as tap:
        for operation in ("CreateRole", "CreateRestApi", "GetBucketTagging"):
            tap.inject(Error("AccessDenied", 403), operation=operation, times=math.inf)
        yield tap


def create(plugin: Plugin) -> grpc.RpcError:
    """How a Create fails."""
    with pytest.raises(grpc.RpcError) as caught:
        Resource(plugin, "data").create({"waitForReady": False})
    return caught.value


def eventually(condition, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def flags(message) -> dict[str, bool]:
    return {field.name.replace("_", "").lower(): value for field, value in message.ListFields()}


# Handshake and what it promises


def test_handshake_and_configure_promise_the_same(plugin, engine):
    with Plugin(plugin, engine.address) as provider:
        first, second = provider.handshake(engine.address), provider.handshake(engine.address)
        assert flags(first) == dict.fromkeys((
            "acceptsecrets", "acceptresources", "acceptoutputs", "supportsautonamingconfiguration",
            "acceptsbytestring"), True)
        assert second == first
        configured = flags(provider.configure(region="us-east-1"))
        assert configured.pop("supportspreview")
        assert configured.items() <= flags(first).items() and len(configured) == 4


class Answering(Engine):
    """An engine that answers the question for its version with an error, or too late."""

    def __init__(self, code: grpc.StatusCode | None):
        self.code = code
        super().__init__()

    def RequirePulumiVersion(self, request, context):
        if self.code is None:
            time.sleep(4)
            return super().RequirePulumiVersion(request, context)
        context.abort(self.code, 'Pulumi CLI version 3.1.0 does not satisfy the version range ">=x"')


def test_an_engine_that_is_too_old_is_told(plugin, engine):
    with Plugin(plugin, engine.address) as provider, Answering(grpc.StatusCode.UNKNOWN) as old:
        provider.handshake(engine.address)
        assert engine.required_versions == [">=3.180.0"]
        with pytest.raises(grpc.RpcError) as caught:
            provider.handshake(old.address)
        assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert caught.value.details() == (
            'this Pulumi CLI is too old for s3dataproxy (Pulumi CLI version 3.1.0 does not satisfy the version range '
            '">=x"): install a newer one, https://www.pulumi.com/docs/install')


@pytest.mark.parametrize("code", [grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNAVAILABLE, None], ids=str)
def test_an_engine_that_cannot_be_asked_starts_all_the_same(plugin, code):
    with Answering(code) as engine, Plugin(plugin, engine.address) as provider:
        assert provider.handshake(engine.address).accept_secrets
        provider.configure()


def test_an_engine_that_sends_too_little_is_told(plugin):
    """Without the inputs that a resource had, every property would seem to be new, and `forceDestroy` never set."""
    with Plugin(plugin) as provider, pytest.raises(grpc.RpcError) as caught:
        provider.stub.Configure(provider_pb2.ConfigureRequest(args=struct({}), sends_old_inputs=True))
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "too old for s3dataproxy" in caught.value.details()


def test_a_handshake_ends_a_cancel(plugin, engine, refusing):
    with Plugin(plugin, engine.address, endpoint=refusing.url) as provider:
        provider.handshake(engine.address)
        provider.configure()
        for _ in range(2):
            assert provider.stub.Cancel(EMPTY) == EMPTY
        refused = create(provider)
        assert refused.code() == grpc.StatusCode.ABORTED and "cancelled" in refused.details()
        assert refusing.calls == []
        provider.handshake(engine.address)
        assert "AccessDenied" in create(provider).details()
        # As the next command of an engine that is attached: all over again.
        provider.configure()
        assert "AccessDenied" in create(provider).details()


def test_attach_mode(plugin, refusing):
    """No address on the command line: it serves whoever attaches, one command after the other."""
    with Plugin(plugin, endpoint=refusing.url) as provider, Engine() as first, Engine() as second:
        provider.hang_up()
        for engine in (first, second):
            provider.handshake(engine.address)
            assert provider.stub.Attach(plugin_pb2.PluginAttach(address=engine.address)) == EMPTY
            provider.configure()
            create(provider)
            assert eventually(lambda: engine.logs), "no message to the engine that is attached"
            provider.stub.Cancel(EMPTY)
        told = len(first.logs)
        provider.handshake(second.address)
        create(provider)
        assert eventually(lambda: len(second.logs) > told) and len(first.logs) == told
        assert {log.urn for log in first.logs + second.logs} == {urn("data")}


# The process


def test_stdout_is_the_port_and_nothing_else(plugin, engine, refusing):
    with Plugin(plugin, engine.address, endpoint=refusing.url) as provider:
        assert re.fullmatch(r"[1-9]\d{3,4}\n", provider.port_line)
        listening = [c.laddr for c in psutil.Process(provider.pid).net_connections() if c.status == psutil.CONN_LISTEN]
        assert [(address.ip, str(address.port)) for address in listening] == [("127.0.0.1", provider.port_line.strip())]
        assert (refusing.calls, engine.logs) == ([], [])
        provider.handshake(engine.address)
        provider.configure()
        provider.stub.GetSchema(provider_pb2.GetSchemaRequest())
        assert Resource(provider, "data").check({"path": ""}).failures
        create(provider)
        assert provider.stop() == 0
        assert (provider.stdout, provider.stderr) == ("", "")


@pytest.mark.parametrize("args", [
    (), ("--logtostderr", "-v=9", "--logflow"), ("--tracing", "http://127.0.0.1:1/trace"), ("--tracing=x",),
    ("--from-a-later-engine", "-x"),
], ids=" ".join)
def test_flags_of_the_engine_are_no_errors(plugin, args):
    with Engine() as engine, Plugin(plugin, engine.address, args=args) as provider:
        provider.handshake(engine.address)
        # That it goes with the engine shows that it has found the engine's address.
        engine.stop()
        provider.hang_up()
        assert provider.process.wait(30) == 0


def test_it_stays_as_long_as_the_engine_does(plugin, engine):
    with Plugin(plugin, engine.address) as provider:
        provider.handshake(engine.address)
        provider.hang_up()
        time.sleep(5)  # more than twice the time between two looks at the engine
        assert provider.process.poll() is None
        assert provider.stub.GetPluginInfo(EMPTY).version
        engine.stop()
        assert provider.process.wait(30) == 0


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM], ids=str)
@pytest.mark.parametrize("attached", [True, False])
def test_a_signal_ends_it(plugin, engine, sig, attached):
    with Plugin(plugin, None if attached else engine.address) as provider:
        provider.handshake(engine.address)
        provider.process.send_signal(sig)
        assert provider.process.wait(30) == 0


# What needs no configuration


def test_schema_and_version_need_nothing(plugin, engine):
    with Plugin("/usr/bin/env", engine.address, args=("-i", str(plugin))) as provider:
        version = provider.stub.GetPluginInfo(EMPTY).version
        schema = provider.stub.GetSchema(provider_pb2.GetSchemaRequest(version=0)).schema
        assert schema == (ROOT / "schema/schema.json").read_text()
        assert f'"version": "{version}"' in schema
        provider.handshake(engine.address)
        provider.configure()
        resource = Resource(provider, "data")
        assert resource.checked({})["name"]
        # Not one connection of its own but to the engine, which was asked for its version.
        own = [each for each in psutil.Process(provider.pid).net_connections()
               if str(each.laddr.port) != provider.port_line.strip()]
        assert {f"{each.raddr.ip}:{each.raddr.port}" for each in own} <= {engine.address}
        # Only what needs AWS fails.
        assert "no AWS Region is set" in create(provider).details()


def test_there_is_one_version_of_the_schema(plugin):
    with Plugin(plugin) as provider, pytest.raises(grpc.RpcError) as caught:
        provider.stub.GetSchema(provider_pb2.GetSchemaRequest(version=1))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("method, request_", [
    ("Diff", provider_pb2.DiffRequest()), ("Create", provider_pb2.CreateRequest(preview=True)),
    ("Read", provider_pb2.ReadRequest(id="x")),
])
def test_what_needs_a_configuration_says_so(plugin, method, request_):
    with Plugin(plugin) as provider, pytest.raises(grpc.RpcError) as caught:
        getattr(provider.stub, method)(request_)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "not configured" in caught.value.details()


@pytest.mark.parametrize("method, request_", [
    ("Parameterize", provider_pb2.ParameterizeRequest()),
    ("Invoke", provider_pb2.InvokeRequest(tok="s3dataproxy:index:f")),
    ("Call", provider_pb2.CallRequest(tok="s3dataproxy:index:S3DataProxy/m")),
    ("Construct", provider_pb2.ConstructRequest(type="s3dataproxy:index:C")),
    ("GetMapping", provider_pb2.GetMappingRequest(key="terraform")),
    ("GetMappings", provider_pb2.GetMappingsRequest(key="terraform")),
    ("List", provider_pb2.ListRequest(token="s3dataproxy:index:S3DataProxy")),
])
def test_what_there_is_no_use_for_is_unimplemented(plugin, method, request_):
    with Plugin(plugin) as provider, pytest.raises(grpc.RpcError) as caught:
        answer = getattr(provider.stub, method)(request_)
        list(answer)  # a stream fails when it is read
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


# Messages that are none, or large

MALFORMED = {
    "no kind": struct_pb2.Value(),
    "a secret of nothing": struct_pb2.Value(struct_value=struct({SIGNATURE: SECRET})),
    "an unknown signature": struct_pb2.Value(struct_value=struct({SIGNATURE: "0" * 32, "value": "x"})),
    "no kind in a list in a secret": struct_pb2.Value(struct_value=struct_pb2.Struct(fields={
        SIGNATURE: struct_pb2.Value(string_value=SECRET),
        "value": struct_pb2.Value(list_value=struct_pb2.ListValue(values=[struct_pb2.Value()])),
    })),
}


@pytest.fixture(scope="module")
def configured(plugin):
    with Plugin(plugin, endpoint=NOWHERE) as provider:
        provider.handshake()
        provider.configure()
        yield provider


@pytest.mark.parametrize("method, type_, field", [
    ("CheckConfig", provider_pb2.CheckRequest, "news"),
    ("DiffConfig", provider_pb2.DiffRequest, "olds"),
    ("DiffConfig", provider_pb2.DiffRequest, "old_inputs"),
    ("DiffConfig", provider_pb2.DiffRequest, "news"),
    ("Configure", provider_pb2.ConfigureRequest, "args"),
    ("Check", provider_pb2.CheckRequest, "olds"),
    ("Check", provider_pb2.CheckRequest, "news"),
    ("Diff", provider_pb2.DiffRequest, "olds"),
    ("Diff", provider_pb2.DiffRequest, "old_inputs"),
    ("Diff", provider_pb2.DiffRequest, "news"),
    ("Create", provider_pb2.CreateRequest, "properties"),
    ("Read", provider_pb2.ReadRequest, "properties"),
    ("Read", provider_pb2.ReadRequest, "inputs"),
    ("Update", provider_pb2.UpdateRequest, "olds"),
    ("Update", provider_pb2.UpdateRequest, "news"),
    ("Delete", provider_pb2.DeleteRequest, "properties"),
    ("Delete", provider_pb2.DeleteRequest, "old_inputs"),
])
def test_a_malformed_value_is_an_invalid_argument(configured, method, type_, field):
    for reason, value in MALFORMED.items():
        tags = struct_pb2.Struct(fields={"x": value})
        properties = struct_pb2.Struct(fields={"tags": struct_pb2.Value(struct_value=tags)})
        with pytest.raises(grpc.RpcError) as caught:
            getattr(configured.stub, method)(type_(**{"urn": urn("data"), field: properties}))
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT, reason
        assert "tags.x" in caught.value.details(), reason
        assert configured.stub.GetPluginInfo(EMPTY).version, reason


def deep(levels: int) -> dict:
    return {"a": deep(levels - 1)} if levels else {}


@pytest.mark.parametrize("body", [
    b"\xff\xff\xff", b"\x12\x02\x08", provider_pb2.CheckRequest(news=struct(deep(5))).SerializeToString()[:-1],
], ids=["no message", "no struct", "cut off"])
def test_bytes_that_are_no_message_harm_nobody(configured, body):
    call = configured.channel.unary_unary("/pulumirpc.ResourceProvider/Check")
    with pytest.raises(grpc.RpcError):
        call(body)
    assert configured.stub.GetPluginInfo(EMPTY).version


def test_deep_values_harm_nobody(configured):
    """Deeper than protobuf libraries read by default: an answer in words or an error, and the next call works."""
    for levels in (20, 30, 300):
        news = struct_pb2.Struct()
        inner = news
        for _ in range(levels):
            inner = inner.fields["tags"].struct_value
        inner.fields["end"].bool_value = True
        try:
            answer = configured.stub.Check(provider_pb2.CheckRequest(urn=urn("data"), news=news))
            assert "tags" in answer.failures[0].reason
        except grpc.RpcError as error:
            assert levels == 300, error
        assert configured.stub.GetPluginInfo(EMPTY).version


def test_a_message_of_390_mib_passes_both_ways(configured):
    size = 390 << 20
    call = configured.channel.unary_unary("/pulumirpc.ResourceProvider/Check")
    request = provider_pb2.CheckRequest(urn=urn("data"), news={"description": "x" * size}).SerializeToString()
    answer = call(request)
    # Not parsed: that would take the memory once more.
    assert size < len(answer) < size + 1000
    assert b"\n\x0bdescription" in answer[:1000] + answer[-1000:]


def test_plain_values_pass_unchanged(configured):
    """The codec through the whole server: what Check has no opinion on comes back as it was."""
    news = {"description": "ä\0\n\"\\ \U0001f512", "tags": {"a": "ä", "b c": ""}, "waitForReady": True, "bucket": None}
    assert Resource(configured, "data").checked(news).items() >= plain(struct(news)).items()
