//! `wrack check` of transactions: levels, cycles on paper, and the JSON of its contract.

use serde_json::{Value, json};

use crate::program::{Ran, run};

const DATA: &str = "harness/history/tests/data";

fn check(file: &str, words: &[&str]) -> Ran {
    let path = format!("{DATA}/{file}");
    run(&[&["check", &path], words].concat())
}

fn levels(file: &str, model: &str) -> Value {
    let ran = check(file, &["--model", model, "--format", "json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    json["levels"].clone()
}

#[test]
fn every_level_is_answered_at_once() {
    let expected = json!({
        "read-uncommitted": true,
        "read-committed": true,
        "read-committed-axiomatic": true,
        "read-atomic": true,
        "causal": true,
        "prefix": true,
        "parallel-snapshot-isolation": true,
        "snapshot-isolation": true,
        "repeatable-read": false,
        "serializable": false,
        "strong-session-snapshot-isolation": true,
        "strong-session-serializable": false,
        "strict-serializable": false,
    });
    assert_eq!(levels("rw-write-skew-t0.jsonl", "rw-register"), expected);
    assert_eq!(levels("la-G1c-circular-t0-init.edn", "list-append")["read-committed"], false);
    let fractured = levels("la-fractured-read-t0-init.jsonl", "list-append");
    assert_eq!(fractured["read-committed"], true, "as Adya sees it");
    assert_eq!(fractured["read-committed-axiomatic"], false, "as Biswas and Enea see it");
}

#[test]
fn without_times_nobody_knows_of_strictness() {
    let levels = levels("pg_ser_bug.txt", "rw-register");
    assert_eq!(levels["strict-serializable"], false, "what is not serializable is not strict");
    let galera = self::levels("galera.txt", "rw-register");
    assert_eq!(galera["causal"], true);
    assert_eq!(galera["snapshot-isolation"], false);
    let causal = check("awdit-biswas-enea.txt", &["--model", "rw-register", "--format", "json"]);
    let json: Value = serde_json::from_str(&causal.out).unwrap();
    assert_eq!(json["levels"]["read-atomic"], true);
    assert_eq!(json["levels"]["causal"], false);
}

#[test]
fn one_level_is_asked_and_decides() {
    let words = |level: &'static str| ["--model", "rw-register", "--consistency", level];
    assert_eq!(check("rw-write-skew-t0.jsonl", &words("snapshot-isolation")).code, 0);
    assert_eq!(check("rw-write-skew-t0.jsonl", &words("serializable")).code, 1);
    let strict = check("awdit-biswas-enea.txt", &words("strict-serializable"));
    assert_eq!(strict.code, 2, "it has no times: {}", strict.out);
    let wrong = check("rw-write-skew-t0.jsonl", &words("serialisable"));
    assert_eq!(wrong.code, 64);
    assert!(wrong.err.contains("serializable"), "{}", wrong.err);
    let registers = ["--model", "register", "--consistency", "causal"];
    let registers = check("etcd_002.log", &registers);
    assert_eq!(registers.code, 64);
    assert!(registers.err.contains("list-append or rw-register"), "{}", registers.err);
}

#[test]
fn a_real_lost_update_of_galera_can_be_followed_on_paper() {
    let ran = check("galera.txt", &["--model", "rw-register", "--explain"]);
    assert_eq!(ran.code, 1);
    for line in ["lost-update", "both overwrote it", "snapshot-isolation                 broken"] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
    let skew = check("rw-write-skew-t0.jsonl", &["--model", "rw-register", "--explain"]);
    for line in ["write-skew: T", " rw ", "before T", "on paper: RR"] {
        assert!(skew.out.contains(line), "{line}: {}", skew.out);
    }
}

#[test]
fn a_certificate_is_verified_against_its_history_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certificate.json");
    let path = path.to_str().unwrap();
    let skew = ["--model", "rw-register", "--certificate", path];
    assert_eq!(check("rw-write-skew-t0.jsonl", &skew).code, 1);
    let history = format!("{DATA}/rw-write-skew-t0.jsonl");
    let verified = run(&["verify-certificate", path, &history]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    assert!(verified.out.contains("strong-session-snapshot-isolation"), "{}", verified.out);
    assert!(!verified.out.contains("serializable"), "{}", verified.out);
    let other = run(&["verify-certificate", path, &format!("{DATA}/galera.txt")]);
    assert_eq!(other.code, 1, "{}{}", other.out, other.err);
    assert!(other.out.contains("REFUSED"), "{}", other.out);
    let written = std::fs::read_to_string(path).unwrap();
    let claimed = written.replace("snapshot-isolation", "serializable");
    std::fs::write(path, claimed).unwrap();
    assert_eq!(run(&["verify-certificate", path, &history]).code, 1, "it claims too much");
    std::fs::write(path, "{\"format\": 1}").unwrap();
    let broken = run(&["verify-certificate", path, &history]);
    assert_eq!(broken.code, 65);
    assert!(broken.err.contains("certificate.json:1:"), "{}", broken.err);
}

#[test]
fn levels_and_anomalies_explain_themselves() {
    let page = |name: &str| run(&["explain", name]).out;
    assert!(page("snapshot-isolation").contains("G-nonadjacent"));
    assert!(page("G-single").contains("anomaly of transactions"));
    assert!(page("list-append").contains("--consistency"));
    assert!(run(&["list", "models"]).out.contains("rw-register"));
    assert!(run(&["list", "guarantees"]).out.contains("strong-session-snapshot-isolation"));
}
