import pulumi
from pulumi_s3dataproxy import S3DataProxy

pulumi.export("invoke_url", S3DataProxy("ai-data-repository").invoke_url)
