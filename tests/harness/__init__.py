"""What tests, demo and benchmark share: a local AWS, a tap before it, the real engine, and the plugin by itself."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"

# Whoever runs the tests may have an AWS account set up; nothing here, nor what it starts, may ever find it.
for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ.update(
    AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_EC2_METADATA_DISABLED="true",
    # Everything here talks to 127.0.0.1; a proxy of the machine's has no part in it.
    NO_PROXY="127.0.0.1,localhost", no_proxy="127.0.0.1,localhost",
)
