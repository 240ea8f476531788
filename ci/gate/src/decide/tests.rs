//! One test for each row of the table, and for what holds of all of them.

use std::collections::BTreeMap;

use wrack_history::gate::{Class, Gate, Level, Measured, Unit};
use wrack_scenario::{Allowance, Date, Policy, Tolerance};

use super::{Known, decide};
use crate::baseline::Baseline;
use crate::observed::{Observed, Seen};

const TODAY: Date = Date { year: 2026, month: 11, day: 20 };

/// A group of twenty seeds in which nothing is wrong.
fn good() -> Observed {
    let latency = Measured { number: 1_000, unit: Unit::Ns, higher_is_better: false, events: 100 };
    let ok =
        Measured { number: 990_000, unit: Unit::PerMillion, higher_is_better: true, events: 100 };
    Observed {
        scenario: "raft/a".into(),
        scenario_hash: "0123".into(),
        path: "scenarios/raft/a.toml".into(),
        line: 7,
        variant: "reference".into(),
        expected: "valid".into(),
        seeds: 20,
        found: 20,
        twice: 1,
        ok_operations: 1_000,
        metrics: BTreeMap::from([("latency-p99".into(), latency), ("ok-share".into(), ok)]),
        ..Observed::default()
    }
}

fn seen(seeds: &[u64]) -> Seen {
    Seen { seeds: seeds.to_vec(), text: "n1 read 4".into(), replay: Some("wrack run".into()) }
}

/// A group in which these seeds show LIN.
fn bad(seeds: &[u64]) -> Observed {
    let found = 20 - seeds.len() as u64;
    Observed { seen: BTreeMap::from([("LIN".into(), seen(seeds))]), found, ..good() }
}

fn allowing() -> Policy {
    let allowance = Allowance {
        scenario: "raft/a".into(),
        variant: "reference".into(),
        finding: "LIN".into(),
        because: "issue 12".into(),
        until: TODAY,
    };
    Policy { allowed: vec![allowance], ..Policy::default() }
}

fn baseline(groups: &[Observed]) -> Baseline {
    Baseline::new((0, 20), groups, |_, _| false, None)
}

fn gate(policy: &Policy, baseline: Option<&Baseline>, observed: &[Observed]) -> Gate {
    decide(&Known { policy, baseline, seeds: (0, 20), today: TODAY }, observed)
}

/// Checks level and class of the worst finding, and a part of its text.
#[track_caller]
fn check(gate: &Gate, level: Level, class: Class, contains: &str) {
    let all = gate.all();
    let (_, worst) = all.first().expect("there is something to say");
    assert_eq!((gate.level, worst.level, worst.class), (level, level, class), "{worst:?}");
    assert!(worst.text.contains(contains), "{worst:?}");
}

fn default() -> Policy {
    Policy::default()
}

#[test]
fn what_is_good_passes_with_nothing_to_say() {
    let gate = gate(&default(), Some(&baseline(&[good()])), &[good()]);
    assert_eq!((gate.level, gate.all().len()), (Level::Note, 0));
}

#[test]
fn what_the_baseline_does_not_have_is_new_and_fails() {
    check(&gate(&default(), None, &[bad(&[3])]), Level::Failure, Class::New, "n1 read 4");
    let before = baseline(&[good()]);
    let now = gate(&default(), Some(&before), &[bad(&[3, 4])]);
    check(&now, Level::Failure, Class::New, "n1 read 4");
    let finding = &now.cases[0].findings[0];
    assert_eq!((finding.name.as_str(), finding.seeds, finding.first_seed), ("LIN", 2, Some(3)));
    assert_eq!(finding.result.as_deref(), Some("raft/a/reference/3"));
}

#[test]
fn what_the_policy_allows_fails_all_the_same_where_it_is_new() {
    let text = "only what is in the baseline may go on";
    check(&gate(&allowing(), None, &[bad(&[3])]), Level::Failure, Class::New, text);
}

