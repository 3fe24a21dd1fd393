//! Taking over what is there already under a name that is to be made.
//!
//! What a run left that was lost before it could be recorded carries the owner tag of another life of the same resource,
//! and is unfinished: nothing is deployed. That is taken over, so that the next run goes on where it stopped. What is
//! finished may be in use, or be recorded elsewhere, and is for the user to decide about; what is not ours is left alone.

use crate::apply::Run;
use crate::aws::Clients;
use crate::desired::{Desired, Tags};
use crate::error::{Error, Kind};
use crate::owner::{self, Whose};
use crate::pieces::{Piece, bucket, rest_api, role, stage};
use crate::state::State;

impl Run {
    /// Whether something with these tags may be taken over; if not, the reason.
    pub async fn claim(&self, piece: Piece, tags: &Tags, doing: &str) -> Result<(), Error> {
        let desired = self.desired();
        match owner::whose(tags, &desired.owner) {
            Whose::Ours => Ok(()),
            Whose::AnotherLifes => {
                let finished = self.finished.get_or_try_init(|| finished(&self.aws, desired)).await?;
                finished.as_deref().map_or(Ok(()), |api| Err(in_use(desired, api, piece, doing)))
            }
            Whose::Unmarked | Whose::Anothers => {
                let names = if piece == Piece::Bucket { "`name` or `bucket.name`" } else { "`name`" };
                let reason = format!("a {piece} of this name is there already");
                Err(Error::new(Kind::AlreadyExists, doing, reason)
                    .hint(format!("choose another {names}; what was made elsewhere is never taken over")))
            }
        }
    }
}

/// The REST API of another life of this resource that is deployed.
async fn finished(aws: &Clients, desired: &Desired) -> Result<Option<String>, Error> {
    let doing = format!("look for an earlier `{}`", desired.rest_api.name);
    for (api, whose) in rest_api::aws::of_resource(aws, &desired.rest_api, &desired.owner, &doing).await? {
        if whose == Whose::AnotherLifes && !stage::aws::names(aws, &api.id).await?.is_empty() {
            return Ok(Some(api.id));
        }
    }
    Ok(None)
}

fn in_use(desired: &Desired, api: &str, piece: Piece, doing: &str) -> Error {
    let reason = format!("a {piece} of this name is there already, and the REST API `{api}` of this resource uses it");
    Error::new(Kind::AlreadyExists, doing, reason).hint(format!(
        "if a run was lost after it made them, `pulumi import s3dataproxy:index:S3DataProxy {} {api}` records them; if \
         the resource is to be replaced under the same `name`, set the option `deleteBeforeReplace`",
        owner::name(&desired.owner)
    ))
}

/// A state without what is not this life's any more: a replacement took it over, or somebody else. What AWS says is gone
/// is left out too.
pub async fn still_ours(aws: &Clients, state: State) -> Result<State, Error> {
    let mine = |tags: &Tags| matches!(owner::whose(tags, &state.owner), Whose::Ours | Whose::Unmarked);
    let bucket = async {
        match &state.bucket {
            Some(bucket) => Ok(bucket::aws::tags_of(aws, &bucket.name).await?.is_some_and(|tags| mine(&tags))),
            None => Ok(false),
        }
    };
    let role = async {
        match &state.role {
            Some(role) => Ok(role::aws::tags_of(aws, &role.name).await?.is_some_and(|tags| mine(&tags))),
            None => Ok(false),
        }
    };
    let rest_api = async {
        match &state.rest_api {
            Some(api) => Ok(rest_api::aws::tags_of(aws, &api.id).await?.is_some_and(|tags| mine(&tags))),
            None => Ok(false),
        }
    };
    let (bucket, role, rest_api) = tokio::try_join!(bucket, role, rest_api)?;
    let mut state = state;
    state.bucket = state.bucket.filter(|_| bucket);
    state.role = state.role.filter(|_| role);
    state.rest_api = state.rest_api.filter(|_| rest_api);
    Ok(state.rooted())
}
