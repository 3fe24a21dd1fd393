//! The pieces an S3DataProxy is made of, and the one list of them.
//!
//! A piece's `mod.rs` says what it is and plans (pure); its `aws.rs` makes, changes, reads and deletes it, and is the
//! only place that names the SDK. Pieces do not call each other: they read what earlier ones left in the state.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::apply::Run;
use crate::desired::Desired;
use crate::error::Error;
use crate::plan::{Action, Changes};
use crate::state::State;

pub mod bucket;
pub mod definition;
pub mod domain;
pub mod log_group;
pub mod rest_api;
pub mod role;
pub mod role_policy;
pub mod stage;
pub mod usage_plan;

/// A piece's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is a module with its own words")]
pub enum Piece {
    Bucket,
    Role,
    RolePolicy,
    RestApi,
    Definition,
    LogGroup,
    Stage,
    UsagePlan,
    Domain,
}

/// Everything the core knows of a piece.
pub struct Entry {
    /// The piece.
    pub piece: Piece,
    /// What must be there before it is made or changed, and goes after it when it is deleted.
    pub needs: &'static [Piece],
    /// What else must be done before it is made or changed, where there is something to do.
    pub follows: &'static [Piece],
    /// What has to happen to it.
    pub plan: fn(Option<&State>, Option<&Desired>) -> (Action, Changes),
    /// Makes it happen.
    pub run: for<'a> fn(&'a Run, Action) -> Work<'a>,
}

/// What a piece does at AWS.
pub type Work<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// The pieces, in the order in which a reader meets them.
pub static REGISTRY: [Entry; 9] = [
    Entry {
        piece: Piece::Bucket,
        needs: &[],
        follows: &[],
        plan: |state, desired| bucket::plan(state.and_then(|s| s.bucket.as_ref()), desired.map(|d| &d.bucket)),
        run: |run, action| Box::pin(bucket::aws::run(run, action)),
    },
    Entry {
        piece: Piece::Role,
        needs: &[],
        follows: &[],
        plan: |state, desired| role::plan(state.and_then(|s| s.role.as_ref()), desired.map(|d| &d.role)),
        run: |run, action| Box::pin(role::aws::run(run, action)),
    },
    Entry {
        piece: Piece::RolePolicy,
        needs: &[Piece::Role],
        follows: &[],
        plan: |state, desired| {
            // A role cannot be deleted with its policy still in it, also when that was lost from view.
            let lost = role_policy::State::default();
            let ours = |s: &'_ State| s.role.as_ref().is_some_and(|role| !role.existing);
            let old = state.and_then(|s| s.role_policy.as_ref().or(ours(s).then_some(&lost)));
            let old = if desired.is_none() { old } else { state.and_then(|s| s.role_policy.as_ref()) };
            role_policy::plan(old, desired.and_then(|d| d.role_policy.as_ref()))
        },
        run: |run, action| Box::pin(role_policy::aws::run(run, action)),
    },
    Entry {
        piece: Piece::RestApi,
        needs: &[],
        follows: &[],
        plan: |state, desired| rest_api::plan(state.and_then(|s| s.rest_api.as_ref()), desired.map(|d| &d.rest_api)),
        run: |run, action| Box::pin(rest_api::aws::run(run, action)),
    },
    Entry {
        piece: Piece::Definition,
        needs: &[Piece::RestApi, Piece::Role],
        follows: &[],
        plan: |state, desired| {
            let digest = digest(state, desired);
            definition::plan(
                state.and_then(|s| s.definition.as_ref()),
                desired.map(|d| &d.definition),
                digest.as_deref(),
            )
        },
        run: |run, action| Box::pin(definition::aws::run(run, action)),
    },
    Entry {
        piece: Piece::LogGroup,
        needs: &[],
        // The role tells the account.
        follows: &[Piece::Role],
        plan: |state, desired| {
            log_group::plan(
                state.and_then(|s| s.log_group.as_ref()),
                desired.and_then(|d| d.log_group.as_ref()),
                desired.is_none() && state.is_some_and(|s| !s.execution_logs.is_empty()),
            )
        },
        run: |run, action| Box::pin(log_group::aws::run(run, action)),
    },
    Entry {
        piece: Piece::Stage,
        needs: &[Piece::Definition, Piece::LogGroup],
        // Nothing goes live that could not answer, or not safely.
        follows: &[Piece::Bucket, Piece::RolePolicy],
        plan: |state, desired| {
            let digest = digest(state, desired);
            let old = state.and_then(|s| s.stage.as_ref());
            let new = desired.map(|d| d.stage.in_account(state.and_then(State::account)));
            stage::plan(old, new.as_ref(), digest.as_deref(), state.map(|s| &s.leftovers))
        },
        run: |run, action| Box::pin(stage::aws::run(run, action)),
    },
    Entry {
        piece: Piece::UsagePlan,
        needs: &[Piece::Stage],
        follows: &[],
        plan: |state, desired| {
            usage_plan::plan(
                state.and_then(|s| s.usage_plan.as_ref()),
                desired.and_then(|d| d.usage_plan.as_ref()),
                state.and_then(|s| s.rest_api.as_ref()).map(|api| api.id.as_str()),
            )
        },
        run: |run, action| Box::pin(usage_plan::aws::run(run, action)),
    },
    Entry {
        piece: Piece::Domain,
        needs: &[Piece::Stage],
        follows: &[],
        plan: |state, desired| {
            domain::plan(
                state.and_then(|s| s.domain.as_ref()),
                desired.and_then(|d| d.domain.as_ref()),
                state.and_then(|s| s.rest_api.as_ref()).map(|api| api.id.as_str()),
            )
        },
        run: |run, action| Box::pin(domain::aws::run(run, action)),
    },
];

/// The registry's line for a piece.
pub fn entry(piece: Piece) -> &'static Entry {
    REGISTRY.iter().find(|entry| entry.piece == piece).expect("every piece is registered")
}

/// Whether a piece needs another one, or needs what needs it.
pub fn rests_on(piece: Piece, other: Piece) -> bool {
    entry(piece).needs.iter().any(|need| *need == other || rests_on(*need, other))
}

/// The digest of the document that should be there, as far as the role is known.
fn digest(state: Option<&State>, desired: Option<&Desired>) -> Option<String> {
    let desired = desired?;
    let made = || state?.role.as_ref().filter(|role| !role.existing).map(|role| role.arn.as_str());
    let arn = desired.role.given.as_deref().or_else(made)?;
    Some(desired.definition.digest(arn))
}

impl Piece {
    /// The piece's name in the stored state.
    pub fn key(self) -> &'static str {
        match self {
            Piece::Bucket => "bucket",
            Piece::Role => "role",
            Piece::RolePolicy => "rolePolicy",
            Piece::RestApi => "restApi",
            Piece::Definition => "definition",
            Piece::LogGroup => "logGroup",
            Piece::Stage => "stage",
            Piece::UsagePlan => "usagePlan",
            Piece::Domain => "domain",
        }
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Piece::Bucket => "bucket",
            Piece::Role => "role",
            Piece::RolePolicy => "role policy",
            Piece::RestApi => "REST API",
            Piece::Definition => "definition",
            Piece::LogGroup => "log group",
            Piece::Stage => "stage",
            Piece::UsagePlan => "usage plan",
            Piece::Domain => "domain name",
        })
    }
}