#[test]
fn what_goes_on_fails_unless_the_policy_allows_it() {
    let before = baseline(&[bad(&[3])]);
    let now = [bad(&[5])];
    let not_allowed = gate(&default(), Some(&before), &now);
    check(&not_allowed, Level::Failure, Class::Ongoing, "(not allowed)");
    let allowed = gate(&allowing(), Some(&before), &now);
    check(&allowed, Level::Warning, Class::Ongoing, "allowed until 2026-11-20: issue 12");
}

#[test]
fn an_allowance_ends() {
    let mut policy = allowing();
    policy.allowed[0].until.day -= 1;
    let gate = gate(&policy, Some(&baseline(&[bad(&[3])])), &[bad(&[3])]);
    check(&gate, Level::Failure, Class::Ongoing, "was allowed until 2026-11-19");
}

#[test]
fn another_anomaly_beside_an_allowed_one_is_new() {
    let mut now = bad(&[3]);
    now.seen.insert("LOST".into(), seen(&[3]));
    let gate = gate(&allowing(), Some(&baseline(&[bad(&[3])])), &[now]);
    check(&gate, Level::Failure, Class::New, "n1 read 4");
    assert_eq!(gate.cases[0].findings.len(), 2);
}

#[test]
fn what_would_have_been_seen_and_was_not_is_resolved() {
    let often: Vec<u64> = (0..10).collect();
    let gate = gate(&default(), Some(&baseline(&[bad(&often)])), &[good()]);
    check(&gate, Level::Note, Class::Resolved, "was in 10 of 20 seeds, and in none of 20");
}

#[test]
fn what_need_not_have_been_seen_is_rare_and_no_pass_unless_it_is_allowed() {
    let before = baseline(&[bad(&[3])]);
    let unlisted = gate(&default(), Some(&before), &[good()]);
    check(&unlisted, Level::Unknown, Class::Rare, "may be chance");
    check(&gate(&allowing(), Some(&before), &[good()]), Level::Warning, Class::Rare, "chance");
    let known = Known { policy: &default(), baseline: Some(&before), seeds: (0, 20), today: TODAY };
    let after = Baseline::after(&known, &[good()]);
    assert_eq!(after.groups[0].findings["LIN"], 1, "it stays in the baseline");
}

#[test]
fn two_different_runs_of_one_seed_fail_whatever_else_is_allowed() {
    let now = Observed { different: Some(seen(&[0])), ..bad(&[3]) };
    let gate = gate(&allowing(), Some(&baseline(&[bad(&[3])])), &[now]);
    check(&gate, Level::Failure, Class::Nondeterminism, "n1 read 4");
}

#[test]
fn a_broken_variant_that_is_not_found_fails() {
    let missed = Observed {
        expected: "LIN".into(),
        found: 3,
        share: Level::Failure,
        metrics: BTreeMap::new(),
        ..good()
    };
    let now = gate(&default(), None, std::slice::from_ref(&missed));
    check(&now, Level::Failure, Class::New, "LIN is expected, and was found in 3 of 20 seeds only");
    assert_eq!(now.cases[0].findings[0].name, "missed LIN");
    let too_few = Observed { share: Level::Unknown, ..missed };
    check(&gate(&default(), None, &[too_few]), Level::Unknown, Class::Unknown, "too few to ask");
}

#[test]
fn a_metric_that_is_worse_is_a_regression() {
    let before = baseline(&[good()]);
    let with = |name: &str, number| {
        let mut now = good();
        now.metrics.get_mut(name).unwrap().number = number;
        gate(&default(), Some(&before), &[now])
    };
    check(&with("latency-p99", 1_001), Level::Regression, Class::Metric, "was 1us, is 1.001us");
    check(&with("ok-share", 989_999), Level::Regression, Class::Metric, "was 99%, is 98.9999%");
    check(&with("latency-p99", 999), Level::Note, Class::Metric, "that is better");
}

#[test]
fn a_metric_may_be_worse_by_ratio_and_floor_together() {
    let tolerance =
        |metric: &str| Tolerance { metric: metric.into(), ratio_per_million: 100_000, floor: 50 };
    let tolerances = vec![tolerance("latency-p99"), tolerance("ok-share")];
    let policy = Policy { tolerances, ..Policy::default() };
    let before = baseline(&[good()]);
    let level = |name: &str, number| {
        let mut now = good();
        now.metrics.get_mut(name).unwrap().number = number;
        gate(&policy, Some(&before), &[now]).level
    };
    assert_eq!(level("latency-p99", 1_150), Level::Note);
    assert_eq!(level("latency-p99", 1_151), Level::Regression);
    assert_eq!(level("ok-share", 990_000 - 99_050), Level::Note);
    assert_eq!(level("ok-share", 990_000 - 99_051), Level::Regression);
}

