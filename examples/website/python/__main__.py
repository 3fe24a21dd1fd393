import pulumi
from pulumi_s3dataproxy import S3DataProxy

site = S3DataProxy(
    "site",
    path="/",
    index_document="index.html",
    cors={"allow_origins": ["https://viewer.example"], "expose_headers": ["ETag", "Content-Range"]},
    throttle={"rate_limit": 100, "burst_limit": 200},
)

pulumi.export("url", site.invoke_url)
pulumi.export("bucket", site.bucket_name)
