//! What is set on a bucket: its policy, versioning, encryption, CORS rules, and that nothing in it is public.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{
    BucketVersioningStatus, CorsConfiguration, CorsRule, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};

use super::super::{Rules, State};
use crate::apply::Run;
use crate::aws::Clients;
use crate::aws::error::{Call, Service::S3};
use crate::desired::Tags;
use crate::error::{Error, Kind};
use crate::policy::canonical;

/// Everything that is set on a bucket, besides its tags.
pub(super) async fn read(aws: &Clients, name: &str, doing: &str) -> Result<State, Error> {
    let policy = async {
        match aws.s3.get_bucket_policy().bucket(name).send().await {
            Ok(answer) => Ok(answer.policy.as_deref().map(canonical)),
            Err(error) if error.code() == Some("NoSuchBucketPolicy") => Ok(None),
            Err(error) => Err(aws.explain(Call(S3, "GetBucketPolicy", doing), error)),
        }
    };
    let versioning = async {
        match aws.s3.get_bucket_versioning().bucket(name).send().await {
            Ok(answer) => Ok(answer.status == Some(BucketVersioningStatus::Enabled)),
            Err(error) => Err(aws.explain(Call(S3, "GetBucketVersioning", doing), error)),
        }
    };
    let encryption = async {
        let answer = match aws.s3.get_bucket_encryption().bucket(name).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ServerSideEncryptionConfigurationNotFoundError") => {
                return Ok((None, false));
            }
            Err(error) => return Err(aws.explain(Call(S3, "GetBucketEncryption", doing), error)),
        };
        let rules = answer.server_side_encryption_configuration.map(|configuration| configuration.rules);
        Ok(rules.into_iter().flatten().next().map(encryption_of).unwrap_or_default())
    };
    let acls = async {
        match aws.s3.get_bucket_ownership_controls().bucket(name).send().await {
            Ok(answer) => {
                let rules = answer.ownership_controls.map(|controls| controls.rules).unwrap_or_default();
                Ok(rules.iter().all(|rule| rule.object_ownership != ObjectOwnership::BucketOwnerEnforced))
            }
            Err(error) if error.code() == Some("OwnershipControlsNotFoundError") => Ok(true),
            Err(error) => Err(aws.explain(Call(S3, "GetBucketOwnershipControls", doing), error)),
        }
    };
    let unblocked = async {
        match aws.s3.get_public_access_block().bucket(name).send().await {
            Ok(answer) => Ok(answer.public_access_block_configuration != Some(blocked())),
            Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => Ok(true),
            Err(error) => Err(aws.explain(Call(S3, "GetPublicAccessBlock", doing), error)),
        }
    };
    let cors = async {
        let answer = match aws.s3.get_bucket_cors().bucket(name).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("NoSuchCORSConfiguration") => return Ok(None),
            Err(error) => return Err(aws.explain(Call(S3, "GetBucketCors", doing), error)),
        };
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        let rules = answer.cors_rules.unwrap_or_default().into_iter().map(|rule| Rules {
            more: rule.allowed_headers.is_some_and(|headers| !headers.is_empty())
                || rule.expose_headers.is_some_and(|headers| !headers.is_empty())
                || rule.max_age_seconds.is_some(),
            origins: rule.allowed_origins,
            methods: sorted(rule.allowed_methods),
        });
        Ok(rules.reduce(|mut all, rule| {
            all.origins.extend(rule.origins);
            all.methods.extend(rule.methods);
            all.more |= rule.more;
            all
        }))
    };
    let (policy, versioning, (kms_key_arn, encrypted_otherwise), acls, unblocked, cors) =
        tokio::try_join!(policy, versioning, encryption, acls, unblocked, cors)?;
    Ok(State {
        name: name.to_owned(),
        existing: false,
        policy,
        versioning,
        kms_key_arn,
        encrypted_otherwise,
        acls,
        unblocked,
        cors,
        tags: Tags::new(),
    })
}

/// The KMS key of a rule, and whether the rule is another one than S3's own or the one that is made for that key.
fn encryption_of(rule: ServerSideEncryptionRule) -> (Option<String>, bool) {
    let default = rule.apply_server_side_encryption_by_default;
    let key = default.as_ref().and_then(|default| default.kms_master_key_id.clone());
    let usual = match default.map(|default| default.sse_algorithm) {
        Some(ServerSideEncryption::AwsKms) => key.is_some() && rule.bucket_key_enabled == Some(true),
        Some(ServerSideEncryption::Aes256) | None => true,
        _ => false,
    };
    (key, !usual)
}

/// What every new bucket has.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
fn blocked() -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true)
        .build()
}

