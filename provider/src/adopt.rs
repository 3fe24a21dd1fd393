//! Taking over what is there already under a name that is to be made.
//!
//! What a run left that was lost before it could be recorded carries the owner tag of another life of the same resource,
//! and is unfinished: nothing is deployed. That is taken over, so that the next run goes on where it stopped. What is
//! finished may be in use, or be recorded elsewhere, and is for the user to decide about; what is not ours is left alone.

use std::sync::atomic::Ordering;

use crate::apply::Run;
use crate::aws::Clients;
use crate::desired::{Desired, Tags};
use crate::error::{Error, Kind};
use crate::owner::{self, Whose};
use crate::pieces::{Piece, bucket, domain, log_group, rest_api, role, stage};
use crate::state::State;

impl Run {
    /// Whether something with these tags may be taken over; if not, the reason.
    pub async fn claim(&self, piece: Piece, tags: &Tags, doing: &str) -> Result<(), Error> {
        let desired = self.desired();
        match owner::whose(tags, &desired.owner) {
            Whose::Ours => Ok(()),
            Whose::AnotherLifes => {
                let looked = self.finished.get_or_try_init(|| finished(&self.aws, desired));
                let finished = self.stop.look(doing, looked).await?;
                if let Some(api) = finished {
                    return Err(in_use(desired, api, piece, doing));
                }
                // If this run stops before it has met everything, there is more than its state says.
                self.lost.store(true, Ordering::Relaxed);
                Ok(())
            }
            Whose::Unmarked | Whose::Anothers => {
                let way_out = match piece {
                    Piece::Bucket => "choose another `name` or `bucket.name`",
                    // API Gateway makes one anew when it has to write after a delete.
                    Piece::LogGroup => "delete it if nobody needs it, or name it in `accessLog.destinationArn`",
                    Piece::Domain => "choose another `domain.name`, or delete that domain name",
                    _ => "choose another `name`",
                };
                let reason = format!("a {piece} of this name is there already");
                Err(Error::new(Kind::AlreadyExists, doing, reason)
                    .hint(format!("{way_out}; what was made elsewhere is never taken over")))
            }
        }
    }
}

/// The REST API of another life of this resource that is deployed.
pub async fn finished(aws: &Clients, desired: &Desired) -> Result<Option<String>, Error> {
    let doing = format!("look for an earlier `{}`", desired.rest_api.name);
    // Under whatever name: with another one, bucket or role may be the same all the same.
    for (api, whose) in rest_api::aws::of_resource(aws, &desired.rest_api.tags, &desired.owner, &doing).await? {
        if whose == Whose::AnotherLifes && !stage::aws::names(aws, &api.id).await?.is_empty() {
            return Ok(Some(api.id));
        }
    }
    Ok(None)
}

fn in_use(desired: &Desired, api: &str, piece: Piece, doing: &str) -> Error {
    let reason =
        format!("a {piece} of this name is there already, and the REST API `{api}` of this resource is deployed");
    Error::new(Kind::AlreadyExists, doing, reason).hint(format!(
        "if a run was lost after it made them, `pulumi import s3dataproxy:index:S3DataProxy '{}' {api}` records them; if \
         the resource is to be replaced under the same `name`, set the option `deleteBeforeReplace`",
        owner::name(&desired.owner)
    ))
}

/// A state without what is not this life's any more, because a replacement took it over, or somebody else, and what that
/// was. What AWS says is gone is left out too. A bucket that would be emptied has to say that it is ours.
pub async fn still_ours(aws: &Clients, state: State, empties: bool) -> Result<(State, Vec<String>), Error> {
    let bucket = async {
        match &state.bucket {
            Some(bucket) if bucket.existing => Ok(Some(bucket.tags.clone())),
            Some(bucket) => bucket::aws::tags_of(aws, &bucket.name).await,
            None => Ok(None),
        }
    };
    let role = async {
        match &state.role {
            Some(role) if role.existing => Ok(Some(role.tags.clone())),
            Some(role) => role::aws::tags_of(aws, &role.name).await,
            None => Ok(None),
        }
    };
    let rest_api = async {
        match &state.rest_api {
            Some(api) => rest_api::aws::tags_of(aws, &api.id).await,
            None => Ok(None),
        }
    };
    let log_group = async {
        match &state.log_group {
            Some(group) => log_group::aws::tags_of(aws, &group.name).await,
            None => Ok(None),
        }
    };
    let domain = async {
        match &state.domain {
            Some(domain) => domain::aws::tags_of(aws, &domain.name).await,
            None => Ok(None),
        }
    };
    let (bucket, role, rest_api, log_group, domain) = tokio::try_join!(bucket, role, rest_api, log_group, domain)?;
    if let (Some(known), Some(tags)) = (&state.bucket, &bucket)
        && empties
        && known.tags.contains_key(owner::TAG)
        && !tags.contains_key(owner::TAG)
    {
        let reason = format!(
            "it has lost the tag `{}`, so it may be another bucket of this name, and `bucket.forceDestroy` would empty it",
            owner::TAG
        );
        let hint = "nothing was deleted: if it is yours, `pulumi up` puts the tag back; if not, take the resource out with \
                    `pulumi state delete`";
        return Err(Error::new(Kind::Invalid, format!("delete the bucket `{}`", known.name), reason).hint(hint));
    }
    let mut left = Vec::new();
    let mut keep = |piece: Piece, name: &str, known: &Tags, tags: &Option<Tags>| {
        let mine = tags.as_ref().map(|tags| owner::is_recorded(tags, known, &state.owner));
        if mine == Some(false) {
            left.push(format!("the {piece} `{name}`"));
        }
        mine == Some(true)
    };
    let mut ours = state.clone();
    ours.bucket = ours.bucket.filter(|piece| keep(Piece::Bucket, &piece.name, &piece.tags, &bucket));
    ours.role = ours.role.filter(|piece| keep(Piece::Role, &piece.name, &piece.tags, &role));
    ours.rest_api = ours.rest_api.filter(|piece| keep(Piece::RestApi, &piece.id, &piece.tags, &rest_api));
    ours.log_group = ours.log_group.filter(|piece| keep(Piece::LogGroup, &piece.name, &piece.tags, &log_group));
    // What it has replaced is still to be deleted, also where itself is gone.
    ours.domain = ours.domain.and_then(|piece| {
        if keep(Piece::Domain, &piece.name, &piece.tags, &domain) { Some(piece) } else { piece.left_over() }
    });
    Ok((ours.rooted(), left))
}
