//! Whether what a state has is still this life's.
//!
//! Others can make things under the names that a state has on record, and a replacement takes over what it meets. Before
//! anything is deleted by its name, the owner tag has to say whose it is by now.

use std::fmt;

use futures_util::future::try_join_all;

use crate::aws::Clients;
use crate::desired::{Desired, Tags};
use crate::error::{Error, Kind};
use crate::lives::Lives;
use crate::owner::{self, Whose};
use crate::pieces::{Piece, bucket, domain, log_group, rest_api, role};
use crate::plan::{Action, plan};
use crate::state::State;

/// Where a state has something that carries the owner tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Bucket,
    Role,
    /// A role that one made elsewhere has replaced.
    OldRole,
    RestApi,
    LogGroup,
    Domain,
    /// A domain name that another one has replaced.
    OldDomain,
}

/// Something of a state that carries the owner tag.
#[derive(Debug)]
struct Tagged {
    slot: Slot,
    /// Its name; a REST API's id.
    name: String,
    /// The tags on record.
    known: Tags,
}

impl Tagged {
    /// Its tags by now; none where it is gone.
    async fn look(&self, aws: &Clients) -> Result<Option<Tags>, Error> {
        match self.slot {
            Slot::Bucket => bucket::aws::tags_of(aws, &self.name).await,
            Slot::Role | Slot::OldRole => role::aws::tags_of(aws, &self.name).await,
            Slot::RestApi => rest_api::aws::tags_of(aws, &self.name).await,
            Slot::LogGroup => log_group::aws::tags_of(aws, &self.name).await,
            Slot::Domain | Slot::OldDomain => domain::aws::tags_of(aws, &self.name).await,
        }
    }

    /// Whether these tags say that it is still what the state means. `proven`: what has lost the owner tag is not. A REST
    /// API's id is never given to another one.
    fn is_ours(&self, tags: &Tags, owner: &str, strict: bool, proven: bool) -> bool {
        let nothing = Tags::new();
        let known = if strict { &nothing } else { &self.known };
        if proven && self.slot != Slot::RestApi {
            owner::is_proven(tags, known, owner)
        } else {
            owner::is_recorded(tags, known, owner)
        }
    }

    /// Takes it out of the state.
    fn drop_from(&self, state: &mut State) {
        match self.slot {
            Slot::Bucket => state.bucket = None,
            Slot::Role => state.role = None,
            Slot::OldRole => state.leftovers.role = None,
            Slot::RestApi => state.rest_api = None,
            Slot::LogGroup => state.log_group = None,
            // What it has replaced is still to be deleted.
            Slot::Domain => state.domain = state.domain.take().and_then(domain::State::left_over),
            Slot::OldDomain => {
                state.domain.iter_mut().for_each(|domain| domain.replaced.retain(|old| old.name != self.name));
            }
        }
    }
}

impl fmt::Display for Tagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let piece = match self.slot {
            Slot::Bucket => Piece::Bucket,
            Slot::Role | Slot::OldRole => Piece::Role,
            Slot::RestApi => Piece::RestApi,
            Slot::LogGroup => Piece::LogGroup,
            Slot::Domain | Slot::OldDomain => Piece::Domain,
        };
        write!(f, "the {piece} `{}`", self.name)
    }
}

/// All of a state that carries the owner tag: nothing that was made elsewhere.
fn tagged(state: &State) -> Vec<Tagged> {
    let ours = Tags::from([(owner::TAG.to_owned(), state.owner.clone())]);
    let mut found = Vec::new();
    let mut add = |slot, name: &str, known: &Tags| {
        found.push(Tagged { slot, name: name.to_owned(), known: known.clone() });
    };
    if let Some(bucket) = state.bucket.as_ref().filter(|bucket| !bucket.existing) {
        add(Slot::Bucket, &bucket.name, &bucket.tags);
    }
    if let Some(role) = state.role.as_ref().filter(|role| !role.existing) {
        add(Slot::Role, &role.name, &role.tags);
    }
    if let Some(role) = &state.leftovers.role {
        add(Slot::OldRole, role, &ours);
    }
    if let Some(api) = &state.rest_api {
        add(Slot::RestApi, &api.id, &api.tags);
    }
    if let Some(group) = &state.log_group {
        add(Slot::LogGroup, &group.name, &group.tags);
    }
    if let Some(domain) = &state.domain {
        domain.replaced.iter().for_each(|old| add(Slot::OldDomain, &old.name, &ours));
        if !domain.name.is_empty() {
            add(Slot::Domain, &domain.name, &domain.tags);
        }
    }
    found
}

/// Each with its tags by now.
async fn look(aws: &Clients, tagged: Vec<Tagged>) -> Result<Vec<(Tagged, Option<Tags>)>, Error> {
    let look = async |tagged: Tagged| {
        let tags = tagged.look(aws).await?;
        Ok((tagged, tags))
    };
    try_join_all(tagged.into_iter().map(look)).await
}

/// Whether a state has anything that was made, and that says whose it is.
pub fn has_any(state: &State) -> bool {
    !tagged(state).is_empty()
}

/// Whether some of a state is recorded with the tag of another life, which it was taken over from and is not retagged yet.
pub fn has_anothers(state: &State) -> bool {
    tagged(state).iter().any(|tagged| tagged.known.get(owner::TAG).is_some_and(|owner| *owner != state.owner))
}

