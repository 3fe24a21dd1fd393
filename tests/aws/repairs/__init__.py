"""Where LocalStack 4.14 differs from AWS and AWS's behaviour is on record. One file a repair; each names its source.

Imported only inside the local AWS's process: these modules need LocalStack.
"""

from . import any_binary_media_type, converted_text, gateway_responses, imported_fields, kept_tags


def apply() -> None:
    any_binary_media_type.apply()
    imported_fields.apply()
    gateway_responses.apply()
    converted_text.apply()
    kept_tags.apply()
