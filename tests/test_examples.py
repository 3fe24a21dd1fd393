"""Each example, just as it is in examples/, through the real engine: what a newcomer copies works."""

import random

import pytest
import requests

from harness import packages

# Every byte value, and nothing that is valid text.
CONTENT = bytes(range(256)) + random.Random(1).randbytes(300_000)
KEY = "models/first model.bin"


@pytest.fixture(scope="module", autouse=True)
def dist(plugin):
    packages.build(plugin)


@pytest.mark.parametrize(
    ("language", "output"), [("python", "invoke_url"), ("typescript", "invokeUrl"), ("yaml", "invokeUrl")]
)
def test_example(language, output, stack, aws, tmp_path):
    before = aws.inventory()
    env = packages.install_wheel(tmp_path / "wheel") if language == "python" else {}
    made = stack(packages.example(language), env=env)
    if language == "typescript":
        packages.install_npm_package(made.program_folder)

    assert made.preview().changes == {"create": 2}
    assert aws.inventory() == before, "the preview made something"
    assert made.up().changes == {"create": 2}

    assert list(made.outputs()) == [output]
    url = made.outputs()[output]
    assert url.endswith("/prod/ai-data-repository")
    s3 = aws.client("s3")
    [bucket] = set(aws.inventory()["buckets"]) - set(before["buckets"])
    s3.put_object(Bucket=bucket, Key=KEY, Body=CONTENT)
    answer = requests.get(f"{url}/{KEY}", timeout=30)
    assert (answer.status_code, answer.content) == (200, CONTENT)

    assert made.up().changes == {"same": 2}
    s3.delete_object(Bucket=bucket, Key=KEY)
    assert made.destroy().changes == {"delete": 2}
    assert aws.inventory() == before, "something is left"
