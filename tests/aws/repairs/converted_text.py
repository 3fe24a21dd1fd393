"""CONVERT_TO_TEXT gives the response template text; LocalStack gives it bytes, which no template accepts (500).

Source: Amazon API Gateway developer guide, "Content type conversions in API Gateway", the table for responses:
a binary payload with CONVERT_TO_TEXT becomes a Base64-encoded string
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html).
"""

from localstack.services.apigateway.next_gen.execute_api.handlers.integration_response import (
    IntegrationResponseHandler,
)


def apply() -> None:
    original = IntegrationResponseHandler.convert_body

    def convert_body(context, body: bytes, content_handling: str | None) -> bytes | str:
        converted = original(context, body=body, content_handling=content_handling)
        if content_handling == "CONVERT_TO_TEXT" and isinstance(converted, bytes):
            return converted.decode("ascii")
        return converted

    IntegrationResponseHandler.convert_body = staticmethod(convert_body)
