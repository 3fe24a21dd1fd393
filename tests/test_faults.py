"""The fault matrix: at every AWS call of a create, of updates, of a refresh and of a delete, every fault; then the same
again without it. What `test_half_way.py` does of it goes through the engine.

The calls are those of a run without faults, so that a new piece brings its own rows. Each time: the state accounts for
every object in the account, or says that it may not; the second run comes to what an undisturbed one makes, and after it
nothing is left to do; a refresh tells all or fails; a delete leaves nothing.
"""

import difflib
import json
import math
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import pytest
from google.protobuf import empty_pb2

from harness.account import going, noted, recorded, there, told
from harness.aws import ACCOUNT, REGION
from harness.faults import After, Error, Fault, Lost, Refused, Throttled
from harness.matrix import Outcome, printed
from harness.rpc import Plugin, Resource, bare, init_failed, plain, wipe
from harness.tap import Tap
from test_web_acl import make_web_acl

AT_ONCE = 8
HANG = "hang"
# The fault, and at how many tries.
FAULTS: dict[str, tuple[Fault | None, float]] = {
    "refused": (Refused(), 1),
    "lost": (Lost(), 1),
    "lost for good": (Lost(), math.inf),
    "throttled": (Throttled(), 5),
    "denied": (Error("AccessDenied", 403), math.inf),
    "broken": (Error("InternalError", 500), 1),
    HANG: (None, math.inf),
}
#: Enough for calls that are made as others are.
SOME = ("lost", "lost for good", "denied")
# After these nobody can know what AWS has done; the state must say so.
UNKNOWABLE = {"lost for good", HANG}

