//! What is in a bucket: for the delete that takes everything with it, and before one is taken over.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::apply::Run;
use crate::aws::Clients;
use crate::aws::error::{Call, Service::S3};
use crate::error::{Error, Kind};

/// Deletes every version and every delete marker, a page at a time, and ends every unfinished upload.
pub(super) async fn empty(run: &Run, name: &str) -> Result<(), Error> {
    let doing = format!("empty the bucket `{name}`");
    (run.progress)(&format!("emptying bucket {name}"));
    loop {
        run.check(&doing)?;
        // Always the first page: what was on it is gone by the time of the next.
        let page = run.aws.s3.list_object_versions().bucket(name).send().await;
        let page = page.map_err(|error| run.aws.explain(Call(S3, "ListObjectVersions", &doing), error))?;
        let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
        let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        let objects: Vec<ObjectIdentifier> = versions
            .chain(markers)
            .filter_map(|(key, version)| {
                ObjectIdentifier::builder().key(key?).set_version_id(version.map(str::to_owned)).build().ok()
            })
            .collect();
        if !objects.is_empty() {
            delete_objects(run, name, objects, &doing).await?;
        }
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    loop {
        let page = run.aws.s3.list_multipart_uploads().bucket(name).send().await;
        let page = page.map_err(|error| run.aws.explain(Call(S3, "ListMultipartUploads", &doing), error))?;
        for upload in page.uploads() {
            run.check(&doing)?;
            let request = run.aws.s3.abort_multipart_upload().bucket(name);
            let request = request.set_key(upload.key.clone()).set_upload_id(upload.upload_id.clone());
            match request.send().await {
                Ok(_) => {}
                Err(error) if error.code() == Some("NoSuchUpload") => {}
                Err(error) => return Err(run.aws.explain(Call(S3, "AbortMultipartUpload", &doing), error)),
            }
        }
        if page.is_truncated() != Some(true) {
            return Ok(());
        }
    }
}

/// Deletes objects in one call.
async fn delete_objects(run: &Run, name: &str, objects: Vec<ObjectIdentifier>, doing: &str) -> Result<(), Error> {
    let request = Delete::builder().set_objects(Some(objects)).quiet(true).build();
    let request = request.map_err(|error| Error::new(Kind::Other, doing, error.to_string()))?;
    let answer = run.aws.s3.delete_objects().bucket(name).delete(request).send().await;
    let answer = answer.map_err(|error| run.aws.explain(Call(S3, "DeleteObjects", doing), error))?;
    let Some(error) = answer.errors().first() else { return Ok(()) };
    let message = format!("`{}`: {}", error.key().unwrap_or_default(), error.message().unwrap_or_default());
    let mut failure = Error::new(Kind::Other, doing, message);
    failure.operation = Some("DeleteObjects");
    failure.code = error.code().map(str::to_owned);
    Err(failure.hint("an object under a lock or a legal hold has to be released first"))
}

/// Whether a bucket has an object, or a version of one.
pub async fn holds_objects(aws: &Clients, name: &str) -> Result<bool, Error> {
    let page = aws.s3.list_object_versions().bucket(name).max_keys(1).send().await;
    let doing = format!("look into the bucket `{name}`");
    let page = page.map_err(|error| aws.explain(Call(S3, "ListObjectVersions", &doing), error))?;
    Ok(!page.versions().is_empty() || !page.delete_markers().is_empty())
}
