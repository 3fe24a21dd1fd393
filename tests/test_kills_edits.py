"""A create that is killed where a look for what it left is harder than for a plain one: with a role made elsewhere, as a
replacement, with a domain name, or before the user edits the program. What the next `up` does not go on with has to be
told, with commands that work. `test_kills.py` and `test_kills_unnamed.py` have the rest of the kill matrix."""

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from harness.account import recorded, there
from harness.engine import PROXY
from harness.faults import After
from harness.rpc import Resource, bare, init_failed, plain
from test_domain import CERTIFICATE
from test_faults import FULL, PLAIN, Call, calls, given_role, web_acls  # the last two are fixtures
from test_kills import GIVEN, KILLED, Row, check, matrix, scenes, undisturbed  # matrix and scenes are fixtures
from test_kills_engine import Struck
from test_kills_unnamed import AT_ONCE, COMMAND, IMPORT
from test_kills_unnamed import Scene as Unnamed
from test_lifecycle import left

EXISTING = "edits-existing"


@pytest.fixture(scope="module")
def existing(aws):
    """A bucket that was made elsewhere."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=EXISTING)
    yield
    assert s3.list_objects_v2(Bucket=EXISTING)["KeyCount"] == 0
    s3.delete_bucket(Bucket=EXISTING)


class Scene(Unnamed):
    """A resource that commands work on, one after the other, each in a process of its own."""

    def __init__(self, aws, binary):
        super().__init__(aws, binary)
        #: What was obeyed already.
        self.done = set()

    def given(self, inputs: dict) -> dict:
        if isinstance(inputs, dict):
            return {key: self.given(value) for key, value in inputs.items()}
        return inputs.replace("NAME", self.name) if isinstance(inputs, str) else inputs

    def up(self, inputs: dict, old: Resource | None = None, *, delete_first: bool = False,
           disturb: Callable[[], None] = lambda: None) -> Resource:
        """Creates it, or what replaces `old`, as the engine does: it checks and compares with the old inputs, and checks
        again without them."""
        self.begin()
        resource = Resource(self.plugin, self.name)
        if old:
            self.resume(old)
            old.diff(old.checked(self.given(inputs)))
            if delete_first:
                old.delete()
        disturb()
        resource.create(self.given(inputs))
        return resource

    def killed(self, call: Call, inputs: dict, old: Resource | None = None, **how) -> None:
        with pytest.raises(grpc.RpcError) as error:
            self.up(inputs, old, disturb=lambda: call.inject(self.tap, After(self.kill), 1), **how)
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE, error.value.details()

    def up_again(self, inputs: dict, old: Resource | None = None) -> tuple[Resource, list[str]]:
        """The next `up`, and where it refuses, what it says and then another one; with all that is told."""
        resource = Resource(self.plugin, self.name)
        try:
            resource = self.up(inputs, old)
            return resource, self.warnings()
        except grpc.RpcError as error:
            detail, words = init_failed(error), error.details()
            assert error.code() == grpc.StatusCode.ALREADY_EXISTS or detail, words
        warned = self.warnings()
        if detail:
            words = "\n".join(detail.reasons)
            resource.id, resource.inputs, resource.outputs = detail.id, plain(detail.inputs), plain(detail.properties)
        assert IMPORT.search(words) and f"as '{self.name}-lost'" in words, words
        self.follow([words])
        if not detail:
            resource = self.up(inputs, old)
        else:
            self.begin()
            self.resume(resource).update(self.given(inputs))
        return resource, warned + self.warnings()

    def refresh(self, resource: Resource) -> list[str]:
        self.begin()
        seen = self.resume(resource).read()
        resource.id, resource.inputs, resource.outputs = seen.id, plain(seen.inputs), plain(seen.properties)
        return self.warnings()

    def destroy(self, resource: Resource) -> None:
        self.begin()
        self.resume(resource).delete()

    def follow(self, warnings: list[str]) -> None:
        """Does what warnings say. What an earlier one has told may be gone by now."""
        for words in warnings:
            if (found := IMPORT.search(words)) or COMMAND.search(words):
                key = found[2] if found else words
                if key not in self.done:
                    self.done.add(key)
                    self.begin()
                    # What is on record already has the name.
                    self.obey(words.replace(f"'{self.name}' ", f"'{self.name}-lost' "))

    def everything(self) -> dict[str, list[str]]:
        """What the account has of this scene."""
        found = {kind: sorted(name for name in names if name.startswith(self.name))
                 for kind, names in self.aws.inventory().items()}
        return {kind: names for kind, names in found.items() if names}

    def unaccounted(self, *resources: Resource) -> list[str]:
        """What the account has of this scene, and no resource; or the other way around."""
        everything = self.everything()
        bases = {name for kind in ("buckets", "roles", "rest_apis", "log_groups") for name in everything.get(kind, [])}
        account = {each for base in bases for each in there(self.aws, base)}
        known = set().union(*(recorded(bare(resource.outputs)["__state"]) for resource in resources))
        return [f"in no state: {each}" for each in account - known] + [f"only in a state: {each}" for each in known - account]


@pytest.fixture
def scene(aws, plugin):
    scene = Scene(aws, plugin)
    yield scene
    scene.close()


@pytest.fixture(scope="module")
def table(aws, plugin):
    """A function that does something on a scene of its own at each call of a create, and tells what is wrong."""
    def each(inputs: dict, do: Callable[[Scene, Call], list[str]], first: Callable[[Scene], Resource | None] = lambda _: None,
             **how) -> None:
        scene = Scene(aws, plugin)
        try:
            old = first(scene)
            resource = scene.up(inputs, old, disturb=scene.tap.reset, **how)
            found = calls(scene.tap)
            scene.destroy(resource)
            if old and not how:
                scene.destroy(old)
        finally:
            scene.close()

        def one(call: Call) -> list[str]:
            scene = Scene(aws, plugin)
            try:
                return do(scene, call)
            except grpc.RpcError as error:
                return [f"broke off: {error.details()}"]
            except (AssertionError, KeyError) as error:
                return [f"broke off: {error!r}"]
            finally:
                scene.close()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = dict(zip(map(str, found), pool.map(one, found), strict=True))
        assert "CreateDeployment" in done
        assert not {call: problems for call, problems in done.items() if problems}
    return each


@pytest.mark.parametrize("more", [{}, {"bucket": {"name": EXISTING, "existing": True}}], ids=["own bucket", "existing bucket"])
def test_a_create_with_a_given_role(scenes, matrix, existing, more):
    """There is no role of ours that tells of the run before, nor even a bucket."""
    inputs = FULL | GIVEN | more
    found, expected = undisturbed(scenes, None, inputs)

    def do(scene, row, notes):
        problems = scene.begin()
        failed, struck = scene.strike(row, lambda: scene.bring(inputs))
        scene.complete(inputs, notes)
        apis = [id_ for kind, id_ in scene.account() if kind == "REST API"]
        problems += [] if len(apis) == 1 else [f"there are {apis}"]
        return failed, problems + struck + scene.converged(inputs, expected) + scene.gone()

    operation = f"create with a given role, {'existing' if more else 'own'} bucket"
    check(matrix, operation, scenes([Row(call, way) for call in found for way in KILLED], do))


A, B = FULL | {"name": "NAME-a"}, FULL | {"name": "NAME-b"}
#: Replacements: from these inputs to those, and whether the old one goes first.
REPLACED = {
    "another name": (A, B, False),
    "another name, the old one first": (A, B, True),
    "the same name": (A, A | {"path": "elsewhere"}, True),
    "another bucket": (FULL | {"bucket": {"forceDestroy": True, "name": "NAME-x"}},
                       FULL | {"bucket": {"forceDestroy": True, "name": "NAME-y"}}, False),
}


@pytest.mark.parametrize("name", REPLACED)
def test_a_replacement(table, name):
    old_inputs, inputs, delete_first = REPLACED[name]

    def do(scene, call):
        old = scene.up(old_inputs)
        scene.killed(call, inputs, old, delete_first=delete_first)
        # The engine has written down that the old one is gone.
        old = None if delete_first else old
        resource, warnings = scene.up_again(inputs, old)
        scene.follow(warnings)
        problems = scene.unaccounted(*filter(None, (resource, old)))
        if old:
            scene.destroy(old)
        scene.destroy(resource)
        return problems + [f"left over: {each}" for each in scene.everything().items()]

    table(inputs, do, lambda scene: scene.up(old_inputs), **({"delete_first": True} if delete_first else {}))


def test_a_replacement_that_is_taken_back(table):
    """The engine sees nothing to do; a refresh tells what is unfinished, a destroy what is live, too."""
    def do(scene, call):
        old = scene.up(A)
        scene.killed(call, B, old)
        scene.begin()
        assert not scene.resume(old).diff(old.checked(scene.given(A))).detailedDiff
        kinds = {kind for kind, _ in there(scene.aws, f"{scene.name}-b")}
        had_api = "REST API" in kinds
        scene.follow(scene.refresh(old))
        # Without a REST API nothing tells of the rest.
        problems = scene.unaccounted(old) if had_api and "stage" not in kinds else []
        scene.destroy(old)
        scene.follow(scene.warnings())
        return problems + ([f"left over: {each}" for each in scene.everything().items()] if had_api else [])

    table(B, do, lambda scene: scene.up(A))


OTHERS = {"bucket": {"name": EXISTING, "existing": True}} | {"role": GIVEN["role"]}
#: What the killed run was to make, and what the user wants then.
EDITS = {
    "another name": (A, B),
    "a name": (FULL, B),
    "a name, and less": (FULL, PLAIN | {"name": "NAME-b"}),
    "no name": (A, FULL),
    "a bucket and a role made elsewhere": (A, A | OTHERS),
    "a role made elsewhere": (A, A | GIVEN),
    "a bucket made elsewhere, without a name": (FULL, FULL | OTHERS),
    "another bucket": (A, A | {"bucket": {"forceDestroy": True, "name": "NAME-data"}}),
    "the name's bucket": (A | {"bucket": {"forceDestroy": True, "name": "NAME-data"}}, A),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_program(table, given_role, existing, name):
    old_inputs, inputs = EDITS[name]

    def do(scene, call):
        scene.killed(call, old_inputs)
        everything = scene.everything()
        # Without a REST API nothing tells of the rest, and a bucket of another name is named in the role's policy.
        told = "rest_apis" in everything
        if told and old_inputs.get("bucket", {}).get("name"):
            told = ("role policy", "s3dataproxy") in there(scene.aws, everything["rest_apis"][0])
        resource, warnings = scene.up_again(inputs)
        scene.follow(warnings)
        scene.follow(scene.refresh(resource))
        problems = scene.unaccounted(resource) if told else []
        scene.destroy(resource)
        return problems + ([f"left over: {each}" for each in scene.everything().items()] if told else [])

    table(old_inputs, do)


def test_a_domain_name_without_a_name(table):
    inputs = FULL | {"domain": {"name": "NAME.example.com", "certificateArn": CERTIFICATE}}

    def do(scene, call):
        scene.killed(call, inputs)
        resource, warnings = scene.up_again(inputs)
        scene.follow(warnings)
        problems = [each for each in scene.unaccounted(resource) if "domain name" not in each and "mapping" not in each]
        scene.destroy(resource)
        return problems + [f"left over: {each}" for each in scene.everything().items()]

    table(inputs, do)


@pytest.mark.parametrize("delete_first", [False, True], ids=["created first", "deleted first"])
@pytest.mark.parametrize("operation", ["CreateRole", "CreateDeployment"])
def test_a_replacement_through_the_engine(aws, tap, stack, operation, delete_first):
    name = f"edits-{uuid.uuid4().hex[:8]}"

    def program(of: str) -> str:
        inputs = {"waitForReady": False, "bucket": {"forceDestroy": True}, "name": f"{name}-{of}"}
        options = {"deleteBeforeReplace": True} if delete_first else {}
        return f"resources: {json.dumps({name: {'type': PROXY, 'properties': inputs, 'options': options}})}\n"

    made = stack(program("a"), tap.url)
    made.up()
    made.write(program("b"))
    struck = Struck(made, tap, "up", operation, "plugin")
    assert struck.result.returncode != 0 and there(aws, f"{name}-b")
    up = made.up(fails=operation == "CreateDeployment")
    if operation == "CreateDeployment":
        # It is finished, and may be in use: the user decides.
        [found] = IMPORT.findall("\n".join(up.messages("error", name)))
        lost = f"{name}-lost"
        made.import_(PROXY, lost, found[1], "--protect=false")
        [urn] = [resource["urn"] for resource in made.resources() if resource["urn"].endswith(f"::{lost}")]
        made.destroy("--target", urn)
        up = made.up()
    assert not [words for words in up.messages("warning", name) if "REST API" in words]
    assert not there(aws, f"{name}-a")
    [resource] = [resource for resource in made.resources() if resource["type"] == PROXY]
    assert recorded(bare(resource["outputs"])["__state"]) == set(there(aws, f"{name}-b"))
    made.destroy()
    assert left(aws, f"{name}-b") == {}
    assert not [each for names in aws.inventory().values() for each in names if each.startswith(name)]
