"""Web ACLs are made, listed, associated with stages and taken away again, and show in GetStage. LocalStack has no AWS WAF;
moto, which it brings along, has: it only has to be asked. Requests are not looked at.

A resource has at most one web ACL, so another one takes its place; and one for CloudFront is none for a stage:
https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html
A web ACL that a stage has cannot be deleted: https://docs.aws.amazon.com/waf/latest/APIReference/API_DeleteWebACL.html
"""

from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import _proxy_moto
from localstack.services.plugins import SERVICE_PLUGINS, Service
from moto.wafv2.exceptions import WAFNonexistentItemException, WAFv2ClientError
from moto.wafv2.models import WAFV2Backend


def apply() -> None:
    service = load_service("wafv2")
    table = {operation: _proxy_moto for operation in service.operation_names}
    SERVICE_PLUGINS.api_provider_specs["wafv2"] = ["default"]
    SERVICE_PLUGINS.add_service(Service(name="wafv2", skeleton=Skeleton(service, table)))
    associate, disassociate, delete = (
        WAFV2Backend.associate_web_acl, WAFV2Backend.disassociate_web_acl, WAFV2Backend.delete_web_acl)

    def associate_web_acl(self, web_acl_arn, resource_arn):
        if ":regional/" not in web_acl_arn or not self._find_apigw_stage(resource_arn):
            raise WAFNonexistentItemException
        disassociate(self, resource_arn)
        associate(self, web_acl_arn, resource_arn)

    def disassociate_web_acl(self, resource_arn):
        if not self._find_apigw_stage(resource_arn):
            raise WAFNonexistentItemException
        disassociate(self, resource_arn)

    def delete_web_acl(self, name, scope, _id, lock_token):
        found = [acl for acl in self.wacls.values() if acl.id == _id]
        if any(self._find_apigw_stage(resource) for acl in found for resource in acl.associated_resources):
            raise WAFv2ClientError("WAFAssociatedItemException", "the web ACL is associated with a resource")
        delete(self, name, scope, _id, lock_token)

    WAFV2Backend.associate_web_acl = associate_web_acl
    WAFV2Backend.disassociate_web_acl = disassociate_web_acl
    WAFV2Backend.delete_web_acl = delete_web_acl
