//! The decision: what was observed, against policy and baseline.

mod metrics;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use wrack_history::gate::{Case, Class, Finding, GATE_FORMAT, Gate, Level};
use wrack_scenario::{Allowance, Date, Policy};

use crate::baseline::{Baseline, BaselineGroup};
use crate::observed::{Observed, Seen};

/// Not seeing what is there with a smaller probability than this is no chance any more.
const CHANCE: f64 = 0.05;

/// What is known before anything runs.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What may pass.
    pub policy: &'a Policy,
    /// What was there before.
    pub baseline: Option<&'a Baseline>,
    /// The seeds that ran, from the first up to, but without, the second.
    pub seeds: (u64, u64),
    /// The day on which allowances must still hold.
    pub today: Date,
}

/// Decides over all groups.
///
/// | observed | baseline | policy | class | level |
/// |---|---|---|---|---|
/// | an anomaly, a missed anomaly, a broken objective | without it | any | new | failure |
/// | | with it | not allowed, or not any more | ongoing | failure |
/// | | with it | allowed | ongoing | warning |
/// | not seen, and as often as it was it would have been at 95 % | with it | any | resolved | note |
/// | not seen, but in so few seeds it need not have been | with it | allowed | rare | warning |
/// | | with it | not allowed | rare | unknown |
/// | two different runs of one seed | any | any | nondeterminism | failure |
/// | a metric worse than baseline, ratio and floor | with it | any | metric | regression |
/// | a metric that is gone, or of other seeds or another scenario | with it | any | metric | unknown |
/// | an unknown run, an objective without data, too few seeds, nothing run twice | any | any | unknown | unknown |
/// | no group at all, or one less than there was | any | any | unknown | unknown |
/// | nothing that is allowed | any | allowed | policy | warning |
pub fn decide(known: &Known<'_>, observed: &[Observed]) -> Gate {
    let cases: Vec<Case> = observed.iter().map(|group| case(known, group)).collect();
    let mut findings = whole(known, observed);
    findings.sort_by_key(|finding| Reverse(finding.level));
    let levels = cases.iter().map(|case| case.level).chain(findings.iter().map(|one| one.level));
    Gate {
        format: GATE_FORMAT,
        wrack_version: env!("CARGO_PKG_VERSION").into(),
        level: levels.max().unwrap_or_default(),
        findings,
        cases,
    }
}

fn case(known: &Known<'_>, group: &Observed) -> Case {
    let baseline = known.baseline.and_then(|base| base.group(&group.scenario, &group.variant));
    let mut findings = doubts(known.policy, group);
    findings.extend(group.different.as_ref().map(|seen| Finding {
        result: None,
        ..finding(Level::Failure, Class::Nondeterminism, "nondeterminism", seen, group)
    }));
    findings.extend(wrongs(known, group, baseline));
    match baseline {
        Some(baseline) => {
            findings.extend(unseen(known, group, baseline));
            findings.extend(metrics::compare(known, group, baseline));
        }
        None if known.baseline.is_some() => findings.push(plain(
            Level::Warning,
            Class::New,
            "baseline",
            "the baseline does not know this group: write it again",
        )),
        None => (),
    }
    findings.sort_by_key(|finding| Reverse(finding.level));
    Case {
        scenario: group.scenario.clone(),
        variant: group.variant.clone(),
        path: group.path.clone(),
        line: group.line,
        expected: group.expected.clone(),
        found: group.found,
        seeds: group.seeds,
        level: findings.first().map_or(Level::Note, |finding| finding.level),
        findings,
        metrics: group.metrics.clone(),
    }
}

/// Why too little is known.
fn doubts(policy: &Policy, group: &Observed) -> Vec<Finding> {
    let Observed { seeds, ok_operations, twice, .. } = group;
    let must_be_valid = group.expected == "valid";
    let mut texts = Vec::new();
    if *seeds < policy.seeds_min.max(1) {
        texts.push(format!("{seeds} seeds ran: at least {} are needed", policy.seeds_min.max(1)));
    }
    let is_drawn = !group.names_operations;
    if must_be_valid && is_drawn && *ok_operations < policy.ok_operations_min {
        let least = policy.ok_operations_min;
        texts.push(format!("{ok_operations} operations ended ok: at least {least} are needed"));
    }
    if *twice < policy.twice.min(*seeds).max(1) {
        texts.push(format!("{twice} seeds ran twice: whether runs repeat is not known"));
    }
    if group.share == Level::Unknown {
        let expected = &group.expected;
        texts.push(format!("{seeds} seeds are too few to ask for {expected}, which none showed"));
    }
    let undecided = group.undecided.iter();
    texts.extend(undecided.map(|(name, why)| format!("no seed can decide slo {name}: {why}")));
    let unknown = |text: String| plain(Level::Unknown, Class::Unknown, "unknown", &text);
    let runs = group.unknown.as_ref();
    let runs = runs.map(|seen| finding(Level::Unknown, Class::Unknown, "unknown", seen, group));
    texts.into_iter().map(unknown).chain(runs).collect()
}

