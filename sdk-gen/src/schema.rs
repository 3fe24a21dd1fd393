//! `sdk-gen schema`: the committed package schema.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::tree::Tree;

pub(crate) fn write(tree: &Tree) -> Result<()> {
    let path = tree.schema();
    let text = text()?;
    // An untouched file keeps cargo from compiling everything that includes it again.
    if fs::read_to_string(&path).ok().as_deref() != Some(&*text) {
        fs::write(&path, text).with_context(|| format!("writing `{}`", tree.show(&path)))?;
        eprintln!("wrote {}", tree.show(&path));
    }
    Ok(())
}

pub(crate) fn check(tree: &Tree) -> Result<()> {
    let path = tree.schema();
    let committed = fs::read_to_string(&path).with_context(|| format!("reading `{}`", tree.show(&path)))?;
    if committed != text()? {
        bail!("`{}` is stale; refresh it with `cargo run -p sdk-gen -- schema`", tree.show(&path));
    }
    Ok(())
}

fn text() -> Result<String> {
    Ok(serde_json::to_string_pretty(&s3dataproxy_schema::package::package())? + "\n")
}
