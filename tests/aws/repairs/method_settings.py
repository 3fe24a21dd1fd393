"""The settings of one method can be taken off a stage; LocalStack takes off only those of all methods.

Source: so Terraform ends its resource for them,
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/apigateway/method_settings.go
"""

from localstack.services.apigateway.helpers import get_moto_rest_api
from localstack.services.apigateway.next_gen.provider import ApigatewayNextGenProvider


def apply() -> None:
    update = ApigatewayNextGenProvider.update_stage

    def update_stage(self, context, rest_api_id, stage_name, patch_operations=None, **others):
        settings = get_moto_rest_api(context, rest_api_id).stages[stage_name].method_settings
        left = [op for op in patch_operations or []
                if op["op"] != "remove" or op["path"] == "/*/*" or settings.pop(op["path"][1:], None) is None]
        return update(self, context, rest_api_id, stage_name, patch_operations=left, **others)

    ApigatewayNextGenProvider.update_stage = update_stage