/// A state without what is not this life's any more, because a replacement took it over, or somebody else, and what that
/// was, in words. What AWS says is gone is left out too. A bucket in doubt stops everything, as one with data does.
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
    let seen = look(aws, tagged(&state)).await?;
    let bucket = seen.iter().find(|(tagged, _)| tagged.slot == Slot::Bucket);
    let bucket = bucket.and_then(|(tagged, tags)| Some((tagged, tags.as_ref()?)));
    if let Some((bucket, tags)) = bucket
        && deletes
        && !tags.contains_key(owner::TAG)
    {
        let reason = format!("it has lost the tag `{}`, so it may be another bucket of this name", owner::TAG);
        let hint = "nothing was deleted: if it is yours, `pulumi refresh` and `pulumi up` put the tag back; if not, take \
                    the resource out with `pulumi state delete`";
        return Err(Error::new(Kind::Invalid, format!("delete {bucket}"), reason).hint(hint));
    }
    let has_gone_on = async || {
        if lives.finished(aws, &state.owner).await?.is_some() {
            return Ok(true);
        }
        match bucket {
            Some((bucket, tags)) if owner::whose(tags, &state.owner) == Whose::AnotherLifes => {
                bucket::aws::holds_objects(aws, &bucket.name).await
            }
            _ => Ok::<_, Error>(false),
        }
    };
    let strict = has_anothers(&state) && has_gone_on().await?;
    Ok(without_others(state, seen, strict, deletes))
}

/// A state without what an update would delete by its name, and that is gone, or somebody else's by now; and what of it is
/// there, in words. What an update would change, and that is somebody else's by now, stops it.
pub async fn before_update(
    aws: &Clients,
    lives: &Lives,
    state: State,
    desired: &Desired,
) -> Result<(State, Vec<String>), Error> {
    let goes = |tagged: &Tagged| match tagged.slot {
        Slot::Bucket | Slot::RestApi => false,
        Slot::Role => desired.role.given.is_some(),
        Slot::LogGroup => desired.log_group.is_none(),
        Slot::Domain => desired.domain.as_ref().is_none_or(|domain| domain.name != tagged.name),
        Slot::OldRole | Slot::OldDomain => true,
    };
    let plan = plan(Some(&state), Some(desired));
    let changes = |piece: Piece| !matches!(plan.action(piece), Action::Same);
    let changes = |tagged: &Tagged| match tagged.slot {
        Slot::Bucket => !desired.bucket.existing && changes(Piece::Bucket),
        Slot::Role => changes(Piece::Role) || changes(Piece::RolePolicy),
        Slot::LogGroup => changes(Piece::LogGroup),
        Slot::Domain => changes(Piece::Domain),
        // A REST API's id is never given to another one.
        Slot::RestApi | Slot::OldRole | Slot::OldDomain => false,
    };
    let strict = has_anothers(&state) && lives.finished(aws, &state.owner).await?.is_some();
    let looked = tagged(&state).into_iter().filter(|tagged| goes(tagged) || changes(tagged)).collect();
    let (gone, kept): (Vec<_>, Vec<_>) = look(aws, looked).await?.into_iter().partition(|(tagged, _)| goes(tagged));
    for (tagged, tags) in &kept {
        // That the tag is lost a refresh has told, where it is on record.
        let proven = tagged.known.contains_key(owner::TAG);
        if let Some(tags) = tags
            && !tagged.is_ours(tags, &state.owner, strict, proven)
        {
            return Err(Error::new(Kind::Invalid, format!("change {tagged}"), whose_it_is(tags))
                .hint("nothing was changed; `pulumi refresh` records what is there"));
        }
    }
    Ok(without_others(state, gone, strict, true))
}

/// A state without those of its things that are gone or not ours; and the latter in words. `strict`: tags of another life
/// are not ours, also where they are on record.
fn without_others(
    mut state: State,
    seen: Vec<(Tagged, Option<Tags>)>,
    strict: bool,
    proven: bool,
) -> (State, Vec<String>) {
    let mut left = Vec::new();
    for (tagged, tags) in seen {
        if tags.as_ref().is_some_and(|tags| tagged.is_ours(tags, &state.owner, strict, proven)) {
            continue;
        }
        tagged.drop_from(&mut state);
        let Some(tags) = tags else { continue };
        if tagged.slot == Slot::RestApi {
            // It is still noted in them.
            state.execution_logs.retain(|name| !log_group::is_of_execution(name, &tagged.name));
        }
        left.push(stays(&tagged, &tags));
    }
    (state.rooted(), left)
}

/// What is left alone, with the reason.
fn stays(tagged: &Tagged, tags: &Tags) -> String {
    let way_out = if tags.contains_key(owner::TAG) { "" } else { "; delete it if nobody needs it" };
    format!("{tagged} stays: {}{way_out}", whose_it_is(tags))
}

/// Why something with these tags does not count as ours.
fn whose_it_is(tags: &Tags) -> String {
    if tags.contains_key(owner::TAG) {
        "it carries the owner tag of another resource, or of this one's replacement".to_owned()
    } else {
        format!("it has lost the tag `{}`, so it may be somebody else's by now", owner::TAG)
    }
}

/// What a state has by names that others could give to theirs, too, and that has lost the owner tag, in words.
pub fn lost_tags(state: &State) -> Vec<String> {
    let lost = |tagged: &Tagged| tagged.slot != Slot::RestApi && !tagged.known.contains_key(owner::TAG);
    let tell = |tagged: Tagged| {
        format!(
            "{tagged} has lost the tag `{}`: if somebody has deleted yours and made another one of its name, take \
             the resource out with `pulumi state delete` before the next `pulumi up` makes it yours",
            owner::TAG
        )
    };
    tagged(state).into_iter().filter(lost).map(tell).collect()
}
