import { S3DataProxy } from "pulumi-s3dataproxy";

const data = new S3DataProxy("measurements", {
    // A client that is added or dropped leaves the keys of the others as they are.
    apiKeys: ["alice", "lab-7"],
    quota: { limit: 100_000, period: "MONTH" },
    throttle: { rateLimit: 50, burstLimit: 100 },
    // Needs the role for CloudWatch Logs that API Gateway has once for all APIs of an account in a Region.
    accessLog: { retentionInDays: 90 },
    bucket: { versioning: true },
});

export const url = data.invokeUrl;
export const bucket = data.bucketName;
// A secret: `pulumi stack output --show-secrets keys` shows it.
export const keys = data.apiKeyValues;
