"""Things in the account that have a resource's names and are not its own: nobody may touch them."""

from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from .aws import ACCOUNT, REGION

OWNER = "s3dataproxy:owner"
TRUST = '{"Version":"2012-10-17","Statement":[]}'
#: The stage that somebody has made on a resource's own REST API.
STAGE = "theirs"


def owners(name: str) -> dict[str, dict[str, str]]:
    """The tags of those whose things may have the name of the resource `name`, and are not its own."""
    resource = f"test::test::s3dataproxy:index:S3DataProxy::{name}"
    return {
        "nobody's": {},
        "another's": {OWNER: f"prod::theirs::s3dataproxy:index:S3DataProxy::data@{REGION}@00000001"},
        "another Region's": {OWNER: f"{resource}@us-west-2@00000001"},
        "another life's": {OWNER: f"{resource}@{REGION}@00000001"},
    }


@dataclass
class Lookalikes:
    """`plant_…(…)`; `seen()` tells what they are; `remove()` takes them away."""

    aws: object
    name: str
    ids: dict[str, list[str]] = field(default_factory=lambda: {"API": [], "plan": [], "key": []})
    kinds: list[str] = field(default_factory=list)
    #: The REST API of the resource's own on which somebody has a stage, and the deployment that it serves.
    upon: tuple[str, str] | None = None
    #: Whether somebody's domain name leads to that stage.
    mapped: bool = False

    def plant_beside(self, *whose: str) -> None:
        """What may have a name that is taken: REST APIs that are live, usage plans and API keys."""
        api = self.aws.client("apigateway")
        for owner in whose:
            tags = owners(self.name)[owner]
            note = f"made by s3dataproxy for {tags[OWNER]}" if tags else "theirs"
            made = api.create_rest_api(name=self.name, tags=tags)["id"]
            root = api.get_resources(restApiId=made)["items"][0]["id"]
            api.put_method(restApiId=made, resourceId=root, httpMethod="GET", authorizationType="NONE")
            api.put_integration(restApiId=made, resourceId=root, httpMethod="GET", type="MOCK")
            api.create_deployment(restApiId=made, stageName="prod", description=note, stageDescription=note)
            self.ids["API"].append(made)
            self.ids["plan"].append(api.create_usage_plan(
                name=self.name, tags=tags, apiStages=[{"apiId": made, "stage": "prod"}])["id"])
            key = api.create_api_key(name=f"{self.name}-ann", tags=tags, enabled=True)["id"]
            api.create_usage_plan_key(usagePlanId=self.ids["plan"][-1], keyId=key, keyType="API_KEY")
            self.ids["key"].append(key)

    def plant_in_the_way(self, kind: str, owner: str) -> None:
        """What has a name that only one can have."""
        tags = owners(self.name)[owner]
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
            case "domain name":
                self.aws.client("apigateway").create_domain_name(domainName=self.domain, tags=tags)
        self.kinds.append(kind)

    def plant_upon(self, rest_api: str, deployment: str, mapped: bool) -> None:
        """What somebody puts on the resource's own REST API: a stage for its deployment, and a domain name that leads there."""
        api = self.aws.client("apigateway")
        api.create_stage(restApiId=rest_api, stageName=STAGE, deploymentId=deployment, description="theirs")
        self.upon = rest_api, deployment
        if mapped:
            api.create_domain_name(domainName=self.their_domain)
            api.create_base_path_mapping(domainName=self.their_domain, restApiId=rest_api, stage=STAGE)
            self.mapped = True

    def unmap(self) -> None:
        """Somebody's domain name goes."""
        self.aws.client("apigateway").delete_domain_name(domainName=self.their_domain)
        self.mapped = False

    @property
    def domain(self) -> str:
        return f"{self.name}.example.com"

    @property
    def their_domain(self) -> str:
        return f"theirs-{self.name}.example.com"

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
            found["bucket"] = [s3.list_objects_v2(Bucket=self.name)["Contents"], s3.get_bucket_versioning(Bucket=self.name),
                               _or_code(s3.get_bucket_tagging, Bucket=self.name),
                               _or_code(s3.get_bucket_policy, Bucket=self.name)]
        if "role" in self.kinds:
            found["role"] = [iam.get_role(RoleName=self.name)["Role"], iam.list_role_policies(RoleName=self.name)]
        if "log group" in self.kinds:
            arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.group}"
            groups = logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"]
            found["log group"] = [groups, logs.list_tags_for_resource(resourceArn=arn)]
        if "domain name" in self.kinds:
            found["domain name"] = self._domain_name(self.domain)
        if self.upon:
            rest_api, deployment = self.upon
            found["upon"] = [_or_code(api.get_stage, restApiId=rest_api, stageName=STAGE),
                             _or_code(api.get_deployment, restApiId=rest_api, deploymentId=deployment)]
        if self.mapped:
            found["mapped"] = self._domain_name(self.their_domain)
        return {key: [_without_request(each) for each in says] for key, says in found.items()}

    def _domain_name(self, name: str) -> list:
        api = self.aws.client("apigateway")
        return [_or_code(api.get_domain_name, domainName=name), _or_code(api.get_base_path_mappings, domainName=name)]

    def remove(self) -> None:
        api = self.aws.client("apigateway")
        if self.mapped:
            self.unmap()
        if self.upon:
            _or_code(api.delete_stage, restApiId=self.upon[0], stageName=STAGE)
            self.upon = None
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
        if "domain name" in self.kinds:
            api.delete_domain_name(domainName=self.domain)


def _or_code(call, **arguments):
    """The error's code for what is not there."""
    try:
        return call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]


def _without_request(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"} if isinstance(answer, dict) else answer
