//! The headers and query parameters that pass. API Gateway forwards only what is mapped.

use std::collections::BTreeSet;

use s3dataproxy_schema::Operation;

/// Where a request's parameter is.
pub const HEADER: &str = "header";
/// Where a request's parameter is.
pub const QUERY: &str = "query";

/// What a read may say.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub const READ: [(&str, &str); 11] = [
    (HEADER, "Range"),
    (HEADER, "If-Match"),
    (HEADER, "If-None-Match"),
    (HEADER, "If-Modified-Since"),
    (HEADER, "If-Unmodified-Since"),
    (HEADER, "If-Range"),
    (HEADER, "x-amz-checksum-mode"),
    (QUERY, "versionId"),
    (QUERY, "partNumber"),
    (QUERY, "response-content-disposition"),
    (QUERY, "response-content-type"),
];

/// What a write may say. There is no ACL among them, and no `Content-MD5`, which API Gateway drops.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
pub const PUT: [(&str, &str); 13] = [
    (HEADER, "Content-Type"),
    (HEADER, "Cache-Control"),
    (HEADER, "Content-Disposition"),
    (HEADER, "Content-Encoding"),
    (HEADER, "Content-Language"),
    (HEADER, "Expires"),
    (HEADER, "If-Match"),
    (HEADER, "If-None-Match"),
    (HEADER, "x-amz-checksum-crc32"),
    (HEADER, "x-amz-checksum-crc32c"),
    (HEADER, "x-amz-checksum-crc64nvme"),
    (HEADER, "x-amz-checksum-sha1"),
    (HEADER, "x-amz-checksum-sha256"),
];

/// What a list may say, besides `prefix` and `start-after`.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
pub const LIST: [&str; 4] = ["delimiter", "max-keys", "continuation-token", "encoding-type"];

/// What of a list is a key, and so begins with the prefix.
pub const LIST_KEYS: [&str; 2] = ["prefix", "start-after"];

/// What S3 says of an object that was found.
pub const OBJECT: [&str; 17] = [
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Range",
    "Content-Type",
    "ETag",
    "Expires",
    "Last-Modified",
    "x-amz-version-id",
    "x-amz-mp-parts-count",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
];

/// The object's size, under a name of our own: API Gateway renames a mapped `Content-Length`.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
pub const SIZE: &str = "X-Object-Size";

/// What belongs to an answer without an object.
pub const NOT_MODIFIED: [&str; 5] = ["Cache-Control", "ETag", "Expires", "Last-Modified", "x-amz-version-id"];

/// What S3 says of an object that was written.
pub const WRITTEN: [&str; 8] = [
    "ETag",
    "x-amz-version-id",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
];

/// What S3 says of a delete: the version that it made, and that this is a delete marker.
pub const DELETED: [&str; 2] = ["x-amz-delete-marker", "x-amz-version-id"];

/// API Gateway's own id of a request, which its errors name too.
pub const REQUEST_ID: &str = "x-amzn-RequestId";

/// The headers of requests that operations act upon, and those by which clients authorize themselves, `own` among them.
pub fn requested<'a>(operations: &[Operation], own: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names = vec!["Authorization", "X-Api-Key", "X-Amz-Date", "X-Amz-Security-Token"];
    names.extend(own);
    for operation in operations {
        let parameters: &[(&str, &str)] = match operation {
            Operation::Get | Operation::Head => &READ,
            Operation::Put => &PUT,
            Operation::List | Operation::Delete => &[],
        };
        names.extend(parameters.iter().filter(|(place, _)| *place == HEADER).map(|(_, name)| *name));
    }
    each_once(names)
}

/// The headers of answers that operations have.
pub fn answered(operations: &[Operation]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for operation in operations {
        let own: &[&[&str]] = match operation {
            Operation::Get | Operation::Head => &[&["Accept-Ranges", SIZE], &OBJECT],
            Operation::Put => &[&WRITTEN],
            Operation::Delete => &[&DELETED],
            Operation::List => &[&["Content-Type"]],
        };
        names.extend(own.iter().flat_map(|names| names.iter()));
    }
    names.extend(["Content-Length", REQUEST_ID]);
    each_once(names)
}

/// Names in the order in which they first come.
fn each_once(mut names: Vec<&str>) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.to_ascii_lowercase()));
    names
}
