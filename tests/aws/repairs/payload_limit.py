"""API Gateway carries 10 MB each way; LocalStack has no such limit.

Source: "Payload size",
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html, and for
requests the type REQUEST_TOO_LARGE of
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html. For answers the
documentation names no type; execution logs call it a configuration error
(https://repost.aws/questions/QUQx1CzpQHRWqZW-bjSUukTw/rest-api-payload-max-size-with-compression).

More lenient than AWS: here an API may customise REQUEST_TOO_LARGE, which AWS says it does not support
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html).
"""

from localstack.services.apigateway.next_gen.execute_api.gateway_response import (
    ApiConfigurationError,
    RequestTooLargeError,
)
from localstack.services.apigateway.next_gen.execute_api.handlers.integration import IntegrationHandler
from localstack.services.apigateway.next_gen.execute_api.handlers.parse import InvocationRequestParser

LIMIT = 10 * 1024 * 1024


def apply() -> None:
    parse, integrate = InvocationRequestParser.parse_and_enrich, IntegrationHandler.__call__

    def parse_and_enrich(parser, context):
        parse(parser, context)
        if len(context.invocation_request["body"] or b"") > LIMIT:
            raise RequestTooLargeError("Request Too Long")

    def call(handler, chain, context, response):
        integrate(handler, chain, context, response)
        if len(context.endpoint_response["body"] or b"") > LIMIT:
            raise ApiConfigurationError("Internal server error")

    InvocationRequestParser.parse_and_enrich = parse_and_enrich
    IntegrationHandler.__call__ = call
