import pulumi
from pulumi_s3dataproxy import S3DataProxy

data = S3DataProxy(
    "measurements",
    # A client that is added or dropped leaves the keys of the others as they are.
    api_keys=["alice", "lab-7"],
    quota={"limit": 100_000, "period": "MONTH"},
    throttle={"rate_limit": 50, "burst_limit": 100},
    # Needs the role for CloudWatch Logs that API Gateway has once for all APIs of an account in a Region.
    access_log={"retention_in_days": 90},
    bucket={"versioning": True},
)

pulumi.export("url", data.invoke_url)
pulumi.export("bucket", data.bucket_name)
# A secret: `pulumi stack output --show-secrets keys` shows it.
pulumi.export("keys", data.api_key_values)
