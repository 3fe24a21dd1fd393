//! A step that is done once for the same inputs.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::digest::Digest;
use crate::tree::Tree;

/// A step's stamp holds the hashes of what went in and of what came out, so that a changed input, a deleted output and
/// an edited output all make it run again.
pub(crate) struct Step<'a> {
    /// Names the stamp, and the step in messages.
    pub(crate) name: &'a str,
    /// The hash of everything that decides what comes out.
    pub(crate) inputs: String,
    /// The files that tell whether what came out is still there.
    pub(crate) outputs: &'a dyn Fn() -> Result<Vec<PathBuf>>,
}

impl Step<'_> {
    /// Does the work unless it is done already.
    pub(crate) fn run(&self, tree: &Tree, work: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.is_done(tree) {
            return Ok(());
        }
        eprintln!("{} ...", self.name);
        let stamp = self.stamp(tree);
        let _ = fs::remove_file(&stamp); // a failure half-way must not look done
        work()?;
        fs::create_dir_all(tree.work().join("stamps"))?;
        fs::write(stamp, self.mark()?)?;
        Ok(())
    }

    /// Whether the outputs are those of the inputs.
    pub(crate) fn is_done(&self, tree: &Tree) -> bool {
        fs::read_to_string(self.stamp(tree)).is_ok_and(|found| self.mark().is_ok_and(|mark| mark == found))
    }

    fn stamp(&self, tree: &Tree) -> PathBuf {
        tree.work().join("stamps").join(self.name.replace(' ', "-"))
    }

    fn mark(&self) -> Result<String> {
        let mut digest = Digest::new();
        for path in (self.outputs)()? {
            let name = path.file_name().map(PathBuf::from).unwrap_or_default();
            digest = digest.files(path.parent().unwrap_or(&path), [name])?;
        }
        Ok(format!("inputs {}\noutputs {}\n", self.inputs, digest.finish()))
    }
}
