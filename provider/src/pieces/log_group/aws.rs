//! The log group at Amazon CloudWatch Logs.

use std::sync::atomic::Ordering;

use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::LogGroup;

use super::{Desired, State};
use crate::apply::Run;
use crate::aws::Clients;
use crate::aws::error::{Call, Service::Logs};
use crate::desired::Tags;
use crate::error::Error;
use crate::pieces::Piece;
use crate::plan::Action;

/// The code for what is not there.
const GONE: &str = "ResourceNotFoundException";

/// Makes, changes or deletes the log group.
pub async fn run(run: &Run, action: Action) -> Result<(), Error> {
    match action {
        Action::Same => Ok(()),
        Action::Create => {
            create(run, wanted(run)).await?;
            update(run, wanted(run)).await
        }
        Action::Update => update(run, wanted(run)).await,
        Action::Delete => delete(run).await,
    }
}

fn wanted(run: &Run) -> &Desired {
    run.desired().log_group.as_ref().expect("only deletes have none")
}

/// The log group as it is; none if it is not there. Of its tags, those in `ours`.
pub async fn observe(aws: &Clients, name: &str, ours: &Tags) -> Result<Option<State>, Error> {
    let Some(group) = find(aws, name).await? else { return Ok(None) };
    let mut tags = tags(aws, &group).await?;
    tags.retain(|key, _| ours.contains_key(key));
    Ok(Some(State {
        name: name.to_owned(),
        retention: group.retention_in_days.map(i64::from),
        kms_key_arn: group.kms_key_id,
        tags,
    }))
}

/// All tags of a log group; none if it is not there.
pub async fn tags_of(aws: &Clients, name: &str) -> Result<Option<Tags>, Error> {
    match find(aws, name).await? {
        Some(group) => Ok(Some(tags(aws, &group).await?)),
        None => Ok(None),
    }
}

async fn find(aws: &Clients, name: &str) -> Result<Option<LogGroup>, Error> {
    let doing = format!("read the log group `{name}`");
    let mut pages = aws.logs.describe_log_groups().log_group_name_prefix(name).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| aws.explain(Call(Logs, "DescribeLogGroups", &doing), error))?;
        let found = page.log_groups.into_iter().flatten().find(|group| group.log_group_name() == Some(name));
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

async fn tags(aws: &Clients, group: &LogGroup) -> Result<Tags, Error> {
    let doing = format!("read the tags of the log group `{}`", group.log_group_name().unwrap_or_default());
    match aws.logs.list_tags_for_resource().resource_arn(arn(group)).send().await {
        Ok(answer) => Ok(answer.tags.unwrap_or_default().into_iter().collect()),
        Err(error) if error.code() == Some(GONE) => Ok(Tags::new()),
        Err(error) => Err(aws.explain(Call(Logs, "ListTagsForResource", &doing), error)),
    }
}

/// A log group's ARN in the form that tags want.
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html>
fn arn(group: &LogGroup) -> &str {
    group.log_group_arn().or(group.arn()).unwrap_or_default().trim_end_matches(":*")
}

/// Makes the log group, or takes over the one that an earlier run of this resource made.
async fn create(run: &Run, desired: &Desired) -> Result<(), Error> {
    let doing = format!("create the log group `{}`", desired.name);
    (run.progress)(&format!("creating log group {}", desired.name));
    let request = run.aws.logs.create_log_group().log_group_name(&desired.name);
    let request = request.set_kms_key_id(desired.kms_key_arn.clone());
    let made = match request.set_tags(Some(desired.tags.clone().into_iter().collect())).send().await {
        Ok(_) => State {
            name: desired.name.clone(),
            retention: None,
            kms_key_arn: desired.kms_key_arn.clone(),
            tags: desired.tags.clone(),
        },
        Err(error) if error.code() == Some("ResourceAlreadyExistsException") => {
            // It may be a first try's whose answer was lost, until a look has told.
            let found = run.stop.look(&doing, observe(&run.aws, &desired.name, &desired.tags)).await;
            let found = found.inspect_err(|_| run.lost.store(true, Ordering::Relaxed))?.unwrap_or_default();
            run.claim(Piece::LogGroup, &found.tags, &doing).await?;
            found
        }
        Err(error) => return Err(run.aws.explain(Call(Logs, "CreateLogGroup", &doing), error)),
    };
    run.state().log_group = Some(made);
    Ok(())
}

