//! Figures of papers and named anomalies, by hand.

use wrack_history::{History, Moment, Operation, Outcome, Value};

use crate::Evidence;

/// A history in a few words: one transaction a line, `session: micro, micro …`, completed before the
/// next line's is invoked.
fn history(text: &str) -> History {
    let line = |(place, line): (usize, &str)| {
        let (session, micros) = line.trim().split_once(": ").expect("session: micros");
        let micros: Vec<Value> = micros.split(", ").map(micro).collect();
        let at = |index: u64| Moment { index, ns: index * 1_000_000 };
        let session = session.parse().expect("a session");
        let list = Value::list(micros);
        Operation {
            id: place as u64,
            process: session,
            session,
            key: "".into(),
            function: "txn".into(),
            argument: list.clone(),
            result: list,
            outcome: Outcome::Ok,
            invoke: at(2 * place as u64),
            complete: at(2 * place as u64 + 1),
            details: None,
        }
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty()).enumerate();
    History { operations: lines.map(line).collect(), nemesis: Vec::new() }
}

/// `r x nil`, `w x 1`, `append x 1`, `r x [1 2]`.
fn micro(text: &str) -> Value {
    let mut words = text.splitn(3, ' ');
    let mut next = || words.next().expect("three words");
    let (function, key, value) = (next(), next(), next());
    let value = match value.strip_prefix('[') {
        Some(list) => Value::list(
            list.trim_end_matches(']')
                .split_whitespace()
                .map(|one| one.parse::<i64>().unwrap().into()),
        ),
        None => value.parse::<i64>().map_or(Value::Nil, Value::from),
    };
    Value::list([function.into(), key.into(), value])
}

/// The anomalies of a history without times, each at the weakest level that it breaks.
fn check(model: &str, text: &str, expected: &[(&str, &str)]) {
    let history = history(text);
    let evidence = Evidence { real_time: false, ..Evidence::of_history(&history, model) };
    let judgements = crate::levels(&evidence, None).judgements;
    let found: Vec<(String, String)> = judgements
        .iter()
        .flat_map(|judgement| {
            let kind = |words: &str| words.split(':').next().unwrap().to_owned();
            let anomalies = judgement.anomalies.iter();
            anomalies.map(move |one| (judgement.code.to_string(), kind(&one.explanation)))
        })
        .collect();
    let found: Vec<(&str, &str)> =
        found.iter().map(|(code, kind)| (code.as_str(), kind.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_lost_update_breaks_snapshots_and_not_prefixes() {
    check(
        "list-append",
        "0: r x [], append x 1
         1: r x [], append x 2
         2: r x [1 2]",
        &[("PSI", "lost-update")],
    );
    check(
        "rw-register",
        "0: r x nil, w x 1
         1: r x nil, w x 2",
        &[("PSI", "lost-update")],
    );
}

#[test]
fn write_skew_breaks_serializability_alone() {
    check(
        "rw-register",
        "0: r x nil, r y nil, w x 1
         1: r x nil, r y nil, w y 1",
        &[("RR", "write-skew")],
    );
}

#[test]
fn a_long_fork_breaks_prefixes_and_snapshots() {
    check(
        "rw-register",
        "0: w x 1
         1: w y 1
         2: r x 1, r y nil
         3: r x nil, r y 1",
        &[("PC", "long-fork")],
    );
}

#[test]
fn the_figures_of_broken_session_guarantees_are_named() {
    check(
        "rw-register",
        "0: w x 1
         0: r x nil",
        &[("RA", "read-your-writes")],
    );
    check(
        "rw-register",
        "0: w x 1
         1: r x 1
         1: r x nil",
        &[("CC", "monotonic-reads")],
    );
    check(
        "rw-register",
        "0: w x 1
         0: w y 1
         1: r y 1
         1: r x nil",
        &[("CC", "monotonic-writes")],
    );
    check(
        "rw-register",
        "0: w x 1
         1: r x 1
         1: w y 1
         2: r y 1
         2: r x nil",
        &[("CC", "writes-follow-reads")],
    );
}

#[test]
fn dependencies_of_writes_alone_are_g0() {
    check(
        "list-append",
        "0: append x 1, append y 1
         1: append x 2, append y 2
         2: r x [1 2], r y [2 1]",
        &[("RU", "G0")],
    );
}

#[test]
fn circular_reads_are_g1c() {
    check(
        "rw-register",
        "0: w x 1, r y 1
         1: w y 1, r x 1",
        &[("RC", "G1c")],
    );
}

#[test]
fn what_needs_no_cycle_is_found() {
    check("rw-register", "0: r x 1", &[("RU", "garbage-read")]);
    check("rw-register", "0: r x 1, w x 1", &[("RU", "future-read")]);
    check("rw-register", "0: w x 1, r x nil", &[("RU", "internal")]);
    check(
        "rw-register",
        "0: w x 1, w x 2
         1: r x 1",
        &[("RC", "G1b")],
    );
    check(
        "list-append",
        "0: append x 1, append x 2
         1: append x 3
         2: r x [1 2 3]
         3: r x [1 3]",
        &[("RU", "incompatible-order")],
    );
    check(
        "list-append",
        "0: append x 1
         1: r x [1 1]",
        &[("RU", "duplicate-elements")],
    );
}

/// Figure of section 3 in Elle's paper (VLDB 2020): T1 saw T2's append of 8 to 255 and not T3's, but
/// T3 did not see T2's.
#[test]
fn the_example_of_elles_paper_is_a_single_anti_dependency() {
    check(
        "list-append",
        "0: append 250 10, r 253 [1 3 4], r 255 [2 3 4 5], append 256 3
         1: append 255 8, r 253 [1 3 4]
         2: append 256 4, r 255 [2 3 4 5 8], r 256 [1 2 4], r 253 [1 3 4]
         3: append 253 1, append 253 3, append 253 4, append 255 2, append 255 3, append 255 4, append 255 5, append 256 1, append 256 2
         4: r 256 [1 2 4 3]",
        &[("PSI", "G-single")],
    );
}
