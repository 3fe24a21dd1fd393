"""The plugin by itself, spoken to as the engine does, with the engine's own definitions of the protocol."""

import os
import signal
import subprocess
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc
from pulumi.runtime.proto import resource_status_pb2, resource_status_pb2_grpc, status_pb2

from . import processes
from .aws import REGION

MIB_400 = 400 * 1024 * 1024
MIB_16 = 16 * 1024 * 1024
# The engine's limits, those of Go for metadata.
OPTIONS = [
    ("grpc.max_send_message_length", MIB_400), ("grpc.max_receive_message_length", MIB_400),
    ("grpc.max_metadata_size", MIB_16), ("grpc.absolute_max_metadata_size", MIB_16),
]

# What stands for unknown values, and what marks a value as secret (or as another special one), on the wire.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWNS = {
    "string": UNKNOWN,
    "bool": "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "number": "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "array": "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "asset": "030794c1-ac77-496b-92df-f27374a8bd58",
    "archive": "e48ece36-62e2-4504-bad9-02848725956a",
    "object": "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


def struct(values: dict) -> struct_pb2.Struct:
    return json_format.ParseDict(values, struct_pb2.Struct())


def plain(message: struct_pb2.Struct) -> dict:
    return json_format.MessageToDict(message)


def secret(value) -> dict:
    return {SIGNATURE: SECRET, "value": value}


def bare(value):
    """A value without the secrets' wrappers, at any depth."""
    if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
        return bare(value["value"])
    if isinstance(value, dict):
        return {key: bare(inner) for key, inner in value.items()}
    return [bare(inner) for inner in value] if isinstance(value, list) else value


