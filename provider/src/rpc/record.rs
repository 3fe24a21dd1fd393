//! What the engine has on record, as far as it has told: a `Create` alone does not say whether the user gave the name, nor
//! what is being replaced. (With `--replace` the engine calls nothing else of what it replaces.)

use std::collections::{BTreeMap, BTreeSet};

use crate::lives::Lives;
use crate::state::State;
use crate::value::Object;

/// What was told since the command began.
#[derive(Default)]
pub(super) struct Record {
    /// Names that the user has not given.
    automatic: BTreeSet<String>,
    /// The owner tags of resources.
    owners: BTreeSet<String>,
    /// What creates have left that stopped half way, by the URN of the resource, with the inputs.
    begun: BTreeMap<String, (Object, State)>,
}

impl Record {
    /// Notes a name that the user has not given.
    pub(super) fn name(&mut self, name: &str) {
        self.automatic.insert(name.to_owned());
    }

    /// Notes a resource that is there, or is about to be.
    pub(super) fn owner(&mut self, owner: &str) {
        self.owners.insert(owner.to_owned());
    }

    /// Notes what a create has left that stopped half way.
    pub(super) fn begin(&mut self, urn: &str, inputs: &Object, state: &State) {
        self.begun.insert(urn.to_owned(), (inputs.clone(), state.clone()));
    }

    /// What an earlier try of the same create has left, which is told once.
    pub(super) fn begun(&mut self, urn: &str, inputs: &Object) -> Option<State> {
        let (known, state) = self.begun.remove(urn)?;
        (known == *inputs).then_some(state)
    }

    /// What to know of other lives for work on a resource of this name.
    pub(super) fn lives(&self, name: &str) -> Lives {
        Lives::new(self.owners.clone(), self.automatic.contains(name))
    }
}
