"""An HTTP proxy before the local AWS that keeps a record of every call, can slow calls down and can make them fail.

Method, target (with its percent-encoding), headers in their order and case, and bodies pass as they came.
"""

import http.client
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from . import faults, operations

# Of one connection only; never passed on.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect"}
BLOCK = 1 << 16


@dataclass
class Call:
    """One call as it went by. `number` counts management calls from 1; calls of an API's own URL have 0."""

    number: int
    service: str
    operation: str
    method: str
    target: str
    headers: dict[str, str]
    #: The first block of a management call's body.
    body: bytes
    start: float
    end: float = math.nan
    status: int | None = None  # None: the caller got no answer
    fault: faults.Fault | None = None

    def __str__(self) -> str:
        return f"{self.number:3} {self.service}:{self.operation} {self.status}"


@dataclass
class _Plan:
    fault: faults.Fault
    call: int | None
    operation: str | None
    times: float


class Tap:
    """`with Tap(aws.url) as tap:`; give `tap.url` to the program under test as AWS_ENDPOINT_URL."""

    def __init__(self, upstream: str):
        self.upstream = urlsplit(upstream).netloc
        self.calls: list[Call] = []
        #: Seconds each management call waits before AWS sees it, or a function of the call that tells them.
        self.delay: float | Callable[[Call], float] = 0
        #: Asked at each management call for a fault where none is injected.
        self.policy: Callable[[Call], faults.Fault | None] = lambda call: None
        self._plans: list[_Plan] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.tap = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def inject(self, fault: faults.Fault, *, call: int | None = None, operation: str | None = None,
               times: float = 1) -> None:
        """Plays `fault` on call number `call`, or on the next call of `operation`.

        `times` counts the calls of the same operation from there on (an SDK's retries are calls too); `math.inf` is all.
        """
        if (call is None) == (operation is None):
            raise ValueError("either a call's number or an operation")
        with self._lock:
            self._plans.append(_Plan(fault, call, operation, times))

    def reset(self) -> None:
        """Forgets calls, faults and delay; the next call is number 1."""
        with self._lock:
            self.calls, self._plans, self.delay = [], [], 0
            self._numbers = itertools.count(1)

    def operations(self, service: str | None = None) -> list[str]:
        """The names of the management calls so far, in the order they came."""
        return [call.operation for call in list(self.calls)
                if call.service != "execute-api" and service in (None, call.service)]

    def writes(self) -> list[str]:
        """The same, besides look-ups."""
        return [operation for operation in self.operations() if not operation.startswith(("Get", "List", "Describe"))]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _begin(self, method: str, target: str, headers, first: bytes) -> Call:
        lower = {key.lower(): value for key, value in headers.items()}
        service, operation = operations.name(method, target, lower, first)
        with self._lock:
            number = 0 if service == "execute-api" else next(self._numbers)
            body = first if number else b""
            call = Call(number, service, operation, method, target, lower, body, time.monotonic())
            call.fault = self._fault(call)
            self.calls.append(call)
            return call

    def _fault(self, call: Call) -> faults.Fault | None:
        for plan in self._plans:
            if call.number and plan.call == call.number:
                plan.call, plan.operation = None, call.operation
            if plan.call is None and plan.operation == call.operation and plan.times > 0:
                plan.times -= 1
                return plan.fault
        return self.policy(call) if call.number else None

    def _wait(self, call: Call) -> None:
        delay = self.delay(call) if callable(self.delay) else self.delay
        if call.number and delay:
            time.sleep(delay)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    tap: Tap

    def handle_error(self, *_):
        pass  # callers that go away are part of the tests


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream: http.client.HTTPConnection | None = None

    def log_message(self, *_):
        pass

    def parse_request(self) -> bool:
        ok = super().parse_request()
        if ok:
            # Not self.path: the base class takes leading slashes together.
            self.target = self.requestline.split(" ", 2)[1]
        return ok

    def relay(self) -> None:
        tap: Tap = self.server.tap
        blocks = self._request_body()
        first = next(blocks, b"")
        call = tap._begin(self.command, self.target, self.headers, first)
        try:
            self._play(tap, call, first, blocks)
        finally:
            call.end = time.monotonic()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = relay

    def _play(self, tap: Tap, call: Call, first: bytes, blocks: Iterator[bytes]) -> None:
        tap._wait(call)
        match call.fault:
            case faults.Refused():
                self._hang_up()
            case faults.Answer() | faults.Error() | faults.Throttled():
                for _ in blocks:
                    pass  # the next request starts behind this one's body
                self._answer(call, call.fault.answer(call.service))
            case faults.Before():
                call.fault.action()
                self._respond(call, self._forward(first, blocks))
            case faults.Instead():
                call.fault.action()
                self._hang_up()
            case faults.Lost():
                self._forward(first, blocks).read()
                self._hang_up()
            case faults.Spoilt():
                self._forward(first, blocks).read()
                self._answer(call, call.fault.instead.answer(call.service))
            case faults.After():
                response = self._forward(first, blocks)
                call.fault.action()
                self._respond(call, response)
            case _:
                self._respond(call, self._forward(first, blocks))

    @staticmethod
    def _note(call: Call, status: int) -> None:
        # The end comes later; but a caller that has its answer must find its call complete.
        call.status, call.end = status, time.monotonic()

    def _hang_up(self) -> None:
        self.close_connection = True

    def _request_body(self) -> Iterator[bytes]:
        """The body's blocks; for a chunked one its chunks, without their framing."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # trailers
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            block = self.rfile.read(min(BLOCK, left))
            if not block:
                raise ConnectionError("the caller stopped in the middle of a body")
            left -= len(block)
            yield block

    def _forward(self, first: bytes, blocks: Iterator[bytes]) -> http.client.HTTPResponse:
        # A connection for each call: one kept open may be closed by the other side just then.
        self._drop_upstream()
        self.upstream = http.client.HTTPConnection(self.server.tap.upstream, timeout=300)
        self.upstream.putrequest(self.command, self.target, skip_host=True, skip_accept_encoding=True)
        for key, value in self.headers.items():
            if key.lower() not in HOP_BY_HOP:
                self.upstream.putheader(key, value)
        self.upstream.endheaders()
        chunked = "Transfer-Encoding" in self.headers
        for block in itertools.chain([first] if first else [], blocks):
            self.upstream.send(_chunk(block) if chunked else block)
        if chunked:
            self.upstream.send(_chunk(b""))
        return self.upstream.getresponse()

    def _respond(self, call: Call, response: http.client.HTTPResponse) -> None:
        self._note(call, response.status)
        self.send_response_only(response.status, response.reason)
        for key, value in response.getheaders():
            if key.lower() not in HOP_BY_HOP | {"transfer-encoding"}:
                self.send_header(key, value)
        bodyless = self.command == "HEAD" or response.status in (204, 304)
        chunked = not bodyless and response.getheader("Content-Length") is None
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while block := response.read1(BLOCK):
            self.wfile.write(_chunk(block) if chunked else block)
        if chunked:
            self.wfile.write(_chunk(b""))

    def _answer(self, call: Call, answer: faults.Answer) -> None:
        self._note(call, answer.status)
        self.send_response_only(answer.status)
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _drop_upstream(self) -> None:
        if self.upstream:
            self.upstream.close()

    def finish(self) -> None:
        self._drop_upstream()
        super().finish()


def _chunk(block: bytes) -> bytes:
    """A chunk of HTTP's chunked encoding; an empty one is the end."""
    return b"%x\r\n%b\r\n" % (len(block), block)