def exposed(value, text: str, path: str = "") -> list[str]:
    """The paths at which `text` can be read outside of a secret, keys included."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET or (value.get(SIGNATURE) == OUTPUT and value.get("secret")):
            return []
        inside = [found for key, inner in value.items() for found in exposed(inner, text, f"{path}.{key}")]
        return inside + [f"{path}.{key}" for key in value if text in key]
    if isinstance(value, list):
        return [found for i, inner in enumerate(value) for found in exposed(inner, text, f"{path}[{i}]")]
    return [path] if isinstance(value, str) and text in value else []


def urn(name: str) -> str:
    return f"urn:pulumi:test::test::s3dataproxy:index:S3DataProxy::{name}"


class Plugin:
    """A running plugin: `plugin.stub.Check(provider_pb2.CheckRequest(…))`; end it with `stop()` or use it with `with`.

    `engine` is the address it is given, None for attach mode. `env` is added to an environment without AWS settings.
    """

    def __init__(self, binary: Path, engine: str | None = None, *, endpoint: str | None = None,
                 env: dict[str, str | None] | None = None, args: tuple[str, ...] = (), timeout: float = 10):
        given = {"AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} if endpoint else {}
        if endpoint:
            given["AWS_ENDPOINT_URL"] = endpoint
        # None takes a variable away.
        environment = {name: value for name, value in (os.environ | given | (env or {})).items() if value is not None}
        self.process = processes.start(
            [binary, *args, *([engine] if engine else [])], env=environment,
            # Kept open: its end would tell the plugin that the engine is gone.
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self._lines = {"stdout": deque(maxlen=1000), "stderr": deque(maxlen=1000)}
        patience = threading.Timer(timeout, self.process.kill)
        patience.start()
        #: The first line of stdout, as it came.
        self.port_line = self.process.stdout.readline()
        patience.cancel()
        self._readers = [threading.Thread(target=self._read, args=(getattr(self.process, name), lines), daemon=True)
                         for name, lines in self._lines.items()]
        for reader in self._readers:
            reader.start()
        if not self.port_line.strip().isdecimal():
            processes.stop(self.process)
            raise RuntimeError(f"no port but {self.port_line!r}; stderr: {self.stderr}")
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port_line.strip()}", options=OPTIONS)
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)

    @staticmethod
    def _read(stream, lines: deque) -> None:
        lines.extend(stream)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def stdout(self) -> str:
        """What came on stdout after the port."""
        return "".join(self._lines["stdout"])

    @property
    def stderr(self) -> str:
        return "".join(self._lines["stderr"])

    def handshake(self, engine: str = "") -> provider_pb2.ProviderHandshakeResponse:
        """As the engine's, version 3.259, in every field."""
        return self.stub.Handshake(provider_pb2.ProviderHandshakeRequest(
            engine_address=engine, configure_with_urn=True, supports_views=True, supports_refresh_before_update=True,
            invoke_with_preview=True, accepts_byte_string=True,
        ))

    def configure(self, **config) -> provider_pb2.ConfigureResponse:
        return self.stub.Configure(provider_pb2.ConfigureRequest(
            args=struct(config), acceptSecrets=True, acceptResources=True, sends_old_inputs=True,
            sends_old_inputs_to_delete=True,
        ))

    def hang_up(self) -> None:
        """Closes its stdin, as an engine that died does."""
        self.process.stdin.close()

    def stop(self) -> int:
        """Ends it as the engine does (Cancel, then a signal, then force); gives its return code."""
        if self.process.poll() is None:
            try:
                self.stub.Cancel(empty_pb2.Empty(), timeout=5)
            except grpc.RpcError:
                pass
        self.channel.close()
        processes.stop(self.process, grace=5, sig=signal.SIGINT)
        for reader in self._readers:
            reader.join(5)  # to the last word
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Engine(engine_pb2_grpc.EngineServicer, resource_status_pb2_grpc.ResourceStatusServicer):
    """The engine's side, as far as a provider calls it: keeps what it is told."""

    def __init__(self):
        self.logs: list[engine_pb2.LogRequest] = []
        #: What PublishViewSteps was called with.
        self.views: list[resource_status_pb2.PublishViewStepsRequest] = []
        self.required_versions: list[str] = []
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8), options=OPTIONS)
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        resource_status_pb2_grpc.add_ResourceStatusServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def Log(self, request, context):
        self.logs.append(request)
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, request, context):
        self.required_versions.append(request.pulumi_version_range)
        return engine_pb2.RequirePulumiVersionResponse()

    def PublishViewSteps(self, request, context):
        self.views.append(request)
        return resource_status_pb2.PublishViewStepsResponse()

    def stop(self) -> None:
        self._server.stop(None).wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Resource:
    """One resource of a plugin, taken through its life as the engine does; values are as `struct` takes them.

    `id`, `inputs` and `outputs` are what the engine would have stored.
    """

    def __init__(self, plugin: Plugin, name: str):
        self.plugin, self.stub = plugin, plugin.stub
        self.urn = urn(name)
        self.seed = os.urandom(32)
        self.id, self.inputs, self.outputs = "", {}, {}

    def check(self, news: dict, **fields) -> provider_pb2.CheckResponse:
        fields = {"olds": struct(self.inputs), "randomSeed": self.seed} | fields
        return self.stub.Check(provider_pb2.CheckRequest(urn=self.urn, news=struct(news), **fields))

    def checked(self, news: dict) -> dict:
        """Inputs that Check has passed."""
        response = self.check(news)
        assert not response.failures, response.failures
        return plain(response.inputs)

    def diff(self, news: dict, **fields) -> provider_pb2.DiffResponse:
        """Of checked inputs."""
        fields = {"olds": struct(self.outputs), "old_inputs": struct(self.inputs)} | fields
        return self.stub.Diff(provider_pb2.DiffRequest(id=self.id, urn=self.urn, news=struct(news), **fields))

    def preview(self, news: dict) -> dict:
        """The outputs that a preview of Create, or of Update where the resource exists, knows."""
        news = self.checked(news)
        if self.id:
            return plain(self.stub.Update(self._update(news, preview=True)).properties)
        request = provider_pb2.CreateRequest(urn=self.urn, properties=struct(news), preview=True)
        response = self.stub.Create(request)
        assert response.id == ""
        return plain(response.properties)

    def create(self, news: dict, *, timeout: float = 0) -> dict:
        return self._done(self.start_create(news, timeout=timeout))

    def start_create(self, news: dict, *, timeout: float = 0) -> grpc.Future:
        """As create, without waiting; `self.inputs` are set already."""
        self.inputs = self.checked(news)
        request = provider_pb2.CreateRequest(urn=self.urn, properties=struct(self.inputs), timeout=timeout)
        return self.stub.Create.future(request)

    def update(self, news: dict, *, timeout: float = 0) -> dict:
        request = self._update(self.checked(news), timeout=timeout)
        self.inputs = plain(request.news)
        return self._done(self.stub.Update.future(request))

    def _update(self, news: dict, **fields) -> provider_pb2.UpdateRequest:
        return provider_pb2.UpdateRequest(
            id=self.id, urn=self.urn, olds=struct(self.outputs), news=struct(news), old_inputs=struct(self.inputs),
            **fields,
        )

    def _done(self, call: grpc.Future) -> dict:
        response = call.result()
        self.id = getattr(response, "id", self.id)
        self.outputs = plain(response.properties)
        return self.outputs

    def fail_half_way(self, call) -> provider_pb2.ErrorResourceInitFailed:
        """Runs a create or update (or takes one that was started) that stops half way, and keeps what it has told."""
        try:
            call.result() if isinstance(call, grpc.Future) else call()
        except grpc.RpcError as error:
            detail = init_failed(error)
            assert detail, f"no InitFailed: {error}"
        else:
            raise AssertionError("nothing failed")
        self.id, self.outputs = detail.id, plain(detail.properties)
        return detail

    def read(self, **fields) -> provider_pb2.ReadResponse:
        """A refresh; it changes nothing here."""
        fields = {"properties": struct(self.outputs), "inputs": struct(self.inputs)} | fields
        return self.stub.Read(provider_pb2.ReadRequest(id=self.id, urn=self.urn, **fields))

    def delete(self, **fields) -> None:
        fields = {"properties": struct(self.outputs), "old_inputs": struct(self.inputs)} | fields
        self.stub.Delete(provider_pb2.DeleteRequest(id=self.id, urn=self.urn, **fields))


