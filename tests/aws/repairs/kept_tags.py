"""Tags put on an API, a stage, a usage plan or an API key by TagResource show where it is read, and a stage keeps its
tags and settings when a deployment moves it; LocalStack keeps such tags in a second place, and makes the stage anew.

Source: `tags` is a field of what GetRestApi, GetStage, GetUsagePlan and GetApiKey answer, and CreateDeployment changes
the deployment of a stage that is there: https://docs.aws.amazon.com/apigateway/latest/api/API_GetStage.html,
https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApi.html,
https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsagePlan.html,
https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKey.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-deployments.html
"""

import re

from localstack.services.apigateway.legacy import provider
from localstack.services.apigateway.next_gen import provider as next_gen
from moto.apigateway.models import apigateway_backends

NAMED = re.compile(r"/restapis/([^/]+)(?:/stages/([^/]+))?$")
OF_CLIENTS = re.compile(r"/(usageplans|apikeys)/([^/]+)$")

KEPT = ("tags", "description", "method_settings", "access_log_settings", "tracing_enabled", "cache_cluster_enabled",
        "cache_cluster_size", "cache_cluster_status", "web_acl_arn")


def apply() -> None:
    tag, untag = provider.ApigatewayProvider.tag_resource, provider.ApigatewayProvider.untag_resource
    deploy = next_gen.ApigatewayNextGenProvider.create_deployment

    def tag_resource(self, context, resource_arn, tags, **others):
        tag(self, context, resource_arn, tags, **others)
        change(context, resource_arn, lambda old: old | dict(tags))

    def untag_resource(self, context, resource_arn, tag_keys, **others):
        untag(self, context, resource_arn, tag_keys, **others)
        change(context, resource_arn, lambda old: {key: value for key, value in old.items() if key not in tag_keys})

    def create_deployment(self, context, rest_api_id, stage_name=None, **others):
        before = provider.get_moto_rest_api(context, rest_api_id).stages.get(stage_name)
        answer = deploy(self, context, rest_api_id, stage_name=stage_name, **others)
        if before:
            stage = provider.get_moto_rest_api(context, rest_api_id).stages[stage_name]
            for part in KEPT:
                setattr(stage, part, getattr(before, part))
        return answer

    provider.ApigatewayProvider.tag_resource = tag_resource
    provider.ApigatewayProvider.untag_resource = untag_resource
    next_gen.ApigatewayNextGenProvider.create_deployment = create_deployment


def change(context, arn: str, new) -> None:
    if named := NAMED.search(arn):
        api = provider.get_moto_rest_api(context, rest_api_id=named[1])
        for target in [api.stages[named[2]]] if named[2] else [api]:
            target.tags = new(target.tags or {})
    if named := OF_CLIENTS.search(arn):
        backend = apigateway_backends[context.account_id][context.region]
        target = (backend.usage_plans if named[1] == "usageplans" else backend.keys)[named[2]]
        target.tags = new(target.tags or {})
