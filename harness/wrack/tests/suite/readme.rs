//! The README is a promise: every command in it runs, and prints what it shows.

use std::process::Command;

use crate::program::{ran, root};

/// Commands in `sh` blocks of the README that this test does not run itself, and who does.
const ELSEWHERE: [(&str, &str); 3] = [
    ("cd my-check && cargo test", "the newcomer's path in `init` runs it"),
    ("bash ci/test.sh", "it runs this test"),
    ("cargo install --path harness/wrack", "the test command runs it"),
];

/// The lines of all fenced blocks of this language.
fn blocks(text: &str, language: &str) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == format!("```{language}") {
            let block = lines.by_ref().take_while(|line| line.trim() != "```");
            blocks.push(block.map(str::to_owned).collect());
        }
    }
    blocks
}

/// Runs a command of the README with the built binary, in a folder of its own beside what the README names.
fn execute(command: &str, folder: &std::path::Path) -> crate::program::Ran {
    let words = command.strip_prefix("cargo run --release -- ").or(command.strip_prefix("wrack "));
    let words = words.unwrap_or_else(|| panic!("`{command}` is not a command of wrack"));
    let mut program = Command::new(env!("CARGO_BIN_EXE_wrack"));
    program.args(words.split_whitespace()).current_dir(folder).env("NO_COLOR", "1");
    ran(program.output().unwrap())
}

#[test]
fn every_command_of_the_readme_runs_and_prints_what_it_shows() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for beside in ["scenarios", "harness"] {
        std::os::unix::fs::symlink(root().join(beside), folder.path().join(beside)).unwrap();
    }
    let mut executed = 0;
    for command in blocks(&readme, "sh").concat() {
        let command = command.split(" #").next().unwrap().trim().to_owned();
        if command.is_empty() || ELSEWHERE.iter().any(|(other, _)| command == *other) {
            continue;
        }
        let ran = execute(&command, folder.path());
        assert!(ran.code <= 1, "{command} exits {}: {}{}", ran.code, ran.out, ran.err);
        executed += 1;
    }
    for block in blocks(&readme, "console") {
        let (command, shown) = block.split_first().unwrap();
        let ran = execute(command.strip_prefix("$ ").unwrap(), folder.path());
        assert_eq!(ran.out.trim_end(), shown.join("\n").trim_end(), "{command}");
        executed += 1;
    }
    assert!(executed >= 5, "only {executed} commands were found");
    for (command, _) in ELSEWHERE {
        assert!(readme.contains(command), "the README names {command}");
    }
}
