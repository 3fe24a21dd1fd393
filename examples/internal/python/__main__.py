import pulumi
from pulumi_s3dataproxy import S3DataProxy

config = pulumi.Config()

models = S3DataProxy(
    "models",
    path="v1/models",
    operations=["GET", "HEAD", "LIST", "PUT"],
    # Callers sign with AWS Signature Version 4, and need `execute-api:Invoke` on `execution_arn`.
    authorization="AWS_IAM",
    # The VPC endpoint for `execute-api`: pulumi config set vpcEndpointId vpce-...
    endpoint={"type": "PRIVATE", "vpc_endpoint_ids": [config.require("vpcEndpointId")]},
    bucket={"versioning": True},
)

pulumi.export("url", models.invoke_url)
pulumi.export("execution_arn", models.execution_arn)
