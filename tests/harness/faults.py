"""What can go wrong with one call, for the tap to play."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field


class Refused:
    """The connection closes before AWS has seen the call: nothing happened."""


class Lost:
    """AWS did it, but the connection closes before the answer: the caller cannot know."""


@dataclass
class Answer:
    """AWS does not see the call; the caller gets this."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self, _service: str) -> "Answer":
        return self


@dataclass
class Error:
    """As Answer, an AWS error with this code, worded as the service does."""

    code: str
    status: int = 400
    message: str = "made up by the tap"

    def answer(self, service: str) -> Answer:
        if service in ("s3", "iam", "sts", "monitoring"):
            error = f"<Code>{self.code}</Code><Message>{self.message}</Message>"
            text = {
                "s3": f"<Error>{error}<RequestId>tap</RequestId></Error>",
            }.get(service, f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>tap</RequestId></ErrorResponse>")
            return Answer(self.status, text.encode(), {"Content-Type": "application/xml"})
        text = json.dumps({"__type": self.code, "message": self.message})
        return Answer(self.status, text.encode(), {"Content-Type": "application/json", "x-amzn-ErrorType": self.code})


class Throttled:
    """The service's own way to say: not so fast."""

    def answer(self, service: str) -> Answer:
        error = {
            "s3": Error("SlowDown", 503, "Please reduce your request rate."),
            "apigateway": Error("TooManyRequestsException", 429, "Too Many Requests"),
            "logs": Error("ThrottlingException", 400, "Rate exceeded"),
        }.get(service, Error("Throttling", 400, "Rate exceeded"))
        return error.answer(service)


@dataclass
class Spoilt:
    """AWS did it, but the caller gets this instead of its answer."""

    instead: Answer | Error | Throttled


@dataclass
class Before:
    """Runs something just before AWS sees the call (say, ends the caller), and lets the call pass."""

    action: Callable[[], None]


@dataclass
class Instead:
    """Runs something (say, ends the caller), and AWS never sees the call."""

    action: Callable[[], None]


@dataclass
class After:
    """Runs something when AWS has done the call, before its answer goes back."""

    action: Callable[[], None]


Fault = Refused | Lost | Answer | Error | Throttled | Spoilt | Before | Instead | After
