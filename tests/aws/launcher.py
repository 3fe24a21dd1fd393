"""Starts the local AWS (LocalStack) in this process, with our repairs, until SIGINT, SIGTERM or the parent's end.

AWS_PORT chooses the port (default 4566; 0 = a free one). The only line on stdout is `ready http://127.0.0.1:PORT`;
LocalStack's own output goes to stderr. All state lives in a temporary folder that is removed at the end.
"""

import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
import warnings

SERVICES = "s3,iam,sts,apigateway,logs,cloudwatch,wafv2"


def main() -> int:
    stop_with_parent()
    # LocalStack sets its handlers late: a signal before that must still end us through `finally`.
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, lambda *_: sys.exit(0))
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    folder = tempfile.mkdtemp(prefix="local-aws-")
    try:
        serve(folder, int(os.environ.get("AWS_PORT") or 4566) or free_port(), out)
        return 0
    except SystemExit as end:
        return int(end.code or 0)
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def serve(folder: str, port: int, out) -> None:
    configure(folder, port)
    if not hasattr(warnings, "deprecated"):  # LocalStack's S3 uses it; Python has it from 3.13
        from typing_extensions import deprecated

        warnings.deprecated = deprecated
    # LocalStack reads the environment when it is imported.
    import loopback
    import repairs
    from localstack.runtime import events
    from localstack.runtime.main import main as run

    loopback.apply()
    repairs.apply()

    def announce() -> None:
        events.infra_ready.wait()
        print(f"ready http://127.0.0.1:{port}", file=out)

    def leave() -> None:
        # Its server may miss a stop that comes right after its start.
        events.infra_stopping.wait()
        time.sleep(5)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    for each in (announce, leave):
        threading.Thread(target=each, daemon=True).start()
    run()


def configure(folder: str, port: int) -> None:
    """LocalStack is configured through the environment; the caller's own AWS and LocalStack settings must not count."""
    for name in ("PERSISTENCE", "DEBUG", "USE_SSL", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
        os.environ.pop(name, None)
    os.environ.update(
        GATEWAY_LISTEN=f"127.0.0.1:{port}",
        LOCALSTACK_HOST=f"127.0.0.1:{port}",
        SERVICES=SERVICES,
        EAGER_SERVICE_LOADING="0",
        # Nothing leaves this machine: no usage events, no certificate download, no name server.
        DISABLE_EVENTS="1",
        SKIP_SSL_CERT_DOWNLOAD="1",
        DNS_ADDRESS="0",
        # Both: without FILESYSTEM_ROOT all instances share, and clear, one folder inside the venv.
        FILESYSTEM_ROOT=folder,
        LOCALSTACK_VOLUME_DIR=os.path.join(folder, "volume"),
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_EC2_METADATA_DISABLED="true",
        LS_LOG=os.environ.get("LS_LOG", "warning"),
    )
    tempfile.tempdir = folder


def free_port() -> int:
    """A port below the ephemeral range: the kernel cannot give it to an outgoing connection before we listen."""
    while True:
        port = random.SystemRandom().randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def stop_with_parent() -> None:
    """An orphan would hold its port and memory for ever."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Worker threads of LocalStack may outlive its server.
    os._exit(code)
