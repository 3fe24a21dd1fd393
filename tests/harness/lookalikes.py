"""Things in the account that have a resource's names and are not its own: nobody may touch them."""

from contextlib import contextmanager
from dataclasses import dataclass, field

from .aws import ACCOUNT, REGION

#: What marks something as another resource's.
THEIRS = {"s3dataproxy:owner": f"prod::theirs::s3dataproxy:index:S3DataProxy::data@{REGION}@00000001"}
TRUST = '{"Version":"2012-10-17","Statement":[]}'


@dataclass
class Lookalikes:
    """`plant(…)`; `seen()` tells what they are; `remove()` takes them away."""

    aws: object
    name: str
    ids: dict[str, list[str]] = field(default_factory=lambda: {"API": [], "plan": [], "key": []})
    kinds: list[str] = field(default_factory=list)

    def plant_beside(self) -> None:
        """What may have a name that is taken: REST APIs, usage plans and API keys, without an owner and with another."""
        api = self.aws.client("apigateway")
        for tags in ({}, THEIRS):
            made = api.create_rest_api(name=self.name, tags=tags)["id"]
            root = api.get_resources(restApiId=made)["items"][0]["id"]
            api.put_method(restApiId=made, resourceId=root, httpMethod="GET", authorizationType="NONE")
            api.put_integration(restApiId=made, resourceId=root, httpMethod="GET", type="MOCK")
            api.create_deployment(restApiId=made, stageName="prod", description="theirs")
            self.ids["API"].append(made)
            self.ids["plan"].append(api.create_usage_plan(
                name=self.name, tags=tags, apiStages=[{"apiId": made, "stage": "prod"}])["id"])
            key = api.create_api_key(name=f"{self.name}-ann", tags=tags, enabled=True)["id"]
            api.create_usage_plan_key(usagePlanId=self.ids["plan"][-1], keyId=key, keyType="API_KEY")
            self.ids["key"].append(key)

    def plant_in_the_way(self, kind: str, owned: bool) -> None:
        """What has a name that only one can have; `owned`: by somebody else, not by nobody."""
        tags = THEIRS if owned else {}
        match kind:
            case "bucket":
                s3 = self.aws.client("s3")
                s3.create_bucket(Bucket=self.name)
                s3.put_object(Bucket=self.name, Key="theirs", Body=b"theirs")
                if tags:
                    s3.put_bucket_tagging(Bucket=self.name, Tagging={
                        "TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]})
            case "role":
                self.aws.client("iam").create_role(RoleName=self.name, AssumeRolePolicyDocument=TRUST, Tags=[
                    {"Key": key, "Value": value} for key, value in tags.items()])
            case "log group":
                self.aws.client("logs").create_log_group(logGroupName=self.group, tags=tags)
        self.kinds.append(kind)

    @property
    def group(self) -> str:
        return f"/aws/apigateway/{self.name}"

    def seen(self) -> dict:
        """Everything that AWS says of them."""
        s3, iam, logs = (self.aws.client(service) for service in ("s3", "iam", "logs"))
        api = self.aws.client("apigateway")
        found = {}
        for id_ in self.ids["API"]:
            found["API", id_] = [api.get_rest_api(restApiId=id_), api.get_stages(restApiId=id_),
                                 api.get_deployments(restApiId=id_),
                                 api.get_resources(restApiId=id_, embed=["methods"])]
        for id_ in self.ids["plan"]:
            found["plan", id_] = [api.get_usage_plan(usagePlanId=id_), api.get_usage_plan_keys(usagePlanId=id_)]
        for id_ in self.ids["key"]:
            found["key", id_] = [api.get_api_key(apiKey=id_, includeValue=True)]
        if "bucket" in self.kinds:
            found["bucket"] = [s3.list_objects_v2(Bucket=self.name)["Contents"], _or_code(s3.get_bucket_tagging, self.name),
                               _or_code(s3.get_bucket_policy, self.name), s3.get_bucket_versioning(Bucket=self.name)]
        if "role" in self.kinds:
            found["role"] = [iam.get_role(RoleName=self.name)["Role"], iam.list_role_policies(RoleName=self.name)]
        if "log group" in self.kinds:
            arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.group}"
            groups = logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"]
            found["log group"] = [groups, logs.list_tags_for_resource(resourceArn=arn)]
        return {key: [_without_request(each) for each in says] for key, says in found.items()}

    def remove(self) -> None:
        api = self.aws.client("apigateway")
        for id_ in self.ids["key"]:
            api.delete_api_key(apiKey=id_)
        for id_, rest_api in zip(self.ids["plan"], self.ids["API"], strict=True):
            api.update_usage_plan(usagePlanId=id_, patchOperations=[
                {"op": "remove", "path": "/apiStages", "value": f"{rest_api}:prod"}])
            api.delete_usage_plan(usagePlanId=id_)
        for id_ in self.ids["API"]:
            api.delete_rest_api(restApiId=id_)
        if "bucket" in self.kinds:
            self.aws.client("s3").delete_object(Bucket=self.name, Key="theirs")
            self.aws.client("s3").delete_bucket(Bucket=self.name)
        if "role" in self.kinds:
            self.aws.client("iam").delete_role(RoleName=self.name)
        if "log group" in self.kinds:
            self.aws.client("logs").delete_log_group(logGroupName=self.group)


@contextmanager
def untouched(lookalikes: Lookalikes):
    """Checks at the end that they are as they were."""
    before = lookalikes.seen()
    yield
    assert lookalikes.seen() == before, "what is not ours was touched"


def _or_code(call, bucket: str):
    try:
        return call(Bucket=bucket)
    except call.__self__.exceptions.ClientError as error:
        return error.response["Error"]["Code"]


def _without_request(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"} if isinstance(answer, dict) else answer
