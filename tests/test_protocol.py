"""Our definitions of the Pulumi protocol are the engine's, in full.

The files in provider/proto are written by us. The `pulumi` package for Python carries compiled
descriptors of the protocol; both sides are compared file by file, in both directions, in
everything that matters on the wire. Comments, the order of declarations and options for code
generators do not matter.

Needs the packages pytest, grpcio-tools and pulumi in the version below.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from google.protobuf.message import Message
from google.protobuf.text_format import MessageToString

PULUMI_VERSION = "3.259.0"

PROTO_ROOT = Path(__file__).resolve().parents[1] / "provider" / "proto"

NEEDED_FILES = {
    "pulumi/provider.proto",
    "pulumi/engine.proto",
    "pulumi/resource_status.proto",
    "pulumi/plugin.proto",
    "pulumi/errors.proto",
}

# Pulumi keeps its copy of google.rpc.Status under an unusual path.
PULUMI_PATHS = {"google/rpc/status.proto": "google/protobuf/status.proto"}

# Parts of descriptors that have a name of their own, and what to call them in a report.
KINDS = {
    "DescriptorProto": "message",
    "EnumDescriptorProto": "enum",
    "EnumValueDescriptorProto": "value",
    "FieldDescriptorProto": "field",
    "MethodDescriptorProto": "rpc",
    "OneofDescriptorProto": "oneof",
    "ServiceDescriptorProto": "service",
}

# Everything in a descriptor is compared except these. Names are keys of the trees, positions of
# oneofs are replaced by their names, and only some options change what is on the wire.
NOT_COMPARED = {"name", "json_name", "oneof_index", "options", "source_code_info"}
WIRE_OPTIONS = ("allow_alias", "map_entry", "packed")

Tree = dict[str, Any]


def tree(item: Message) -> Tree:
    """The content of a descriptor as nested dicts, independent of the order of declarations."""
    result: Tree = {}
    for field in item.DESCRIPTOR.fields:
        value = getattr(item, field.name)
        if field.name == "options":
            for option in WIRE_OPTIONS:
                if option in value.DESCRIPTOR.fields_by_name:
                    result[option] = getattr(value, option)
        if field.name in NOT_COMPARED:
            continue
        if isinstance(value, (str, bytes, int, float)):
            names = field.enum_type and field.enum_type.values_by_number
            result[field.name] = names[value].name if names and value in names else value
        elif isinstance(value, Message):
            result[field.name] = tree(value)
        elif field.message_type is None:
            result[field.name] = sorted(value)
        elif field.message_type.name in KINDS:
            for part in value:
                result[f"{KINDS[field.message_type.name]} {part.name}"] = tree(part)
        else:
            result[field.name] = sorted(MessageToString(part, as_one_line=True) for part in value)
    if isinstance(item, DescriptorProto):
        for member in item.field:
            in_oneof = member.HasField("oneof_index")
            oneof = item.oneof_decl[member.oneof_index].name if in_oneof else None
            result[f"field {member.name}"]["member of oneof"] = oneof
    return result


def differences(engine: Tree, ours: Tree, where: str) -> list[str]:
    """All differences as lines for people."""
    lines = []
    for key in sorted(engine.keys() | ours.keys()):
        if key not in ours:
            lines.append(f"{where}: {key} is missing in our file")
        elif key not in engine:
            lines.append(f"{where}: {key} is ours only, the engine does not have it")
        elif isinstance(engine[key], dict) and isinstance(ours[key], dict):
            lines += differences(engine[key], ours[key], f"{where}: {key}")
        elif engine[key] != ours[key]:
            lines.append(f"{where}: {key} is {ours[key]!r}, the engine has {engine[key]!r}")
    return lines


def compile_ours(directory: Path) -> dict[str, FileDescriptorProto]:
    """Compiles all our files; warnings (such as unused imports) are errors."""
    output = directory / "ours.binpb"
    names = sorted(path.relative_to(PROTO_ROOT).as_posix() for path in PROTO_ROOT.rglob("*.proto"))
    protoc = subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"--proto_path={PROTO_ROOT}",
            f"--descriptor_set_out={output}",
            *names,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (protoc.returncode, protoc.stdout + protoc.stderr) == (0, ""), protoc.stderr
    files = {file.name: file for file in FileDescriptorSet.FromString(output.read_bytes()).file}
    assert sorted(files) == names
    return files


# Runs in a process of its own: descriptors of the same name from other generated code, loaded
# into this process by other tests, would clash with those of the package.
DUMP_INSTALLED = """
import importlib, pkgutil, sys
from google.protobuf.descriptor_pb2 import FileDescriptorSet
import pulumi.runtime.proto as package
result = FileDescriptorSet()
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if module.name.endswith("_pb2"):
        descriptor = importlib.import_module(module.name).DESCRIPTOR
        result.file.add().ParseFromString(descriptor.serialized_pb)