/// What should not be there.
fn wrongs(known: &Known<'_>, group: &Observed, baseline: Option<&BaselineGroup>) -> Vec<Finding> {
    let wrong = |(name, count): (String, u64)| {
        let is_known = baseline.is_some_and(|base| base.findings.contains_key(&name));
        let allowance = allowance(known.policy, group, &name);
        let (level, class, more) = match (is_known, allowance) {
            (false, None) => (Level::Failure, Class::New, String::new()),
            (false, Some(_)) => {
                let more = "the policy allows it, but only what is in the baseline may go on";
                (Level::Failure, Class::New, format!(" ({more})"))
            }
            (true, None) => (Level::Failure, Class::Ongoing, " (not allowed)".into()),
            (true, Some(one)) if one.until < known.today => {
                (Level::Failure, Class::Ongoing, format!(" (was allowed until {})", one.until))
            }
            (true, Some(one)) => {
                let more = format!(" (allowed until {}: {})", one.until, one.because);
                (Level::Warning, Class::Ongoing, more)
            }
        };
        let missed = Seen {
            text: format!(
                "{} is expected, and was found in {} of {} seeds only",
                group.expected, group.found, group.seeds
            ),
            ..Seen::default()
        };
        let seen = group.seen.get(&name).unwrap_or(&missed);
        let finding = finding(level, class, &name, seen, group);
        Finding { text: finding.text.clone() + &more, seeds: count, ..finding }
    };
    group.findings().into_iter().map(wrong).collect()
}

/// What the baseline has, and nobody saw.
fn unseen(known: &Known<'_>, group: &Observed, baseline: &BaselineGroup) -> Vec<Finding> {
    let seen = group.findings();
    let unseen = baseline.findings.iter().filter(|(name, _)| !seen.contains_key(*name));
    unseen
        .map(|(name, count)| {
            let was = format!(
                "was in {count} of {} seeds, and in none of {}",
                baseline.seeds, group.seeds
            );
            if !is_rare(*count, baseline.seeds, group.seeds) {
                return plain(Level::Note, Class::Resolved, name, &was);
            }
            let allowed = allowance(known.policy, group, name);
            let level = match allowed.is_some_and(|one| one.until >= known.today) {
                true => Level::Warning,
                false => Level::Unknown,
            };
            let text = format!("{was}: that may be chance, more seeds would tell");
            plain(level, Class::Rare, name, &text)
        })
        .collect()
}

/// Whether what showed in `count` of `of` seeds can stay unseen in so many `seeds` by chance.
fn is_rare(count: u64, of: u64, seeds: u64) -> bool {
    let unseen = 1.0 - count as f64 / of.max(1) as f64;
    libm::pow(unseen, seeds as f64) > CHANCE
}

/// What there is to say of the whole.
fn whole(known: &Known<'_>, observed: &[Observed]) -> Vec<Finding> {
    let is_there = |scenario: &str, variant: &str| {
        observed.iter().any(|group| group.scenario == scenario && group.variant == variant)
    };
    let mut findings = Vec::new();
    if observed.is_empty() {
        let text = "no scenario ran: nothing is known";
        findings.push(plain(Level::Unknown, Class::Unknown, "unknown", text));
    }
    for group in known.baseline.iter().flat_map(|baseline| &baseline.groups) {
        if !is_there(&group.scenario, &group.variant) {
            let BaselineGroup { scenario, variant, .. } = group;
            let text = format!("{scenario} {variant} is in the baseline, and did not run");
            findings.push(plain(Level::Unknown, Class::Unknown, "unknown", &text));
        }
    }
    for one in &known.policy.allowed {
        let Allowance { scenario, variant, finding, .. } = one;
        let in_baseline = known.baseline.and_then(|base| base.group(scenario, variant));
        let is_known = in_baseline.is_some_and(|group| group.findings.contains_key(finding));
        let is_seen = observed.iter().any(|group| {
            group.scenario == *scenario
                && group.variant == *variant
                && group.findings().contains_key(finding)
        });
        if !is_known && !is_seen {
            let text = format!("{finding} of {scenario} {variant} is allowed, and is not there");
            findings.push(plain(Level::Warning, Class::Policy, "allowance", &text));
        }
    }
    findings
}

fn allowance<'a>(policy: &'a Policy, group: &Observed, name: &str) -> Option<&'a Allowance> {
    policy.allowed.iter().find(|one| {
        one.scenario == group.scenario && one.variant == group.variant && one.finding == name
    })
}

/// A finding that no seed shows by itself.
fn plain(level: Level, class: Class, name: &str, text: &str) -> Finding {
    Finding {
        level,
        class,
        name: name.into(),
        text: text.into(),
        seeds: 0,
        first_seed: None,
        replay: None,
        result: None,
    }
}

/// A finding that seeds show.
fn finding(level: Level, class: Class, name: &str, seen: &Seen, group: &Observed) -> Finding {
    let first = seen.seeds.first().copied();
    Finding {
        seeds: seen.seeds.len() as u64,
        first_seed: first,
        replay: seen.replay.clone(),
        result: first.map(|seed| format!("{}/{}/{seed}", group.scenario, group.variant)),
        ..plain(level, class, name, &seen.text)
    }
}

impl Baseline {
    /// The baseline that the next gate compares with: what was observed, and what was seldom enough
    /// to stay unseen.
    pub fn after(known: &Known<'_>, observed: &[Observed]) -> Self {
        let rare = |group: &Observed, name: &str| {
            let before =
                known.baseline.and_then(|base| base.group(&group.scenario, &group.variant));
            before.is_some_and(|before| {
                let count = before.findings.get(name).copied().unwrap_or(0);
                is_rare(count, before.seeds, group.seeds)
            })
        };
        Self::new(known.seeds, observed, rare, known.baseline)
    }
}
