"""Which AWS operation an HTTP request is, told from botocore's service models (so that nothing is listed here)."""

import re
from functools import lru_cache
from urllib.parse import parse_qs, parse_qsl, unquote

import botocore.session

# By the name in the signature, which for some is not the name of the model.
MODELS = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}


def name(method: str, target: str, headers, body: bytes) -> tuple[str, str]:
    """(service, operation) of a request; for a call of an API's own URL `("execute-api", "GET /path")`."""
    path, _, query = target.partition("?")
    if path.startswith("/_aws/execute-api/"):
        return "execute-api", f"{method} {path}"
    signed_for = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", headers.get("authorization", ""))
    service = signed_for[1] if signed_for else parse_qs(query).get("X-Amz-Credential", ["////"])[0].split("/")[3]
    if wanted := headers.get("x-amz-target"):
        return service, wanted.rpartition(".")[2]
    if path.startswith("/service/"):  # Smithy's RPC protocols
        return service, path.rpartition("/")[2]
    form = query if "Action=" in query else body.decode("latin-1") if b"Action=" in body[:4096] else ""
    if form and service not in ("s3", "apigateway"):
        return service, parse_qs(form).get("Action", [""])[0]
    return service, _route(service, method, path, query, headers) or f"{method} {path}"


def _route(service: str, method: str, path: str, query: str, headers) -> str | None:
    given = dict(parse_qsl(query, keep_blank_values=True))
    fits = [
        (len(keys) + len(needed) + 2 * len(fixed), operation)
        for verb, pattern, fixed, keys, needed, operation in _routes(service)
        if verb == method and pattern.fullmatch(path)
        and all(given.get(key, None) == value for key, value in fixed.items())
        and all(key in given for key in keys) and all(header in headers for header in needed)
    ]
    # The one that asks for most: GET /bucket/key?uploadId=… is ListParts before it is GetObject.
    return max(fits)[1] if fits else None


@lru_cache
def _routes(service: str) -> list[tuple]:
    loader = botocore.session.Session()
    service = MODELS.get(service, service)
    if service not in loader.get_available_services():
        return []
    model = loader.get_service_model(service)
    routes = []
    for operation in model.operation_names:
        shape = model.operation_model(operation)
        uri, _, query = shape.http["requestUri"].partition("?")
        # `x-id` repeats the operation's name and not every SDK sends it.
        fixed = {key: value for key, value in parse_qsl(query, keep_blank_values=True) if key != "x-id"}
        required = {"querystring": [], "header": []}
        for member in shape.input_shape.required_members if shape.input_shape else []:
            place = shape.input_shape.members[member].serialization
            if place.get("location") in required:
                required[place["location"]].append(place["name"])
        routes.append((shape.http["method"], _pattern(uri), fixed, required["querystring"],
                       [header.lower() for header in required["header"]], operation))
    return routes


def _pattern(uri: str) -> re.Pattern:
    text = ""
    for part in re.split(r"(\{[^}]+\})", unquote(uri)):
        text += (".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part)
    return re.compile(text.rstrip("/") + "/?")