PLAIN = {"waitForReady": False, "bucket": {"forceDestroy": True}, "tags": {"team": "a"}}
FULL = PLAIN | {
    "accessLog": {"retentionInDays": 30}, "executionLog": {"level": "ERROR"}, "apiKeys": ["ann", "bob"],
    "throttle": {"rateLimit": 10, "burstLimit": 5}, "quota": {"limit": 100, "period": "DAY"},
}
# NAME stands for the resource's name.
CERTIFICATES = [f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{name}" for name in ("a", "b")]
DOMAIN = PLAIN | {"domain": {"name": "NAME.example.com", "certificateArn": CERTIFICATES[0], "basePath": "v1"}}
WHOLE = FULL | {"domain": DOMAIN["domain"]}
GIVEN_ROLE = "faults-given"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
#: Updates by what they are of: from these inputs to those. Stages move without `apiKeys`: where the answer about one is
#: lost, the local AWS adds it to the usage plan twice.
UPDATES = {
    "logs and keys on": (PLAIN, FULL),
    "logs and keys off": (FULL, PLAIN),
    "document": (FULL, FULL | {"operations": ["GET", "LIST"], "cors": {"allowOrigins": ["https://a.example", "https://b.example"]}}),
    "settings": (FULL, FULL | {
        "throttle": {"rateLimit": 20, "burstLimit": 5}, "tracingEnabled": True, "accessLog": {"retentionInDays": 7},
        "description": "d", "bucket": {"forceDestroy": True, "versioning": True}}),
    "keys": (FULL, FULL | {"apiKeys": ["bob", "cy"]}),
    "stage": (PLAIN | {"executionLog": {}}, PLAIN | {"executionLog": {}, "stageName": "v2"}),
    "path, stage and tags": (PLAIN, PLAIN | {"path": "v2/models", "stageName": "v2", "tags": {"team": "b"}}),
    "given role on": (PLAIN, PLAIN | {"role": {"arn": f"arn:aws:iam::{ACCOUNT}:role/{GIVEN_ROLE}"}}),
    "given role off": (PLAIN | {"role": {"arn": f"arn:aws:iam::{ACCOUNT}:role/{GIVEN_ROLE}"}}, PLAIN),
    "endpoint": (PLAIN, PLAIN | {"endpoint": {"type": "EDGE"}}),
    "endpoint and its domain": (DOMAIN, DOMAIN | {"endpoint": {"type": "EDGE"}}),
    "endpoint and its domain back": (DOMAIN | {"endpoint": {"type": "EDGE"}}, DOMAIN),
    "domain on": (PLAIN, DOMAIN),
    "domain and its stage": (DOMAIN, DOMAIN | {
        "stageName": "v2", "domain": DOMAIN["domain"] | {"certificateArn": CERTIFICATES[1], "basePath": "v2"}}),
    "another domain": (DOMAIN, DOMAIN | {"domain": DOMAIN["domain"] | {"name": "NAME.other.example.com"}}),
    "domain off": (DOMAIN, PLAIN),
    "web ACL on": (PLAIN, PLAIN | {"webAclArn": "FIRST_ACL", "path": "v2"}),
    "another web ACL, and its stage": (PLAIN | {"webAclArn": "FIRST_ACL"}, PLAIN | {"webAclArn": "SECOND_ACL", "stageName": "v2"}),
    "web ACL off": (PLAIN | {"webAclArn": "FIRST_ACL"}, PLAIN | {"tracingEnabled": True}),
}
KMS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/faults-boundary"
GUARDED = PLAIN | {
    "accessLog": {"kmsKeyArn": KMS_KEY}, "bucket": PLAIN["bucket"] | {"kmsKeyArn": KMS_KEY},
    "role": {"permissionsBoundaryArn": BOUNDARY}}
OPEN = PLAIN | {"accessLog": {}, "bucket": PLAIN["bucket"] | {"secureTransportOnly": False}, "tags": {}}
#: The same, of what is set by a call of its own; one update has many of them.
SETTINGS = {
    "keys and boundary on": (PLAIN | {"accessLog": {"retentionInDays": 30}}, GUARDED),
    "keys, boundary, retention, CORS, policy and tags off": (
        GUARDED | {"accessLog": {"kmsKeyArn": KMS_KEY, "retentionInDays": 30},
                   "cors": {"allowOrigins": ["https://a.example", "https://b.example"]}}, OPEN),
    "authorization off, cache on": (PLAIN | {"authorization": "AWS_IAM"}, PLAIN | {"cache": {}}),
    "cache off, authorization on": (PLAIN | {"cache": {}}, PLAIN | {"authorization": "AWS_IAM"}),
}
#: The ARNs of the web ACLs that these names stand for.
WEB_ACLS: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def web_acls(aws):
    name = "ACL-" + uuid.uuid4().hex[:8]
    WEB_ACLS.update({each: make_web_acl(aws, f"{each.split('_')[0]}-{name}")["ARN"] for each in ("FIRST_ACL", "SECOND_ACL")})


@dataclass(frozen=True)
class Call:
    """The so manieth call of an operation. Not its number of all: what runs at the same time has no order."""

    operation: str
    number: int

    def inject(self, tap: Tap, fault: Fault, times: float) -> None:
        if self.number > 1:
            tap.inject(After(lambda: None), operation=self.operation, times=self.number - 1)
        tap.inject(fault, operation=self.operation, times=times)

    def __str__(self) -> str:
        return self.operation if self.number == 1 else f"{self.operation}:{self.number}"


def calls(tap: Tap) -> list[Call]:
    counts = Counter()
    found = []
    for operation in tap.operations():
        counts[operation] += 1
        found.append(Call(operation, counts[operation]))
    return found


@dataclass
class Bench:
    """A plugin behind a tap, and the resource that rows work on, one after the other."""

    aws: object
    plugin: Plugin
    tap: Tap
    inputs: dict | None = None
    work: str = ""
    #: Whether the user has given no name.
    unnamed: bool = False

    def __post_init__(self):
        self.renew()

    def renew(self) -> None:
        self.resource, self.inputs = Resource(self.plugin, f"f-{uuid.uuid4().hex[:8]}"), None
        self.name = self.resource.urn.rpartition(":")[2]
        #: The ids of all REST APIs that it has had.
        self.apis = set()

    def given(self, inputs: dict) -> dict:
        # The mount is the resource's name where none is given, and so would be every document's own.
        name = {} if self.unnamed else {"name": self.name}
        text = json.dumps(name | {"path": "data"} | inputs).replace("NAME", self.name)
        for name, arn in WEB_ACLS.items():
            text = text.replace(name, arn)
        return json.loads(text)

    def bring(self, inputs: dict, timeout: float = 0) -> None:
        """Creates or updates. What was told of half-done work is kept, as the engine does."""
        self.inputs = None
        if not self.resource.id:
            # Nothing was saved, so a name is drawn anew.
            self.resource = Resource(self.plugin, self.name)
        try:
            if self.resource.id:
                self.resource.update(self.given(inputs), timeout=timeout)
            else:
                self.resource.create(self.given(inputs), timeout=timeout)
        except grpc.RpcError as error:
            if detail := init_failed(error):
                self.resource.id, self.resource.outputs = detail.id, plain(detail.properties)
            raise
        finally:
            if "executionLog" in inputs:
                self.note()
        self.inputs = inputs

    def note(self) -> None:
        """What API Gateway does when a stage that notes something is called: it makes a log group."""
        api, logs = self.aws.client("apigateway"), self.aws.client("logs")
        if not (id_ := self.state().get("restApi", {}).get("id")):
            return
        self.apis.add(id_)
        try:
            stages = api.get_stages(restApiId=id_)["item"]
        except api.exceptions.NotFoundException:
            return
        for stage in stages:
            if stage.get("methodSettings", {}).get("*/*", {}).get("loggingLevel", "OFF") != "OFF":
                try:
                    logs.create_log_group(logGroupName=f"API-Gateway-Execution-Logs_{id_}/{stage['stageName']}")
                except logs.exceptions.ResourceAlreadyExistsException:
                    pass

    def refresh(self) -> None:
        seen = self.resource.read()
        self.resource.id, self.resource.outputs = seen.id, plain(seen.properties)
        self.resource.inputs = plain(seen.inputs)
        if not seen.id:
            # Where all is gone, it names the log groups that may be left.
            self.apis = set()

    def delete(self, timeout: float = 0) -> None:
        if self.resource.id:
            self.resource.delete(timeout=timeout)

    def start_anew(self) -> None:
        """What earlier work has left of settings is no part of what comes."""
        if self.resource.id:
            self.delete()
            self.renew()

    @property
    def base(self) -> str:
        """The name that all pieces have."""
        return self.resource.inputs.get("name", self.name)

    def account(self) -> dict:
        return there(self.aws, self.base, gone=self.apis)

    def told(self) -> str:
        """What the account has, without what differs from one resource to the next."""
        account = self.account()
        # Notes on a REST API that was replaced stay until the delete.
        ids = {id_ for kind, id_ in account if kind == "REST API"}
        old = {(kind, id_) for kind, id_ in account
               if kind == "execution log" and not any(f"_{each}/" in id_ for each in ids)}
        return told({key: says for key, says in account.items() if key not in old}, self.base).replace(self.name, "NAME")

    def state(self) -> dict:
        return bare(self.resource.outputs)["__state"] if self.resource.id else {}

    def account_for(self, unknowable: bool = False) -> list[str]:
        """What the books disagree about."""
        if unknowable and (not self.resource.id or self.state().get("cutOff")):
            return []
        account, state = self.account(), self.state()
        return self.unheard_of(account) + [
            f"only in the state: {each}" for each in recorded(state) - set(account) - going(state) if not unknowable]

    def unheard_of(self, account: dict | None = None) -> list[str]:
        """What the account has and the state does not know."""
        account = set(self.account() if account is None else account)
        return [f"not in the state: {each}" for each in account - recorded(self.state()) - noted(self.state())]

    def converged(self, inputs: dict, expected: str) -> list[str]:
        """What is not as after an undisturbed run."""
        problems = self.account_for()
        if (found := self.told()) != expected:
            lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), lineterm="", n=0)
            problems.append("the account is not as after an undisturbed run: " + "; ".join(list(lines)[2:12]))
        if self.resource.diff(self.resource.inputs).detailedDiff:
            problems.append("there is a diff")
        self.tap.reset()
        self.bring(inputs)
        if asked := self.tap.operations():
            problems.append(f"the third run called {asked}")
        return problems


