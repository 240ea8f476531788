//! `wrack check`: verdicts, exit codes and the JSON of its contract, on histories of others.

use crate::program::{Ran, run};

const DATA: &str = "harness/history/tests/data";

fn check(file: &str, words: &[&str]) -> Ran {
    let path = format!("{DATA}/{file}");
    run(&[&["check", &path], words].concat())
}

#[test]
fn the_exit_code_is_the_verdict() {
    let cas = ["--model", "cas-register"];
    assert_eq!(check("etcd_002.log", &cas).code, 0);
    assert_eq!(check("etcd_000.log", &cas).code, 1);
    assert_eq!(check("kv-c01-bad.txt", &["--model", "kv"]).code, 1);
    assert_eq!(check("queue-c4-n1000-ok.jsonl.zst", &["--model", "queue"]).code, 0);
    assert_eq!(check("set20-c8-n1000-ok.jsonl", &["--model", "set"]).code, 0);
    let bounded = check("etcd_002.log", &[&cas[..], &["--max-states", "1"]].concat());
    assert_eq!(bounded.code, 2, "{}", bounded.out);
}

#[test]
fn a_contradiction_can_be_followed_on_paper() {
    let ran = check("etcd_000.log", &["--model", "cas-register", "--explain"]);
    for line in [
        "on paper: LIN",
        "(1) process 2 asked to write 2 and was told ok",
        "a legal order goes as far as (1) (2); the object is then worth 1",
        "and this cannot come next: (3) process 11 read 2",
        "the file has no times",
    ] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
}

#[test]
fn json_holds_what_the_contract_says() {
    let ran = check("etcd_000.log", &["--model", "cas-register", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["verdict"], "invalid");
    assert_eq!(json["anomalies"][0]["code"], "LIN");
    assert_eq!(json["anomalies"][0]["counterexample"]["state"], "1");
    assert_eq!(json["keys"], serde_json::json!([{"key": "", "verdict": "invalid"}]));
    assert_eq!(json["assumed"]["failed_cas"], "observed");
    assert!(json["algorithm"].is_string());
}

#[test]
fn every_file_is_judged_even_if_one_cannot_be_read() {
    let good = format!("{DATA}/etcd_002.log");
    let readme = format!("{DATA}/README.md");
    let ran = run(&["check", &readme, &good, "--model", "cas-register", "--from", "jepsen-log"]);
    assert!(ran.out.contains("etcd_002.log: valid"), "{}{}", ran.out, ran.err);
    let ran = run(&["check", &readme, &good, "--model", "cas-register"]);
    assert_eq!(ran.code, 65, "{}", ran.err);
    assert!(ran.err.contains("README.md:1:1"), "{}", ran.err);
    assert!(ran.out.contains("etcd_002.log: valid"), "{}", ran.out);
}

#[test]
fn a_wrong_question_is_a_usage_mistake() {
    let refused = |words: &[&str], says: &str| {
        let ran = check("etcd_002.log", words);
        assert_eq!(ran.code, 64, "{words:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{words:?}: {}", ran.err);
    };
    refused(&["--model", "abacus"], "there is no model \"abacus\"");
    refused(&["--model", "queue", "--initial", "0"], "cannot start at 0");
    refused(&["--model", "register", "--guarantee", "NONE"], "there is no guarantee \"NONE\"");
    refused(&["--model", "register", "--from", "csv"], "there is no format \"csv\"");
}

#[test]
fn the_report_is_one_file_without_requests() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("check.html");
    let words = ["--model", "cas-register", "--report", path.to_str().unwrap()];
    assert_eq!(check("etcd_000.log", &words).code, 1);
    let html = std::fs::read_to_string(path).unwrap();
    assert!(html.contains("On paper: 3 of 85 operations are enough"));
    // The namespace of SVG is a name: nothing is fetched from it.
    let rest = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!rest.contains("http://") && !rest.contains("https://"));
}

fn line(event: &str) -> String {
    format!("{{\"event\":{event}}}\n")
}

/// A history as far as it has come, with a read that goes back; and what `wrack check --follow` says of it.
fn follow(last: i64, words: &[&str]) -> (Ran, std::path::PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let mut text = "{\"format\":\"wrack-history\",\"version\":1}\n".to_owned();
    for (id, value) in [(0, 1), (1, 2)] {
        let invoke = format!(
            "\"invoke\",\"ns\":{},\"id\":{id},\"process\":0,\"key\":\"k\",\"function\":\"write\",\"argument\":{value}",
            id * 20
        );
        text += &line(&invoke);
        text += &line(&format!("\"ok\",\"ns\":{},\"id\":{id}", id * 20 + 10));
    }
    text +=
        &line("\"invoke\",\"ns\":50,\"id\":2,\"process\":1,\"key\":\"k\",\"function\":\"read\"");
    text += &line(&format!("\"ok\",\"ns\":60,\"id\":2,\"result\":{last}"));
    std::fs::write(&path, text).unwrap();
    let words = [&["check", path.to_str().unwrap(), "--follow"], words].concat();
    (run(&words), path, folder)
}

#[test]
fn a_history_is_followed_to_its_first_anomaly() {
    let register = ["--model", "register"];
    let (ran, ..) = follow(2, &register);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("no end event: what was open is in doubt"), "{}", ran.out);
    let (ran, path, _folder) = follow(1, &register);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let why = "INVALID, LIN: process 1 read 1 of k at";
    assert!(ran.out.contains(why), "{}", ran.out);
    // The whole history says the same.
    let text = std::fs::read_to_string(&path).unwrap() + &line("\"end\",\"operations\":3");
    std::fs::write(&path, text).unwrap();
    let whole = run(&["check", path.to_str().unwrap(), "--model", "register"]);
    assert_eq!(whole.code, 1, "{}{}", whole.out, whole.err);
    let json = ["--model", "register", "--guarantee", "RYW", "--format", "json"];
    let (ran, ..) = follow(1, &json);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&json["verdict"], &json["judgements"][0]["code"]),
        (&"valid".into(), &"RYW".into())
    );
}

#[test]
fn what_cannot_be_followed_is_said() {
    let (ran, ..) = follow(2, &["--model", "queue"]);
    assert_eq!(ran.code, 64, "{}", ran.err);
    assert!(ran.err.contains("LIN of the model queue needs the whole history"), "{}", ran.err);
    assert_eq!(check("etcd_002.log", &["--model", "cas-register", "--follow"]).code, 65);
}
