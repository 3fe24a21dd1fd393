"""A new account has no role for CloudWatch Logs, and without one no stage logs there; LocalStack names one that is not there,
and takes the setting.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html, and AWS's answer in
https://github.com/sst/sst/issues/1556.
"""

from localstack.aws.api.apigateway import BadRequestException
from localstack.services.apigateway.models import ApiGatewayStore, apigateway_stores
from localstack.services.apigateway.next_gen.provider import ApigatewayNextGenProvider


def apply() -> None:
    account, update = ApiGatewayStore.account.fget, ApigatewayNextGenProvider.update_stage

    def new_account(self):
        is_new = not self._account
        found = account(self)
        if is_new:
            del found["cloudwatchRoleArn"]
        return found

    def update_stage(self, context, rest_api_id, stage_name, patch_operations=None, **others):
        logs = [op for op in patch_operations or [] if op["op"] != "remove" and (
            op["path"] == "/accessLogSettings/destinationArn" and ":logs:" in op["value"]
            or op["path"].endswith("/logging/loglevel") and op["value"] != "OFF")]
        if logs and not apigateway_stores[context.account_id][context.region].account.get("cloudwatchRoleArn"):
            raise BadRequestException("CloudWatch Logs role ARN must be set in account settings to enable logging")
        return update(self, context, rest_api_id, stage_name, patch_operations=patch_operations, **others)

    ApiGatewayStore.account = property(new_account)
    ApigatewayNextGenProvider.update_stage = update_stage
