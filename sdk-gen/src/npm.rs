//! The Node.js SDK's npm package.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use s3dataproxy_schema::{PACKAGE, VERSION};

use crate::codegen::{license, sources, stage};
use crate::digest::Digest;
use crate::run::run;
use crate::sdk::replace_package;
use crate::step::Step;
use crate::tree::Tree;

/// The compiler and what the SDK is compiled against, at fixed versions.
const TOOLS: [&str; 2] = ["package.json", "package-lock.json"];

/// The package's file name.
pub(crate) fn file() -> String {
    format!("pulumi-{PACKAGE}-{VERSION}.tgz")
}

/// Builds the package, if anything changed.
pub(crate) fn write(tree: &Tree) -> Result<()> {
    let outputs = || Ok(vec![tree.dist().join(file())]);
    step(tree, &outputs)?.run(tree, || {
        let tools = compiler(tree)?;
        // Below the tools' folder, so that the compiler finds their `node_modules`.
        let source = tools.join("source");
        stage(tree, "nodejs", &source)?;
        let package = source.join("bin");
        run(Command::new("node")
            .arg(tools.join("node_modules/typescript/bin/tsc"))
            .arg("--project")
            .arg(source.join("tsconfig.json"))
            .arg("--outDir")
            .arg(&package)
            // The maps would lead to sources that are not in the package.
            .args(["--sourceMap", "false", "--declarationMap", "false"]))?;
        for name in ["package.json", "README.md"].into_iter().chain(license(tree)) {
            fs::copy(source.join(name), package.join(name)).with_context(|| format!("copying `{name}`"))?;
        }
        let new = tempfile::tempdir()?;
        run(npm().args(["pack", "--silent", "--pack-destination"]).arg(new.path()).current_dir(&package))?;
        replace_package(tree, new.path(), &format!("pulumi-{PACKAGE}-"), &file())
    })
}

/// Whether the package in `dist/` is that of the sources in `sdk/`.
pub(crate) fn is_current(tree: &Tree) -> Result<bool> {
    let outputs = || Ok(vec![tree.dist().join(file())]);
    Ok(step(tree, &outputs)?.is_done(tree))
}

fn step<'a>(tree: &Tree, outputs: &'a dyn Fn() -> Result<Vec<PathBuf>>) -> Result<Step<'a>> {
    let inputs = sources(tree, "nodejs")?.files(&tools(tree), TOOLS)?;
    Ok(Step { name: "build npm package", inputs: inputs.finish(), outputs })
}

/// The folder whose `node_modules` hold the compiler.
fn compiler(tree: &Tree) -> Result<PathBuf> {
    let folder = tree.work().join("nodejs");
    let step = Step {
        name: "prepare node",
        inputs: Digest::new().files(&tools(tree), TOOLS)?.finish(),
        outputs: &|| Ok(vec![folder.join("node_modules/.package-lock.json")]),
    };
    step.run(tree, || {
        fs::create_dir_all(&folder)?;
        for name in TOOLS {
            fs::copy(tools(tree).join(name), folder.join(name))?;
        }
        // Nothing of it is run but the compiler, so no package's own install script needs to run either.
        run(npm().args(["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder))?;
        Ok(())
    })
    .context("preparing the TypeScript compiler")?;
    Ok(folder)
}

fn tools(tree: &Tree) -> PathBuf {
    tree.path("sdk-gen/nodejs")
}

fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}
