//! `--engine`: the same scenario on every engine, and what one cannot do is said before it runs.

use std::path::Path;

use crate::program::{Ran, run, short_scenario};

fn on(engine: &str, path: &Path, more: &[&str]) -> Ran {
    let path = path.to_str().unwrap();
    run(&[&["run", path, "--engine", engine][..], more].concat())
}

fn result(out: &Path, path: &Path) -> serde_json::Value {
    let folder = path.parent().unwrap().file_name().unwrap();
    let result = out.join(folder).join("short/reference/0/result.json");
    serde_json::from_str(&std::fs::read_to_string(result).unwrap()).unwrap()
}

#[test]
fn a_run_on_turmoil_has_the_same_kinds_of_results_and_is_replayed_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let out = folder.path().join("out");
    let ran = on("turmoil", &path, &["--out", out.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("--engine turmoil"), "{}", ran.out);
    let result = result(&out, &path);
    assert_eq!(result["engine"], "turmoil");
    assert_eq!(result["not_deterministic"], serde_json::Value::Null);
    assert!(result["counts"]["ok"].as_u64().unwrap() > 200);
    assert!(result["faults"][0]["effect"].as_u64().unwrap() > 100);
    let name = folder.path().file_name().unwrap();
    let kept = out.join(name).join("short/reference/0");
    assert!(kept.join("report.html").exists() && kept.join("history.jsonl").exists());
    let again = run(&["replay", kept.to_str().unwrap()]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    let elsewhere = run(&["replay", kept.to_str().unwrap(), "--engine", "sim"]);
    assert_eq!(elsewhere.code, 1, "{}", elsewhere.out);
    assert!(elsewhere.out.contains("this is not the run of the result"), "{}", elsewhere.out);
}

#[test]
fn real_sockets_give_the_same_verdict_and_say_that_they_are_not_deterministic() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let out = folder.path().join("out");
    let ran = on("tokio", &path, &["--out", out.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("on tokio: not deterministic"), "{}", ran.out);
    let result = result(&out, &path);
    assert_eq!((&result["engine"], &result["not_deterministic"]), (&"tokio".into(), &true.into()));
    let shown = path.to_str().unwrap();
    for words in [["verify-determinism", shown], ["gate", shown]] {
        let ran = run(&[&words[..], &["--engine", "tokio"]].concat());
        assert_eq!(ran.code, 64, "{words:?}: {}", ran.err);
        assert!(ran.err.contains("not deterministic"), "{}", ran.err);
    }
}

#[test]
fn a_seed_gives_the_same_run_on_turmoil_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let words = ["verify-determinism", path.to_str().unwrap(), "--engine", "turmoil"];
    let ran = run(&words);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn an_engine_that_is_missing_or_unknown_is_a_mistake_of_usage() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let ran = on("turmiol", &path, &[]);
    assert!(ran.code == 64 && ran.err.contains("turmoil"), "{}", ran.err);
    let ran = on("madsim", &path, &["--out", folder.path().join("out").to_str().unwrap()]);
    if cfg!(madsim) {
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    } else {
        assert!(ran.code == 64 && ran.err.contains("cargo mad run"), "{}", ran.err);
    }
}

#[test]
fn more_nodes_than_turmoil_carries_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let replace = [("nodes = 3", "nodes = 25")];
    let path = short_scenario(folder.path(), "crowd", &replace);
    let ran = on("turmoil", &path, &[]);
    assert_eq!(ran.code, 65, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("25 nodes are too many for turmoil"), "{}", ran.err);
    assert!(ran.err.contains("crowd.toml:7:"), "{}", ran.err);
}

#[test]
fn the_matrix_says_whether_a_verdict_depends_on_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let ran =
        run(&["matrix", path.to_str().unwrap(), "--engine", "sim,turmoil", "--seeds", "0..2"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("reference  valid     2 of 2  2 of 2"), "{}", ran.out);
    let vague = [("open_in_fault = 5", "open_in_fault = 5000")];
    let path = short_scenario(folder.path(), "vague", &vague);
    let ran = run(&["matrix", path.to_str().unwrap(), "--seeds", "0..1"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("0 of 1 verdicts are the expected ones"), "{}", ran.out);
}
