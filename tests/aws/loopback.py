"""LocalStack's server on 127.0.0.1 only: its own one listens on every interface and survives a port that is taken."""

from localstack.runtime.server.twisted import TwistedRuntimeServer
from rolo.serving.twisted import TwistedGateway
from twisted.internet import reactor


def apply() -> None:
    TwistedRuntimeServer.register = register


def register(_server, gateway, listen, _ssl_creds=None) -> None:
    for address in listen:
        reactor.listenTCP(address.port, TwistedGateway(gateway), interface=address.host)
