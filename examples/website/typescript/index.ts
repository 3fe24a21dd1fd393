import * as pulumi from "@pulumi/pulumi";
import { S3DataProxy } from "pulumi-s3dataproxy";

const config = new pulumi.Config();

const site = new S3DataProxy("site", {
    path: "/",
    indexDocument: "index.html",
    cors: { allowOrigins: ["https://viewer.example"], exposeHeaders: ["ETag", "Content-Range"] },
    throttle: { rateLimit: 100, burstLimit: 200 },
    // A certificate in this Region: pulumi config set domainName data.example.com, and certificateArn arn:aws:acm:...
    domain: { name: config.require("domainName"), certificateArn: config.require("certificateArn") },
    // The domain name alone answers.
    endpoint: { disableExecuteApi: true },
});

export const url = site.invokeUrl;
export const bucket = site.bucketName;
// What the DNS record of the domain name leads to: an alias record in Route 53, or a CNAME elsewhere.
export const domainTarget = site.domainTarget;
