"""Callers that API Gateway refuses, and those that ask too much."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .place import BODY, Place, Row, code

CLIENT, QUOTA = "live", 40
INPUTS = {
    "authorization": "AWS_IAM", "apiKeys": [CLIENT], "quota": {"limit": QUOTA, "period": "DAY"},
    "throttle": {"rateLimit": 5, "burstLimit": 5}, "bucket": {"forceDestroy": True},
}


def ask(place: Place, credentials: Credentials | None, key: str | None) -> requests.Response:
    request = AWSRequest("GET", f"{place.url}/there.bin", {"x-api-key": key} if key else {})
    if credentials:
        SigV4Auth(credentials, "execute-api", place.account.region).add_auth(request)
    return requests.get(request.url, headers=dict(request.headers), timeout=60)


def api_key(place: Place) -> str:
    id_ = place.outputs["apiKeyIds"][CLIENT]
    return place.account.client("apigateway").get_api_key(apiKey=id_, includeValue=True)["value"]


def refused(place: Place) -> Iterator[Row]:
    """The credentials have to be allowed `execute-api:Invoke`."""
    place.put("there.bin", BODY)
    right, key = place.account.credentials, api_key(place)
    wrong = Credentials(right.access_key, "w" * 40, right.token)
    for name, credentials, sent, expected in [
        ("without a signature", None, key, (403, "MissingAuthentication")),
        ("with a wrong signature", wrong, key, (403, "INVALID_SIGNATURE")),
        ("signed, without an API key", right, None, (403, "InvalidApiKey")),
        ("signed, with an API key that is nobody's", right, "n" * 40, (403, "InvalidApiKey")),
        ("signed, with an API key", right, key, (200, None)),
    ]:
        answer = ask(place, credentials, sent)
        yield Row(f"a caller {name}", expected, (answer.status_code, code(answer)))
        sleep(place.account.pause)  # not to be throttled


def throttled(place: Place) -> Iterator[Row]:
    signed, key = place.account.credentials, api_key(place)
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda _: ask(place, signed, key), range(100)))
    seen = Counter((answer.status_code, code(answer)) for answer in answers)
    yield Row("100 requests at once, of 5 a second: some are throttled", True, (429, "Throttled") in seen)
    yield Row("the answers to them", None, dict(seen), only_told=True)
    for _ in range(QUOTA + 10):
        answer = ask(place, signed, key)
        if code(answer) == "QuotaExceeded":
            break
        sleep(place.account.pause / 4)
    yield Row("a quota that is used up", (429, "QuotaExceeded"), (answer.status_code, code(answer)))


ALL = [refused, throttled]
