"""`*/*` in an API's binary media types means every payload is binary; LocalStack skips it and corrupts bytes.

Source: Amazon API Gateway developer guide, "Content type conversions in API Gateway"
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html): its table,
and the advice to set `*/*` for clients whose Accept header cannot be controlled.
"""

from localstack.services.apigateway.next_gen.execute_api import helpers
from localstack.services.apigateway.next_gen.execute_api.handlers import integration_request, integration_response
from localstack.services.apigateway.next_gen.execute_api.integrations import aws

NAME = "mime_type_matches_binary_media_types"


def apply() -> None:
    original = getattr(helpers, NAME)

    def matches(mime_type: str | None, binary_media_types: list[str]) -> bool:
        # Independent of the header, so also where there is none.
        return "*/*" in (binary_media_types or []) or original(mime_type, binary_media_types)

    for module in (helpers, integration_request, integration_response, aws):
        assert getattr(module, NAME) is original
        setattr(module, NAME, matches)
