import pulumi
from pulumi_s3dataproxy import S3DataProxy

config = pulumi.Config()

site = S3DataProxy(
    "site",
    path="/",
    index_document="index.html",
    cors={"allow_origins": ["https://viewer.example"], "expose_headers": ["ETag", "Content-Range"]},
    throttle={"rate_limit": 100, "burst_limit": 200},
    # A certificate in this Region: pulumi config set domainName data.example.com, and certificateArn arn:aws:acm:...
    domain={"name": config.require("domainName"), "certificate_arn": config.require("certificateArn")},
    # The domain name alone answers.
    endpoint={"disable_execute_api": True},
)

pulumi.export("url", site.invoke_url)
pulumi.export("bucket", site.bucket_name)
# What the DNS record of the domain name leads to: an alias record in Route 53, or a CNAME elsewhere.
pulumi.export("domain_target", site.domain_target)