async fn update(run: &Run, desired: &Desired) -> Result<(), Error> {
    let name = &desired.name;
    let doing = format!("update the log group `{name}`");
    let old = run.state().log_group.clone().unwrap_or_default();
    if old.retention != desired.retention {
        run.check(&doing)?;
        keep_for(run, name, desired.retention, &doing).await?;
        run.state().log_group.get_or_insert_default().retention = desired.retention;
    }
    if old.kms_key_arn != desired.kms_key_arn {
        run.check(&doing)?;
        encrypt_with(run, name, desired.kms_key_arn.as_deref(), &doing).await?;
        run.state().log_group.get_or_insert_default().kms_key_arn = desired.kms_key_arn.clone();
    }
    retag(run, desired, &old.tags, &doing).await
}

async fn keep_for(run: &Run, name: &str, days: Option<i64>, doing: &str) -> Result<(), Error> {
    let (aws, logs) = (&run.aws, &run.aws.logs);
    match days.and_then(|days| i32::try_from(days).ok()) {
        Some(days) => {
            let answer = logs.put_retention_policy().log_group_name(name).retention_in_days(days).send().await;
            answer.map_err(|error| aws.explain(Call(Logs, "PutRetentionPolicy", doing), error))?;
        }
        None => {
            let answer = logs.delete_retention_policy().log_group_name(name).send().await;
            answer.map_err(|error| aws.explain(Call(Logs, "DeleteRetentionPolicy", doing), error))?;
        }
    }
    Ok(())
}

async fn encrypt_with(run: &Run, name: &str, key: Option<&str>, doing: &str) -> Result<(), Error> {
    let (aws, logs) = (&run.aws, &run.aws.logs);
    match key {
        Some(key) => {
            let answer = logs.associate_kms_key().log_group_name(name).kms_key_id(key).send().await;
            answer.map_err(|error| aws.explain(Call(Logs, "AssociateKmsKey", doing), error))?;
        }
        None => {
            let answer = logs.disassociate_kms_key().log_group_name(name).send().await;
            answer.map_err(|error| aws.explain(Call(Logs, "DisassociateKmsKey", doing), error))?;
        }
    }
    Ok(())
}

async fn retag(run: &Run, desired: &Desired, old: &Tags, doing: &str) -> Result<(), Error> {
    let (aws, logs) = (&run.aws, &run.aws.logs);
    let changed: Tags = desired.tags.clone().into_iter().filter(|(key, value)| old.get(key) != Some(value)).collect();
    let dropped: Vec<String> = old.keys().filter(|key| !desired.tags.contains_key(*key)).cloned().collect();
    if changed.is_empty() && dropped.is_empty() {
        return Ok(());
    }
    let account = run.state().account().unwrap_or_default().to_owned();
    let arn = super::arn(run.desired().partition, &run.aws.region, &account, &desired.name);
    if !changed.is_empty() {
        run.check(doing)?;
        let answer = logs.tag_resource().resource_arn(&arn).set_tags(Some(changed.into_iter().collect())).send().await;
        answer.map_err(|error| aws.explain(Call(Logs, "TagResource", doing), error))?;
    }
    if !dropped.is_empty() {
        run.check(doing)?;
        let answer = logs.untag_resource().resource_arn(&arn).set_tag_keys(Some(dropped)).send().await;
        answer.map_err(|error| aws.explain(Call(Logs, "UntagResource", doing), error))?;
    }
    run.state().log_group.get_or_insert_default().tags = desired.tags.clone();
    Ok(())
}

async fn delete(run: &Run) -> Result<(), Error> {
    let own = run.state().log_group.clone();
    if let Some(State { name, .. }) = own {
        delete_group(run, &name).await?;
        run.state().log_group = None;
    }
    if run.desired.is_some() {
        return Ok(());
    }
    // The REST API is gone, so nothing is noted any more.
    let noted = run.state().execution_logs.clone();
    for name in noted {
        delete_group(run, &name).await?;
        run.state().execution_logs.remove(&name);
    }
    Ok(())
}

async fn delete_group(run: &Run, name: &str) -> Result<(), Error> {
    let doing = format!("delete the log group `{name}`");
    run.check(&doing)?;
    match run.aws.logs.delete_log_group().log_group_name(name).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(GONE) => Ok(()),
        Err(error) => Err(run.aws.explain(Call(Logs, "DeleteLogGroup", &doing), error)),
    }
}
