//! The repository's scenarios: what each expects of each variant, and their golden trace hashes.

use std::fmt::Write as _;

use crate::program::{root, run};

fn json(words: &[&str]) -> serde_json::Value {
    let ran = run(words);
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("exit {}: {}", ran.code, ran.err))
}

/// Runs everything over a few seeds; the gate of the test command runs 20.
#[test]
fn every_variant_of_every_scenario_is_as_expected() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let words = ["run", "scenarios", "--seeds", "0..3", "--variant", "all", "--keep", "none"];
    let json = json(&[&words[..], &["--format", "json", "--out", out]].concat());
    let runs = json["runs"].as_array().unwrap();
    assert!(runs.len() >= 30);
    for one in runs {
        assert_eq!(one["as_expected"], true, "{one:#}");
    }
}

/// `scenarios/HASHES` holds the trace hash of seed 0 of every variant. They change when the engine,
/// a design or a scenario changes what happens; then look at why, and bless the new ones with
/// `WRACK_BLESS=1 cargo test -p wrack scenarios`.
#[test]
fn trace_hashes_are_the_golden_ones() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let words = ["run", "scenarios", "--variant", "all", "--keep", "none", "--format", "json"];
    let json = json(&[&words[..], &["--out", out]].concat());
    let mut hashes = String::new();
    for one in json["runs"].as_array().unwrap() {
        let text = |field: &str| one[field].as_str().unwrap().to_owned();
        writeln!(hashes, "{} {} {}", text("trace_hash"), text("scenario"), text("variant"))
            .unwrap();
    }
    let path = root().join("scenarios/HASHES");
    if std::env::var_os("WRACK_BLESS").is_some() {
        std::fs::write(&path, &hashes).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(hashes, golden, "bless with WRACK_BLESS=1 if the change is meant");
}

/// The test command compares all of it with `models/designs/SCOREBOARD.md`.
#[test]
fn the_scoreboard_says_which_broken_variants_are_found() {
    let words = ["scoreboard", "single-writer", "--seeds", "0..2", "--format"];
    let json = json(&[&words[..], &["json"]].concat());
    let scores = json["variants"].as_array().unwrap();
    let lost = scores.iter().find(|score| score["variant"] == "ack_early").unwrap();
    assert_eq!(
        (&lost["anomaly"], &lost["found"], &lost["seeds"]),
        (&"LOST".into(), &2.into(), &2.into())
    );
    assert_eq!((&lost["first_seed"], &lost["foreign"]), (&0.into(), &serde_json::json!([])));
    let table = run(&[&words[..], &["markdown"]].concat()).out;
    assert_eq!(
        table.lines().filter(|line| line.starts_with("| single-writer")).count(),
        scores.len()
    );
    let unknown = run(&["scoreboard", "single-writr"]);
    assert_eq!(unknown.code, 64);
    assert!(unknown.err.contains("there are "), "{}", unknown.err);
}
