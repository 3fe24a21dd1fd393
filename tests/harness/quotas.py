"""API Gateway's quotas of management calls, as far as the plugin meets them, for a tap to hold.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""

import threading
import time

from . import faults

#: Calls allowed in how many seconds. CreateRestApi is that of regional and private APIs.
QUOTAS = {
    "CreateRestApi": (1, 3), "PutRestApi": (1, 1), "CreateDeployment": (1, 5), "DeleteRestApi": (1, 30),
    "GetResources": (5, 2), "UpdateUsagePlan": (1, 20), "CreateApiKey": (5, 1), "DeleteApiKey": (5, 1),
}
TOTAL, BURST = 10, 40


class Quotas:
    """`tap.policy = Quotas(0.02)`: each second of the documentation lasts `scale` seconds."""

    def __init__(self, scale: float):
        self._buckets = {name: _Bucket(calls, calls / seconds / scale) for name, (calls, seconds) in QUOTAS.items()}
        self._total = _Bucket(BURST, TOTAL / scale)
        self._lock = threading.Lock()
        #: The operations of the calls that were refused.
        self.refused: list[str] = []

    def __call__(self, call) -> faults.Throttled | None:
        if call.service != "apigateway":
            return None
        with self._lock:
            buckets = [bucket for bucket in (self._buckets.get(call.operation), self._total) if bucket]
            if all(bucket.has_one(call.start) for bucket in buckets):
                for bucket in buckets:
                    bucket.level -= 1
                return None
            self.refused.append(call.operation)
            return faults.Throttled()


class _Bucket:
    """Tokens up to `size`, `rate` new ones a second."""

    def __init__(self, size: int, rate: float):
        self.size, self.rate = size, rate
        self.level, self.since = float(size), time.monotonic()

    def has_one(self, now: float) -> bool:
        self.level = min(self.size, self.level + max(0, now - self.since) * self.rate)
        self.since = max(now, self.since)
        return self.level >= 1
