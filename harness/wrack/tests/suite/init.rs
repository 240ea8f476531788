//! The newcomer's path: a project is written, its test fails on the planted bug in plain words, and
//! passes once the line that the message points at is mended.

use std::path::Path;
use std::process::Command;

use crate::program::{Ran, ran, root, wrack};

fn init(words: &[&str], folder: &Path) -> Ran {
    ran(wrack().arg("init").args(words).current_dir(folder).output().unwrap())
}

/// Runs cargo on the project, with everything that the workspace has built already.
fn cargo(words: &[&str], project: &Path) -> Ran {
    let mut command = Command::new(env!("CARGO"));
    // What cargo tells the tests that it runs is not meant for the cargo in them.
    let told = |name: &str| name.starts_with("CARGO_") && name != "CARGO_HOME";
    for (name, _) in std::env::vars().filter(|(name, _)| told(name)) {
        command.env_remove(name);
    }
    let target = root().join("target");
    command.args(words).current_dir(project).env("CARGO_TARGET_DIR", target);
    ran(command.env("CARGO_NET_OFFLINE", "true").output().unwrap())
}

#[test]
fn a_newcomer_finds_the_planted_bug_and_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let wrote = init(&["my-check"], folder.path());
    assert_eq!(wrote.code, 0, "{}", wrote.err);
    assert!(wrote.out.contains("cd my-check && cargo test"), "{}", wrote.out);
    let project = folder.path().join("my-check");

    let failed = cargo(&["test"], &project);
    assert_ne!(failed.code, 0, "{}", failed.out);
    let told = failed.out.as_str();
    assert!(told.contains("acknowledged"), "{told}{}", failed.err);
    assert!(told.contains("replay  cargo run -- run scenarios/store-crashes.toml"), "{told}");

    let source = project.join("src/lib.rs");
    let text = std::fs::read_to_string(&source).unwrap();
    let (_, place) = told.split_once("src/lib.rs:").expect("the message points at a line");
    let digits = place.find(|letter: char| !letter.is_ascii_digit()).unwrap();
    let line: usize = place[..digits].parse().unwrap();
    let mended = text.lines().enumerate().map(|(index, one)| match index + 2 == line {
        true => one.replacen("// ", "", 1) + "\n",
        false => one.to_owned() + "\n",
    });
    let mended: String = mended.collect();
    assert_ne!(mended, text, "line {line} of\n{text}");
    std::fs::write(&source, mended).unwrap();

    let passed = cargo(&["test"], &project);
    assert_eq!(passed.code, 0, "{}{}", passed.out, passed.err);
    let listed = cargo(&["run", "--", "explain", "my-check"], &project);
    assert!(listed.out.contains("A set on one node that survives its crashes"), "{}", listed.out);
}

#[test]
fn a_project_has_what_its_ci_system_needs() {
    let folder = tempfile::tempdir().unwrap();
    for (system, file) in [("github", ".github/workflows/wrack.yml"), ("gitlab", ".gitlab-ci.yml")]
    {
        let wrote = init(&[system, "--ci", system, "--wrack", "0.1"], folder.path());
        assert_eq!(wrote.code, 0, "{}", wrote.err);
        let project = folder.path().join(system);
        let steps = std::fs::read_to_string(project.join(file)).unwrap();
        assert!(steps.contains("cargo test"), "{steps}");
        let manifest = std::fs::read_to_string(project.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("wrack = \"0.1\""), "{manifest}");
        let lib = std::fs::read_to_string(project.join("tests/holds.rs")).unwrap();
        assert!(lib.contains(&format!("use {system}::MyDesign;")), "{lib}");
    }
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("full")).unwrap();
    std::fs::write(folder.path().join("full/notes"), "mine").unwrap();
    assert_eq!(init(&["full"], folder.path()).code, 74);
    assert_eq!(init(&["a b"], folder.path()).code, 64);
    assert_eq!(init(&["new", "--wrack", "no-such-folder"], folder.path()).code, 64);
    assert!(!folder.path().join("new").exists());
}
