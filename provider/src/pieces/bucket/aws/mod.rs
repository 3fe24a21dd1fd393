//! The bucket at Amazon S3.

mod contents;
mod settings;

use std::sync::atomic::Ordering;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, ObjectOwnership, Tag, Tagging};

pub use self::contents::holds_objects;
use super::State;
use crate::apply::Run;
use crate::aws::Clients;
use crate::aws::error::{Call, Service::S3};
use crate::desired::{Desired, Tags};
use crate::error::{Error, Kind};
use crate::names;
use crate::owner::{self, Whose};
use crate::pieces::Piece;
use crate::plan::Action;

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
    let tags = tags(aws, name, &doing);
    let settings = settings::read(aws, name, &doing);
    let (tags, settings) = tokio::join!(tags, settings);
    let Some(mut tags) = tags.map_err(or_anothers)? else { return Ok(None) };
    tags.retain(|key, _| ours.contains_key(key));
    Ok(Some(State { tags, ..settings? }))
}

/// Makes the bucket, or takes over the one that an earlier run of this resource made.
///
/// S3 may answer a second CreateBucket with success, so what is there is looked at first: a bucket is taken over only if
/// its owner tag is ours.
async fn create(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().bucket;
    if desired.existing {
        return serve(run).await;
    }
    let doing = format!("create the bucket `{}`", desired.name);
    let found = if is_new(run) { None } else { find(run, &doing).await? };
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
                Ok(_) => State { name: desired.name.clone(), tags: desired.tags.clone(), ..State::default() },
                // A first try took effect and its answer was lost.
                Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => {
                    let found = run.stop.look(&doing, tags(&run.aws, &desired.name, &doing)).await;
                    // Until a look has told, it may be ours.
                    let found = found.inspect_err(|_| run.lost.store(true, Ordering::Relaxed))?;
                    adopt(run, found.unwrap_or_default(), &doing).await?
                }
                Err(error) => return Err(run.aws.explain(Call(S3, "CreateBucket", &doing), error)),
            }
        }
    };
    run.state().bucket = Some(state);
    Ok(())
}

/// Whether nobody can have a bucket of this name: it was drawn for this life.
fn is_new(run: &Run) -> bool {
    let Desired { owner, bucket, rest_api, .. } = run.desired();
    let is_drawn = bucket.name == rest_api.name && names::is_automatic(&bucket.name, owner::name(owner));
    is_drawn && run.lives.unnamed && run.lives.is_new(&bucket.name)
}

/// The tags of the bucket that is there already.
async fn find(run: &Run, doing: &str) -> Result<Option<Tags>, Error> {
    let found = run.stop.look(doing, tags(&run.aws, &run.desired().bucket.name, doing)).await;
    found.map_err(|error| match error.kind {
        Kind::Denied if error.code.as_deref().is_some_and(|code| code.starts_with("AccessDenied")) => error.hint(
            "either another AWS account has a bucket of this name, and another `name` or `bucket.name` helps, or the \
             credentials lack s3:GetBucketTagging",
        ),
        _ => error,
    })
}

/// A bucket that is there already, if it is ours.
async fn adopt(run: &Run, mut tags: Tags, doing: &str) -> Result<State, Error> {
    let Desired { bucket: desired, owner, .. } = run.desired();
    run.claim(Piece::Bucket, &tags, doing).await?;
    // What is unfinished has no data; so this is finished, and has lost its REST API.
    if owner::whose(&tags, owner) == Whose::AnotherLifes
        && run.stop.look(doing, holds_objects(&run.aws, &desired.name)).await?
    {
        let reason =
            "a bucket of this name is there already, made by an earlier run of this resource, and holds objects";
        return Err(Error::new(Kind::AlreadyExists, doing, reason)
            .hint("set `bucket.existing` to serve it, or choose another `name` or `bucket.name`"));
    }
    tags.retain(|key, _| desired.tags.contains_key(key));
    let settings = run.stop.look(doing, settings::read(&run.aws, &desired.name, doing)).await?;
    Ok(State { tags, ..settings })
}

/// Looks at a bucket that was made elsewhere, as far as it may be looked at: a wrong name or Region would only show when
/// clients read.
async fn serve(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().bucket;
    let doing = format!("serve the existing bucket `{}`", desired.name);
    run.check(&doing)?;
    let look = run.aws.s3.head_bucket().bucket(&desired.name).send();
    let looked = run.stop.look(&doing, async { Ok(look.await) }).await?;
    let region = match &looked {
        Ok(found) => found.bucket_region().map(str::to_owned),
        Err(error) => {
            let header = error.raw_response().and_then(|response| response.headers().get("x-amz-bucket-region"));
            header.map(str::to_owned)
        }
    };
    if let Some(region) = region.filter(|region| *region != desired.region) {
        let reason = format!("it is in the Region `{region}`, not in `{}`", desired.region);
        return Err(Error::new(Kind::Invalid, doing, reason).hint(format!("set `bucket.region` to `{region}`")));
    }
    if let Err(error) = looked {
        let error = run.aws.explain(Call(S3, "HeadBucket", &doing), error);
        match error.kind {
            Kind::NotFound => return Err(error.hint("check `bucket.name`; without `bucket.existing` it is made")),
            // It may be another account's, and let only the role in.
            Kind::Denied => {}
            _ => return Err(error),
        }
    }
    run.state().bucket = Some(State { name: desired.name.clone(), existing: true, ..State::default() });
    Ok(())
}

async fn update(run: &Run) -> Result<(), Error> {
    let desired = &run.desired().bucket;
    let mut old = run.state().bucket.clone().unwrap_or_default();
    if desired.existing {
        return if old.existing && old.name == desired.name { Ok(()) } else { serve(run).await };
    }
    if old.existing {
        create(run).await?;
        old = run.state().bucket.clone().unwrap_or_default();
    }
    let doing = format!("update the bucket `{}`", desired.name);
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
    }
    settings::write(run, &old, &doing).await
}

async fn delete(run: &Run) -> Result<(), Error> {
    let Some(State { name, existing, .. }) = run.state().bucket.clone() else { return Ok(()) };
    if existing {
        run.state().bucket = None;
        return Ok(());
    }
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
                contents::empty(run, &name).await?;
            }
            Err(error) => {
                let is_full = error.code() == Some("BucketNotEmpty");
                let error = run.aws.explain(Call(S3, "DeleteBucket", &doing), error);
                return Err(if is_full && run.force_destroy {
                    error.hint(
                        "somebody writes into the bucket while it is emptied: stop that, and run the command again; what \
                         was in it is deleted",
                    )
                } else {
                    error
                });
            }
        }
    }
    run.state().bucket = None;
    Ok(())
}

/// All tags of a bucket; none if it is not there.
pub async fn tags_of(aws: &Clients, name: &str) -> Result<Option<Tags>, Error> {
    tags(aws, name, &format!("read the bucket `{name}`")).await.map_err(or_anothers)
}

/// The failure of a look at a bucket that was ours. Whoever may not look cannot tell whether it still is.
fn or_anothers(error: Error) -> Error {
    match (&error.hint, error.code.as_deref()) {
        (Some(hint), Some(code)) if code.starts_with("AccessDenied") => {
            let more = "or the bucket was deleted, and another AWS account has one of this name by now: then `pulumi state \
                        delete` takes the resource out, and what else it made is yours to delete";
            let hint = format!("{hint}; {more}");
            error.hint(hint)
        }
        _ => error,
    }
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
