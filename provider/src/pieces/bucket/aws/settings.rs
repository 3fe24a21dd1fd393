//! What is set on a bucket: its policy, versioning, encryption and CORS rules.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{
    BucketVersioningStatus, CorsConfiguration, CorsRule, ServerSideEncryption, ServerSideEncryptionByDefault,
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
    let kms_key_arn = async {
        let answer = match aws.s3.get_bucket_encryption().bucket(name).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ServerSideEncryptionConfigurationNotFoundError") => return Ok(None),
            Err(error) => return Err(aws.explain(Call(S3, "GetBucketEncryption", doing), error)),
        };
        let rules = answer.server_side_encryption_configuration.map(|configuration| configuration.rules);
        let defaults = rules.into_iter().flatten().filter_map(|rule| rule.apply_server_side_encryption_by_default);
        Ok(defaults.filter_map(|default| default.kms_master_key_id).next())
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
        let rules = answer
            .cors_rules
            .unwrap_or_default()
            .into_iter()
            .map(|rule| Rules { origins: rule.allowed_origins, methods: sorted(rule.allowed_methods) });
        Ok(rules.reduce(|mut all, rule| {
            all.origins.extend(rule.origins);
            all.methods.extend(rule.methods);
            all
        }))
    };
    let (policy, versioning, kms_key_arn, cors) = tokio::try_join!(policy, versioning, kms_key_arn, cors)?;
    Ok(State { name: name.to_owned(), existing: false, policy, versioning, kms_key_arn, cors, tags: Tags::new() })
}

/// Brings policy, versioning, encryption and CORS rules from what they were to what they should be. One after the other: S3 refuses
/// changes of one bucket at the same time.
pub(super) async fn write(run: &Run, old: &State, doing: &str) -> Result<(), Error> {
    let (desired, s3) = (&run.desired().bucket, &run.aws.s3);
    let malformed = |error: aws_sdk_s3::error::BuildError| Error::new(Kind::Other, doing, error.to_string());
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
    if old.kms_key_arn != desired.kms_key_arn {
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
        run.state().bucket.get_or_insert_default().kms_key_arn = desired.kms_key_arn.clone();
    }
    if old.cors != desired.cors {
        run.check(doing)?;
        match &desired.cors {
            Some(Rules { origins, methods }) => {
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
