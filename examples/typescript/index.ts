import { S3DataProxy } from "pulumi-s3dataproxy";

export const invokeUrl = new S3DataProxy("ai-data-repository").invokeUrl;
