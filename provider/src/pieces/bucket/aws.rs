//! The bucket at Amazon S3.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, Delete, ObjectIdentifier, ObjectOwnership, Tag, Tagging,
};

use super::State;
use crate::apply::Run;
use crate::aws::Clients;
use crate::aws::error::{Call, Service::S3};
use crate::desired::Tags;
use crate::error::{Error, Kind};
use crate::pieces::Piece;
use crate::plan::Action;
use crate::policy::canonical;

/// The Region whose buckets are made without naming it.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
const UNNAMED_REGION: &str = "us-east-1";

/// How often a bucket is emptied that is never found empty.
const ROUNDS: u64 = 5;

/// Makes, changes or deletes the bucket.
pub async fn run(run: &Run, action: Action) -> Result<(), Error> {
    match action {
        Action::Same => Ok(()),
        Action::Create => {
            create(run).await?;
            update(run).await
        }
        Action::Update => update(run).await,
        Action::Delete => delete(run).await,
    }
}

/// The bucket as it is; none if it is not there. Of its tags, those in `ours`.
pub async fn observe(aws: &Clients, name: &str, ours: &Tags) -> Result<Option<State>, Error> {
    let doing = format!("read the bucket `{name}`");
    let Some(mut tags) = tags(aws, name, &doing).await? else { return Ok(None) };
    tags.retain(|key, _| ours.contains_key(key));
    let policy = match aws.s3.get_bucket_policy().bucket(name).send().await {
        Ok(answer) => answer.policy.as_deref().map(canonical),
        Err(error) if error.code() == Some("NoSuchBucketPolicy") => None,
        Err(error) => return Err(aws.explain(Call(S3, "GetBucketPolicy", &doing), error)),
    };
    Ok(Some(State { name: name.to_owned(), policy, tags }))
}

/// Makes the bucket, or takes over the one that an earlier run of this resource made.
///
/// S3 may answer a second CreateBucket with success, so what is there is looked at first: a bucket is taken over only if
/// its owner tag is ours.
async fn create(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().bucket;
    let doing = format!("create the bucket `{}`", desired.name);
    let found = tags(&run.aws, &desired.name, &doing).await.map_err(|error| match error.kind {
        Kind::Denied => error.hint(
            "either another AWS account has a bucket of this name, and another `name` or `bucket.name` helps, or the \
             credentials lack s3:GetBucketTagging",
        ),
        _ => error,
    })?;
    let state = match found {
        Some(tags) => adopt(run, tags, &doing).await?,
        None => {
            let mut configuration = CreateBucketConfiguration::builder().set_tags(Some(sdk_tags(&desired.tags)));
            if run.aws.region != UNNAMED_REGION {
                configuration =
                    configuration.location_constraint(BucketLocationConstraint::from(run.aws.region.as_str()));
            }
            run.check(&doing)?;
            (run.progress)(&format!("creating bucket {}", desired.name));
            let request = run.aws.s3.create_bucket().bucket(&desired.name);
            let request = request.object_ownership(ObjectOwnership::BucketOwnerEnforced);
            match request.create_bucket_configuration(configuration.build()).send().await {
                Ok(_) => State { name: desired.name.clone(), policy: None, tags: desired.tags.clone() },
                // A first try took effect and its answer was lost.
                Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => {
                    adopt(run, tags(&run.aws, &desired.name, &doing).await?.unwrap_or_default(), &doing).await?
                }
                Err(error) => return Err(run.aws.explain(Call(S3, "CreateBucket", &doing), error)),
            }
        }
    };
    run.state().bucket = Some(state);
    Ok(())
}

/// A bucket that is there already, if it is ours.
async fn adopt(run: &Run, mut tags: Tags, doing: &str) -> Result<State, Error> {
    let desired = &run.desired().bucket;
    run.claim(Piece::Bucket, &tags, doing).await?;
    tags.retain(|key, _| desired.tags.contains_key(key));
    Ok(State { name: desired.name.clone(), policy: None, tags })
}

async fn update(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().bucket;
    let doing = format!("update the bucket `{}`", desired.name);
    let old = run.state().bucket.clone().unwrap_or_default();
    run.check(&doing)?;
    if old.tags != desired.tags {
        // S3 replaces all tags at once: those that others added stay.
        let mut all = tags(&run.aws, &desired.name, &doing).await?.unwrap_or_default();
        all.retain(|key, _| !old.tags.contains_key(key));
        all.extend(desired.tags.clone());
        let tagging = Tagging::builder()
            .set_tag_set(Some(sdk_tags(&all)))
            .build()
            .map_err(|error| Error::new(Kind::Other, &doing, error.to_string()))?;
        let answer = run.aws.s3.put_bucket_tagging().bucket(&desired.name).tagging(tagging).send().await;
        answer.map_err(|error| run.aws.explain(Call(S3, "PutBucketTagging", &doing), error))?;
        run.state().bucket.get_or_insert_default().tags = desired.tags.clone();
        run.check(&doing)?;
    }
    if old.policy != desired.policy {
        match &desired.policy {
            Some(policy) => {
                let answer = run.aws.s3.put_bucket_policy().bucket(&desired.name).policy(policy).send().await;
                answer.map_err(|error| run.aws.explain(Call(S3, "PutBucketPolicy", &doing), error))?;
            }
            None => {
                let answer = run.aws.s3.delete_bucket_policy().bucket(&desired.name).send().await;
                answer.map_err(|error| run.aws.explain(Call(S3, "DeleteBucketPolicy", &doing), error))?;
            }
        }
        run.state().bucket.get_or_insert_default().policy = desired.policy.clone();
    }
    Ok(())
}

async fn delete(run: &Run) -> Result<(), Error> {
    let Some(State { name, .. }) = run.state().bucket.clone() else { return Ok(()) };
    let doing = format!("delete the bucket `{name}`");
    let mut rounds = 0;
    loop {
        run.check(&doing)?;
        match run.aws.s3.delete_bucket().bucket(&name).send().await {
            Ok(_) => break,
            Err(error) if error.code() == Some("NoSuchBucket") => break,
            Err(error) if error.code() == Some("BucketNotEmpty") && run.force_destroy && rounds < ROUNDS => {
                // Whoever still writes gets a pause to see that the URL is gone.
                tokio::time::sleep(std::time::Duration::from_secs(rounds)).await;
                rounds += 1;
                empty(run, &name).await?;
            }
            Err(error) => return Err(run.aws.explain(Call(S3, "DeleteBucket", &doing), error)),
        }
    }
    run.state().bucket = None;
    Ok(())
}

/// Deletes every version and every delete marker, a page at a time, and ends every unfinished upload.
async fn empty(run: &Run, name: &str) -> Result<(), Error> {
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

/// All tags of a bucket; none if it is not there.
pub async fn tags_of(aws: &Clients, name: &str) -> Result<Option<Tags>, Error> {
    tags(aws, name, &format!("read the bucket `{name}`")).await
}

async fn tags(aws: &Clients, name: &str, doing: &str) -> Result<Option<Tags>, Error> {
    match aws.s3.get_bucket_tagging().bucket(name).send().await {
        Ok(answer) => Ok(Some(answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())),
        Err(error) if error.code() == Some("NoSuchTagSet") => Ok(Some(Tags::new())),
        Err(error) if error.code() == Some("NoSuchBucket") => Ok(None),
        Err(error) => Err(aws.explain(Call(S3, "GetBucketTagging", doing), error)),
    }
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
}
