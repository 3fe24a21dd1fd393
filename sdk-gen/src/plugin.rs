//! `sdk-gen dist`: the plugin's tarball, as `pulumi plugin install` wants it.

use std::env::consts;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use s3dataproxy_schema::{PACKAGE, VERSION};

use crate::digest::Digest;
use crate::sdk::{EPOCH, replace_package};
use crate::step::Step;
use crate::tree::{EXE, Tree};

pub(crate) fn write(tree: &Tree, binary: &Path) -> Result<()> {
    let _lock = tree.lock()?;
    let plugin = read(tree, binary)?;
    let file = file();
    let step = Step {
        name: "pack plugin",
        inputs: Digest::new().text(&file).bytes(&plugin).finish(),
        outputs: &|| Ok(vec![tree.dist().join(&file)]),
    };
    step.run(tree, || {
        let new = tempfile::tempdir()?;
        fs::write(new.path().join(&file), tarball(&plugin)?)?;
        replace_package(tree, new.path(), &format!("pulumi-resource-{PACKAGE}-"), &file)
    })
}

pub(crate) fn check(tree: &Tree, binary: &Path) -> Result<()> {
    let expected = tarball(&read(tree, binary)?)?;
    let path = tree.dist().join(file());
    if fs::read(&path).ok() != Some(expected) {
        bail!("`{}` is missing or stale; refresh it with `cargo run -p sdk-gen -- dist`", tree.show(&path));
    }
    Ok(())
}

/// Only the binary, at the root, and the same bytes for the same binary.
fn tarball(plugin: &[u8]) -> Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_size(plugin.len() as u64);
    header.set_mode(0o755);
    header.set_mtime(EPOCH);
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    let name = PathBuf::from(format!("pulumi-resource-{PACKAGE}")).with_extension(EXE);
    archive.append_data(&mut header, name, plugin)?;
    Ok(archive.into_inner()?.finish()?)
}

fn read(tree: &Tree, binary: &Path) -> Result<Vec<u8>> {
    fs::read(binary).with_context(|| format!("no plugin at `{}`: build it with `make plugin`", tree.show(binary)))
}

/// The name the engine asks a download server for; it names systems and processors as Go does.
fn file() -> String {
    let os = if consts::OS == "macos" { "darwin" } else { consts::OS };
    let arch = match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("pulumi-resource-{PACKAGE}-v{VERSION}-{os}-{arch}.tar.gz")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    #[test]
    fn a_tarball_holds_one_executable_and_is_reproducible() {
        let packed = super::tarball(b"plugin").expect("packs");
        assert_eq!(packed, super::tarball(b"plugin").expect("packs"));
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*packed));
        let mut found = Vec::new();
        for entry in archive.entries().expect("a tarball") {
            let mut entry = entry.expect("an entry");
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("text");
            let path = entry.path().expect("a path").display().to_string();
            found.push((path, entry.header().mode().expect("a mode"), text));
        }
        let name = format!("pulumi-resource-s3dataproxy{}", std::env::consts::EXE_SUFFIX);
        assert_eq!(found, [(name, 0o755, "plugin".to_owned())]);
    }
}
