"""The same generated requests to S3 itself and to the proxy, and whether the two say the same."""
