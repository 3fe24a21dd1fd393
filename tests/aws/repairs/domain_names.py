"""A custom domain name has the tags, the security policy and the endpoints that it was made with or told later, and a REST API
that one leads to is not deleted; a base path leads to one stage. LocalStack looks for a hosted zone in a service that does not
run, forgets the first two, has no UpdateDomainName, and takes a base path a second time.

Source: https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDomainName.html, API_UpdateDomainName.html and
API_CreateBasePathMapping.html there,
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-migrate.html, and AWS's answer
for a REST API with a mapping in https://github.com/aws/aws-cdk/issues/11095.
"""

from localstack.aws.api.apigateway import BadRequestException, ConflictException, NotFoundException
from localstack.services.apigateway.legacy import provider

NAMED = "/domainnames/"
TYPES = "/endpointConfiguration/types"


def apply() -> None:
    cls = provider.ApigatewayProvider
    delete_api, tag, untag = cls.delete_rest_api, cls.tag_resource, cls.untag_resource
    create_mapping = cls.create_base_path_mapping

    def names(context) -> dict:
        return provider.get_apigateway_store(context=context).domain_names

    def create_domain_name(self, context, domain_name, endpoint_configuration=None, tags=None, security_policy=None,
                           certificate_arn=None, regional_certificate_arn=None, **_):
        if domain_name in names(context):
            raise BadRequestException("The domain name you provided already exists.")
        domain = {"domainName": domain_name, "domainNameStatus": "AVAILABLE", "tags": dict(tags or {}),
                  "securityPolicy": security_policy or "TLS_1_2",
                  "endpointConfiguration": {"types": list((endpoint_configuration or {}).get("types") or ["EDGE"]),
                                            "ipAddressType": (endpoint_configuration or {}).get("ipAddressType", "ipv4")},
                  "certificateArn": certificate_arn, "regionalCertificateArn": regional_certificate_arn}
        names(context)[domain_name] = domain
        return lead(domain, context.region)

    def update_domain_name(self, context, domain_name, patch_operations=None, **_):
        domain = self.get_domain_name(context, domain_name)
        types = domain["endpointConfiguration"]["types"]
        for patch in patch_operations or []:
            if patch["path"] == TYPES:
                types.append(patch["value"]) if patch["op"] == "add" else types.remove(patch["value"])
            elif patch["path"] == "/endpointConfiguration/ipAddressType":
                domain["endpointConfiguration"]["ipAddressType"] = patch["value"]
            elif patch["path"] in ("/certificateArn", "/regionalCertificateArn", "/securityPolicy"):
                domain[patch["path"][1:]] = patch["value"]
            else:
                raise BadRequestException(f"Invalid patch path {patch['path']}")
        return lead(domain, context.region)

    def delete_domain_name(self, context, domain_name, **_):
        if names(context).pop(domain_name, None) is None:
            raise NotFoundException("Invalid domain name identifier specified")
        provider.get_apigateway_store(context=context).base_path_mappings.pop(domain_name, None)

    def create_base_path_mapping(self, context, domain_name, rest_api_id, base_path=None, **others):
        there = provider.get_apigateway_store(context=context).base_path_mappings.get(domain_name, [])
        if (base_path or "(none)") in {mapping["basePath"] for mapping in there}:
            raise ConflictException("Base path already exists for this domain name")
        return create_mapping(self, context, domain_name, rest_api_id, base_path=base_path, **others)

    def delete_rest_api(self, context, rest_api_id, **others):
        mappings = provider.get_apigateway_store(context=context).base_path_mappings
        if any(mapping["restApiId"] == rest_api_id for each in mappings.values() for mapping in each):
            raise BadRequestException("Deleting RestApi failed. Please remove all base path mappings related to the RestApi "
                                      "in your domains.")
        return delete_api(self, context, rest_api_id, **others)

    def tags_of(context, arn: str) -> dict:
        return names(context).get(arn.partition(NAMED)[2], {}).get("tags", {})

    def tag_resource(self, context, resource_arn, tags, **others):
        tag(self, context, resource_arn, tags, **others)
        tags_of(context, resource_arn).update(tags)

    def untag_resource(self, context, resource_arn, tag_keys, **others):
        untag(self, context, resource_arn, tag_keys, **others)
        for key in tag_keys:
            tags_of(context, resource_arn).pop(key, None)

    for method in (create_domain_name, update_domain_name, delete_domain_name, create_base_path_mapping, delete_rest_api,
                   tag_resource, untag_resource):
        setattr(cls, method.__name__, method)


def lead(domain: dict, region: str) -> dict:
    """The domain name with what a DNS record of it leads to."""
    types = domain["endpointConfiguration"]["types"]
    regional = {"regionalDomainName": f"d-local.execute-api.{region}.amazonaws.com", "regionalHostedZoneId": "ZREGIONAL"}
    edge = {"distributionDomainName": "d-local.cloudfront.net", "distributionHostedZoneId": "ZEDGE"}
    for kind, certificate, fields in (("REGIONAL", "regionalCertificateArn", regional), ("EDGE", "certificateArn", edge)):
        if kind in types:
            domain.update(fields)
        else:
            for name in (certificate, *fields):
                domain.pop(name, None)
    return domain
