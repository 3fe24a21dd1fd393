"""Import keeps an integration's `credentials` and `cacheKeyParameters`, and its responses' `contentHandling`; LocalStack drops
them.

Source: they are fields of the OpenAPI extensions
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration-response.html
"""

from localstack.services.apigateway import helpers
from localstack.services.apigateway.legacy import provider

NAME = "import_api_from_openapi_spec"
ANY = "x-amazon-apigateway-any-method"


def apply() -> None:
    original = getattr(helpers, NAME)

    def import_api(rest_api, context, open_api_spec, mode):
        result = original(rest_api, context, open_api_spec, mode)
        restore(result[0], open_api_spec)
        return result

    for module in (helpers, provider):
        assert getattr(module, NAME) is original
        setattr(module, NAME, import_api)


def restore(rest_api, document: dict) -> None:
    for resource in rest_api.resources.values():
        path_item = document.get("paths", {}).get(resource.get_path(), {})
        for name, method in resource.resource_methods.items():
            operation = path_item.get(ANY if name == "ANY" else name.lower(), {})
            source = operation.get("x-amazon-apigateway-integration")
            if not source or not method.method_integration:
                continue
            method.method_integration.credentials = source.get("credentials")
            method.method_integration.cache_key_parameters = source.get("cacheKeyParameters", [])
            responses = method.method_integration.integration_responses or {}
            for response in source.get("responses", {}).values():
                # API Gateway keeps one integration response for each status.
                if target := responses.get(str(response.get("statusCode", 200))):
                    target.content_handling = response.get("contentHandling")