#[test]
fn a_metric_that_cannot_be_compared_is_no_pass() {
    let before = baseline(&[good()]);
    let mut gone = good();
    gone.metrics.remove("ok-share");
    let now = gate(&default(), Some(&before), &[gone]);
    check(&now, Level::Unknown, Class::Metric, "is not measured any more");
    let other = Observed { scenario_hash: "4567".into(), ..good() };
    let now = gate(&default(), Some(&before), &[other]);
    check(&now, Level::Unknown, Class::Metric, "another version of this scenario");
    let known =
        Known { policy: &default(), baseline: Some(&before), seeds: (20, 40), today: TODAY };
    check(&decide(&known, &[good()]), Level::Unknown, Class::Metric, "of other seeds");
}

#[test]
fn what_is_not_known_is_never_a_pass() {
    let unknown = |observed: Observed, contains: &str| {
        check(&gate(&default(), None, &[observed]), Level::Unknown, Class::Unknown, contains);
    };
    unknown(Observed { unknown: Some(seen(&[0])), ..good() }, "n1 read 4");
    unknown(Observed { seeds: 0, found: 0, twice: 0, ..good() }, "0 seeds ran");
    unknown(Observed { twice: 0, ..good() }, "whether runs repeat is not known");
    let undecided = BTreeMap::from([("M5".into(), "0 of 12".into())]);
    unknown(Observed { undecided, ..good() }, "no seed can decide slo M5: 0 of 12");
    let strict = Policy { seeds_min: 21, ok_operations_min: 1_001, ..Policy::default() };
    let gate = gate(&strict, None, &[good()]);
    check(&gate, Level::Unknown, Class::Unknown, "20 seeds ran: at least 21");
    assert!(gate.cases[0].findings[1].text.contains("at least 1001"));
}

#[test]
fn a_story_of_a_few_operations_is_not_asked_for_a_thousand() {
    let policy = Policy { ok_operations_min: 1_001, ..Policy::default() };
    let story = Observed { names_operations: true, ok_operations: 5, ..good() };
    assert_eq!(gate(&policy, None, &[story]).level, Level::Note);
}

#[test]
fn nothing_at_all_or_less_than_there_was_is_no_pass() {
    check(&gate(&default(), None, &[]), Level::Unknown, Class::Unknown, "no scenario ran");
    let another = Observed { variant: "another".into(), ..good() };
    let gate = gate(&default(), Some(&baseline(&[good(), another])), &[good()]);
    check(&gate, Level::Unknown, Class::Unknown, "raft/a another is in the baseline");
}

#[test]
fn a_group_that_the_baseline_does_not_know_is_worth_a_look() {
    let another = Observed { variant: "another".into(), ..good() };
    let gate = gate(&default(), Some(&baseline(&[good()])), &[good(), another]);
    check(&gate, Level::Warning, Class::New, "the baseline does not know this group");
}

#[test]
fn an_allowance_of_nothing_is_worth_a_look() {
    let gate = gate(&allowing(), Some(&baseline(&[good()])), &[good()]);
    check(&gate, Level::Warning, Class::Policy, "LIN of raft/a reference is allowed");
}

#[test]
fn the_worst_comes_first_and_decides() {
    let mut worse = good();
    worse.metrics.get_mut("latency-p99").unwrap().number = 2_000;
    let observed = [worse, Observed { variant: "b".into(), unknown: Some(seen(&[0])), ..good() }];
    let before = baseline(&[good()]);
    let now = gate(&default(), Some(&before), &observed);
    let levels: Vec<_> = now.all().iter().map(|(_, finding)| finding.level).collect();
    assert_eq!(levels, [Level::Regression, Level::Unknown, Level::Warning]);
    assert_eq!(now.level, Level::Regression);
}
