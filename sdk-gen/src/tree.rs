//! Where things are in the source tree.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The path, from the top, that tells a source tree of this project.
const SCHEMA: &str = "schema/schema.json";

/// A source tree, by its top folder.
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The tree at `root`, or the one around the current folder.
    pub(crate) fn find(root: Option<PathBuf>) -> Result<Self> {
        if let Some(root) = root {
            return Ok(Self { root: std::path::absolute(root)? });
        }
        let here = std::env::current_dir()?;
        let root = here.ancestors().find(|folder| folder.join(SCHEMA).exists());
        let root = root.with_context(|| format!("no `{SCHEMA}` here or in a folder above; give `--root`"))?;
        Ok(Self { root: root.to_owned() })
    }

    /// A path from the top.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// A path as messages name it: from the top where it is in the tree.
    pub(crate) fn show(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string().replace('\\', "/")
    }

    /// The committed package schema.
    pub(crate) fn schema(&self) -> PathBuf {
        self.path(SCHEMA)
    }

    /// The sources of a language's SDK.
    pub(crate) fn sdk(&self, language: &str) -> PathBuf {
        self.path("sdk").join(language)
    }

    /// The packages and the plugin, ready to be given away.
    pub(crate) fn dist(&self) -> PathBuf {
        self.path("dist")
    }

    /// What speeds up a second call and can be deleted at any time.
    pub(crate) fn work(&self) -> PathBuf {
        self.path(".tools/sdk")
    }

    /// The plugin's release build.
    pub(crate) fn release_binary(&self) -> PathBuf {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.path("target"), |dir| self.path(dir));
        target.join("release").join(format!("pulumi-resource-{}", s3dataproxy_schema::PACKAGE)).with_extension(EXE)
    }

    /// Keeps a second `sdk-gen` on this tree waiting until the lock is dropped.
    pub(crate) fn lock(&self) -> Result<File> {
        fs::create_dir_all(self.work())?;
        let lock = File::create(self.work().join("lock"))?;
        lock.lock()?;
        Ok(lock)
    }
}

/// What an executable's name ends in.
pub(crate) const EXE: &str = std::env::consts::EXE_EXTENSION;
