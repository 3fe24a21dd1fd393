import { S3DataProxy } from "pulumi-s3dataproxy";

const site = new S3DataProxy("site", {
    path: "/",
    indexDocument: "index.html",
    cors: { allowOrigins: ["https://viewer.example"], exposeHeaders: ["ETag", "Content-Range"] },
    throttle: { rateLimit: 100, burstLimit: 200 },
});

export const url = site.invokeUrl;
export const bucket = site.bucketName;
