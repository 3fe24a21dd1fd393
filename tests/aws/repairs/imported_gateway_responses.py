"""Import sets the API's gateway responses, and their fixed headers are on the answers; LocalStack does neither.

Source: the OpenAPI extension
https://docs.aws.amazon.com/apigateway/latest/developerguide/openapi-extensions-gateway-responses.html and
"Gateway responses", https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
"""

from localstack.services.apigateway import helpers
from localstack.services.apigateway.legacy import provider
from localstack.services.apigateway.models import apigateway_stores
from localstack.services.apigateway.next_gen.execute_api.gateway_response import (
    build_gateway_response,
    get_gateway_response_or_default,
)
from localstack.services.apigateway.next_gen.execute_api.handlers.gateway_exception import GatewayExceptionHandler

NAME = "import_api_from_openapi_spec"
HEADER = "gatewayresponse.header."


def apply() -> None:
    original = getattr(helpers, NAME)

    def import_api(rest_api, context, open_api_spec, mode):
        result = original(rest_api, context, open_api_spec, mode)
        stored = apigateway_stores[context.account_id][context.region].rest_apis[rest_api.id].gateway_responses
        store(stored, open_api_spec, mode)
        return result

    for module in (helpers, provider):
        assert getattr(module, NAME) is original
        setattr(module, NAME, import_api)

    without_headers = GatewayExceptionHandler.create_exception_response

    def create_exception_response(handler, exception, context):
        answer = without_headers(handler, exception, context)
        answer.headers.update(fixed_headers(exception.type, context.deployment.rest_api.gateway_responses))
        return answer

    GatewayExceptionHandler.create_exception_response = create_exception_response


def store(stored: dict, document: dict, mode: str) -> None:
    if mode == "overwrite":
        stored.clear()
    for kind, response in document.get("x-amazon-apigateway-gateway-responses", {}).items():
        status = response.get("statusCode")
        stored[kind] = build_gateway_response(
            response_type=kind,
            status_code=str(status) if status else None,
            response_parameters=response.get("responseParameters"),
            response_templates=response.get("responseTemplates"),
            default_response=False,
        )


def fixed_headers(kind, stored: dict) -> dict[str, str]:
    """Those with a quoted value; one that copies a part of the request stays out, as it does in LocalStack."""
    parameters = get_gateway_response_or_default(kind, stored).get("responseParameters") or {}
    return {
        name.removeprefix(HEADER): value[1:-1]
        for name, value in parameters.items()
        if name.startswith(HEADER) and value.startswith("'") and value.endswith("'")
    }
