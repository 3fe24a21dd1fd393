"""How users come to errors that are no refusals of one AWS call: each scene leads to one, for test_error_texts.py."""

import json
import math
import threading
from collections.abc import Callable
from contextlib import contextmanager

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2

from harness.aws import ACCOUNT, REGION
from harness.faults import Answer, Before, Error, Refused
from harness.rpc import OUTPUT, SECRET, SIGNATURE, Engine, Plugin, Resource, bare, plain, struct, urn

TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
NOBODY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/a"
WEB_ACL = f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/a/b"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:x"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
DENIED = Error("AccessDenied", 403, "no")
NO_ENVIRONMENT = {key: "" for key in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")} | {
    "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}


class Scene:
    """A resource that is not there yet, its plugin behind a tap, and the account."""

    def __init__(self, aws, tap, binary, provider: Plugin, name: str):
        self.aws, self.tap, self.binary, self.provider, self.name = aws, tap, binary, provider, name
        self.resource = Resource(provider, name)
        self.s3, self.iam, self.api, self.logs = (aws.client(each) for each in ("s3", "iam", "apigateway", "logs"))

    def inputs(self, **more) -> dict:
        return {"name": self.name, "waitForReady": False, "path": "data"} | more

    def create(self, **more) -> None:
        self.resource.create(self.inputs(**more))

    def update(self, **more) -> None:
        self.resource.update(self.inputs(**more))

    def answer(self, operation: str, fault) -> None:
        self.tap.inject(fault, operation=operation, times=math.inf)

    def import_(self, id_: str) -> None:
        other = Resource(self.provider, "data")
        other.id = id_
        other.read(properties=None, inputs=None)

    @contextmanager
    def plugin(self, endpoint: bool = True, engine: str | None = None, **env):
        """Another plugin, with `env` besides or instead of what it finds."""
        with Plugin(self.binary, engine, endpoint=self.tap.url if endpoint else None, env=env) as provider:
            yield provider


def configured(scene: Scene, *, endpoint: bool = True, env: dict | None = None, **config) -> None:
    """A create with this configuration."""
    with scene.plugin(endpoint, **(env or {})) as provider:
        provider.handshake()
        provider.configure(maxAttempts=1, **config)
        Resource(provider, scene.name).create(scene.inputs())


def another_life(scene: Scene, unfinished: bool = False, **more) -> None:
    """What a run made whose record was lost."""
    if unfinished:
        scene.answer("CreateRestApi", DENIED)
        scene.resource.fail_half_way(scene.resource.start_create(scene.inputs(**more)))
        scene.tap.reset()
    else:
        scene.create(**more)
    # The next command's.
    scene.provider.handshake()
    scene.resource = Resource(scene.provider, scene.name)


def bucket_with_data(act: Callable = lambda scene: None) -> Callable:
    """A create whose bucket a lost run has made, and somebody has used."""
    def scene(scene: Scene) -> None:
        another_life(scene, unfinished=True)
        scene.s3.put_object(Bucket=scene.name, Key="a", Body=b"a")
        act(scene)
        scene.create()
    return scene


def adopts(make: Callable, **more) -> Callable:
    """A create where something is there already."""
    def scene(scene: Scene) -> None:
        make(scene)
        scene.create(**json.loads(json.dumps(more).replace("NAME", scene.name)))
    return scene


def damaged(act: Callable[[Scene], None], untagged: bool = False, id_: str = "{id}", **more) -> Callable:
    """An import of one of ours after somebody did this to it; without the owner tag it is anybody's."""
    def scene(scene: Scene) -> None:
        scene.create(**more)
        api = scene.resource.outputs["restApiId"]
        if untagged:
            scene.api.untag_resource(
                resourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{api}", tagKeys=["s3dataproxy:owner"])
        act(scene)
        scene.import_(id_.format(id=api))
    return scene


def strange(document: dict | None) -> Callable:
    """An import of a REST API that others made from these paths."""
    def scene(scene: Scene) -> None:
        api = scene.api.create_rest_api(name=scene.name)["id"]
        try:
            if document is not None:
                scene.api.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(
                    {"openapi": "3.0.1", "info": {"title": "x", "version": "1"}, "paths": document}))
                scene.api.create_deployment(restApiId=api, stageName="prod")
            scene.import_(api)
        finally:
            scene.api.delete_rest_api(restApiId=api)
    return scene


def does(uri: str, role: str | None = "given", **more) -> dict:
    """A method that is integrated with this."""
    integration = {"type": "aws", "httpMethod": "GET", "uri": uri, "responses": {"default": {"statusCode": "200"}}}
    if role:
        integration["credentials"] = f"{ROLE}/{role}"
    return {"get": {"responses": {"200": {"description": "x"}}, "x-amazon-apigateway-integration": integration, **more}}


OBJECTS = f"arn:aws:apigateway:{REGION}:s3:path/some-bucket/{{key}}"


def stored(**state) -> Callable:
    """An update with a state that says this."""
    return lambda scene: update_from(scene, {"__state": {"version": 1, "region": REGION, "owner": "o"} | state})


def update_from(scene: Scene, outputs: dict) -> None:
    properties = struct({"restApiId": "x"} | outputs)
    scene.provider.stub.Update(provider_pb2.UpdateRequest(
        id="x", urn=urn("x"), olds=properties, news=struct(scene.inputs()), old_inputs=struct(scene.inputs())))


def malformed(value: dict) -> Callable:
    def scene(scene: Scene) -> None:
        tag = struct_pb2.Value(struct_value=struct(value)) if value else struct_pb2.Value()
        tags = struct_pb2.Struct(fields={"x": tag})
        news = struct_pb2.Struct(fields={"tags": struct_pb2.Value(struct_value=tags)})
        scene.provider.stub.Check(provider_pb2.CheckRequest(urn=urn("x"), news=news))
    return scene


def marked(kind: str, **more) -> Callable:
    return malformed({SIGNATURE: kind, **more})


def stops(how: str, operation: str, act: Callable | None = None, before: Callable = lambda scene: None) -> Callable:
    """A create, or another act, that is stopped while this call hangs."""
    def scene(scene: Scene) -> None:
        before(scene)
        released = threading.Event()

        def hang() -> None:
            if how == "cancel":
                scene.provider.stub.Cancel(empty_pb2.Empty())
            released.wait(30)
        scene.tap.inject(Before(hang), operation=operation, times=math.inf)
        try:
            act(scene) if act else scene.resource.create(scene.inputs(), timeout=0 if how == "cancel" else 2)
        finally:
            released.set()
            scene.provider.handshake()
    return scene


def cut_off(scene: Scene) -> None:
    """A create that does not know whether there is a REST API."""
    scene.answer("CreateRestApi", Refused())
    scene.resource.fail_half_way(scene.resource.start_create(scene.inputs()))
    scene.tap.reset()


def account(arn: str | None, trust: dict | None = None) -> Callable:
    """Logs are switched on, where the account's role for them is this."""
    def scene(scene: Scene) -> None:
        if trust:
            scene.iam.create_role(RoleName=f"{scene.name}-given", AssumeRolePolicyDocument=json.dumps(trust))
        told = {"cloudwatchRoleArn": arn.replace("NAME", scene.name)} if arn else {}
        scene.answer("GetAccount", Answer(200, json.dumps(told).encode(), {"Content-Type": "application/json"}))
        scene.create(executionLog={})
    return scene


def given(arn: str, trust: dict | None) -> Callable:
    def scene(scene: Scene) -> None:
        if trust:
            scene.iam.create_role(RoleName=f"{scene.name}-given", AssumeRolePolicyDocument=json.dumps(trust))
        scene.create(role={"arn": arn.replace("NAME", scene.name)})
    return scene


def served(answer: Answer) -> Callable:
    def scene(scene: Scene) -> None:
        scene.answer("HeadBucket", answer)
        scene.create(bucket={"name": f"{scene.name}-given", "existing": True})
    return scene


def answered(fault, operation: str, **more) -> Callable:
    """A create where a call has this answer."""
    def scene(scene: Scene) -> None:
        scene.answer(operation, fault)
        scene.create(**json.loads(json.dumps(more).replace("NAME", scene.name)))
    return scene


def changed(operation: str, old: dict, new: dict, fault=DENIED, act: Callable = lambda scene: None) -> Callable:
    """An update from these inputs to those where a call fails."""
    def scene(scene: Scene) -> None:
        old_, new_ = (json.loads(json.dumps(part).replace("NAME", scene.name)) for part in (old, new))
        scene.create(**old_)
        act(scene)
        scene.answer(operation, fault)
        scene.update(**new_)
    return scene


def deleted(operation: str, old: dict, fault=DENIED, act: Callable = lambda scene: None) -> Callable:
    def scene(scene: Scene) -> None:
        scene.create(**json.loads(json.dumps(old).replace("NAME", scene.name)))
        act(scene)
        scene.answer(operation, fault)
        scene.resource.delete()
    return scene


def looked(operation: str, old: dict, fault=DENIED) -> Callable:
    def scene(scene: Scene) -> None:
        scene.create(**json.loads(json.dumps(old).replace("NAME", scene.name)))
        scene.answer(operation, fault)
        scene.resource.read()
    return scene


class OldEngine(Engine):
    def RequirePulumiVersion(self, request, context):
        words = f"Pulumi CLI version 3.0.0 does not satisfy {request.pulumi_version_range}"
        context.abort(grpc.StatusCode.UNKNOWN, words)


def old_engine(scene: Scene) -> None:
    with OldEngine() as engine, scene.plugin(engine=engine.address) as provider:
        provider.handshake(engine.address)


def older_engine(scene: Scene) -> None:
    with scene.plugin() as provider:
        provider.stub.Configure(provider_pb2.ConfigureRequest(args=struct({}), acceptSecrets=True, acceptResources=True))


def not_configured(scene: Scene) -> None:
    with scene.plugin() as provider:
        provider.handshake()
        Resource(provider, "x").diff({})


def unchecked(scene: Scene) -> None:
    scene.provider.stub.Create(provider_pb2.CreateRequest(urn=urn("x"), properties=struct({"waitForReady": False})))


def another_region(scene: Scene) -> None:
    scene.create()
    with scene.plugin() as provider:
        provider.handshake()
        provider.configure(region="eu-central-1")
        scene.resource.stub = provider.stub
        try:
            scene.resource.read()
        finally:
            scene.resource.stub = scene.provider.stub


def object_locked(scene: Scene) -> None:
    scene.create(bucket={"forceDestroy": True})
    scene.s3.put_object(Bucket=scene.name, Key="kept", Body=b"1")
    words = "<Code>AccessDenied</Code><Message>Access Denied because object protected by object lock.</Message>"
    told = f"<DeleteResult><Error><Key>kept</Key>{words}</Error></DeleteResult>"
    scene.answer("DeleteObjects", Answer(200, told.encode(), {"Content-Type": "application/xml"}))
    scene.resource.delete()


def stage_of_others(scene: Scene) -> None:
    scene.create()
    outputs = scene.resource.outputs
    scene.api.create_stage(restApiId=outputs["restApiId"], stageName="v2", deploymentId=outputs["deploymentId"])
    scene.update(stageName="v2")


def two_of_a_name(scene: Scene) -> None:
    apis = [scene.api.create_rest_api(name=scene.name)["id"] for _ in range(2)]
    for api in apis:  # only those of ours count
        scene.api.tag_resource(resourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{api}",
                               tags={"s3dataproxy:owner": f"{urn('data')}@{REGION}@0"})
    scene.import_(scene.name)


def plan_of_others(scene: Scene) -> None:
    for _ in range(2):
        api = scene.resource.outputs["restApiId"]
        scene.api.create_usage_plan(name=scene.name, apiStages=[{"apiId": api, "stage": "prod"}])


def drop_plan(scene: Scene) -> None:
    plan = bare(scene.resource.outputs)["__state"]["usagePlan"]
    scene.api.update_usage_plan(usagePlanId=plan["id"], patchOperations=[
        {"op": "remove", "path": "/apiStages", "value": f"{scene.resource.outputs['restApiId']}:prod"}])


def key_of_others(scene: Scene) -> None:
    plan = bare(scene.resource.outputs)["__state"]["usagePlan"]["id"]
    key = scene.api.create_api_key(name=f"{scene.name}.others", enabled=True)["id"]
    scene.api.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    scene.resource.outputs = plain(scene.resource.read().properties)


def another_policy(scene: Scene) -> None:
    told = scene.api.get_rest_api(restApiId=scene.resource.outputs["restApiId"])
    del told["ResponseMetadata"]
    told |= {"createdDate": told["createdDate"].timestamp(), "securityPolicy": "SecurityPolicy_Of_Later"}
    scene.answer("GetRestApi", Answer(200, json.dumps(told).encode(), {"Content-Type": "application/json"}))


def s3_rules(scene: Scene) -> None:
    scene.s3.put_bucket_policy(Bucket=scene.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{scene.name}/*"}]}))
    scene.s3.put_bucket_cors(Bucket=scene.name, CORSConfiguration={
        "CORSRules": [{"AllowedMethods": ["PUT"], "AllowedOrigins": ["https://x.example"]}]})


def more_stages(scene: Scene) -> None:
    outputs = scene.resource.outputs
    scene.api.create_stage(restApiId=outputs["restApiId"], stageName="v2", deploymentId=outputs["deploymentId"])


def no_stage(scene: Scene) -> None:
    scene.api.delete_stage(restApiId=scene.resource.outputs["restApiId"], stageName="prod")


def another_method(scene: Scene) -> None:
    api = scene.resource.outputs["restApiId"]
    resources = scene.api.get_resources(restApiId=api)["items"]
    [resource] = [item["id"] for item in resources if item["path"].endswith("{key+}")]
    scene.api.put_method(restApiId=api, resourceId=resource, httpMethod="PATCH", authorizationType="NONE")
    scene.api.tag_resource(resourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{api}", tags={"team": "b"})


def another_way_in(scene: Scene) -> None:
    api = scene.resource.outputs["restApiId"]
    authorizer = scene.api.create_authorizer(
        restApiId=api, name="x", type="TOKEN", identitySource="method.request.header.X",
        authorizerUri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{FUNCTION}/invocations")["id"]
    for item in scene.api.get_resources(restApiId=api, embed=["methods"])["items"]:
        for verb in item.get("resourceMethods", {}):
            if item["path"].endswith("{key+}") and verb != "ANY":
                scene.api.update_method(restApiId=api, resourceId=item["id"], httpMethod=verb, patchOperations=[
                    {"op": "replace", "path": "/authorizationType", "value": "CUSTOM"},
                    {"op": "replace", "path": "/authorizerId", "value": authorizer}])
    scene.api.delete_authorizer(restApiId=api, authorizerId=authorizer)


def another_name(scene: Scene) -> None:
    scene.api.update_rest_api(restApiId=scene.resource.outputs["restApiId"], patchOperations=[
        {"op": "replace", "path": "/name", "value": f"{scene.name}_X"}])


def another_mount(scene: Scene) -> None:
    api = scene.resource.outputs["restApiId"]
    [root] = [item["id"] for item in scene.api.get_resources(restApiId=api)["items"] if item["path"] == "/"]
    parent = scene.api.create_resource(restApiId=api, parentId=root, pathPart="y")["id"]
    below = scene.api.create_resource(restApiId=api, parentId=parent, pathPart="{key+}")["id"]
    at = {"restApiId": api, "resourceId": below}
    scene.api.put_method(**at, httpMethod="GET", authorizationType="NONE")
    scene.api.put_integration(**at, httpMethod="GET", type="AWS", integrationHttpMethod="GET", uri=OBJECTS,
                              credentials=scene.resource.outputs["roleArn"])


def no_bucket_no_role(scene: Scene) -> None:
    scene.s3.delete_bucket(Bucket=scene.name)
    scene.iam.delete_role_policy(RoleName=scene.name, PolicyName="s3dataproxy")
    scene.iam.delete_role(RoleName=scene.name)


def failed(**more) -> Answer:
    """What API Gateway tells of a domain name that came to nothing."""
    told = {"domainName": "x.example.com", "domainNameStatus": "FAILED", "regionalCertificateArn": CERTIFICATE,
            "endpointConfiguration": {"types": ["REGIONAL"]}, "securityPolicy": "TLS_1_2"}
    return Answer(200, json.dumps(told | more).encode(), {"Content-Type": "application/json"})


def untagged(scene: Scene) -> None:
    """A bucket that is to be emptied does not say any more whose it is."""
    scene.create(bucket={"forceDestroy": True})
    scene.s3.delete_bucket_tagging(Bucket=scene.name)
    scene.resource.delete()


def bucket_to_change(tags: dict[str, str]) -> Callable:
    """A bucket that says by its tags that it is not, or may not be, the one that was made."""
    def scene(scene: Scene) -> None:
        scene.create()
        tagging = {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
        scene.s3.put_bucket_tagging(Bucket=scene.name, Tagging=tagging)
        scene.update(bucket={"versioning": True})
    return scene


def wrong_account(scene: Scene) -> None:
    """Of a bucket made elsewhere, in an account where nothing of it is."""
    bucket = f"{scene.name}-there"
    scene.s3.create_bucket(Bucket=bucket)
    try:
        scene.create(bucket={"name": bucket, "existing": True})
        with scene.plugin(AWS_ACCESS_KEY_ID="111111111111") as other:
            other.handshake()
            other.configure()
            wrong = Resource(other, scene.name)
            wrong.id, wrong.inputs, wrong.outputs = scene.resource.id, scene.resource.inputs, scene.resource.outputs
            wrong.read()
    finally:
        scene.resource.delete()
        scene.s3.delete_bucket(Bucket=bucket)


def endpoint_failed(**more) -> Answer:
    """What API Gateway tells of an endpoint that came to nothing, or whatever else."""
    told = {"id": "x", "apiStatus": "FAILED", "endpointConfiguration": {"types": ["EDGE"]}, **more}
    return Answer(200, json.dumps(told).encode(), {"Content-Type": "application/json"})


def with_web_acl(act: Callable) -> Callable:
    """A web ACL is before the stage, and cannot be taken away."""
    def scene(scene: Scene) -> None:
        scene.answer("AssociateWebACL", Answer(200, b"{}", {"Content-Type": "application/x-amz-json-1.1"}))
        scene.create(webAclArn=WEB_ACL)
        stage = json.dumps({"stageName": "prod", "webAclArn": WEB_ACL}).encode()
        scene.answer("GetStage", Answer(200, stage, {"Content-Type": "application/json"}))
        scene.answer("DisassociateWebACL", DENIED)
        act(scene)
    return scene


def role_elsewhere(scene: Scene) -> None:
    """A run that was lost has made the role with another path."""
    scene.answer("CreateRestApi", DENIED)
    scene.resource.fail_half_way(scene.resource.start_create(scene.inputs(role={"path": "/a/"})))
    scene.tap.reset()
    scene.provider.handshake()
    scene.resource = Resource(scene.provider, scene.name)
    scene.create(role={"path": "/b/"})


ENDPOINT_FAILED, ENDPOINT_SILENT = endpoint_failed(apiStatusMessage="The distribution could not be made."), endpoint_failed()
ENDPOINT_UPDATING = endpoint_failed(apiStatus="UPDATING")
FAILED, SILENT = failed(domainNameStatusMessage="The certificate has expired."), failed()


def DOMAIN(name: str = "NAME", **more) -> dict:
    return {"domain": {"name": f"{name}.example.com", "certificateArn": CERTIFICATE, **more}}


KEYS = {"apiKeys": ["a"]}
BYTES, RESOURCE = "803fd3297a5875dc03ca845dda5d2a98", "5cf8f73096256a8f31e491e813e4eb8e"
SCENES: dict[str, Callable[[Scene], None]] = {
    "adopt: a bucket of others": adopts(lambda s: s.s3.create_bucket(Bucket=s.name)),
    "adopt: a role of others": adopts(
        lambda s: s.iam.create_role(RoleName=s.name, AssumeRolePolicyDocument=json.dumps(TRUST))),
    "adopt: a log group of others": adopts(
        lambda s: s.logs.create_log_group(logGroupName=f"/aws/apigateway/{s.name}"), accessLog={}),
    "adopt: a domain name of others": adopts(lambda s: s.api.create_domain_name(
        domainName=f"{s.name}.example.com", regionalCertificateArn=CERTIFICATE,
        endpointConfiguration={"types": ["REGIONAL"]}), **DOMAIN()),
    "adopt: a stage of others": stage_of_others,
    "adopt: what is in use": adopts(another_life),
    "adopt: a bucket of what is in use": lambda s: (
        another_life(s, bucket={"name": f"{s.name}-data"}), s.create(name=f"{s.name}-b", bucket={"name": f"{s.name}-data"})),
    "adopt: a bucket with data": bucket_with_data(),
    "adopt: no look into a bucket": bucket_with_data(lambda s: s.answer("ListObjectVersions", DENIED)),
    "adopt: no look": adopts(lambda s: (another_life(s, unfinished=True), s.answer("GetRestApis", DENIED))),
    "import: nothing in it": strange(None),
    "import: another name": damaged(another_name),
    "import: a mock": strange({"/x/{key+}": {"get": {"responses": {}, "x-amazon-apigateway-integration": {
        "type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}}}}}),
    "import: no role": strange({"/x/{key+}": does(OBJECTS, role=None)}),
    "import: another way in": damaged(another_way_in),
    "import: no objects": strange({"/x/{key+}": does(f"arn:aws:apigateway:{REGION}:s3:path/some-bucket/a.txt")}),
    "import: two mount paths": damaged(another_mount),
    "import: several of the name": two_of_a_name,
    "import: rules of the bucket": damaged(s3_rules),
    "import: several stages": damaged(more_stages),
    "import: another stage": damaged(lambda s: None, id_="{id}/v2"),
    "import: no stage": damaged(no_stage),
    "import: no such stage": damaged(no_stage, id_="{id}/v2"),
    "import: other content": damaged(another_method, untagged=True),
    "import: no bucket, no role": damaged(no_bucket_no_role, untagged=True),
    "import: two usage plans": damaged(plan_of_others, **KEYS),
    "import: keys of others": damaged(key_of_others, untagged=True, **KEYS),
    "import: a security policy": damaged(another_policy),
    "import: no usage plan": damaged(drop_plan, untagged=True, **KEYS),
    "configuration: no Region": lambda s: configured(s, endpoint=False, env=NO_ENVIRONMENT),
    "configuration: no credentials": lambda s: configured(
        s, endpoint=False, env=NO_ENVIRONMENT, region=REGION),
    "configuration: no such profile": lambda s: configured(s, profile="nobody"),
    "configuration: another account": lambda s: configured(s, allowedAccountIds=["123456789012"]),
    "configuration: no look at the account": lambda s: (
        s.answer("GetCallerIdentity", DENIED), configured(s, allowedAccountIds=["123456789012"])),
    "configuration: the pace": lambda s: configured(s, env={"S3DATAPROXY_PACE": "fast"}),
    "configuration: nobody there": lambda s: configured(s, endpointUrl="http://127.0.0.1:1"),
    "configuration: too old an engine": old_engine,
    "configuration: an engine without old inputs": older_engine,
    "configuration: none": not_configured,
    "configuration: a schema of another version": lambda s: s.provider.stub.GetSchema(
        provider_pb2.GetSchemaRequest(version=1)),
    "configuration: what there is not": lambda s: s.provider.stub.Call(provider_pb2.CallRequest(tok="x")),
    "state: a later version": stored(version=99),
    "state: no version": stored(version="x"),
    "state: no Region": stored(region=""),
    "state: damaged": stored(restApi="x"),
    "state: no data": lambda s: update_from(s, {"__state": {SIGNATURE: BYTES, "value": "AA=="}}),
    "state: none": lambda s: update_from(s, {}),
    "state: another Region": another_region,
    "state: unchecked": unchecked,
    "stop: a cancel": stops("cancel", "GetRestApis"),
    "stop: a time limit": stops("timeout", "GetBucketTagging"),
    "stop: a time limit while something is made": stops("timeout", "CreateRole"),
    "stop: a refresh": stops("cancel", "GetStage", lambda s: s.resource.read(), Scene.create),
    "stop: a delete": stops("cancel", "GetRole", lambda s: s.resource.delete(), Scene.create),
    "stop: after a lost run": stops("cancel", "GetRestApis", Scene.update, cut_off),
    "logs: no role": account(None),
    "logs: the role is gone": account(f"{ROLE}/NAME-given"),
    "logs: the role is another's": account(f"{ROLE}/NAME-given", NOBODY),
    "role: none": given(f"{ROLE}/NAME-given", None),
    "role: another path": given(f"{ROLE}/other/NAME-given", TRUST),
    "role: no trust": given(f"{ROLE}/NAME-given", NOBODY),
    "role: an update": changed("TagRole", {}, {"tags": {"a": "b"}}),
    "bucket: another Region": served(Answer(301, b"", {"x-amz-bucket-region": "eu-central-1"})),
    "bucket: none": served(Answer(404)),
    "bucket: a locked object": object_locked,
    "bucket: somebody writes": deleted("DeleteBucket", {"bucket": {"forceDestroy": True}}, Error(
        "BucketNotEmpty", 409, "The bucket you tried to delete is not empty")),
    "bucket: an ACL": answered(
        Error("InvalidBucketAclWithObjectOwnership", 400, "Bucket cannot have ACLs set"), "PutBucketPolicy"),
    "answers: no AWS": answered(Answer(200, b"hello", {"Content-Type": "text/html"}), "CreateRestApi"),
    "answers: closed": answered(Refused(), "CreateRestApi"),
    "API: an update": changed("UpdateRestApi", {}, {"description": "d"}),
    "API: another endpoint": changed("UpdateRestApi", {}, {"endpoint": {"type": "EDGE"}}),
    "API: a mapping of others": deleted("DeleteRestApi", {}, Error(
        "BadRequestException", 400, "Please remove all base path mappings related to the API")),
    "API: an old stage": changed("DeleteStage", {}, {"stageName": "v2"}),
    "API: an old deployment": changed("DeleteDeployment", {}, {"path": "v2"}),
    "API: stages of an import": damaged(lambda s: s.answer("GetStages", DENIED)),
    "plan: a stage of others": deleted("DeleteUsagePlan", KEYS, Error(
        "BadRequestException", 400, "Cannot delete Usage Plan u because there are API Stages associated")),
    "plan: an update": changed("UpdateUsagePlan", KEYS, KEYS | {"throttle": {"rateLimit": 1, "burstLimit": 1}}),
    "plan: a key that goes": changed("DeleteUsagePlanKey", {"apiKeys": ["a", "b"]}, KEYS),
    "plan: a key of others": changed("DeleteUsagePlanKey", KEYS, KEYS | {"description": "d"}, act=key_of_others),
    "plan: its keys": looked("GetUsagePlanKeys", KEYS),
    "plan: an import": damaged(lambda s: s.answer("GetUsagePlans", DENIED), **KEYS),
    "plan: after a lost run": lambda s: (
        s.answer("CreateUsagePlan", Refused()), s.resource.fail_half_way(s.resource.start_create(s.inputs(**KEYS))),
        s.answer("GetUsagePlans", DENIED), s.update(**KEYS)),
    "domain: denied": answered(DENIED, "CreateDomainName", **DOMAIN()),
    "domain: no mapping": answered(DENIED, "CreateBasePathMapping", **DOMAIN()),
    "domain: an update": changed("UpdateDomainName", DOMAIN(), DOMAIN(securityPolicy="TLS_1_0")),
    "domain: it failed": changed("UpdateDomainName", DOMAIN(), DOMAIN(securityPolicy="TLS_1_0"), FAILED),
    "domain: it does not say why": changed("UpdateDomainName", DOMAIN(), DOMAIN(securityPolicy="TLS_1_0"), SILENT),
    "domain: a look": looked("GetDomainName", DOMAIN()),
    "domain: a look at mappings": looked("GetBasePathMappings", DOMAIN()),
    "domain: its mapping goes": deleted("DeleteBasePathMapping", DOMAIN()),
    "domain: it goes": deleted("DeleteDomainName", DOMAIN()),
    "the wrong account": wrong_account,
    "a bucket that may be another one": untagged,
    "a bucket to change that may be another one": bucket_to_change({"others": "own"}),
    "a bucket to change that is another's": bucket_to_change({"s3dataproxy:owner": "test::test::other"}),
    "web ACL: denied": answered(DENIED, "AssociateWebACL", webAclArn=WEB_ACL),
    "web ACL: none": answered(Error("WAFNonexistentItemException", 400, "no such thing"), "AssociateWebACL", webAclArn=WEB_ACL),
    "web ACL: another": changed("AssociateWebACL", {}, {"webAclArn": WEB_ACL}),
    "web ACL: it goes": with_web_acl(lambda s: s.resource.delete()),
    "web ACL: it is dropped": with_web_acl(lambda s: s.update()),
    "endpoint: it failed": changed("UpdateRestApi", {}, {"endpoint": {"type": "EDGE"}}, ENDPOINT_FAILED),
    "endpoint: it does not say why": changed("UpdateRestApi", {}, {"endpoint": {"type": "EDGE"}}, ENDPOINT_SILENT),
    "endpoint: the API is gone": changed(
        "UpdateRestApi", {}, {"endpoint": {"type": "EDGE"}}, ENDPOINT_UPDATING,
        lambda s: s.answer("GetRestApi", Error("NotFoundException", 404, "Invalid API identifier specified"))),
    "adopt: a role with another path": role_elsewhere,
    "domain: an import": damaged(lambda s: s.answer("GetDomainNames", DENIED)),
    "value: no kind": malformed({}),
    "value: a strange signature": marked("0" * 32),
    "value: a signature that is no text": malformed({SIGNATURE: 1}),
    "value: a secret of nothing": marked(SECRET),
    "value: an output that is secret perhaps": marked(OUTPUT, secret="x"),
    "value: an output that depends on a number": marked(OUTPUT, dependencies=[1]),
    "value: an output that depends on no list": marked(OUTPUT, dependencies="x"),
    "value: a resource of nothing": marked(RESOURCE),
    "value: bytes that are none": marked(BYTES, value="?"),
    "value: bytes of nothing": marked(BYTES),
}
