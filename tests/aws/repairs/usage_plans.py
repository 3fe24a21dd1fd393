"""What is not there is not found, and a usage plan that a stage has stays; LocalStack fails, or deletes it.

Source: the errors of https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteUsagePlan.html and
https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteUsagePlanKey.html, and AWS's answer for a plan with a stage in
https://github.com/aws/aws-sdk-js/issues/3841.
"""

from moto.apigateway.exceptions import BadRequestException, UsagePlanNotFoundException
from moto.apigateway.models import APIGatewayBackend


def apply() -> None:
    delete_plan, delete_key = APIGatewayBackend.delete_usage_plan, APIGatewayBackend.delete_usage_plan_key

    def delete_usage_plan(self, usage_plan_id):
        plan = self.get_usage_plan(usage_plan_id)
        for stage in plan.api_stages:
            if stage["apiId"] not in self.apis or stage["stage"] not in self.apis[stage["apiId"]].stages:
                continue  # it went with its stage
            raise BadRequestException(
                f"Cannot delete Usage Plan {usage_plan_id} because there are API Stages associated with it, "
                f"including {stage['apiId']}:{stage['stage']}")
        delete_plan(self, usage_plan_id)

    def delete_usage_plan_key(self, usage_plan_id, key_id):
        if key_id not in self.usage_plan_keys.get(usage_plan_id, {}):
            raise UsagePlanNotFoundException
        delete_key(self, usage_plan_id, key_id)

    APIGatewayBackend.delete_usage_plan = delete_usage_plan
    APIGatewayBackend.delete_usage_plan_key = delete_usage_plan_key
