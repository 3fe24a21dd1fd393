//! One hash over many files: what tells whether anything changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

/// A running hash. It depends on names and contents, not on times or on where the tree is.
pub(crate) struct Digest(Sha256);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    /// Adds a text, such as a version.
    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a file's content without its name.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.add(bytes);
        self
    }

    /// Adds files of one folder by their names in it.
    pub(crate) fn files<P: AsRef<Path>>(mut self, folder: &Path, names: impl IntoIterator<Item = P>) -> Result<Self> {
        for name in names {
            let path = folder.join(&name);
            self.add(name.as_ref().to_string_lossy().as_bytes());
            self.add(&fs::read(&path).with_context(|| format!("reading `{}`", path.display()))?);
        }
        Ok(self)
    }

    pub(crate) fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Lengths keep `ab` + `c` apart from `a` + `bc`.
    fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }
}

/// The files right in a folder that have one extension, sorted.
pub(crate) fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading `{}`", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = PathBuf::from(entry?.file_name());
        if name.extension().is_some_and(|found| found == extension) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
