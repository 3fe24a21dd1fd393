"""The documented differences: what API Gateway, our document or the local AWS does otherwise than S3."""

from collections.abc import Callable
from dataclasses import dataclass

from .client import Answer, Request
from .reads import NOT_PASSED


@dataclass
class Difference:
    """What API Gateway or the local AWS does otherwise than S3, and which requests show it."""

    reason: str
    applies: Callable[[Request, Answer], bool]
    #: What is different then begins with one of these.
    how: tuple[str, ...]
    #: Whether it is the local AWS's own, and so no excuse on AWS.
    only_local: bool = False


#: What S3 keeps of a write that the proxy does not pass on.
NOT_KEPT = ["x-amz-meta-a", "x-amz-tagging-count", "x-amz-storage-class", "x-amz-website-redirect-location"]

FORM = "application/x-www-form-urlencoded"


def named(request: Request) -> list[tuple[str, str]]:
    """Its headers, whatever the case of their names."""
    return [(name.title(), value) for name, value in request.headers]


DIFFERENCES = {
    "a slash at the key's end": Difference(
        "API Gateway's router ignores a trailing slash, so the key arrives without it",
        lambda request, s3: request.key.endswith("/"), ("status", "stored")),
    "overrides": Difference(
        "of S3's `response-` parameters, those of type and disposition are passed on",
        lambda request, s3: any(map(request.asks_for, NOT_PASSED)),
        ("Cache-Control: ", "Content-Encoding: ", "Content-Language: ", "Expires: ")),
    "owners": Difference(
        "a list does not tell who owns the objects",
        lambda request, s3: request.asks_for("fetch-owner"), ("another list",)),
    "a list with a type": Difference(
        "below a prefix, a template joins the client's to it, and applies to JSON or no type",
        lambda request, s3: request.mount == "below" and request.asks_for("Content-Type"), ("another list",)),
    "what a write may say": Difference(
        "metadata of one's own, tags, classes and redirects are not passed on",
        lambda request, s3: request.method == "PUT", tuple(f"stored {name}: " for name in NOT_KEPT)),
    "Content-MD5": Difference(
        "API Gateway drops it; a checksum header takes its place",
        lambda request, s3: request.asks_for("Content-MD5"), ("status 400 became 200", "stored ")),
    "deletes of a version or with a condition": Difference(
        "a DELETE takes no parameters; the local S3 knows no conditions of it",
        lambda request, s3: request.method == "DELETE" and any(map(request.asks_for, ("versionId", "If-Match"))),
        ("status ", "stored status", "x-amz-delete-marker", "x-amz-version-id")),
    "dot segments": Difference(
        "the local API Gateway calls S3 with urllib3, which resolves `.` and `..` in a path",
        lambda request, s3: bool({".", ".."} & set(request.key.split("/"))), ("status", "stored"), only_local=True),
    "parameters without a value": Difference(
        "the local API Gateway leaves out a parameter whose value is empty",
        lambda request, s3: any(not value for _, value in request.query), ("status 400 became 200",), only_local=True),
    "gzip": Difference(
        "the local API Gateway calls S3 with requests, which unpacks gzip, and fails at a part of it",
        lambda request, s3: request.method == "GET" and s3["Content-Encoding"] == "gzip",
        ("another body", "status 206 became 500"), only_local=True),
    "writes of gzip": Difference(
        "the local API Gateway unpacks what says that it is gzip, and fails where it is not",
        lambda request, s3: request.method == "PUT" and ("Content-Encoding", "gzip") in named(request),
        ("status ", "stored "), only_local=True),
    "writes of forms": Difference(
        "the local API Gateway reads a form's fields, and what is none is gone",
        lambda request, s3: request.method == "PUT" and ("Content-Type", FORM) in named(request),
        ("status ", "stored ", "ETag: ", "x-amz-checksum-"), only_local=True),
    "Expires": Difference(
        "the local S3 writes the header's name in lower case, and API Gateway tells names by case",
        lambda request, s3: s3["Expires"] is not None, ("Expires: ",), only_local=True),
}


def documented(local: bool) -> dict[str, Difference]:
    return {name: known for name, known in DIFFERENCES.items() if local or not known.only_local}


def explained(request: Request, s3: Answer, different: list[str], local: bool) -> set[str] | None:
    """The names of the documented differences that make up all of it, if they do."""
    names = set()
    for what in different:
        why = {name for name, known in documented(local).items()
               if known.applies(request, s3) and what.startswith(known.how)}
        if not why:
            return None
        names |= why
    return names
