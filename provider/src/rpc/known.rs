//! What `Check` knows of names and `Create` is not told: which ones the user has not given, and under which ones the engine
//! has resources already. For a replacement that `--replace` asks for, it does not know that.

use std::collections::BTreeSet;

use crate::lost::Unnamed;

/// The names of one command of the engine.
#[derive(Default)]
pub(super) struct Names {
    /// Those that the user has not given.
    automatic: BTreeSet<String>,
    /// Those that the engine has on record.
    recorded: BTreeSet<String>,
}

impl Names {
    /// Notes the name of a checked resource: the one that it has, where it is there already, and whether `name` is the
    /// user's.
    pub(super) fn note(&mut self, previous: Option<&str>, name: Option<&str>, automatic: bool) {
        self.recorded.extend(previous.map(str::to_owned));
        self.automatic.extend(name.filter(|_| automatic && previous.is_none()).map(str::to_owned));
    }

    /// What a create under this name should know; nothing where it is the user's.
    pub(super) fn unnamed(&self, name: &str) -> Option<Unnamed> {
        let is_automatic = self.automatic.contains(name);
        is_automatic.then(|| Unnamed { recorded: self.recorded.clone(), ..Unnamed::default() })
    }
}
