//! What should be there: every name, policy and document, decided as values before the first AWS call.

use std::collections::BTreeMap;

use s3dataproxy_schema::{Inputs, Operation};

use crate::owner;
use crate::partition::Partition;
use crate::pieces::{bucket, definition, domain, log_group, rest_api, role, role_policy, stage, usage_plan};
use crate::value::UNKNOWN;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Where things are made and what they are called there: all that `Desired` needs besides the inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The Region.
    pub region: String,
    /// The owner tag's value, see [`crate::owner`].
    pub owner: String,
    /// Whether the REST API and what belongs to it are without the owner tag, see [`rest_api::State::unmarked`].
    pub unmarked: bool,
    /// The provider's `defaultTags`.
    pub default_tags: Tags,
    /// The mount path where the inputs have none.
    pub default_path: String,
}

/// Every piece as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// The owner tag's value.
    pub owner: String,
    /// The Region's partition.
    pub partition: Partition,
    /// The Region.
    pub region: String,
    /// The bucket with its policy.
    pub bucket: bucket::Desired,
    /// The role that API Gateway assumes.
    pub role: role::Desired,
    /// What the role may do; none for a role made elsewhere.
    pub role_policy: Option<role_policy::Desired>,
    /// The REST API, still without content.
    pub rest_api: rest_api::Desired,
    /// The REST API's content: its OpenAPI document.
    pub definition: definition::Desired,
    /// The log group; none where nothing is logged, or to a place made elsewhere.
    pub log_group: Option<log_group::Desired>,
    /// The stage and what is deployed to it.
    pub stage: stage::Desired,
    /// The usage plan with its keys; none where nobody needs a key.
    pub usage_plan: Option<usage_plan::Desired>,
    /// The custom domain name; none where the URL has API Gateway's own.
    pub domain: Option<domain::Desired>,
}

impl Desired {
    /// Decides everything. Inputs that are not known yet leave their sentinel in whatever is built from them.
    pub fn new(inputs: &Inputs, place: &Place) -> Desired {
        let partition = Partition::of(&place.region);
        let name = inputs.name.clone().unwrap_or_else(|| UNKNOWN.to_owned());
        let bucket = inputs.bucket.clone().unwrap_or_default();
        let bucket_name = bucket.name.unwrap_or_else(|| name.clone());
        let operations = operations(inputs);
        let existing = bucket.existing.unwrap_or(false);
        let auth = definition::openapi::Auth::of(inputs);
        let cors = inputs.cors.as_ref().map(|cors| definition::openapi::Cors::of(cors, &operations, &auth));
        let endpoint = rest_api::Endpoint::of(inputs);
        let stage_name = inputs.stage_name.clone().unwrap_or_else(|| stage::NAME.to_owned());
        let api = definition::Api {
            mount: inputs.path.clone().unwrap_or_else(|| place.default_path.clone()),
            index: inputs.index_document.clone(),
            bucket: bucket_name.clone(),
            prefix: bucket.prefix.map(|prefix| format!("{}/", prefix.trim_end_matches('/'))).unwrap_or_default(),
            region: bucket.region.unwrap_or_else(|| place.region.clone()),
            partition,
            auth,
            keys: inputs.api_keys.is_some(),
            access: definition::openapi::Access::of(inputs),
            stage: stage_name.clone(),
            vpc_endpoint_ids: endpoint.vpc_endpoint_ids.clone(),
            security_policy: endpoint.security_policy.clone().map(|policy| (policy, endpoint.access_mode())),
            disabled: inputs.endpoint.as_ref().and_then(|endpoint| endpoint.disable_execute_api).unwrap_or(false),
            cors,
            cached: inputs.cache.is_some(),
            operations,
        };
        let mut tags = place.default_tags.clone();
        tags.extend(inputs.tags.clone().unwrap_or_default());
        let mut owned = tags.clone();
        owned.insert(owner::TAG.to_owned(), place.owner.clone());
        let apis = if place.unmarked { &tags } else { &owned }.clone();
        let role = inputs.role.clone().unwrap_or_default();
        let given = role.arn;
        let settings = stage::Settings::of(inputs, &name, partition, &place.region);
        Desired {
            log_group: log_group::Desired::of(inputs, &name, &owned),
            usage_plan: usage_plan::Desired::of(inputs, &name, &stage_name, &apis),
            domain: domain::Desired::of(inputs, &stage_name, &owned),
            owner: place.owner.clone(),
            partition,
            region: place.region.clone(),
            bucket: bucket::Desired {
                policy: bucket
                    .secure_transport_only
                    .unwrap_or(!existing)
                    .then(|| bucket::secure_transport_policy(partition, &bucket_name)),
                existing,
                region: api.region.clone(),
                versioning: bucket.versioning.unwrap_or(false),
                kms_key_arn: bucket.kms_key_arn.clone().filter(|_| !existing),
                cors: api.cors.as_ref().filter(|cors| cors.is_told_by_s3()).map(|cors| bucket::Rules {
                    origins: cors.origins.clone(),
                    methods: api.s3_verbs(),
                    more: false,
                }),
                force_destroy: bucket.force_destroy.unwrap_or(false),
                tags: owned.clone(),
                name: bucket_name,
            },
            role: role::Desired {
                name: given.as_deref().map_or(name.as_str(), |arn| arn.rsplit('/').next().unwrap_or(arn)).to_owned(),
                path: role.path.filter(|path| path != "/"),
                boundary: role.permissions_boundary_arn,
                given: given.clone(),
                tags: owned,
            },
            role_policy: given
                .is_none()
                .then(|| role_policy::Desired { policy: role_policy::policy(&api, bucket.kms_key_arn.as_deref()) }),
            rest_api: rest_api::Desired { name: name.clone(), endpoint: endpoint.clone(), tags: apis },
            definition: definition::Desired {
                title: name,
                description: inputs.description.clone().filter(|text| !text.is_empty()),
                api,
            },
            stage: stage::Desired { name: stage_name, settings, tags },
        }
    }
}

/// What clients may do, in one order whatever the user's.
fn operations(inputs: &Inputs) -> Vec<Operation> {
    let mut operations = inputs.operations.clone().unwrap_or_else(|| vec![Operation::Get, Operation::Head]);
    operations.sort();
    operations
}

#[cfg(test)]
pub(crate) mod tests;
