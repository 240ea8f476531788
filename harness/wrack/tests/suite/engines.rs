//! `--engine`: the same scenario on every engine, and what one cannot do is said before it runs.

use std::path::Path;

use crate::program::{Ran, run, short_scenario};

fn on(engine: &str, path: &Path, more: &[&str]) -> Ran {
    let path = path.to_str().unwrap();
    run(&[&["run", path, "--engine", engine][..], more].concat())
}

/// The engines that other people wrote and that repeat a run, as far as this program has them.
const OTHERS: &[&str] = if cfg!(madsim) { &["turmoil", "madsim"] } else { &["turmoil"] };

fn result(out: &Path, path: &Path) -> serde_json::Value {
    let folder = path.parent().unwrap().file_name().unwrap();
    let result = out.join(folder).join("short/reference/0/result.json");
    serde_json::from_str(&std::fs::read_to_string(result).unwrap()).unwrap()
}

#[test]
fn the_leader_is_isolated_with_the_expected_verdicts_and_a_report_on_every_engine() {
    let path = Path::new("scenarios/raft/leader-isolated.toml");
    for engine in OTHERS {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().to_str().unwrap();
        let good = on(engine, path, &["--out", out]);
        assert_eq!(good.code, 0, "{engine}: {}{}", good.out, good.err);
        assert!(good.out.starts_with("valid: 1 seed"), "{engine}: {}", good.out);
        assert!(good.out.contains("3 of 3 faults bit"), "{engine}: {}", good.out);
        let broken = on(engine, path, &["--out", out, "--variant", "stale_local_read"]);
        assert_eq!(broken.code, 0, "{engine}: {}{}", broken.out, broken.err);
        let expected = "INVALID, as expected (stale_local_read → LIN)";
        assert!(broken.out.starts_with(expected), "{engine}: {}", broken.out);
        for variant in ["reference", "stale_local_read"] {
            let kept = folder.path().join("raft/leader-isolated").join(variant).join("0");
            let report = std::fs::read_to_string(kept.join("report.html")).unwrap();
            assert!(report.contains("</html>") && report.contains(engine), "{engine} {variant}");
        }
    }
}

#[test]
fn a_run_has_the_same_kinds_of_results_and_is_replayed_on_its_engine() {
    for engine in OTHERS {
        let folder = tempfile::tempdir().unwrap();
        let path = short_scenario(folder.path(), "short", &[]);
        let out = folder.path().join("out");
        let ran = on(engine, &path, &["--out", out.to_str().unwrap()]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains(&format!("--engine {engine}")), "{}", ran.out);
        let result = result(&out, &path);
        assert_eq!(result["engine"], *engine);
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
fn a_seed_gives_the_same_run_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    for engine in OTHERS {
        let ran = run(&["verify-determinism", path.to_str().unwrap(), "--engine", engine]);
        assert_eq!(ran.code, 0, "{engine}: {}{}", ran.out, ran.err);
        assert!(ran.out.starts_with("same: "), "{engine}: {}", ran.out);
    }
}

#[test]
fn an_engine_that_is_unknown_is_a_mistake_of_usage() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let ran = on("turmiol", &path, &[]);
    assert!(ran.code == 64 && ran.err.contains("turmoil"), "{}", ran.err);
}

#[cfg(not(madsim))]
#[test]
fn a_build_without_madsim_says_how_to_get_one_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let shown = path.to_str().unwrap();
    let words: [&[&str]; 6] = [
        &["run", shown],
        &["sweep", shown],
        &["gate", shown],
        &["matrix", shown],
        &["verify-determinism", shown],
        &["gameday", "run", "scenarios/gamedays/leaders-go-away.toml"],
    ];
    for words in words {
        let ran = run(&[words, &["--engine", "madsim"]].concat());
        assert_eq!(ran.code, 64, "{words:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("cargo mad run --release -p wrack -- run"), "{}", ran.err);
    }
    let listed = run(&["list", "engines"]);
    assert!(listed.out.contains("cargo mad run"), "{}", listed.out);
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
    let engines = format!("sim,{}", OTHERS.join(","));
    let ran = run(&["matrix", path.to_str().unwrap(), "--engine", &engines, "--seeds", "0..2"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let expected = format!("on all {} engines", 1 + OTHERS.len());
    assert!(ran.out.contains("reference  valid     2 of 2  2 of 2"), "{}", ran.out);
    assert!(ran.out.contains(&expected), "{}", ran.out);
    let vague = [("open_in_fault = 5", "open_in_fault = 5000")];
    let path = short_scenario(folder.path(), "vague", &vague);
    let ran = run(&["matrix", path.to_str().unwrap(), "--seeds", "0..1"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("0 of 1 verdicts are the expected ones"), "{}", ran.out);
}
