//! The Python SDK's wheel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use s3dataproxy_schema::{PACKAGE, VERSION};

use crate::codegen::{sources, stage};
use crate::digest::Digest;
use crate::run::run;
use crate::sdk::{EPOCH, replace_package};
use crate::step::Step;
use crate::tree::Tree;

/// The build back end at a fixed version and hash: with pip's build isolation it would be the newest one each time.
const REQUIREMENTS: &str = "requirements.txt";

/// The wheel's file name.
pub(crate) fn file() -> String {
    format!("pulumi_{PACKAGE}-{VERSION}-py3-none-any.whl")
}

/// Builds the wheel, if anything changed.
pub(crate) fn write(tree: &Tree, python: Option<PathBuf>) -> Result<()> {
    let outputs = || Ok(vec![tree.dist().join(file())]);
    step(tree, &outputs)?.run(tree, || {
        let python = environment(tree, python)?;
        let source = tree.work().join("wheel");
        stage(tree, "python", &source)?;
        // The generator puts it into the module, its pyproject.toml expects it beside.
        let readme = source.join(format!("pulumi_{PACKAGE}/README.md"));
        fs::rename(readme, source.join("README.md")).context("moving `README.md`")?;
        let new = tempfile::tempdir()?;
        run(Command::new(python)
            .args(["-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"])
            .args(["--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir"])
            .arg(new.path())
            .arg(source)
            .env("SOURCE_DATE_EPOCH", EPOCH.to_string()))?;
        replace_package(tree, new.path(), &format!("pulumi_{PACKAGE}-"), &file())
    })
}

/// Whether the wheel in `dist/` is that of the sources in `sdk/`.
pub(crate) fn is_current(tree: &Tree) -> Result<bool> {
    let outputs = || Ok(vec![tree.dist().join(file())]);
    Ok(step(tree, &outputs)?.is_done(tree))
}

fn step<'a>(tree: &Tree, outputs: &'a dyn Fn() -> Result<Vec<PathBuf>>) -> Result<Step<'a>> {
    let inputs = sources(tree, "python")?.files(&requirements(tree), [REQUIREMENTS])?;
    Ok(Step { name: "build wheel", inputs: inputs.finish(), outputs })
}

/// A virtual environment with the build back end; returns its Python.
fn environment(tree: &Tree, python: Option<PathBuf>) -> Result<PathBuf> {
    let folder = tree.work().join("python");
    let inside = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let given = python.filter(|path| !path.as_os_str().is_empty());
    let python = given.unwrap_or_else(|| default_python(tree));
    let version = run(Command::new(&python).arg("--version"))?;
    let inputs = Digest::new().text(&python.to_string_lossy()).text(&version);
    let step = Step {
        name: "prepare python",
        inputs: inputs.files(&requirements(tree), [REQUIREMENTS])?.finish(),
        outputs: &|| Ok(vec![folder.join("pyvenv.cfg")]),
    };
    step.run(tree, || {
        run(Command::new(&python).args(["-m", "venv", "--clear"]).arg(&folder))?;
        run(Command::new(&inside)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"])
            .arg(requirements(tree).join(REQUIREMENTS)))?;
        Ok(())
    })
    .context("preparing the Python that builds the wheel")?;
    Ok(inside)
}

fn requirements(tree: &Tree) -> PathBuf {
    tree.path("sdk-gen/python")
}

/// The project's own environment, where there is one.
fn default_python(tree: &Tree) -> PathBuf {
    let own = tree.path(".tools/venv/bin/python");
    if own.exists() { own } else { Path::new("python3").to_owned() }
}
