//! Metrics against the baseline: equality, or a ratio and a floor.

use wrack_history::duration;
use wrack_history::gate::{Class, Finding, Level, Measured, Unit};
use wrack_history::setting::percent;
use wrack_scenario::{Policy, Tolerance};

use super::{Known, plain};
use crate::baseline::BaselineGroup;
use crate::observed::Observed;

/// Everything that the baseline measured, compared.
pub(super) fn compare(
    known: &Known<'_>,
    group: &Observed,
    baseline: &BaselineGroup,
) -> Vec<Finding> {
    let base = known.baseline.expect("the group is of the baseline");
    let same_file = group.scenario_hash == baseline.scenario_hash;
    let same_seeds = base.seeds == known.seeds;
    let one = |(name, before): (&String, &Measured)| {
        let tolerance = tolerance(known.policy, name);
        let unknown = |text: String| Some(plain(Level::Unknown, Class::Metric, name, &text));
        let Some(now) = group.metrics.get(name) else {
            return unknown(format!("was {}, and is not measured any more", told(before)));
        };
        if !same_file {
            return unknown(
                "the baseline is of another version of this scenario: write it again".into(),
            );
        }
        if now.unit != before.unit || now.higher_is_better != before.higher_is_better {
            return unknown("the baseline measured something else: write it again".into());
        }
        if !same_seeds && tolerance.is_none() {
            return unknown(
                "the baseline is of other seeds: without a tolerance nothing can be said".into(),
            );
        }
        judge(name, before, now, tolerance)
    };
    baseline.metrics.iter().filter_map(one).collect()
}

/// The tolerance of a metric; objectives go by their first word.
fn tolerance<'a>(policy: &'a Policy, name: &str) -> Option<&'a Tolerance> {
    let word = name.split(' ').next().unwrap_or(name);
    policy.tolerances.iter().find(|one| one.metric == word)
}

fn judge(
    name: &str,
    before: &Measured,
    now: &Measured,
    tolerance: Option<&Tolerance>,
) -> Option<Finding> {
    let (ratio, floor) = tolerance.map_or((0, 0), |one| (one.ratio_per_million, one.floor));
    let slack = u128::from(before.number) * u128::from(ratio) / 1_000_000 + u128::from(floor);
    let (old, new) = (u128::from(before.number), u128::from(now.number));
    let is_worse = match before.higher_is_better {
        true => new + slack < old,
        false => new > old + slack,
    };
    let is_better = if before.higher_is_better { new > old } else { new < old };
    let text = format!("was {}, is {}", told(before), told(now));
    if is_worse {
        let allowed = match tolerance {
            Some(_) => "that is worse than the policy tolerates",
            None => "that is worse, and the policy tolerates nothing",
        };
        let text = format!("{text}: {allowed}");
        return Some(plain(Level::Regression, Class::Metric, name, &text));
    }
    let text = format!("{text}: that is better, write the baseline again to hold it");
    (is_better && tolerance.is_none()).then(|| plain(Level::Note, Class::Metric, name, &text))
}

/// A number with its unit.
fn told(measured: &Measured) -> String {
    match measured.unit {
        Unit::Ns => duration::format(measured.number),
        Unit::PerMillion => percent(u32::try_from(measured.number).unwrap_or(u32::MAX)),
        Unit::Count => measured.number.to_string(),
    }
}
