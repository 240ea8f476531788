//! The command line: exit codes, and that every command does what it says.

use crate::program::{run, short_scenario};

fn check(words: &[&str], code: i32, contains: &str) {
    let ran = run(words);
    let text = format!("{}{}", ran.out, ran.err);
    assert_eq!(ran.code, code, "{words:?}: {text}");
    assert!(text.contains(contains), "{words:?} prints {contains:?}: {text}");
}

#[test]
fn usage_mistakes_exit_64() {
    check(&["frobnicate"], 64, "unrecognized subcommand");
    check(&["run"], 64, "required");
    check(&["run", "scenarios", "--seed", "9007199254740992"], 64, "below 2^53");
    check(&["run", "scenarios", "--seeds", "5..5"], 64, "the range is empty");
    check(&["explain", "stale_locl_read"], 64, "did you mean \"stale_local_read\"?");
    check(
        &["run", "scenarios/raft/leader-isolated.toml", "--variant", "nothing"],
        64,
        "it has reference, stale_local_read, and all",
    );
}

#[test]
fn a_file_that_is_not_there_exits_74() {
    check(&["run", "scenarios/nowhere.toml"], 74, "scenarios/nowhere.toml");
    check(&["report", "nowhere"], 74, "nowhere/result.json");
}

#[test]
fn a_generated_history_is_the_same_every_time_and_says_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let words =
        ["generate-history", "queue", "--operations", "200", "--seed", "3", "--mutate", "--out"];
    check(&[&words[..], &[path.to_str().unwrap()]].concat(), 0, "history.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(run(&words[..7]).out, text);
    let truth = wrack_history::codec::read(text.as_bytes()).unwrap().truth.unwrap();
    assert_eq!((truth.model.as_str(), truth.linearizable), ("queue", false));
    assert_eq!(truth.mutation.unwrap().kind, "swapped-pair");
    check(&["generate-history", "abacus"], 64, "possible values");
    check(&["generate-history", "queue", "--clients", "0"], 64, "at least one client");
}

#[test]
fn help_and_version_exit_0() {
    check(&["--help"], 0, "verify-determinism");
    check(&["run", "--version"], 0, env!("CARGO_PKG_VERSION"));
}

#[test]
fn list_shows_the_catalogue() {
    check(&["list", "designs"], 0, "raft");
    check(&["list", "variants"], 0, "raft stale_local_read");
    check(&["list", "faults"], 0, "X01");
    check(&["list", "guarantees"], 0, "LIN");
    check(&["list", "workloads"], 0, "append-set");
    check(&["list", "models"], 0, "cas-register");
    check(&["list", "metrics"], 0, "availability");
    check(&["list", "scenarios"], 0, "scenarios/raft/leader-isolated.toml");
    for engine in ["sim", "turmoil", "madsim", "tokio"] {
        check(&["list", "engines"], 0, engine);
    }
    let json = run(&["list", "faults", "--format", "json"]).out;
    assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap().is_array());
}

#[test]
fn everything_in_the_catalogue_can_be_explained() {
    for kind in ["designs", "faults", "guarantees", "workloads", "models", "metrics"] {
        let listed: serde_json::Value =
            serde_json::from_str(&run(&["list", kind, "--format", "json"]).out).unwrap();
        for row in listed.as_array().unwrap() {
            let name = row["name"].as_str().unwrap();
            check(&["explain", name], 0, name);
        }
    }
    check(&["explain", "exit-codes"], 0, " 65  a bad scenario or history");
    check(&["explain", "X01"], 0, "partition");
    check(&["explain", "P19"], 0, "ReadIndex");
    check(&["explain", "stale_local_read"], 0, "variant of raft");
}

#[test]
fn shell_files_are_printed() {
    check(&["completions", "bash"], 0, "_wrack");
    check(&["man"], 0, ".TH wrack");
}

#[test]
fn a_new_scenario_runs_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my-scenario");
    let (path, out) = (path.to_str().unwrap(), folder.path().join("out"));
    check(&["new", path], 0, "run it: wrack run");
    check(&["new", path], 74, "exists");
    let file = format!("{path}.toml");
    check(&["run", &file, "--out", out.to_str().unwrap()], 0, "valid");
}

#[test]
fn every_scenario_of_the_repository_is_valid_under_its_schema() {
    let schema: serde_json::Value = serde_json::from_str(&run(&["schema"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut count = 0;
    for family in std::fs::read_dir(crate::program::root().join("scenarios")).unwrap() {
        let family = family.unwrap().path();
        let files = if family.is_dir() && !family.ends_with("gamedays") {
            std::fs::read_dir(&family).unwrap()
        } else {
            continue;
        };
        for file in files {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let value: toml::Value = toml::from_str(&text).unwrap();
            let value = serde_json::to_value(value).unwrap();
            let errors: Vec<_> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
            count += 1;
        }
    }
    assert!(count >= 5, "{count} scenarios");
}

#[test]
fn a_scenario_with_ten_mistakes_prints_ten_located_diagnostics_and_exits_65() {
    let ran = run(&["run", "harness/wrack/tests/suite/ten-mistakes.toml"]);
    assert_eq!(ran.code, 65, "{}", ran.err);
    let located = ran.err.matches("--> harness/wrack/tests/suite/ten-mistakes.toml:").count();
    assert_eq!(located, 10, "{}", ran.err);
    assert!(ran.err.contains("did you mean"), "{}", ran.err);
    assert!(ran.err.contains("10 mistakes"), "{}", ran.err);
}

#[test]
fn a_fault_that_never_touches_traffic_is_unknown_and_exits_2() {
    let folder = tempfile::tempdir().unwrap();
    let replace = [("at = \"1s\"\nfor = \"1s\"", "at = \"1s\"\nfor = \"1s\"\nshare = \"0%\"")];
    let path = short_scenario(folder.path(), "toothless", &replace);
    let out = folder.path().join("out");
    let words = ["run", path.to_str().unwrap(), "--out", out.to_str().unwrap()];
    check(&words, 2, "unknown: fault latency");
}

#[test]
fn a_pipe_that_closes_is_quiet() {
    let mut child = crate::program::wrack()
        .args(["schema"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn run_with_v_shows_the_defaults_that_were_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let out = folder.path().join("out");
    let words = ["run", "-v", path.to_str().unwrap(), "--out", out.to_str().unwrap()];
    check(&words, 0, "client.timeout = 500ms");
}
