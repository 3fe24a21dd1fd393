"""Where LocalStack 4.14 differs from AWS and AWS's behaviour is on record. One file a repair; each names its source.

Imported only inside the local AWS's process: these modules need LocalStack.
"""

from . import (
    any_binary_media_type,
    authorization,
    converted_text,
    domain_names,
    endpoint_configuration,
    gateway_responses,
    imported_fields,
    kept_tags,
    log_group_keys,
    logging,
    method_settings,
    overwriting_import,
    payload_limit,
    security_policy,
    usage_plans,
    web_acls,
)


def apply() -> None:
    any_binary_media_type.apply()
    imported_fields.apply()
    endpoint_configuration.apply()
    gateway_responses.apply()
    authorization.apply()
    converted_text.apply()
    payload_limit.apply()
    kept_tags.apply()
    logging.apply()
    usage_plans.apply()
    method_settings.apply()
    security_policy.apply()
    domain_names.apply()
    web_acls.apply()
    log_group_keys.apply()
    overwriting_import.apply()
