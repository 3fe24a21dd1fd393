"""Import sets the API's gateway responses, and their headers and templates make the answers; LocalStack does neither.

Source: the OpenAPI extension
https://docs.aws.amazon.com/apigateway/latest/developerguide/openapi-extensions-gateway-responses.html and
"Gateway responses", https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html:
headers are fixed or copied from the request, templates do plain substitution of variables only. The variables:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

import json
import re

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
COPIED = "method.request.header."


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

    plain = GatewayExceptionHandler.create_exception_response

    def create_exception_response(handler, exception, context):
        answer = plain(handler, exception, context)
        response = get_gateway_response_or_default(exception.type, context.deployment.rest_api.gateway_responses)
        request = context.invocation_request["headers"]
        answer.headers.update(headers(response.get("responseParameters") or {}, request))
        template = (response.get("responseTemplates") or {}).get("application/json")
        if template:
            answer.set_data(filled(template, context.context_variables))
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


def headers(parameters: dict[str, str], request) -> dict[str, str]:
    """The headers of an answer; one that copies a header which the request lacks is left out."""
    found = {}
    for name, value in parameters.items():
        if value.startswith("'") and value.endswith("'"):
            found[name.removeprefix(HEADER)] = value[1:-1]
        elif value.startswith(COPIED) and value.removeprefix(COPIED) in request:
            found[name.removeprefix(HEADER)] = request[value.removeprefix(COPIED)]
    return found


def filled(template: str, variables: dict) -> str:
    """A template with its variables; `messageString` is the message in quotes."""
    error = variables["error"]
    variables = variables | {"error": error | {"messageString": json.dumps(error["message"])}}

    def value(match: re.Match) -> str:
        found = variables
        for name in match[1].split("."):
            found = found.get(name, "") if isinstance(found, dict) else ""
        return str(found)

    return re.sub(r"\$context\.([A-Za-z.]+)", value, template)
