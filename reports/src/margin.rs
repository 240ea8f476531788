//! How much room was left between what was observed and what was promised.
//!
//! Bounds and observations are texts that people wrote or read; where both begin with a duration, a
//! percentage or a whole number, their distance is told, else nothing is.

use wrack_history::duration;
use wrack_history::gate::{Measured, Unit};
use wrack_history::run::Slo;

use crate::text;

/// The margin of a promise: `4.89 s (98%) left`.
pub(crate) fn of_promise(bound: &str, observed: &str) -> Option<String> {
    let (bound, unit) = quantity(bound)?;
    let (observed, other) = quantity(observed)?;
    (unit == other).then(|| told(bound, observed, unit, false))
}

/// The margin of an objective.
pub(crate) fn of_slo(slo: &Slo) -> Option<String> {
    let Measured { number, unit, higher_is_better, .. } = *slo.measured.as_ref()?;
    let words = slo.objective.trim_start_matches("at least ").trim_start_matches("at most ");
    let (bound, of_bound) = quantity(words)?;
    (unit == of_bound).then(|| told(bound, number, unit, higher_is_better))
}

/// What a text begins with, in its smallest unit.
fn quantity(text: &str) -> Option<(u64, Unit)> {
    let first = text.split_whitespace().next()?;
    if let Some(percent) = first.strip_suffix('%') {
        return Some((millionths(percent)?, Unit::PerMillion));
    }
    if let Ok(count) = first.replace(',', "").parse() {
        let unit = text.split_whitespace().nth(1);
        let spelled = unit.and_then(|unit| duration::parse(&format!("{first}{unit}")).ok());
        return Some(spelled.map_or((count, Unit::Count), |ns| (ns, Unit::Ns)));
    }
    let pair: String = text.split_whitespace().take(2).collect();
    let spelled = duration::parse(first).or_else(|_| duration::parse(&pair));
    spelled.ok().map(|ns| (ns, Unit::Ns))
}

/// A percentage with decimals, in millionths.
fn millionths(percent: &str) -> Option<u64> {
    let (whole, decimals) = percent.split_once('.').unwrap_or((percent, ""));
    let decimals: String = decimals.chars().chain("0000".chars()).take(4).collect();
    let (whole, decimals) = (whole.parse::<u64>().ok()?, decimals.parse::<u64>().ok()?);
    Some(whole.checked_mul(10_000)? + decimals)
}

fn told(bound: u64, observed: u64, unit: Unit, higher_is_better: bool) -> String {
    let (better, worse) = if higher_is_better { (observed, bound) } else { (bound, observed) };
    let distance = better.abs_diff(worse);
    let side = match better.cmp(&worse) {
        std::cmp::Ordering::Less => "over",
        std::cmp::Ordering::Equal => return "none left".into(),
        std::cmp::Ordering::Greater => "left",
    };
    let amount = match unit {
        Unit::Ns => text::short_duration(distance),
        Unit::Count => text::count(distance),
        Unit::PerMillion => {
            return format!("{}.{:02} points {side}", distance / 10_000, distance % 10_000 / 100);
        }
    };
    let share = (bound > 0 && distance / bound.max(1) < 100)
        .then(|| format!(" ({}%)", u128::from(distance) * 100 / u128::from(bound)));
    format!("{amount}{} {side}", share.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::of_promise;

    #[test]
    fn a_margin_is_the_distance_to_the_bound_and_its_share() {
        let cases = [
            ("5s", "0.112 s at most", Some("4.89 s (97%) left")),
            ("5s", "51.744 s", Some("46.7 s (934%) over")),
            ("10", "12 pending", Some("2 (20%) over")),
            ("99.9%", "99.9%", Some("none left")),
            ("5s", "nothing", None),
            ("5s", "12 reads", None),
        ];
        for (bound, observed, margin) in cases {
            assert_eq!(of_promise(bound, observed).as_deref(), margin, "{bound} {observed}");
        }
    }
}
