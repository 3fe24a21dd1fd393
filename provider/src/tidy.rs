//! The invariants of ARCHITECTURE.md that the source itself can break, held by looking at it.

use std::fs;
use std::path::{Path, PathBuf};

/// Every source file below `provider/src`, with its text, without the tests.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        for path in entries.collect::<Vec<PathBuf>>() {
            let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && name != "tidy.rs" {
                found.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    assert!(found.len() > 30, "only {} files were found", found.len());
    found
}

/// The files outside of `rooms` that contain one of the words in code.
fn outside(rooms: &[&str], words: &[&str]) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, text) in sources() {
        let inside = rooms.iter().any(|room| name.starts_with(room) || (room.starts_with('/') && name.contains(room)));
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        if !inside && code.into_iter().any(|line| words.iter().any(|word| line.contains(word))) {
            broken.push(name);
        }
    }
    broken
}

#[test]
fn only_rpc_names_the_protocol() {
    assert_eq!(outside(&["rpc/"], &["tonic", "prost", "wire::"]), Vec::<String>::new());
}

#[test]
fn only_aws_rooms_name_the_sdk() {
    assert_eq!(outside(&["aws/", "/aws.rs", "/aws/"], &["aws_sdk_", "aws_config", "aws_smithy"]), Vec::<String>::new());
}

#[test]
fn what_is_left_of_apply_is_pure() {
    let busy = [
        "adopt.rs",
        "lives.rs",
        "apply.rs",
        "aws/",
        "/aws.rs",
        "/aws/",
        "observe.rs",
        "ours.rs",
        "import.rs",
        "unrecorded.rs",
        "rpc/",
        "main.rs",
        "pieces/mod.rs",
    ];
    let words =
        ["async ", ".await", "tokio", "Instant", "SystemTime", "std::env", "RandomState", "std::fs", "std::net"];
    assert_eq!(outside(&busy, &words), Vec::<String>::new());
}

#[test]
fn nothing_but_the_port_goes_to_stdout() {
    let print = ["println!", "print!(", "stdout()"];
    assert_eq!(outside(&["main.rs", "rpc/serve.rs"], &print), Vec::<String>::new());
}

#[test]
fn pieces_do_not_run_pieces() {
    for (name, text) in sources().into_iter().filter(|(name, _)| name.starts_with("pieces/") && name.contains("/aws")) {
        for piece in ["bucket", "role", "role_policy", "definition", "stage"] {
            assert!(!text.contains(&format!("{piece}::aws::run")), "{name} runs {piece}");
        }
    }
}