@pytest.fixture(scope="module")
def given_role(aws):
    """A role that was made elsewhere."""
    aws.client("iam").create_role(RoleName=GIVEN_ROLE, AssumeRolePolicyDocument=TRUST)
    yield
    # Here, as ever.
    assert aws.client("iam").list_role_policies(RoleName=GIVEN_ROLE)["PolicyNames"] == []
    aws.client("iam").delete_role(RoleName=GIVEN_ROLE)


@pytest.fixture(scope="module")
def benches(aws, plugin, given_role):
    """A function that does all rows, at the same time on several benches, and tells what is wrong with each."""
    made, free = [], []
    lock = threading.Lock()

    def take() -> Bench:
        with lock:
            if free:
                return free.pop()
            tap = Tap(aws.url)
            provider = Plugin(plugin, endpoint=tap.url)
            made.append((tap, provider))
        provider.handshake()
        provider.configure(maxAttempts=2)
        return Bench(aws, provider, tap)

    def each(rows: dict, do: Callable) -> dict:
        def one(row):
            bench = take()
            try:
                return do(bench, row)
            finally:
                bench.tap.reset()
                with lock:
                    free.append(bench)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(rows, pool.map(one, rows.values()), strict=True))

    yield each
    for bench in free:
        wipe(aws, bench.name)
    for tap, provider in made:
        provider.stop()
        tap.stop()


