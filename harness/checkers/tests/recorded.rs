//! Histories that others recorded, each held to the verdict of the guarantee that is about it.

use wrack_checkers::{Evidence, by_code};
use wrack_history::Verdict::{Invalid, Valid};
use wrack_history::{Judgement, Setting, Settings, Verdict, codec};

/// File, model, code, verdict, and what the node does.
type Row = (&'static str, &'static str, &'static str, Verdict, &'static str);

const ROWS: [Row; 18] = [
    ("bc-dup", "g-set", "SETFULL", Invalid, "answers every value twice"),
    ("bc-dup", "g-set", "PHANTOM", Valid, "all of them were added"),
    ("bc-phantom", "g-set", "SETFULL", Invalid, "answers a value that nobody sent"),
    ("bc-phantom", "g-set", "PHANTOM", Invalid, "answers a value that nobody sent"),
    ("bc-teivah3a-n5", "g-set", "SETFULL", Invalid, "keeps to itself what it is sent"),
    ("bc-teivah3a-n5", "g-set", "CONV", Invalid, "keeps to itself what it is sent"),
    ("x-bc-amnesiac", "g-set", "SETFULL", Valid, "another node, asked later, has it all"),
    ("x-bc-amnesiac", "g-set", "CONV", Invalid, "one node learns nothing of the others"),
    ("gs-js-part", "g-set", "SETFULL", Valid, "gossips until all have it"),
    ("gs-js-part", "g-set", "CONV", Valid, "gossips until all have it"),
    ("pn-js-part", "counter", "SUM", Invalid, "promises only to converge"),
    ("pn-js-part", "counter", "SUM settled", Valid, "and does"),
    ("pn-js-part", "counter", "CONV", Valid, "and does"),
    ("x-pn-gcounter", "counter", "SUM settled", Invalid, "merges by the maximum, and goes down"),
    ("x-pn-gcounter", "counter", "CONV", Valid, "all end with the same wrong sum"),
    ("x-ids", "unique-ids", "UNIQ", Invalid, "counts from 1 on every node"),
    ("ka-rak", "log", "LOG", Valid, "keeps the log in one place"),
    ("ka-lossy", "log", "LOG", Invalid, "drops entries that it has acknowledged"),
];

fn judge(file: &str, model: &str, code: &str) -> Judgement {
    let path = format!("{}/tests/recorded/{file}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).expect("it is beside this file");
    let recorded = codec::read(bytes.as_slice()).expect("it is a history");
    let evidence = Evidence::of_history(&recorded.history, model);
    let (code, settings) = match code.strip_suffix(" settled") {
        None => (code, Settings::default()),
        Some(code) => (code, Settings::default().with("reads", Setting::Choice("settled".into()))),
    };
    by_code(code).expect("it is in the catalogue").judge(&evidence, &settings)
}

#[test]
fn every_recorded_history_is_judged_as_its_node_deserves() {
    for (file, model, code, verdict, why) in ROWS {
        let judgement = judge(file, model, code);
        assert_eq!(judgement.verdict, verdict, "{file} {code}: {why}\n{judgement:#?}");
    }
}

#[test]
fn what_is_lost_is_counted() {
    let lost = |file, model, code| judge(file, model, code).observed.expect("it tells");
    assert!(lost("ka-lossy", "log", "LOG").contains("23 lost"));
    assert!(
        lost("bc-teivah3a-n5", "g-set", "SETFULL").starts_with("5 stable, 37 lost, 0 never read")
    );
}
