"""Each example, just as it is in examples/, through the real engine: what a newcomer copies works."""

import random

import pytest
import requests

from harness import packages
from harness.aws import ACCOUNT, REGION

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


CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
LANGUAGES = ("python", "typescript", "yaml")


@pytest.fixture
def run(stack, aws, tmp_path):
    """A function that runs an example up and gives its outputs; everything it made goes at the end."""
    before, made = aws.inventory(), []

    def up(name: str, language: str, **config: str) -> dict:
        env = packages.install_wheel(tmp_path / "wheel") if language == "python" else {}
        made.append(stack(packages.example(f"{name}/{language}"), env=env))
        if language == "typescript":
            packages.install_npm_package(made[-1].program_folder)
        for key, value in config.items():
            made[-1].set_config(key, value)
        result = made[-1].up()
        assert result.changes == {"create": 2} and result.messages("error") == []
        assert made[-1].up().changes == {"same": 2}
        return made[-1].outputs()

    yield up
    assert made[-1].destroy().changes == {"delete": 2}
    assert aws.inventory() == before, "something is left"


@pytest.fixture
def put(aws):
    """A function that puts an object into a bucket; it goes before the bucket does."""
    s3, made = aws.client("s3"), []

    def put(bucket: str, key: str, **fields) -> None:
        s3.put_object(Bucket=bucket, Key=key, **fields)
        made.append((bucket, key))

    yield put
    for bucket, key in made:
        for version in s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", []):
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_private_dataset(language, run, put):
    outputs = run("private-dataset", language)
    put(outputs["bucket"], KEY, Body=CONTENT)
    assert sorted(outputs["keys"]) == ["alice", "lab-7"]
    assert requests.get(f"{outputs['url']}/{KEY}", timeout=30).status_code == 403
    for key in outputs["keys"].values():
        answer = requests.get(f"{outputs['url']}/{KEY}", headers={"x-api-key": key}, timeout=30)
        assert (answer.status_code, answer.content) == (200, CONTENT)


def methods(aws, rest_api_id: str) -> dict[str, dict[str, str]]:
    """Who may call what: by path and method the authorization."""
    found = aws.client("apigateway").get_resources(restApiId=rest_api_id, embed=["methods"], limit=500)["items"]
    offered = {resource["path"]: resource["resourceMethods"] for resource in found if "resourceMethods" in resource}
    return {path: {verb: method["authorizationType"] for verb, method in methods.items()}
            for path, methods in offered.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_internal(language, run, aws):
    outputs = run("internal", language, vpcEndpointId="vpce-0a1b2c3d4e5f67890")
    assert outputs["url"].endswith("/prod/v1/models")
    [arn] = {value for name, value in outputs.items() if name != "url"}
    api = aws.client("apigateway").get_rest_api(restApiId=arn.rpartition(":")[2])
    assert api["endpointConfiguration"]["types"] == ["PRIVATE"]
    assert api["endpointConfiguration"]["vpcEndpointIds"] == ["vpce-0a1b2c3d4e5f67890"]
    assert "vpce-0a1b2c3d4e5f67890" in api["policy"]
    assert methods(aws, api["id"]) == {
        # Lists and uploads besides reads, all of them signed; what is not offered is refused whoever asks.
        "/v1/models": {"GET": "AWS_IAM", "ANY": "NONE"},
        "/v1/models/{key+}": {"GET": "AWS_IAM", "HEAD": "AWS_IAM", "PUT": "AWS_IAM", "ANY": "NONE"},
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_website(language, run, put, aws):
    domain = f"{language}.example.com"
    outputs = run("website", language, domainName=domain, certificateArn=CERTIFICATE)
    assert outputs["url"] == f"https://{domain}"
    [target] = [value for name, value in outputs.items() if name not in ("url", "bucket")]
    assert {"d-local.execute-api.us-east-1.amazonaws.com", "ZREGIONAL"} == set(target.values())
    api = aws.client("apigateway")
    made = api.get_domain_name(domainName=domain)
    assert (made["regionalCertificateArn"], made["endpointConfiguration"]["types"]) == (CERTIFICATE, ["REGIONAL"])
    [mapping] = api.get_base_path_mappings(domainName=domain)["items"]
    assert (mapping["basePath"], mapping["stage"]) == ("(none)", "prod")
    assert api.get_rest_api(restApiId=mapping["restApiId"])["disableExecuteApiEndpoint"] is True

    # Nobody resolves the name here, and the local AWS goes on to answer at the URL that is switched off.
    url = aws.invoke_url(mapping["restApiId"], mapping["stage"])
    put(outputs["bucket"], "index.html", Body=b"<h1>data</h1>", ContentType="text/html")
    put(outputs["bucket"], KEY, Body=CONTENT)
    page = requests.get(f"{url}/", timeout=30)
    assert (page.status_code, page.text, page.headers["Content-Type"]) == (200, "<h1>data</h1>", "text/html")
    data = requests.get(f"{url}/{KEY}", headers={"Origin": "https://viewer.example"}, timeout=30)
    assert (data.status_code, data.content) == (200, CONTENT)
    assert data.headers["Access-Control-Allow-Origin"] == "https://viewer.example"
