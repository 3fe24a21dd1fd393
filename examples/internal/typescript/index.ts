import * as pulumi from "@pulumi/pulumi";
import { S3DataProxy } from "pulumi-s3dataproxy";

const config = new pulumi.Config();

const models = new S3DataProxy("models", {
    path: "v1/models",
    operations: ["GET", "HEAD", "LIST", "PUT"],
    // Callers sign with AWS Signature Version 4, and need `execute-api:Invoke` on `executionArn`.
    authorization: "AWS_IAM",
    // The VPC endpoint for `execute-api`: pulumi config set vpcEndpointId vpce-...
    endpoint: { type: "PRIVATE", vpcEndpointIds: [config.require("vpcEndpointId")] },
    bucket: { versioning: true },
});

export const url = models.invokeUrl;
export const executionArn = models.executionArn;
