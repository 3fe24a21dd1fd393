"""A REST API keeps its security policy and the access mode that goes with it; LocalStack forgets both.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-update.html
"""

from functools import wraps

from localstack.aws.api.apigateway import NotFoundException
from localstack.services.apigateway.helpers import get_moto_rest_api
from localstack.services.apigateway.legacy.provider import ApigatewayProvider

PATHS = ("/securityPolicy", "/endpointAccessMode")


def apply() -> None:
    create, update = ApigatewayProvider.create_rest_api, ApigatewayProvider.update_rest_api
    get, get_all = ApigatewayProvider.get_rest_api, ApigatewayProvider.get_rest_apis

    def told(context, rest_api: dict) -> dict:
        """An answer with what was told of it."""
        kept = getattr(get_moto_rest_api(context, rest_api["id"]), "told", {})
        return rest_api | {"securityPolicy": "TLS_1_0"} | kept

    def keep(context, id_: str, values: dict) -> None:
        rest_api = get_moto_rest_api(context, id_)
        rest_api.told = getattr(rest_api, "told", {}) | values

    # With the marks by which LocalStack calls it.
    @wraps(create)
    def create_rest_api(self, context, request):
        values = {path[1:]: request.pop(path[1:]) for path in PATHS if request.get(path[1:])}
        answer = create(self, context, request)
        keep(context, answer["id"], values)
        return told(context, answer)

    def update_rest_api(self, context, rest_api_id, patch_operations=None, **others):
        own = {op["path"][1:]: op["value"] for op in patch_operations or [] if op["path"] in PATHS}
        others["patch_operations"] = [op for op in patch_operations or [] if op["path"] not in PATHS]
        answer = update(self, context, rest_api_id, **others)
        keep(context, rest_api_id, own)
        return told(context, answer)

    def get_rest_api(self, context, rest_api_id, **others):
        return told(context, get(self, context, rest_api_id, **others))

    def get_rest_apis(self, context, **others):
        def items():
            for rest_api in answer["items"]:
                try:
                    yield told(context, rest_api)
                except NotFoundException:
                    pass  # it has been deleted since

        answer = get_all(self, context, **others)
        return answer | {"items": list(items())}

    for each in (create_rest_api, update_rest_api, get_rest_api, get_rest_apis):
        setattr(ApigatewayProvider, each.__name__, each)