with open(sys.argv[1], "wb") as output:
    output.write(result.SerializeToString())
"""


def load_installed(directory: Path) -> dict[str, FileDescriptorProto]:
    """The descriptors in the installed package."""
    output = directory / "installed.binpb"
    subprocess.run([sys.executable, "-c", DUMP_INSTALLED, str(output)], check=True)
    return {file.name: file for file in FileDescriptorSet.FromString(output.read_bytes()).file}


def test_our_protocol_is_the_engines(tmp_path: Path) -> None:
    assert importlib.metadata.version("pulumi") == PULUMI_VERSION
    ours = compile_ours(tmp_path)
    assert NEEDED_FILES <= ours.keys()
    installed = load_installed(tmp_path)

    lines = []
    for name, file in ours.items():
        path = PULUMI_PATHS.get(name, name)
        if path in installed:
            lines += differences(tree(installed[path]), tree(file), name)
        else:
            lines.append(f"{name}: the engine has no such file")
    assert not lines, "\n".join(["our protocol differs from the engine's:", *lines])


# A comparison that finds nothing proves something only if it would find something. Each case
# changes one thing in one of our files and names the line that has to come out, with the changed
# file on our side.


def named(parts: Any, name: str) -> Any:
    return next(part for part in parts if part.name == name)


def drop(parts: Any, name: str) -> None:
    parts.remove(named(parts, name))


def message(file: FileDescriptorProto, name: str) -> DescriptorProto:
    outer, *inner = name.split(".")
    result = named(file.message_type, outer)
    for part in inner:
        result = named(result.nested_type, part)
    return result


def field(file: FileDescriptorProto, name: str, field_name: str) -> FieldDescriptorProto:
    return named(message(file, name).field, field_name)


def mode(file: FileDescriptorProto) -> EnumDescriptorProto:
    return message(file, "CheckRequest.AutonamingOptions").enum_type[0]


def rpc(file: FileDescriptorProto, name: str) -> MethodDescriptorProto:
    return named(file.service[0].method, name)


def add_field(file: FileDescriptorProto) -> None:
    message(file, "ReadRequest").field.add(name="extra", number=11, label=1, type=9)


def set_to(part: Message, **values: Any) -> None:
    for key, value in values.items():
        setattr(part, key, value)


READ = "message ReadRequest"
AUTONAMING = "message CheckRequest: message AutonamingOptions"
MUTATIONS: list[tuple[str, Callable[[FileDescriptorProto], object], str]] = [
    (
        "package",
        lambda f: set_to(f, package="other"),
        "package is 'other', the engine has 'pulumirpc'",
    ),
    (
        "field-number",
        lambda f: set_to(field(f, "ReadRequest", "timeout"), number=11),
        f"{READ}: field timeout: number is 11, the engine has 10",
    ),
    (
        "field-dropped",
        lambda f: drop(message(f, "ReadRequest").field, "timeout"),
        f"{READ}: field timeout is missing in our file",
    ),
    (
        "field-added",
        add_field,
        f"{READ}: field extra is ours only, the engine does not have it",
    ),
    (
        "field-renamed",
        lambda f: set_to(field(f, "ReadRequest", "timeout"), name="time"),
        f"{READ}: field time is ours only, the engine does not have it",
    ),
    (
        "field-type",
        lambda f: set_to(field(f, "ReadRequest", "timeout"), type=2),
        f"{READ}: field timeout: type is 'TYPE_FLOAT', the engine has 'TYPE_DOUBLE'",
    ),
    (
        "field-type-name",
        lambda f: set_to(field(f, "ReadRequest", "old_views"), type_name=".pulumirpc.Alias"),
        f"{READ}: field old_views: type_name is '.pulumirpc.Alias',"
        " the engine has '.pulumirpc.View'",
    ),
    (
        "field-label",
        lambda f: set_to(field(f, "ReadRequest", "old_views"), label=1),
        f"{READ}: field old_views: label is 'LABEL_OPTIONAL', the engine has 'LABEL_REPEATED'",
    ),
    (
        "field-packing",
        lambda f: set_to(field(f, "ReadRequest", "old_views").options, packed=True),
        f"{READ}: field old_views: packed is True, the engine has False",
    ),
    (
        "proto3-optional",
        lambda f: set_to(field(f, "ConfigureRequest", "urn"), proto3_optional=False),
        "message ConfigureRequest: field urn: proto3_optional is False, the engine has True",
    ),
    (
        "oneof-left",
        lambda f: field(f, "ListResponse", "result").ClearField("oneof_index"),
        "message ListResponse: field result: member of oneof is None, the engine has 'response'",
    ),
    (
        "oneof-renamed",
        lambda f: set_to(message(f, "ListResponse").oneof_decl[0], name="item"),
        "message ListResponse: oneof item is ours only, the engine does not have it",
    ),
    (
        "map-entry",
        lambda f: message(f, "DiffResponse.DetailedDiffEntry").options.Clear(),
        "message DiffResponse: message DetailedDiffEntry: map_entry is False, the engine has True",
    ),
    (
        "map-value",
        lambda f: set_to(field(f, "DiffResponse.DetailedDiffEntry", "value"), number=3),
        "message DiffResponse: message DetailedDiffEntry: field value: number is 3,"
        " the engine has 2",
    ),
    (
        "message-dropped",
        lambda f: drop(f.message_type, "View"),
        "message View is missing in our file",
    ),
    (
        "nested-message-dropped",
        lambda f: drop(message(f, "CheckRequest").nested_type, "AutonamingOptions"),
        f"{AUTONAMING} is missing in our file",
    ),
    (
        "enum-value",
        lambda f: set_to(named(mode(f).value, "ENFORCE"), number=3),
        f"{AUTONAMING}: enum Mode: value ENFORCE: number is 3, the engine has 1",
    ),
    (
        "enum-value-dropped",
        lambda f: drop(mode(f).value, "DISABLE"),
        f"{AUTONAMING}: enum Mode: value DISABLE is missing in our file",
    ),
    (
        "reserved-range",
        lambda f: message(f, "CheckRequest").ClearField("reserved_range"),
        "message CheckRequest: reserved_range is [], the engine has ['start: 4 end: 5']",
    ),
    (
        "reserved-name",
        lambda f: message(f, "CheckRequest").ClearField("reserved_name"),
        "message CheckRequest: reserved_name is [], the engine has ['sequenceNumber']",
    ),
    (
        "rpc-dropped",
        lambda f: drop(f.service[0].method, "Read"),
        "service ResourceProvider: rpc Read is missing in our file",
    ),
    (
        "rpc-input",
        lambda f: set_to(rpc(f, "Read"), input_type=".pulumirpc.DiffRequest"),
        "service ResourceProvider: rpc Read: input_type is '.pulumirpc.DiffRequest',"
        " the engine has '.pulumirpc.ReadRequest'",
    ),
    (
        "rpc-output",
        lambda f: set_to(rpc(f, "Delete"), output_type=".pulumirpc.View"),
        "service ResourceProvider: rpc Delete: output_type is '.pulumirpc.View',"
        " the engine has '.google.protobuf.Empty'",
    ),
    (
        "rpc-streams",
        lambda f: set_to(rpc(f, "List"), server_streaming=False, client_streaming=True),
        "service ResourceProvider: rpc List: server_streaming is False, the engine has True",
    ),
    (
        "service-dropped",
        lambda f: drop(f.service, "ResourceProvider"),
        "service ResourceProvider is missing in our file",
    ),
]


@pytest.fixture(scope="module")
def provider_file(tmp_path_factory: pytest.TempPathFactory) -> FileDescriptorProto:
    return compile_ours(tmp_path_factory.mktemp("protocol"))["pulumi/provider.proto"]


@pytest.mark.parametrize(
    ("mutate", "line"), [case[1:] for case in MUTATIONS], ids=[case[0] for case in MUTATIONS]
)
def test_the_comparison_reports_a_change(
    provider_file: FileDescriptorProto,
    mutate: Callable[[FileDescriptorProto], object],
    line: str,
) -> None:
    original = tree(provider_file)
    assert differences(original, original, "provider") == []
    changed = FileDescriptorProto()
    changed.CopyFrom(provider_file)
    mutate(changed)
    assert f"provider: {line}" in differences(original, tree(changed), "provider")
    assert differences(tree(changed), original, "provider") != []
