"""What a document leaves out is wiped by an import that overwrites; LocalStack keeps the smallest answer that is compressed and
where keys of clients come from.

Source: https://docs.aws.amazon.com/apigateway/latest/api/API_PutRestApi.html, and what is put back after such an import in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/apigateway/rest_api.go.
"""

from localstack.services.apigateway import helpers
from localstack.services.apigateway.legacy import provider

NAME = "import_api_from_openapi_spec"


def apply() -> None:
    original = getattr(helpers, NAME)

    def import_api(rest_api, context, open_api_spec, mode):
        if mode == "overwrite":
            rest_api.minimum_compression_size, rest_api.api_key_source = None, "HEADER"
        return original(rest_api, context, open_api_spec, mode)

    for module in (helpers, provider):
        setattr(module, NAME, import_api)