/// Sets a bucket back to what every new one has: public access is blocked, and there are no ACLs.
async fn close(run: &Run, old: &State, doing: &str) -> Result<(), Error> {
    let (bucket, s3) = (&run.desired().bucket.name, &run.aws.s3);
    if old.unblocked {
        run.check(doing)?;
        let request = s3.put_public_access_block().bucket(bucket).public_access_block_configuration(blocked());
        let answer = request.send().await;
        answer.map_err(|error| run.aws.explain(Call(S3, "PutPublicAccessBlock", doing), error))?;
        run.state().bucket.get_or_insert_default().unblocked = false;
    }
    if old.acls {
        run.check(doing)?;
        let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced);
        let controls = rule.build().and_then(|rule| OwnershipControls::builder().rules(rule).build());
        let controls = controls.map_err(|error| Error::new(Kind::Other, doing, error.to_string()))?;
        let answer = s3.put_bucket_ownership_controls().bucket(bucket).ownership_controls(controls).send().await;
        answer.map_err(|error| run.aws.explain(Call(S3, "PutBucketOwnershipControls", doing), error))?;
        run.state().bucket.get_or_insert_default().acls = false;
    }
    Ok(())
}

/// Brings what is set on a bucket from what it was to what it should be. One after the other: S3 refuses changes of one
/// bucket at the same time.
pub(super) async fn write(run: &Run, old: &State, doing: &str) -> Result<(), Error> {
    let (desired, s3) = (&run.desired().bucket, &run.aws.s3);
    let malformed = |error: aws_sdk_s3::error::BuildError| Error::new(Kind::Other, doing, error.to_string());
    close(run, old, doing).await?;
    if old.policy != desired.policy {
        run.check(doing)?;
        match &desired.policy {
            Some(policy) => {
                let answer = s3.put_bucket_policy().bucket(&desired.name).policy(policy).send().await;
                answer.map_err(|error| run.aws.explain(Call(S3, "PutBucketPolicy", doing), error))?;
            }
            None => {
                let answer = s3.delete_bucket_policy().bucket(&desired.name).send().await;
                answer.map_err(|error| run.aws.explain(Call(S3, "DeleteBucketPolicy", doing), error))?;
            }
        }
        run.state().bucket.get_or_insert_default().policy = desired.policy.clone();
    }
    if old.versioning != desired.versioning {
        run.check(doing)?;
        let status =
            if desired.versioning { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
        let configuration = VersioningConfiguration::builder().status(status).build();
        let request = s3.put_bucket_versioning().bucket(&desired.name).versioning_configuration(configuration);
        let answer = request.send().await;
        answer.map_err(|error| run.aws.explain(Call(S3, "PutBucketVersioning", doing), error))?;
        run.state().bucket.get_or_insert_default().versioning = desired.versioning;
    }
    if old.kms_key_arn != desired.kms_key_arn || old.encrypted_otherwise {
        run.check(doing)?;
        match &desired.kms_key_arn {
            Some(key) => {
                let by_default = ServerSideEncryptionByDefault::builder()
                    .sse_algorithm(ServerSideEncryption::AwsKms)
                    .kms_master_key_id(key)
                    .build()
                    .map_err(malformed)?;
                let rule = ServerSideEncryptionRule::builder()
                    .apply_server_side_encryption_by_default(by_default)
                    .bucket_key_enabled(true)
                    .build();
                let configuration =
                    ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(malformed)?;
                let request = s3.put_bucket_encryption().bucket(&desired.name);
                let answer = request.server_side_encryption_configuration(configuration).send().await;
                answer.map_err(|error| run.aws.explain(Call(S3, "PutBucketEncryption", doing), error))?;
            }
            None => {
                let answer = s3.delete_bucket_encryption().bucket(&desired.name).send().await;
                answer.map_err(|error| run.aws.explain(Call(S3, "DeleteBucketEncryption", doing), error))?;
            }
        }
        let mut state = run.state();
        let bucket = state.bucket.get_or_insert_default();
        (bucket.kms_key_arn, bucket.encrypted_otherwise) = (desired.kms_key_arn.clone(), false);
    }
    if old.cors != desired.cors {
        run.check(doing)?;
        match &desired.cors {
            Some(Rules { origins, methods, .. }) => {
                let rule = CorsRule::builder()
                    .set_allowed_origins(Some(origins.clone()))
                    .set_allowed_methods(Some(methods.clone()))
                    .build()
                    .map_err(malformed)?;
                let configuration = CorsConfiguration::builder().cors_rules(rule).build().map_err(malformed)?;
                let request = s3.put_bucket_cors().bucket(&desired.name).cors_configuration(configuration);
                let answer = request.send().await;
                answer.map_err(|error| run.aws.explain(Call(S3, "PutBucketCors", doing), error))?;
            }
            None => {
                let answer = s3.delete_bucket_cors().bucket(&desired.name).send().await;
                answer.map_err(|error| run.aws.explain(Call(S3, "DeleteBucketCors", doing), error))?;
            }
        }
        run.state().bucket.get_or_insert_default().cors = desired.cors.clone();
    }
    Ok(())
}
