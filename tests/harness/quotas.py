"""API Gateway's quotas of management calls, as far as the plugin meets them, for a tap to hold.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable

from . import faults

#: The lane of `CreateRestApi` for edge-optimized APIs, which have a quota of their own.
EDGE = "edge-optimized CreateRestApi"
#: Calls allowed in how many seconds. CreateRestApi is that of regional and private APIs.
QUOTAS = {
    "CreateRestApi": (1, 3), EDGE: (1, 30), "PutRestApi": (1, 1), "CreateDeployment": (1, 5), "DeleteRestApi": (1, 30),
    "GetResources": (5, 2), "CreateDomainName": (1, 30), "UpdateDomainName": (1, 30), "DeleteDomainName": (1, 30),
    "UpdateUsagePlan": (1, 20), "CreateApiKey": (5, 1), "DeleteApiKey": (5, 1),
}
TOTAL, BURST = 10, 40


class Quotas:
    """`tap.policy = Quotas(0.02)`: each second of the documentation lasts `scale` seconds."""

    def __init__(self, scale: float):
        self._buckets = {name: _Bucket(calls, calls / seconds / scale) for name, (calls, seconds) in QUOTAS.items()}
        self._total = _Bucket(BURST, TOTAL / scale)
        self._lock = threading.Lock()
        #: The lanes of the calls that were let through, and of those that were refused.
        self.passed: list[str] = []
        self.refused: list[str] = []

    def __call__(self, call) -> faults.Throttled | None:
        if call.service != "apigateway":
            return None
        name = lane(call)
        with self._lock:
            buckets = [bucket for bucket in (self._buckets.get(name), self._total) if bucket]
            if all(bucket.has_one(call.start) for bucket in buckets):
                for bucket in buckets:
                    bucket.level -= 1
                self.passed.append(name)
                return None
            self.refused.append(name)
            return faults.Throttled()


def lane(call) -> str:
    """The operation of a call, or EDGE."""
    if call.operation == "CreateRestApi":
        types = (json.loads(call.body).get("endpointConfiguration") or {}).get("types") or ["EDGE"]
        return EDGE if "EDGE" in types else call.operation
    return call.operation


def least(lanes: Iterable[str]) -> float:
    """The seconds of the documentation between the first and the last of such calls, if everything allowed is used.

    What decides is the slowest lane, or the rate of all together; and each begins with its whole burst.
    """
    counts = Counter(lanes)
    waits = [(counts.total() - BURST) / TOTAL]
    waits += [(counts[name] - calls) * seconds / calls for name, (calls, seconds) in QUOTAS.items()]
    return max(0, *waits)


class _Bucket:
    """Tokens up to `size`, `rate` new ones a second."""

    def __init__(self, size: int, rate: float):
        self.size, self.rate = size, rate
        self.level, self.since = float(size), time.monotonic()

    def has_one(self, now: float) -> bool:
        self.level = min(self.size, self.level + max(0, now - self.since) * self.rate)
        self.since = max(now, self.since)
        # Of many small steps the sum is not exact.
        return self.level >= 1 - 1e-6
