"""Tags put on a stage by TagResource show in GetStage; LocalStack keeps them in a second place that GetStage never reads.

Source: `tags` is a field of the Stage that GetStage answers,
https://docs.aws.amazon.com/apigateway/latest/api/API_GetStage.html
"""

import re

from localstack.services.apigateway.legacy import provider

STAGE = re.compile(r"/restapis/([^/]+)/stages/([^/]+)$")


def apply() -> None:
    tag, untag = provider.ApigatewayProvider.tag_resource, provider.ApigatewayProvider.untag_resource

    def tag_resource(self, context, resource_arn, tags, **others):
        tag(self, context, resource_arn, tags, **others)
        change(context, resource_arn, lambda old: old | dict(tags))

    def untag_resource(self, context, resource_arn, tag_keys, **others):
        untag(self, context, resource_arn, tag_keys, **others)
        change(context, resource_arn, lambda old: {key: value for key, value in old.items() if key not in tag_keys})

    provider.ApigatewayProvider.tag_resource = tag_resource
    provider.ApigatewayProvider.untag_resource = untag_resource


def change(context, arn: str, new) -> None:
    if named := STAGE.search(arn):
        stage = provider.get_moto_rest_api(context, rest_api_id=named[1]).stages[named[2]]
        stage.tags = new(stage.tags or {})
