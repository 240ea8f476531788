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
