//! The sources of an SDK, written by Pulumi's own generators (the Go program in `sdk-gen/go/codegen`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::digest::{Digest, with_extension};
use crate::run::run;
use crate::step::Step;
use crate::tree::{EXE, Tree};

/// What the generator leaves in the folder: the names of all it wrote.
const MANIFEST: &str = ".generated-files";

/// Brings `sdk/LANGUAGE` up to date.
pub(crate) fn write(tree: &Tree, language: &str) -> Result<()> {
    let folder = tree.sdk(language);
    let step = Step {
        name: &format!("generate {language} sdk"),
        inputs: inputs(tree)?.text(language).finish(),
        outputs: &|| Ok(generated(&folder)?.into_iter().map(|name| folder.join(name)).collect()),
    };
    step.run(tree, || generate(tree, language, &folder))
}

/// Compares `sdk/LANGUAGE` with a fresh generation. The folder is not committed, so this asks whether what lies here,
/// and is packed, is what the schema here means; a committed list of hashes would say no more than the schema does.
pub(crate) fn check(tree: &Tree, language: &str) -> Result<()> {
    let folder = tree.sdk(language);
    let fresh = tempfile::tempdir()?;
    generate(tree, language, fresh.path())?;
    let mut names = generated(fresh.path())?;
    names.extend(generated(&folder).unwrap_or_default());
    names.sort();
    names.dedup();
    for name in names {
        let problem = match (fs::read(fresh.path().join(&name)), fs::read(folder.join(&name))) {
            (Ok(expected), Ok(found)) if expected == found => continue,
            (Ok(_), Ok(_)) => "stale",
            (Ok(_), Err(_)) => "missing",
            (Err(_), _) => "no longer generated",
        };
        bail!("`{}` is {problem}; refresh it with `cargo run -p sdk-gen -- sdk`", tree.show(&folder.join(name)));
    }
    Ok(())
}

/// The names of an SDK's files, as the generator listed them; what a user's tools put beside them is not ours.
pub(crate) fn generated(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = folder.join(MANIFEST);
    let list = fs::read_to_string(&list).with_context(|| format!("reading `{}`", list.display()))?;
    Ok(list.lines().filter(|line| !line.is_empty()).map(PathBuf::from).collect())
}

/// The hash of what an SDK's package is built from.
pub(crate) fn sources(tree: &Tree, language: &str) -> Result<Digest> {
    let sdk = tree.sdk(language);
    Digest::new().files(&sdk, generated(&sdk)?)?.files(&tree.path(""), license(tree))
}

/// What goes into every package, where the tree has it.
pub(crate) fn license(tree: &Tree) -> Option<&'static str> {
    Some("LICENSE").filter(|name| tree.path(name).exists())
}

/// Puts a clean copy of what an SDK's package is built from into a new folder, where building may leave its traces.
pub(crate) fn stage(tree: &Tree, language: &str, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    let sdk = tree.sdk(language);
    for name in generated(&sdk)? {
        let target = to.join(&name);
        fs::create_dir_all(target.parent().unwrap_or(to))?;
        fs::copy(sdk.join(&name), &target).with_context(|| format!("copying `{}`", name.display()))?;
    }
    if let Some(name) = license(tree) {
        fs::copy(tree.path(name), to.join(name)).with_context(|| format!("copying `{name}`"))?;
    }
    Ok(())
}

/// The schema and the generator itself.
fn inputs(tree: &Tree) -> Result<Digest> {
    let go = tree.path("sdk-gen/go");
    let program = go.join("codegen");
    Digest::new()
        .files(&tree.path("schema"), ["schema.json"])?
        .files(&go, ["go.mod", "go.sum"])?
        .files(&program, with_extension(&program, "go")?)
}

fn generate(tree: &Tree, language: &str, to: &Path) -> Result<()> {
    let generator = tree.work().join("codegen").with_extension(EXE);
    // Go builds only what changed; `go run` would link again every time.
    run(Command::new("go")
        .arg("build")
        .arg("-o")
        .arg(&generator)
        .arg("./codegen")
        .current_dir(tree.path("sdk-gen/go")))
    .context("building the generator")?;
    fs::create_dir_all(to)?;
    run(Command::new(&generator)
        .arg("--schema")
        .arg(tree.schema())
        .arg("--out")
        .arg(to)
        .args(["--language", language]))
    .with_context(|| format!("generating the {language} SDK"))?;
    Ok(())
}
