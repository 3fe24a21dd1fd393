"""The key that encrypts a log group can be changed and taken away; LocalStack knows only the one that the group was made with.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html and
API_DisassociateKmsKey.html there.
"""

from localstack.services.logs.provider import LogsProvider, get_moto_logs_backend
from moto.logs.exceptions import ResourceNotFoundException


def apply() -> None:
    def encrypt(context, log_group_name: str, key: str | None) -> None:
        group = get_moto_logs_backend(context.account_id, context.region).groups.get(log_group_name)
        if group is None:
            raise ResourceNotFoundException()
        group.kms_key_id = key

    def associate_kms_key(self, context, kms_key_id, log_group_name=None, **_):
        encrypt(context, log_group_name, kms_key_id)

    def disassociate_kms_key(self, context, log_group_name=None, **_):
        encrypt(context, log_group_name, None)

    LogsProvider.associate_kms_key = associate_kms_key
    LogsProvider.disassociate_kms_key = disassociate_kms_key
