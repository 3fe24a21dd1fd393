//! `sdk-gen`: everything that is generated from the contract, or put into a release, is written by this program.
//!
//! Each command does only what changed and has a `--check`, which writes nothing and fails, naming the file, where
//! something is stale. Tools it needs beside Rust: Go (Pulumi's code generators), Python and npm (packaging).

mod codegen;
mod digest;
mod npm;
mod plugin;
mod run;
mod schema;
mod sdk;
mod step;
mod tree;
mod wheel;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::tree::Tree;

/// Writes what is generated from the contract: the package schema, the SDKs and the release files.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The top of the source tree; by default found from the current folder upwards.
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Write `schema/schema.json` from the contract's types.
    Schema {
        /// Write nothing; fail if the file is stale.
        #[arg(long)]
        check: bool,
    },
    /// Generate the Python and Node.js SDKs into `sdk/` and build their packages into `dist/`.
    Sdk(Packages),
    /// Put the release build of the plugin into its tarball in `dist/`, beside the SDKs' packages.
    Dist {
        #[command(flatten)]
        packages: Packages,
        /// The plugin to take, instead of the release build.
        #[arg(long, value_name = "FILE")]
        binary: Option<PathBuf>,
    },
}

#[derive(Args)]
struct Packages {
    /// Write nothing; fail if anything is stale.
    #[arg(long)]
    check: bool,
    /// The Python that builds the wheel.
    #[arg(long, env = "PYTHON", value_name = "EXE")]
    python: Option<PathBuf>,
}

fn main() -> ExitCode {
    match execute(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> anyhow::Result<()> {
    let tree = Tree::find(cli.root)?;
    match cli.command {
        Command::Schema { check: true } => schema::check(&tree),
        Command::Schema { check: false } => schema::write(&tree),
        Command::Sdk(packages) => sdk(&tree, &packages),
        Command::Dist { packages, binary } => {
            let binary = binary.unwrap_or_else(|| tree.release_binary());
            if packages.check {
                plugin::check(&tree, &binary)?
            } else {
                plugin::write(&tree, &binary)?
            }
            sdk(&tree, &packages)
        }
    }
}

fn sdk(tree: &Tree, packages: &Packages) -> anyhow::Result<()> {
    if packages.check { sdk::check(tree) } else { sdk::write(tree, packages.python.clone()) }
}
