//! What has to happen, as a value: one step a piece, with no choices left for `apply`.
//!
//! `Diff`, the progress text and most tests are projections of it. `plan` of what was just applied is empty.

use std::fmt;

use crate::desired::{Desired, Tags};
use crate::pieces::{self, Piece};
use crate::state::State;

/// What happens to a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Same,
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is deleted.
    Delete,
}

/// What has to happen to one piece, and the user's properties that say so.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The piece.
    pub piece: Piece,
    /// What happens to it.
    pub action: Action,
    /// The property paths behind it.
    pub changes: Changes,
}

/// The steps, in the order of the registry.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// One step a piece.
    pub steps: Vec<Step>,
}

/// The difference between what is (or was last seen) and what should be. A missing side means nothing is there, or
/// nothing should be.
pub fn plan(state: Option<&State>, desired: Option<&Desired>) -> Plan {
    let state = state.map(State::rooted);
    let step = |entry: &pieces::Entry| {
        let (action, changes) = (entry.plan)(state.as_ref(), desired);
        Step { piece: entry.piece, action, changes }
    };
    Plan { steps: pieces::REGISTRY.iter().map(step).collect() }
}

impl Plan {
    /// Whether nothing has to happen.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Same)
    }

    /// What happens to a piece.
    pub fn action(&self, piece: Piece) -> Action {
        self.steps.iter().find(|step| step.piece == piece).map_or(Action::Same, |step| step.action)
    }

    /// Every change, by the user's property path.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.steps.iter().flat_map(|step| &step.changes.0)
    }
}

/// One line a piece that changes.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.steps.iter().filter(|step| step.action != Action::Same) {
            let verb = match step.action {
                Action::Same => "same",
                Action::Create => "create",
                Action::Update => "update",
                Action::Delete => "delete",
            };
            let paths: Vec<&str> = step.changes.0.iter().map(|change| change.path.as_str()).collect();
            writeln!(f, "{verb} {}: {}", step.piece, paths.join(", "))?;
        }
        Ok(())
    }
}

/// How one property changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The property's path.
    pub path: String,
    /// How it changes.
    pub kind: ChangeKind,
}

/// How a property changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ChangeKind {
    Add,
    Update,
    Delete,
}

/// The changes behind a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes(pub Vec<Change>);

impl Changes {
    /// A change of a property that stays.
    pub fn update(&mut self, path: &str) {
        self.0.push(Change { path: path.to_owned(), kind: ChangeKind::Update });
    }

    /// A change of a property where old and new differ.
    pub fn field<T: PartialEq>(&mut self, path: &str, old: &T, new: &T) {
        if old != new {
            self.update(path);
        }
    }

    /// A change of a property that may be left out, where old and new differ.
    pub fn option<T: PartialEq>(&mut self, path: &str, old: &Option<T>, new: &Option<T>) {
        match (old, new) {
            (Some(_), Some(_)) => self.field(path, old, new),
            (old, new) => self.0.extend(Action::appear(old.is_some(), new.is_some(), path).1.0),
        }
    }

    /// A change of each tag that differs.
    pub fn tags(&mut self, old: &Tags, new: &Tags) {
        for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
            let kind = match (old.get(key), new.get(key)) {
                (None, _) => ChangeKind::Add,
                (_, None) => ChangeKind::Delete,
                (old, new) if old != new => ChangeKind::Update,
                _ => continue,
            };
            self.0.push(Change { path: crate::inputs::join("tags", key), kind });
        }
    }
}

impl Action {
    /// An update, or nothing where nothing changes.
    pub fn unless_empty(changes: &Changes) -> Action {
        if changes.0.is_empty() { Action::Same } else { Action::Update }
    }

    /// What happens to a piece that is missing on one side, which shows as a change of `path`.
    pub fn appear(old: bool, new: bool, path: &str) -> (Action, Changes) {
        let (action, kind) = match (old, new) {
            (false, true) => (Action::Create, ChangeKind::Add),
            (true, false) => (Action::Delete, ChangeKind::Delete),
            _ => return (Action::Same, Changes::default()),
        };
        (action, Changes(vec![Change { path: path.to_owned(), kind }]))
    }
}

#[cfg(test)]
pub(crate) mod tests;
