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
use crate::lives::{Life, Lives};
use crate::owner::{self, Whose};
use crate::pieces::{Piece, bucket, domain, log_group, rest_api, role};
use crate::state::State;

impl Run {
    /// Whether something with these tags may be taken over; if not, the reason.
    pub async fn claim(&self, piece: Piece, tags: &Tags, doing: &str) -> Result<(), Error> {
        let owner = &self.desired().owner;
        match owner::whose(tags, owner) {
            Whose::Ours => Ok(()),
            Whose::AnotherLifes => {
                let finished = self.stop.look(doing, self.lives.finished(&self.aws, owner)).await?;
                if let Some(life) = finished {
                    return Err(in_use(owner, life, piece, doing));
                }
                // If this run stops before it has met everything, there is more than its state says.
                self.lost.store(true, Ordering::Relaxed);
                self.adopted.store(true, Ordering::Relaxed);
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

/// Why something of another life that is finished is not taken over.
pub fn in_use(owner: &str, life: &Life, piece: Piece, doing: &str) -> Error {
    let (api, name) = (&life.api.id, owner::name(owner));
    let reason = match piece {
        Piece::RestApi => format!("the REST API `{api}` of this resource has this name, and is deployed"),
        _ => format!("a {piece} of this name is there already, and the REST API `{api}` of this resource is deployed"),
    };
    Error::new(Kind::AlreadyExists, doing, reason).hint(format!(
        "if a run was lost after it made them, `pulumi import s3dataproxy:index:S3DataProxy '{name}' {api}` records them \
         (as '{name}-lost', to be destroyed, where `{name}` is on record already); if the resource is to be replaced under \
         the same `name`, set the option `deleteBeforeReplace`"
    ))
}

/// Whether something with these tags, recorded with those, is an owner's.
type IsOurs = fn(&Tags, &Tags, &str) -> bool;

/// Whether some of a state is recorded with the tag of another life, which it was taken over from and is not retagged yet.
pub fn has_anothers(state: &State) -> bool {
    let tags = [
        state.bucket.as_ref().map(|piece| &piece.tags),
        state.role.as_ref().map(|piece| &piece.tags),
        state.rest_api.as_ref().map(|piece| &piece.tags),
        state.log_group.as_ref().map(|piece| &piece.tags),
        state.domain.as_ref().map(|piece| &piece.tags),
    ];
    let mut owners = tags.into_iter().flatten().filter_map(|tags| tags.get(owner::TAG));
    owners.any(|owner| *owner != state.owner)
}

/// Whether the bucket is another life's that has put objects into it: then that one was finished.
async fn holds_anothers(aws: &Clients, state: &State) -> Result<bool, Error> {
    let Some(bucket) = state.bucket.as_ref().filter(|bucket| !bucket.existing) else { return Ok(false) };
    let tags = bucket::aws::tags_of(aws, &bucket.name).await?.unwrap_or_default();
    Ok(owner::whose(&tags, &state.owner) == Whose::AnotherLifes
        && bucket::aws::holds_objects(aws, &bucket.name).await?)
}

/// What is left alone, with the reason.
fn stays(what: &str, tags: &Tags) -> String {
    let reason = if tags.contains_key(owner::TAG) {
        "it carries the owner tag of another resource, or of this one's replacement".to_owned()
    } else {
        format!(
            "it has lost the tag `{}`, so it may be somebody else's by now; delete it if nobody needs it",
            owner::TAG
        )
    };
    format!("{what} stays: {reason}")
}

/// A state without what is not this life's any more, because a replacement took it over, or somebody else, and what that
/// was. What AWS says is gone is left out too. A bucket in doubt stops everything, as one with data does.
///
/// What was taken over counts as ours until it is retagged, unless that other life has gone on since: it has finished, or
/// the bucket holds objects.
///
/// Before a delete, what has lost the owner tag is not ours either.
pub async fn still_ours(
    aws: &Clients,
    lives: &Lives,
    state: State,
    deletes: bool,
) -> Result<(State, Vec<String>), Error> {
    let strict = has_anothers(&state)
        && (lives.finished(aws, &state.owner).await?.is_some() || holds_anothers(aws, &state).await?);
    let is_proven = if deletes { owner::is_proven } else { owner::is_recorded };
    let bucket = async {
        match &state.bucket {
            Some(bucket) if !bucket.existing => bucket::aws::tags_of(aws, &bucket.name).await,
            _ => Ok(None),
        }
    };
    let role = async {
        match &state.role {
            Some(role) if !role.existing => role::aws::tags_of(aws, &role.name).await,
            _ => Ok(None),
        }
    };
    let rest_api = async {
        match &state.rest_api {
            Some(api) => rest_api::aws::tags_of(aws, &api.id).await,
            None => Ok(None),
        }
    };
    let (bucket, role, rest_api, (mut ours, mut left)) =
        tokio::try_join!(bucket, role, rest_api, sift(aws, state.clone(), None, strict, is_proven))?;
    if let (Some(known), Some(tags)) = (&state.bucket, &bucket)
        && deletes
        && !tags.contains_key(owner::TAG)
    {
        let reason = format!("it has lost the tag `{}`, so it may be another bucket of this name", owner::TAG);
        let hint = "nothing was deleted: if it is yours, `pulumi refresh` and `pulumi up` put the tag back; if not, take \
                    the resource out with `pulumi state delete`";
        return Err(Error::new(Kind::Invalid, format!("delete the bucket `{}`", known.name), reason).hint(hint));
    }
    let nothing = Tags::new();
    let mut keep = |what: String, known: &Tags, tags: &Option<Tags>, is_ours: IsOurs| {
        let Some(tags) = tags else { return false };
        let mine = is_ours(tags, if strict { &nothing } else { known }, &state.owner);
        left.extend((!mine).then(|| stays(&what, tags)));
        mine
    };
    ours.bucket = ours.bucket.filter(|piece| {
        piece.existing || keep(format!("the bucket `{}`", piece.name), &piece.tags, &bucket, is_proven)
    });
    ours.role = ours
        .role
        .filter(|piece| piece.existing || keep(format!("the role `{}`", piece.name), &piece.tags, &role, is_proven));
    // Nobody else's ever has its id.
    ours.rest_api = ours
        .rest_api
        .filter(|piece| keep(format!("the REST API `{}`", piece.id), &piece.tags, &rest_api, owner::is_recorded));
    if let Some(api) = state.rest_api.as_ref().filter(|_| ours.rest_api.is_none() && rest_api.is_some()) {
        // It is still noted in them.
        ours.execution_logs.retain(|name| !log_group::is_of_execution(name, &api.id));
    }
    Ok((ours.rooted(), left))
}

/// What a state has by names that others could give to theirs, too, and that has lost the owner tag, in words.
pub fn lost_tags(state: &State) -> Vec<String> {
    let pieces = [
        state.bucket.as_ref().filter(|piece| !piece.existing).map(|piece| ("bucket", &piece.name, &piece.tags)),
        state.role.as_ref().filter(|piece| !piece.existing).map(|piece| ("role", &piece.name, &piece.tags)),
        state.log_group.as_ref().map(|piece| ("log group", &piece.name, &piece.tags)),
        state
            .domain
            .as_ref()
            .filter(|piece| !piece.name.is_empty())
            .map(|piece| ("domain name", &piece.name, &piece.tags)),
    ];
    let lost = pieces.into_iter().flatten().filter(|(_, _, tags)| !tags.contains_key(owner::TAG));
    let tell = |(kind, name, _)| {
        format!(
            "the {kind} `{name}` has lost the tag `{}`: if somebody has deleted yours and made another one of its name, take \
             the resource out with `pulumi state delete` before the next `pulumi up` makes it yours",
            owner::TAG
        )
    };
    lost.map(tell).collect()
}

/// A state without what an update would delete by its name, and that is gone, or somebody else's by now; and what of it is
/// there.
pub async fn let_go(
    aws: &Clients,
    lives: &Lives,
    state: State,
    desired: &Desired,
) -> Result<(State, Vec<String>), Error> {
    let strict = has_anothers(&state) && lives.finished(aws, &state.owner).await?.is_some();
    sift(aws, state, Some(desired), strict, owner::is_proven).await
}

/// The same by the tags that prove it, also for a delete, with nothing desired; `strict`: those of another life do not.
async fn sift(
    aws: &Clients,
    state: State,
    desired: Option<&Desired>,
    strict: bool,
    is_proven: IsOurs,
) -> Result<(State, Vec<String>), Error> {
    let (mut state, owner, mut left) = (state.clone(), state.owner, Vec::new());
    let nothing = Tags::new();
    let owned = Tags::from([(owner::TAG.to_owned(), owner.clone())]);
    let mut is_not_ours = |what: String, known: &Tags, tags: Option<Tags>| {
        let known = if strict { &nothing } else { known };
        let is_ours = tags.as_ref().is_some_and(|tags| is_proven(tags, known, &owner));
        left.extend(tags.filter(|_| !is_ours).map(|tags| stays(&what, &tags)));
        !is_ours
    };
    let group = state.log_group.clone().filter(|_| desired.is_none_or(|desired| desired.log_group.is_none()));
    let domain = state.domain.clone().filter(|old| !old.name.is_empty()).filter(|old| {
        let wanted = desired.and_then(|desired| desired.domain.as_ref());
        wanted.is_none_or(|wanted| wanted.name != old.name)
    });
    let replaced: Vec<String> =
        state.domain.iter().flat_map(|domain| &domain.replaced).map(|replaced| replaced.name.clone()).collect();
    let given = desired.is_some_and(|desired| desired.role.given.is_some());
    let role = state.role.clone().filter(|role| given && !role.existing);
    let (group_tags, domain_tags, role_tags, old_role_tags, replaced_tags) = tokio::try_join!(
        async {
            match &group {
                Some(group) => log_group::aws::tags_of(aws, &group.name).await,
                None => Ok(None),
            }
        },
        async {
            match &domain {
                Some(domain) => domain::aws::tags_of(aws, &domain.name).await,
                None => Ok(None),
            }
        },
        async {
            match &role {
                Some(role) => role::aws::tags_of(aws, &role.name).await,
                None => Ok(None),
            }
        },
        async {
            match &state.leftovers.role {
                Some(role) => role::aws::tags_of(aws, role).await,
                None => Ok(None),
            }
        },
        futures_util::future::try_join_all(replaced.iter().map(|name| domain::aws::tags_of(aws, name))),
    )?;
    if let Some(group) = group
        && is_not_ours(format!("the log group `{}`", group.name), &group.tags, group_tags)
    {
        state.log_group = None;
    }
    if let Some(role) = role
        && is_not_ours(format!("the role `{}`", role.name), &role.tags, role_tags)
    {
        (state.role, state.role_policy) = (None, None);
    }
    if let Some(role) = state.leftovers.role.clone()
        && is_not_ours(format!("the role `{role}`"), &owned, old_role_tags)
    {
        state.leftovers.role = None;
    }
    for (name, tags) in replaced.into_iter().zip(replaced_tags) {
        if is_not_ours(format!("the domain name `{name}`"), &owned, tags) {
            state.domain.iter_mut().for_each(|domain| domain.replaced.retain(|other| other.name != name));
        }
    }
    if let Some(domain) = domain
        && is_not_ours(format!("the domain name `{}`", domain.name), &domain.tags, domain_tags)
    {
        // What it has replaced is still to be deleted.
        state.domain = state.domain.and_then(domain::State::left_over);
    }
    Ok((state, left))
}
