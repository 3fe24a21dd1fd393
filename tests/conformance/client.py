"""Requests as they go onto the wire, signed for S3 or not, and what comes back."""

import http.client
import threading
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True)
class Request:
    """What a client asks for, at one of the site's mounts."""

    kind: str
    method: str
    #: Empty for the mount path itself.
    key: str
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    #: What of the key is not percent-encoded.
    safe: str = "/~"
    mount: str = "data"
    #: What is written.
    body: bytes = b""
    #: What a write finds at the key; nothing where there is no object.
    before: bytes | None = None

    def asks_for(self, name: str) -> bool:
        """Whether it has such a header or query parameter; `name` may be the beginning of one."""
        return any(each.lower().startswith(name.lower()) for each, _ in self.headers + self.query)

    def __str__(self) -> str:
        query = f"?{encoded(self.query)}" if self.query else ""
        headers = "".join(f" {name}: {value};" for name, value in self.headers)
        found = "" if self.method in READS else " (new)" if self.before is None else " (there)"
        return f"{self.method} {self.mount}:/{quote(self.key, safe=self.safe)}{query}{found}{headers}"


READS = ("GET", "HEAD")


def encoded(query) -> str:
    return urlencode(query, quote_via=quote)


@dataclass
class Answer:
    """What comes back."""

    status: int
    headers: dict[str, str]
    body: bytes
    #: Of a write: what S3 says of the key afterwards.
    after: "Answer | None" = None

    def __getitem__(self, name: str) -> str | None:
        return self.headers.get(name.lower())


class Client:
    """Plain HTTP that changes nothing of what it is given, one connection for each thread."""

    def __init__(self, url: str, credentials: Credentials, region: str):
        self.scheme, self.host = urlsplit(url)[:2]
        self.credentials, self.region = credentials, region
        self.local = threading.local()

    def send(self, method: str, target: str, headers=(), body: bytes = b"") -> Answer:
        for last in (False, True):
            connection = getattr(self.local, "connection", None) or self._connect()
            self.local.connection = connection
            try:
                connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in dict(headers).items():
                    connection.putheader(name, value)
                if body or method == "PUT":
                    connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body or None)
                response = connection.getresponse()
                return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
            except (http.client.RemoteDisconnected, ConnectionError):
                connection.close()  # kept open for too long
                if last:
                    raise

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        return kind(self.host, timeout=60)

    def sign(self, method: str, target: str, headers, body: bytes = b"") -> dict[str, str]:
        # However the path is written, S3 checks the signature of it with all encoded but the unreserved characters.
        path, mark, query = target.partition("?")
        url = f"{self.scheme}://{self.host}{quote(unquote(path), safe='/~')}{mark}{query}"
        request = AWSRequest(method, url, dict(headers), data=body)
        S3SigV4Auth(self.credentials, "s3", self.region).add_auth(request)
        return dict(request.headers.items())

    def signed(self, method: str, target: str, headers=(), body: bytes = b"") -> Answer:
        return self.send(method, target, self.sign(method, target, headers, body), body)
