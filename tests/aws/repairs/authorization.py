"""Import sets the authorization of methods that ask for a signature, and overwrites authorizers and policy; LocalStack
does not.

Source: the OpenAPI extension
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authtype.html, whose `awsSigv4`
is the authorization AWS_IAM, and the mode `overwrite` of
https://docs.aws.amazon.com/apigateway/latest/api/API_PutRestApi.html, which leaves nothing that the document does not have.
"""

from localstack.services.apigateway import helpers
from localstack.services.apigateway.legacy import provider
from localstack.services.apigateway.models import apigateway_stores

NAME = "import_api_from_openapi_spec"
ANY = "x-amazon-apigateway-any-method"


def apply() -> None:
    original = getattr(helpers, NAME)

    def import_api(rest_api, context, open_api_spec, mode):
        if mode == "overwrite":
            apigateway_stores[context.account_id][context.region].rest_apis[rest_api.id].authorizers.clear()
            rest_api.policy = None
        result = original(rest_api, context, open_api_spec, mode)
        sign(result[0], open_api_spec)
        return result

    for module in (helpers, provider):
        assert getattr(module, NAME) is original
        setattr(module, NAME, import_api)


def sign(rest_api, document: dict) -> None:
    schemes = document.get("components", {}).get("securitySchemes", {})
    signed = {name for name, scheme in schemes.items() if scheme.get("x-amazon-apigateway-authtype") == "awsSigv4"}
    for resource in rest_api.resources.values():
        path_item = document.get("paths", {}).get(resource.get_path(), {})
        for name, method in resource.resource_methods.items():
            operation = path_item.get(ANY if name == "ANY" else name.lower(), {})
            if any(signed & set(scheme) for scheme in operation.get("security", [])):
                method.authorization_type = "AWS_IAM"
