"""The second command of the create measurement: a proxy made resource by resource, as programs with one resource for
each AWS object make it. One GET method with two answers, so less than ours: HEAD and the other answers are left out.
"""

import json
from dataclasses import dataclass, field

from harness.aws import ACCOUNT, REGION, client


@dataclass
class Proxy:
    """What the calls tell each other."""

    url: str
    name: str
    ids: dict[str, str] = field(default_factory=dict)

    def call(self, service: str, operation: str, **arguments):
        return getattr(client(service, self.url), operation)(**arguments)

    def gateway(self, operation: str, **arguments):
        return self.call("apigateway", operation, restApiId=self.ids["api"], **arguments)

    def method(self, operation: str, **arguments):
        return self.gateway(operation, resourceId=self.ids["key"], httpMethod="GET", **arguments)

    @property
    def bucket_arn(self) -> str:
        return f"arn:aws:s3:::{self.name}"

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.name}"

    def policy(self, **statement) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create_bucket(proxy: Proxy) -> None:
    proxy.call("s3", "create_bucket", Bucket=proxy.name)


def put_bucket_policy(proxy: Proxy) -> None:
    proxy.call("s3", "put_bucket_policy", Bucket=proxy.name, Policy=proxy.policy(
        Effect="Deny", Principal="*", Action="s3:*", Resource=[proxy.bucket_arn, f"{proxy.bucket_arn}/*"],
        Condition={"Bool": {"aws:SecureTransport": "false"}},
    ))


def create_role(proxy: Proxy) -> None:
    proxy.call("iam", "create_role", RoleName=proxy.name, AssumeRolePolicyDocument=proxy.policy(
        Effect="Allow", Principal={"Service": "apigateway.amazonaws.com"}, Action="sts:AssumeRole",
    ))


def put_role_policy(proxy: Proxy) -> None:
    proxy.call("iam", "put_role_policy", RoleName=proxy.name, PolicyName="read", PolicyDocument=proxy.policy(
        Effect="Allow", Action="s3:GetObject", Resource=f"{proxy.bucket_arn}/*",
    ))


def create_rest_api(proxy: Proxy) -> None:
    proxy.ids["api"] = proxy.call("apigateway", "create_rest_api", name=proxy.name,
                                  endpointConfiguration={"types": ["REGIONAL"]})["id"]


def get_resources(proxy: Proxy) -> None:
    items = proxy.gateway("get_resources")["items"]
    proxy.ids["root"] = next(item["id"] for item in items if item["path"] == "/")


def create_mount(proxy: Proxy) -> None:
    made = proxy.gateway("create_resource", parentId=proxy.ids["root"], pathPart="ai-data-repository")
    proxy.ids["mount"] = made["id"]


def create_key(proxy: Proxy) -> None:
    proxy.ids["key"] = proxy.gateway("create_resource", parentId=proxy.ids["mount"], pathPart="{key+}")["id"]


def put_method(proxy: Proxy) -> None:
    proxy.method("put_method", authorizationType="NONE", requestParameters={"method.request.path.key": True})


def put_integration(proxy: Proxy) -> None:
    proxy.method(
        "put_integration", type="AWS", integrationHttpMethod="GET", credentials=proxy.role_arn,
        uri=f"arn:aws:apigateway:{REGION}:s3:path/{proxy.name}/{{key}}",
        requestParameters={"integration.request.path.key": "method.request.path.key"},
    )


def put_method_response(status: str):
    return lambda proxy: proxy.method("put_method_response", statusCode=status)


def put_integration_response(status: str, pattern: dict[str, str]):
    return lambda proxy: proxy.method("put_integration_response", statusCode=status, **pattern)


def create_deployment(proxy: Proxy) -> None:
    proxy.ids["deployment"] = proxy.gateway("create_deployment")["id"]


def create_stage(proxy: Proxy) -> None:
    proxy.gateway("create_stage", stageName="prod", deploymentId=proxy.ids["deployment"])


#: Each call, what it does, and the calls whose answers or effects it needs.
CALLS = [
    ("CreateBucket", create_bucket, []),
    ("PutBucketPolicy", put_bucket_policy, ["CreateBucket"]),
    ("CreateRole", create_role, []),
    ("PutRolePolicy", put_role_policy, ["CreateRole"]),
    ("CreateRestApi", create_rest_api, []),
    ("GetResources for the root's id", get_resources, ["CreateRestApi"]),
    ("CreateResource /ai-data-repository", create_mount, ["GetResources for the root's id"]),
    ("CreateResource /{key+}", create_key, ["CreateResource /ai-data-repository"]),
    ("PutMethod GET", put_method, ["CreateResource /{key+}"]),
    ("PutIntegration", put_integration, ["PutMethod GET", "CreateRole"]),
    ("PutMethodResponse 200", put_method_response("200"), ["PutMethod GET"]),
    ("PutIntegrationResponse 200", put_integration_response("200", {}), ["PutMethodResponse 200", "PutIntegration"]),
    ("PutMethodResponse 404", put_method_response("404"), ["PutMethod GET"]),
    ("PutIntegrationResponse 404", put_integration_response("404", {"selectionPattern": "404"}),
     ["PutMethodResponse 404", "PutIntegration"]),
    ("CreateDeployment", create_deployment, ["PutIntegrationResponse 200", "PutIntegrationResponse 404"]),
    ("CreateStage", create_stage, ["CreateDeployment"]),
]


def create(proxy: Proxy) -> None:
    for _, call, _ in CALLS:
        call(proxy)


def delete(proxy: Proxy) -> None:
    proxy.gateway("delete_rest_api")
    proxy.call("iam", "delete_role_policy", RoleName=proxy.name, PolicyName="read")
    proxy.call("iam", "delete_role", RoleName=proxy.name)
    proxy.call("s3", "delete_bucket", Bucket=proxy.name)


def least_chain() -> int:
    """The longest chain if all that can be done at once were."""
    length: dict[str, int] = {}
    for name, _, needs in CALLS:
        length[name] = 1 + max((length[need] for need in needs), default=0)
    return max(length.values())
