"""What the account has of one resource, and what the resource's state knows of it: the two books that must agree."""

import json
import re
from collections.abc import Container, Iterable

from botocore.exceptions import ClientError

# An object's kind and its id or name.
Object = tuple[str, str]


def deployments(aws, outputs: dict) -> set[str]:
    """The ids of the deployments of a resource's REST API."""
    items = aws.client("apigateway").get_deployments(restApiId=outputs["restApiId"])["items"]
    return {item["id"] for item in items}


def there(aws, name: str, strangers: Container[str] = (), gone: Iterable[str] = ()) -> dict[Object, dict]:
    """Every object of this name, with what it says; but not REST APIs, usage plans and API keys with these ids. What API
    Gateway has noted on a stage stays when its REST API goes, so those that were of this name once are `gone`."""
    api, found = aws.client("apigateway"), {}
    found |= _bucket(aws.client("s3"), name) | _role(aws.client("iam"), name) | _log_group(aws.client("logs"), name)
    for rest_api in _rest_apis(api):
        if rest_api["name"] == name and rest_api["id"] not in strangers:
            found |= _rest_api(api, rest_api)
    for id_ in {id_ for kind, id_ in found if kind == "REST API"} | set(gone):
        found |= _execution_logs(aws.client("logs"), id_)
    for plan in api.get_usage_plans(limit=500)["items"]:
        if plan["name"] == name and plan["id"] not in strangers:
            found[("usage plan", plan["id"])] = _parts(plan, "throttle", "quota", "tags") | {
                # A stage that is added again stands there twice in the local AWS; what AWS does then is not on record.
                "stages": sorted({stage["stage"] for stage in plan["apiStages"]})}
            for key in api.get_usage_plan_keys(usagePlanId=plan["id"])["items"]:
                found[("link", key["id"])] = {"name": key["name"]}
    for key in api.get_api_keys(nameQuery=f"{name}-", limit=500)["items"]:
        if key["id"] not in strangers:
            found[("API key", key["id"])] = _parts(key, "name", "enabled", "tags")
    for domain in api.get_domain_names(limit=500)["items"]:
        # They are unique in a Region, so those of tests begin with the resource's name.
        if domain["domainName"].partition(".")[0] in (name, f"{name}-other"):
            found |= _domain(api, domain)
    return found


def recorded(state: dict) -> set[Object]:
    """Every object that a state has."""
    leftovers = state.get("leftovers", {})
    found = {(kind, state[piece]["name"]) for kind, piece in {"bucket": "bucket", "log group": "logGroup"}.items()
             if piece in state and not state[piece].get("existing")}
    roles = [leftovers["role"]] if "role" in leftovers else []
    if "role" in state and not state["role"].get("existing"):
        roles.append(state["role"]["name"])
    found |= {("role", role) for role in roles}
    if "rolePolicy" in state or leftovers.get("role"):
        found.add(("role policy", "s3dataproxy"))
    if "restApi" in state:
        found.add(("REST API", state["restApi"]["id"]))
    if stage := state.get("stage"):
        found |= {("stage", each) for each in [stage["name"], *leftovers.get("stages", [])]}
        found |= {("deployment", each) for each in [stage["deploymentId"], *leftovers.get("deployments", [])]}
    if plan := state.get("usagePlan"):
        found |= {("usage plan", plan["id"])} if plan["id"] else set()
        found |= {("API key", key["id"]) for key in plan["keys"].values()}
        found |= {("link", key["id"]) for key in plan["keys"].values() if key["linked"]}
    if domain := state.get("domain"):
        found |= _recorded_domain(domain["name"], (domain.get("mapping") or {}).get("basePath"))
        for each in domain.get("replaced", []):
            found |= _recorded_domain(each["name"], each.get("basePath"))
    return found - {("domain name", "")}


def noted(state: dict) -> set[Object]:
    """The log groups that API Gateway makes by itself as soon as it has something to note: they may be there or not."""
    return {("execution log", name) for name in state.get("executionLogs", [])}


def going(state: dict) -> set[Object]:
    """What goes with a thing that is to be deleted: it may be gone already, and the state does not tell."""
    policy = {("role policy", "s3dataproxy")} if state.get("leftovers", {}).get("role") and "rolePolicy" not in state else set()
    replaced = state.get("domain", {}).get("replaced", [])
    return policy | {("mapping", f"{each['name']}/{each['basePath']}") for each in replaced if "basePath" in each}


def _recorded_domain(name: str, base_path: str | None) -> set[Object]:
    mapping = set() if base_path is None else {("mapping", f"{name}/{base_path}")}
    return {("domain name", name)} | mapping


def told(objects: dict[Object, dict], name: str) -> str:
    """The same without what differs from one resource to the next: names, ids and the number of the life."""
    text = json.dumps(sorted(([kind, says] for (kind, _), says in objects.items()), key=repr), sort_keys=True, indent=1)
    for kind, id_ in sorted(objects):
        if kind in ("REST API", "deployment"):
            text = text.replace(id_, kind)
    return re.sub(r"@([a-z0-9-]+)@[0-9a-f]{8}", r"@\1@LIFE", text.replace(name, "NAME"))


def _rest_apis(api) -> list[dict]:
    for _ in range(9):
        try:
            return api.get_rest_apis(limit=500)["items"]
        except api.exceptions.NotFoundException:
            pass  # the local AWS stumbles over one that is deleted while it lists them
    return api.get_rest_apis(limit=500)["items"]