@pytest.fixture(scope="module")
def matrix(pytestconfig):
    with printed(pytestconfig, FAULTS) as matrix:
        yield matrix


@dataclass
class Row:
    call: Call
    fault: str
    then: str = "again"


def rows(found: list[Call], faults: Iterable[str] = FAULTS) -> dict[str, Row]:
    return {f"{call} {fault}": Row(call, fault) for call in found for fault in faults}


def disturbed(bench: Bench, row: Row, act: Callable[[float], None], limited: bool = True) -> tuple[bool, list[str]]:
    """Does it with the row's fault; tells whether that failed, and what is wrong already. Where there is no time limit, a
    cancel ends what hangs."""
    released = threading.Event()
    fault, times = FAULTS[row.fault]
    # Each is a command of its own.
    bench.plugin.configure(maxAttempts=2)

    def hang():
        if not limited:
            bench.plugin.stub.Cancel(empty_pb2.Empty())
        released.wait(120)

    # A hanging call takes effect, and nobody hears of it; time enough to get to it, and then no more.
    fault = fault or After(hang)
    bench.tap.reset()
    row.call.inject(bench.tap, fault, times)
    try:
        act(4 if row.fault == HANG else 0)
        failed = False
    except grpc.RpcError as error:
        failed = True
        if error.code() in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL) and not init_failed(error):
            return failed, [f"{error.code()}: {error.details()}"]
    finally:
        released.set()
        if row.fault == HANG and not limited:
            bench.plugin.handshake()  # ends the cancel, as the next command does
    met = any(call.fault is fault for call in bench.tap.calls)
    bench.tap.reset()
    return failed, [] if met else ["the call did not come"]


def check(matrix, operation: str, done: dict[str, tuple[bool, list[str]]], table: dict[str, Row]) -> None:
    matrix.check({(operation, table[name].fault, name): Outcome(*came) for name, came in done.items()})


def guarded(do: Callable) -> Callable:
    """A row that breaks off is wrong, and leaves nothing for the next."""
    def guard(bench, row):
        try:
            failed, problems = do(bench, row)
        except (grpc.RpcError, AssertionError) as error:
            words = error.details() if isinstance(error, grpc.RpcError) else str(error)
            failed, problems = True, [f"broke off: {words}"]
        if problems:
            wipe(bench.aws, bench.name)
            bench.renew()
        return failed, problems
    return guard


