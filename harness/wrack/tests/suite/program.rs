//! The built binary, and a folder of its own to run in.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A command that runs the built binary at the root of the workspace.
pub fn wrack() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wrack"));
    command.current_dir(root()).env("NO_COLOR", "1");
    command
}

/// What a run of the binary printed, and its exit code.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Two simulated seconds of two services that count the same things; `blind_rmw` loses an update within the
/// first.
pub const TWO_SERVICES: &str = include_str!("../two-services.toml");

/// The variant of [`TWO_SERVICES`] that loses updates.
pub const BLIND: &str = r#"
[variants.blind_rmw]
expect = "LUPD"
share = "100%"
follows = [
    { code = "LIN", because = "a counter that forgot an update answers a wrong sum" },
    { code = "LOST", because = "the update that was overwritten had been acknowledged" },
]
"#;

/// Runs the binary with these words.
pub fn run(words: &[&str]) -> Ran {
    ran(wrack().args(words).output().unwrap())
}

pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A scenario of two simulated seconds, with lines replaced.
pub fn short_scenario(folder: &Path, name: &str, replace: &[(&str, &str)]) -> PathBuf {
    let mut text = SHORT.to_owned();
    for (from, to) in replace {
        assert!(text.contains(from), "{from} is in the scenario");
        text = text.replace(from, to);
    }
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, text).unwrap();
    path
}

const SHORT: &str = r#"title = "A short one"
story = "Messages are late for a while."
hypothesis = "Nothing is wrong."

[design]
name = "raft"
nodes = 3

[variants.reference]
expect = "valid"

[workload]
name = "register"
rate = "100/s"
mix = { read = 1, write = 1 }

[[fault]]
kind = "latency"
target = { some = "all" }
at = "1s"
for = "1s"

[phases]
faults = "3s"
quiet = "1s"

[minimum]
open_in_fault = 5
"#;
