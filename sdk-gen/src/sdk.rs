//! `sdk-gen sdk`: the SDKs' sources in `sdk/` and their packages in `dist/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::tree::Tree;
use crate::{codegen, npm, schema, wheel};

/// The time given to files in packages, 1980-01-01: the same sources give the same bytes, and zip knows no earlier one.
pub(crate) const EPOCH: u64 = 315_532_800;

pub(crate) fn write(tree: &Tree, python: Option<PathBuf>) -> Result<()> {
    let _lock = tree.lock()?;
    schema::check(tree)?;
    codegen::write(tree, "python")?;
    codegen::write(tree, "nodejs")?;
    wheel::write(tree, python)?;
    npm::write(tree)
}

pub(crate) fn check(tree: &Tree) -> Result<()> {
    let _lock = tree.lock()?;
    codegen::check(tree, "python")?;
    codegen::check(tree, "nodejs")?;
    for (current, file) in [(wheel::is_current(tree)?, wheel::file()), (npm::is_current(tree)?, npm::file())] {
        if !current {
            bail!("`dist/{file}` is missing or stale; refresh it with `cargo run -p sdk-gen -- sdk`");
        }
    }
    Ok(())
}

/// Moves a new package into `dist/`, where earlier versions of it (files that start with `prefix`) make way, so that
/// `dist/*.whl` always means one file.
pub(crate) fn replace_package(tree: &Tree, from: &Path, prefix: &str, file: &str) -> Result<()> {
    let dist = tree.dist();
    fs::create_dir_all(&dist)?;
    for entry in fs::read_dir(&dist)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            fs::remove_file(entry.path())?;
        }
    }
    // A copy, as the new package may be on another file system.
    fs::copy(from.join(file), dist.join(file)).with_context(|| format!("the build made no `{file}`"))?;
    eprintln!("wrote dist/{file}");
    Ok(())
}