def undisturbed(benches, old: dict | None, new: dict, unnamed: bool = False) -> tuple[list[Call], str]:
    """The calls from `old` to `new`, and what the account says afterwards."""
    def do(bench, _):
        bench.start_anew()
        bench.unnamed = unnamed
        if old is not None:
            bench.bring(old)
        bench.tap.reset()
        bench.bring(new)
        found = calls(bench.tap), bench.told()
        bench.delete()
        bench.renew()
        bench.unnamed = False
        return found
    return benches({"": None}, do)[""]


def gone(bench: Bench) -> list[str]:
    bench.delete()
    left = [f"left over: {each}" for each in bench.account()]
    bench.renew()
    return left


@pytest.mark.parametrize("unnamed", [False, True], ids=["named", "unnamed"])
def test_create(benches, matrix, unnamed):
    found, expected = undisturbed(benches, None, FULL, unnamed)
    table = rows(found)
    # What nobody knows of has to be found by a delete, too.
    table |= {f"{name}, {then}": Row(row.call, row.fault, then) for name, row in table.items()
              if row.fault in UNKNOWABLE for then in ("deleted", "refreshed") if row.fault != HANG or then == "deleted"}

    @guarded
    def do(bench, row):
        bench.start_anew()
        bench.unnamed = unnamed
        failed, problems = disturbed(bench, row, lambda timeout: bench.bring(FULL, timeout))
        problems += bench.account_for(row.fault in UNKNOWABLE)
        if not problems and row.then == "refreshed" and bench.resource.id:
            bench.refresh()
            problems += bench.account_for(unknowable=True)
        if not problems and row.then != "deleted":
            bench.bring(FULL)
            problems += bench.converged(FULL, expected)
        problems += gone(bench) if bench.resource.id else []
        bench.unnamed = False
        return failed, problems

    check(matrix, "create without a name" if unnamed else "create", benches(table, do), table)


@pytest.mark.parametrize("update", UPDATES | SETTINGS)
def test_update(benches, matrix, update):
    old, new = (UPDATES | SETTINGS)[update]
    found, expected = undisturbed(benches, old, new)
    assert found, "nothing happens"
    table = rows(found, SOME if update in SETTINGS else FAULTS)

    @guarded
    def do(bench, row):
        if bench.work != update:
            bench.start_anew()
            bench.work = update
        if bench.inputs != old:
            bench.bring(old)
        failed, problems = disturbed(bench, row, lambda timeout: bench.bring(new, timeout))
        problems += bench.account_for(row.fault in UNKNOWABLE)
        bench.bring(new)
        return failed, problems + bench.converged(new, expected)

    check(matrix, update, benches(table, do), table)


