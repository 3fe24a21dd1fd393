"""A new account has no role for CloudWatch Logs, and without one no stage logs there; LocalStack names one that is not there,
and takes the setting.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html, and AWS's answer in
https://github.com/sst/sst/issues/1556.
"""

from localstack.services.apigateway.models import ApiGatewayStore, apigateway_stores
from moto.apigateway.exceptions import BadRequestException
from moto.apigateway.models import APIGatewayBackend


def apply() -> None:
    account, update = ApiGatewayStore.account.fget, APIGatewayBackend.update_stage

    def new_account(self):
        is_new = not self._account
        found = account(self)
        if is_new:
            del found["cloudwatchRoleArn"]
        return found

    def update_stage(self, function_id, stage_name, patch_operations):
        logs = [op for op in patch_operations if op["op"] != "remove" and (
            op["path"] == "/accessLogSettings/destinationArn" and ":logs:" in op["value"]
            or op["path"].endswith("/logging/loglevel") and op["value"] != "OFF")]
        if logs and not apigateway_stores[self.account_id][self.region_name].account.get("cloudwatchRoleArn"):
            raise BadRequestException("CloudWatch Logs role ARN must be set in account settings to enable logging")
        return update(self, function_id, stage_name, patch_operations)

    ApiGatewayStore.account = property(new_account)
    APIGatewayBackend.update_stage = update_stage