def _parts(item: dict, *keys: str) -> dict:
    return {key: item.get(key) for key in keys}


def _or_none(call, **arguments):
    """None for what is not there."""
    try:
        return call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if not code.startswith("NoSuch") and not code.endswith("NotFoundError"):
            raise


def _bucket(s3, name: str) -> dict[Object, dict]:
    if not _or_none(s3.get_bucket_versioning, Bucket=name):
        return {}
    tags = _or_none(s3.get_bucket_tagging, Bucket=name) or {"TagSet": []}
    encryption = (_or_none(s3.get_bucket_encryption, Bucket=name) or {}).get("ServerSideEncryptionConfiguration", {})
    controls = (_or_none(s3.get_bucket_ownership_controls, Bucket=name) or {}).get("OwnershipControls", {})
    return {("bucket", name): {
        "tags": {tag["Key"]: tag["Value"] for tag in tags["TagSet"]},
        "versioning": s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled",
        "policy": (_or_none(s3.get_bucket_policy, Bucket=name) or {}).get("Policy"),
        "cors": (_or_none(s3.get_bucket_cors, Bucket=name) or {}).get("CORSRules"),
        # S3 says of its own key that it is no bucket key, or says nothing.
        "encryption": [[rule["ApplyServerSideEncryptionByDefault"], rule.get("BucketKeyEnabled", False)]
                       for rule in encryption.get("Rules", [])],
        "ownership": [rule["ObjectOwnership"] for rule in controls.get("Rules", [])],
        "public access block": (_or_none(s3.get_public_access_block, Bucket=name) or {}).get("PublicAccessBlockConfiguration"),
    }}


def _role(iam, name: str) -> dict[Object, dict]:
    found = _or_none(iam.get_role, RoleName=name)
    if not found:
        return {}
    objects = {("role", name): {
        "trust": found["Role"]["AssumeRolePolicyDocument"],
        "tags": {tag["Key"]: tag["Value"] for tag in found["Role"].get("Tags", [])},
        "boundary": found["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "attached": [policy["PolicyArn"] for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]],
    }}
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        says = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        objects[("role policy", policy)] = {"says": says}
    return objects


def _log_group(logs, name: str) -> dict[Object, dict]:
    name = f"/aws/apigateway/{name}"
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return {("log group", group["logGroupName"]): {
        "retention": group.get("retentionInDays"),
        "key": group.get("kmsKeyId"),
        "tags": logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"],
    } for group in groups if group["logGroupName"] == name}


def _execution_logs(logs, api: str) -> dict[Object, dict]:
    begins = f"API-Gateway-Execution-Logs_{api}/"
    groups = logs.describe_log_groups(logGroupNamePrefix=begins)["logGroups"]
    return {("execution log", group["logGroupName"]): {"stage": group["logGroupName"].removeprefix(begins)} for group in groups}


def _domain(api, domain: dict) -> dict[Object, dict]:
    name = domain["domainName"]
    found = {("domain name", name): _parts(domain, "certificateArn", "regionalCertificateArn", "securityPolicy", "tags") |
             {"types": domain["endpointConfiguration"]["types"]}}
    for mapping in api.get_base_path_mappings(domainName=name).get("items", []):
        path = mapping["basePath"].replace("(none)", "")
        found[("mapping", f"{name}/{path}")] = _parts(mapping, "restApiId", "stage")
    return found


def _rest_api(api, rest_api: dict) -> dict[Object, dict]:
    id_ = rest_api["id"]
    resources = api.get_resources(restApiId=id_, embed=["methods"], limit=500)["items"]
    endpoint = rest_api["endpointConfiguration"]
    objects = {("REST API", id_): {
        **_parts(rest_api, "description", "binaryMediaTypes", "policy", "tags"),
        # VPC endpoints have no order.
        "endpoint": endpoint | {"vpcEndpointIds": sorted(endpoint.get("vpcEndpointIds", []))},
        "routes": {f"{verb} {resource['path']}": _parts(method, "authorizationType", "apiKeyRequired") |
                   _parts(method["methodIntegration"], "uri", "credentials", "requestParameters", "cacheKeyParameters")
                   for resource in resources for verb, method in resource.get("resourceMethods", {}).items()},
    }}
    for deployment in api.get_deployments(restApiId=id_, limit=500)["items"]:
        objects[("deployment", deployment["id"])] = {}
    for stage in api.get_stages(restApiId=id_)["item"]:
        settings = stage.get("methodSettings", {}).get("*/*", {})
        objects[("stage", stage["stageName"])] = {
            **_parts(stage, "stageName", "deploymentId", "tags", "accessLogSettings", "webAclArn"),
            # What was taken back is told in words, and what never was there is left out.
            "settings": [settings.get("loggingLevel") or "OFF", bool(settings.get("dataTraceEnabled")),
                         bool(settings.get("metricsEnabled")), settings.get("throttlingRateLimit", -1.0),
                         settings.get("throttlingBurstLimit", -1)],
            "settings of methods": sorted(stage.get("methodSettings", {}).keys() - {"*/*"}),
            "cache": stage.get("cacheClusterEnabled", False) and _parts(
                stage | settings, "cacheClusterSize", "cachingEnabled", "cacheTtlInSeconds", "cacheDataEncrypted",
                "requireAuthorizationForCacheControl", "unauthorizedCacheControlHeaderStrategy"),
            "traced": stage.get("tracingEnabled", False),
        }
    return objects