def change_by_hand(bench: Bench) -> None:
    """What an update repairs one call at a time."""
    s3, iam, api = (bench.aws.client(service) for service in ("s3", "iam", "apigateway"))
    s3.delete_public_access_block(Bucket=bench.name)
    s3.put_bucket_ownership_controls(
        Bucket=bench.name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    iam.attach_role_policy(RoleName=bench.name, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    iam.update_assume_role_policy(RoleName=bench.name, PolicyDocument=TRUST.replace("apigateway", "ec2"))
    key = bench.state()["usagePlan"]["keys"]["ann"]["id"]
    api.update_api_key(apiKey=key, patchOperations=[{"op": "replace", "path": "/name", "value": f"{bench.name}-theirs"}])


def test_repair(benches, matrix):
    """Of what somebody has changed by hand."""
    def begin(bench):
        if bench.inputs != FULL or bench.work != "repair":
            bench.start_anew()
            bench.bring(FULL)
            bench.work = "repair"
        return bench.told()

    def damage(bench):
        before = bench.told()
        change_by_hand(bench)
        assert bench.told() != before
        bench.refresh()
        bench.tap.reset()

    def undisturbed(bench, _):
        expected = begin(bench)
        damage(bench)
        bench.bring(FULL)
        assert bench.told() == expected
        return calls(bench.tap), expected

    found, expected = benches({"": None}, undisturbed)[""]
    assert len(found) >= 5, found
    table = rows(found, SOME)

    @guarded
    def do(bench, row):
        begin(bench)
        damage(bench)
        failed, problems = disturbed(bench, row, lambda timeout: bench.bring(FULL, timeout))
        if failed and row.fault == "lost":
            problems.append("one answer was lost, and it failed")
        problems += bench.account_for(row.fault in UNKNOWABLE)
        bench.bring(FULL)
        return failed, problems + bench.converged(FULL, expected)

    check(matrix, "repair", benches(table, do), table)


# Looks for what is not recorded: who may not look there has made nothing there.
TOLERATED = {"GetDomainNames", "GetStages", "GetDeployments", "GetRestApis"}


def test_refresh(benches, matrix):
    """It tells the whole, or fails; it never changes anything."""
    def begin(bench):
        if bench.inputs != WHOLE or bench.work != "refresh":
            bench.start_anew()
            bench.bring(WHOLE)
            bench.work = "refresh"
        return bench

    def undisturbed(bench, _):
        begin(bench).tap.reset()
        seen = bench.resource.read()
        assert plain(seen.properties) == bench.resource.outputs and plain(seen.inputs) == bench.resource.inputs
        return calls(bench.tap)

    found = benches({"": None}, undisturbed)[""]
    assert not [str(call) for call in found if not call.operation.startswith(("Get", "List", "Describe", "Head"))]
    table = rows(found)

    @guarded
    def do(bench, row):
        before, seen = begin(bench).told(), []
        failed, problems = disturbed(bench, row, lambda _: seen.append(bench.resource.read()), limited=False)
        for answer in seen:
            if not answer.id or plain(answer.properties) != bench.resource.outputs:
                problems.append(f"it lost something: {recorded(bench.state()) - recorded(read_state(answer))}")
        tolerated = row.fault == "denied" and row.call.operation in TOLERATED
        if failed == tolerated and row.fault in ("denied", "lost for good", HANG):
            problems.append("it failed" if failed else "it did not fail")
        bench.refresh()
        if bench.told() != before:
            problems.append("the account is not as it was")
        return failed, problems + bench.converged(WHOLE, before)

    def read_state(answer):
        return bare(plain(answer.properties)).get("__state", {})

    check(matrix, "refresh", benches(table, do), table)


def test_delete(benches, matrix):
    def begin(bench):
        bench.start_anew()
        bench.bring(WHOLE)
        bench.aws.client("s3").put_object(Bucket=bench.name, Key="a", Body=b"a")
        bench.tap.reset()
        return bench

    def undisturbed(bench, _):
        expected = begin(bench).told()
        bench.delete()
        found = calls(bench.tap)
        assert bench.account() == {}
        bench.renew()
        return found, expected

    found, expected = benches({"": None}, undisturbed)[""]
    table = rows(found)
    # The user thinks better of it, looks at what is left, and makes it whole again.
    table |= {f"{name}, made again": Row(row.call, row.fault, "made again") for name, row in table.items()
              if row.fault == "lost for good" and row.call.operation.startswith("Delete")}

    @guarded
    def do(bench, row):
        failed, problems = disturbed(begin(bench), row, bench.delete)
        if not failed:
            problems += [f"left over: {each}" for each in bench.account()]
            bench.renew()
            return failed, problems
        problems += bench.unheard_of()
        if row.then == "made again":
            bench.refresh()
            problems += bench.account_for()
            bench.bring(WHOLE)
            problems += bench.converged(WHOLE, expected)
        return failed, problems + gone(bench)

    check(matrix, "delete", benches(table, do), table)


def test_nothing_is_left(benches):
    """Rows of updates work on one resource after the other; here each goes, and leaves nothing."""
    def do(bench, _):
        return gone(bench)
    assert not any(benches({str(number): number for number in range(AT_ONCE)}, do).values())
