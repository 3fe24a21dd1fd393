"""What a document says of the endpoint changes that and nothing else, and VPC endpoints come and go by their ids; LocalStack
forgets the endpoint's kind over the one, with whether the API's own URL is switched off, and other ids over the other.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/openapi-extensions-api-gateway-endpoint-configuration.html;
what an overwriting import leaves out is wiped:
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/apigateway/rest_api.go.
"""

from localstack.services.apigateway import helpers
from localstack.services.apigateway.legacy import provider

NAME = "import_api_from_openapi_spec"
VPC_ENDPOINTS = "/endpointConfiguration/vpcEndpointIds"
EXTENSION = "x-amazon-apigateway-endpoint-configuration"


def apply() -> None:
    original = getattr(helpers, NAME)

    def import_api(rest_api, context, open_api_spec, mode):
        before = rest_api.endpoint_configuration or {}
        said = open_api_spec.pop(EXTENSION, {})
        result = original(rest_api, context, open_api_spec, mode)
        kept = {key: value for key, value in before.items() if key != "vpcEndpointIds"}
        told = {key: value for key, value in said.items() if key == "vpcEndpointIds"}
        rest_api.endpoint_configuration = kept | told
        rest_api.disableExecuteApiEndpoint = said.get("disableExecuteApiEndpoint", False)
        return result

    update = provider.ApigatewayProvider.update_rest_api

    def update_rest_api(self, context, rest_api_id, patch_operations=None, **others):
        answer = update(self, context, rest_api_id, **others,
                        patch_operations=[op for op in patch_operations or [] if op["path"] != VPC_ENDPOINTS])
        endpoint = provider.get_moto_rest_api(context, rest_api_id).endpoint_configuration
        for op in patch_operations or []:
            if op["path"] == VPC_ENDPOINTS:
                ids = endpoint.get("vpcEndpointIds", [])
                endpoint["vpcEndpointIds"] = ids + [op["value"]] if op["op"] == "add" else [
                    id_ for id_ in ids if id_ != op["value"]]
        answer["endpointConfiguration"] = endpoint
        return answer

    provider.ApigatewayProvider.update_rest_api = update_rest_api
    for module in (helpers, provider):
        setattr(module, NAME, import_api)