def init_failed(error: grpc.RpcError) -> provider_pb2.ErrorResourceInitFailed | None:
    """The detail of work that stopped half way, if the error has one, as the engine takes it out of the trailer."""
    trailer = {key: value for key, value in error.trailing_metadata() or ()}
    status = status_pb2.Status.FromString(trailer.get("grpc-status-details-bin", b""))
    if not status.details:
        return None
    # Go's gRPC refuses a status that says two things.
    assert (status.code, status.message) == (error.code().value[0], error.details())
    [detail] = status.details
    assert detail.type_url == "type.googleapis.com/pulumirpc.ErrorResourceInitFailed"
    return provider_pb2.ErrorResourceInitFailed.FromString(detail.value)


def wipe(aws, prefix: str) -> None:
    """Removes what a test that failed has left: all whose names begin so."""
    s3, iam, api, logs = (aws.client(service) for service in ("s3", "iam", "apigateway", "logs"))
    names = {kind: [name for name in names if name.startswith(prefix)] for kind, names in aws.inventory().items()}
    for name in names["buckets"]:
        for item in s3.list_objects_v2(Bucket=name).get("Contents", []):
            s3.delete_object(Bucket=name, Key=item["Key"])
        s3.delete_bucket(Bucket=name)
    for name in names["roles"]:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)
    for name in names["log_groups"]:
        logs.delete_log_group(logGroupName=f"/aws/apigateway/{name}")
    for item in api.get_usage_plans(limit=500)["items"]:
        if item["name"] in names["usage_plans"]:
            for stage in item["apiStages"]:
                known = {rest_api["id"] for rest_api in api.get_rest_apis(limit=500)["items"]}
                if stage["apiId"] in known and stage["stage"] in {
                        each["stageName"] for each in api.get_stages(restApiId=stage["apiId"])["item"]}:
                    api.update_usage_plan(usagePlanId=item["id"], patchOperations=[
                        {"op": "remove", "path": "/apiStages", "value": f"{stage['apiId']}:{stage['stage']}"}])
            api.delete_usage_plan(usagePlanId=item["id"])
    for item in api.get_api_keys(limit=500)["items"]:
        if item["name"] in names["api_keys"]:
            api.delete_api_key(apiKey=item["id"])
    for domain in names["domain_names"]:
        for mapping in api.get_base_path_mappings(domainName=domain).get("items", []):
            api.delete_base_path_mapping(domainName=domain, basePath=mapping["basePath"])
        api.delete_domain_name(domainName=domain)
    for item in api.get_rest_apis(limit=500)["items"]:
        if item["name"] in names["rest_apis"]:
            api.delete_rest_api(restApiId=item["id"])
