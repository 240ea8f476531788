//! Histories that others recorded, judged as those who recorded them say.
//!
//! `WRACK_CONFORMANCE_DATA=FOLDER cargo test -p wrack --test suite -- conformance --nocapture` judges
//! a folder and prints the counts; `cases` says what the folder must look like.

use std::collections::BTreeMap;
use std::path::Path;

use wrack_history::certificate::{Certificate, FORMAT};
use wrack_history::check::Check;
use wrack_history::{Judgement, Verdict, import};
use wrack_runner::{Own, Question, STATES_MAX, asked};

#[path = "../../../history/tests/conformance/cases.rs"]
mod cases;

use cases::{Case, cases};

/// Histories that are too hard so far: `unknown` is right of them, a wrong verdict is not. etcd's robustness run
/// needs the order of revisions that its watchers saw, which is not read.
const UNDECIDED: &[&str] = &["histories/etcd-robustness/TestRobustness_Kubernetes_ClusterOfSize3"];

/// Histories of thousands of transactions without times, whose versions have no known order: they take
/// minutes in an unoptimised build.
const SLOW: &[&str] = &["histories/polysi-plume/fig7", "histories/polysi-plume/twitter"];

/// What is found, and whether the file has times.
fn judged(case: &Case) -> (Check, bool) {
    let imported = case.read().unwrap_or_else(|error| panic!("{error}"));
    let own = Own::default();
    let guarantees = case.guarantee.map(|text| asked(text, &own).expect("the guarantee exists"));
    let guarantees: Vec<_> = guarantees.into_iter().collect();
    let question = Question {
        model: case.model,
        guarantees: &guarantees,
        consistency: None,
        states_max: STATES_MAX,
        certify: true,
        own: &own,
    };
    let check = wrack_runner::check(&case.name, imported.clone(), &question);
    verify(case, &check, &imported);
    (check, imported.has_times())
}

fn algorithm(check: &Check) -> String {
    let first = check.run.judgements.first();
    let by = first.and_then(|judgement| judgement.algorithm.clone().or(judgement.reason.clone()));
    by.unwrap_or_default()
}

/// What holds has a certificate, and that is accepted.
fn verify(case: &Case, check: &Check, imported: &import::Imported) {
    let certificate = Certificate {
        format: FORMAT.into(),
        model: case.model.into(),
        orders: check.orders.clone(),
        linearizations: check.linearizations.clone(),
    };
    if !check.uncertified.is_empty() {
        return;
    }
    let shown = wrack_runner::certificate::verify(&certificate, imported, &Own::default());
    let shown = shown.unwrap_or_else(|reason| panic!("{}: {reason}", case.name));
    let hold = check.levels.iter().filter(|(_, holds)| *holds == Some(true));
    let is_linearizable = usize::from(has_linearizations(check));
    assert_eq!(shown.len(), hold.count() + is_linearizable, "{}: {shown:?}", case.name);
}

/// Whether it was found to be linearizable, with an object at least.
fn has_linearizations(check: &Check) -> bool {
    let linearizable = |one: &Judgement| one.code == "LIN" && one.verdict == Verdict::Valid;
    let operations = &check.run.history.operations;
    check.run.judgements.iter().any(linearizable) && !operations.is_empty()
}

#[derive(Default)]
struct Counts {
    right: usize,
    wrong: usize,
    unknown: usize,
    unlabelled: usize,
    certified: usize,
}

#[test]
fn every_recorded_history_is_judged_as_labelled() {
    let Some(folder) = std::env::var_os("WRACK_CONFORMANCE_DATA") else {
        return;
    };
    let mut families = BTreeMap::<String, Counts>::new();
    let mut complaints = Vec::new();
    let cases = cases(Path::new(&folder));
    for case in cases.into_iter().filter(|case| !case.is_of_transactions()) {
        let (check, _) = judged(&case);
        let (verdict, by) = (check.run.verdict, algorithm(&check));
        let family = case.name.rsplit_once('/').map_or("", |(family, _)| family);
        let family = family.split('/').take(2).collect::<Vec<_>>().join("/");
        let counts = families.entry(family).or_default();
        if has_linearizations(&check) {
            match check.uncertified.first() {
                None => counts.certified += 1,
                Some(reason) => complaints.push(format!("no certificate: {} {reason}", case.name)),
            }
        }
        match (verdict, case.valid) {
            (_, None) => counts.unlabelled += 1,
            (Verdict::Unknown, Some(_)) => {
                counts.unknown += 1;
                if UNDECIDED.contains(&case.name.as_str()) {
                    continue;
                }
                complaints.push(format!("unknown: {} ({by})", case.name));
            }
            (Verdict::Valid, Some(true)) | (Verdict::Invalid, Some(false)) => counts.right += 1,
            (verdict, Some(_)) => {
                counts.wrong += 1;
                complaints.push(format!("{verdict}, but not so labelled: {} ({by})", case.name));
            }
        }
    }
    println!(
        "{:<32} {:>6} {:>6} {:>8} {:>11} {:>10}",
        "", "right", "wrong", "unknown", "unlabelled", "certified"
    );
    for (family, counts) in &families {
        let Counts { right, wrong, unknown, unlabelled, certified } = counts;
        println!(
            "{family:<32} {right:>6} {wrong:>6} {unknown:>8} {unlabelled:>11} {certified:>10}"
        );
    }
    assert!(!families.is_empty(), "there is no history below WRACK_CONFORMANCE_DATA");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_recorded_history_of_transactions_satisfies_the_levels_of_its_label() {
    let Some(folder) = std::env::var_os("WRACK_CONFORMANCE_DATA") else {
        return;
    };
    let mut levels = BTreeMap::<&str, Counts>::new();
    let mut complaints = Vec::new();
    let is_judged = |case: &Case| {
        let slow = SLOW.iter().any(|prefix| case.name.starts_with(prefix));
        case.is_of_transactions() && case.refused.is_none() && !slow
    };
    for case in cases(Path::new(&folder)).into_iter().filter(is_judged) {
        let (check, has_times) = judged(&case);
        for (level, label) in &case.levels {
            let holds = check.levels.iter().find(|(name, _)| name == level).and_then(|one| one.1);
            let counts = levels.entry(level).or_default();
            match holds {
                Some(holds) if holds == *label => counts.right += 1,
                Some(holds) => {
                    counts.wrong += 1;
                    complaints.push(format!("{}: {level} is {holds}, not {label}", case.name));
                }
                // Without times nobody knows what was real.
                None if *level == "strict-serializable" && !has_times => counts.unknown += 1,
                None => {
                    counts.unknown += 1;
                    complaints.push(format!("{}: {level} is unknown, not {label}", case.name));
                }
            }
        }
    }
    println!("{:<36} {:>6} {:>6} {:>8}", "", "right", "wrong", "unknown");
    for (level, Counts { right, wrong, unknown, .. }) in &levels {
        println!("{level:<36} {right:>6} {wrong:>6} {unknown:>8}");
    }
    assert!(!levels.is_empty(), "there is no history below WRACK_CONFORMANCE_DATA");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
