//! The objectives of a run's scenario as OpenSLO documents, over the metrics that are exported.
//!
//! What OpenSLO has no word for stands in annotations, so that `wrack_scenario::read_openslo` reads
//! the same objectives from it again: `wrack-metric`, `wrack-function`, `wrack-unit`.
//! Source: OpenSLO v1.

use serde_json::{Map, Value, json};
use wrack_history::Run;
use wrack_history::duration::{MINUTE, SECOND};
use wrack_history::setting::percent;
use wrack_scenario::{Bound, Objective};

use super::metric;

/// A name may be so long.
const NAME_MAX: usize = 255;

/// Writes one document for each objective.
pub(crate) fn documents(run: &Run, objectives: &[Objective]) -> String {
    let one = |objective| {
        let document = document(run, objective);
        format!("---\n{}", serde_saphyr::to_string(&document).expect("a document is plain data"))
    };
    objectives.iter().map(one).collect()
}

fn document(run: &Run, objective: &Objective) -> Value {
    let quantile = quantile(objective);
    let function = objective.function.as_deref();
    let what = [Some(objective.metric.as_str()), function, quantile.as_deref()];
    let what = what.into_iter().flatten().collect::<Vec<_>>();
    let mut annotations = Map::new();
    annotations.insert("wrack-metric".into(), json!(objective.metric));
    if let Some(function) = function {
        annotations.insert("wrack-function".into(), json!(function));
    }
    if let Some(ns) = objective.deadline_ns {
        annotations.insert("wrack-deadline".into(), json!(wrack_history::duration::format(ns)));
    }
    if matches!(objective.bound, Bound::AtMost(_)) {
        annotations.insert("wrack-unit".into(), json!("s"));
    }
    json!({
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {
            "name": name(&format!("{}-{}", run.scenario, what.join("-"))),
            "displayName": format!("{} {}", what.join(" "), promise(&objective.bound)),
            "annotations": annotations,
        },
        "spec": {
            "description": run.hypothesis.chars().take(1_000).collect::<String>(),
            "service": name(&run.design),
            "indicator": {
                "metadata": { "name": name(&what.join("-")) },
                "spec": indicator(run, objective),
            },
            "timeWindow": [{ "duration": window(run), "isRolling": true }],
            "budgetingMethod": "Occurrences",
            "objectives": [bound(objective)],
        },
    })
}

/// `p99`, where a quantile is asked for.
fn quantile(objective: &Objective) -> Option<String> {
    let share = percent(objective.quantile_per_million);
    let is_time = matches!(objective.bound, Bound::AtMost(_));
    is_time.then(|| format!("p{}", share.trim_end_matches('%')))
}

fn promise(bound: &Bound) -> String {
    match bound {
        Bound::AtLeast(share) => format!("at least {}", percent(*share)),
        Bound::AtMost(ns) => format!("at most {}", wrack_history::duration::format(*ns)),
        Bound::AtMostShare(share) => format!("at most {}", percent(*share)),
        Bound::AtMostCount(count) => format!("at most {count}"),
    }
}

/// A share is a ratio of events; anything else is a number that must not be greater.
fn bound(objective: &Objective) -> Value {
    let ratio = |per_million: u32| f64::from(per_million) / 1e6;
    let quantile = ratio(objective.quantile_per_million);
    match objective.bound {
        Bound::AtLeast(share) => json!({ "target": ratio(share) }),
        Bound::AtMost(ns) => {
            json!({ "op": "lte", "value": ns as f64 / SECOND as f64, "target": quantile })
        }
        Bound::AtMostShare(share) => json!({ "op": "lte", "value": ratio(share), "target": 1.0 }),
        Bound::AtMostCount(count) => json!({ "op": "lte", "value": count, "target": 1.0 }),
    }
}

fn indicator(run: &Run, objective: &Objective) -> Value {
    let source = |query: String| json!({ "metricSource": { "type": "Prometheus", "spec": { "query": query } } });
    let chosen = format!("scenario={:?},variant={:?}", run.scenario, run.variant);
    let function = objective.function.as_ref();
    let function = function.map(|name| format!(",function={name:?}")).unwrap_or_default();
    match (objective.metric.as_str(), objective.bound) {
        ("availability", _) => {
            let of = |outcome: &str| {
                source(format!("sum({}_total{{{chosen}{outcome}}})", metric::OPERATIONS.name))
            };
            let (good, total) = (of(",outcome=\"ok\""), of(""));
            json!({ "ratioMetric": { "counter": true, "good": good, "total": total } })
        }
        ("latency", _) => {
            let quantile = f64::from(objective.quantile_per_million) / 1e6;
            let buckets = format!("{}_bucket{{{chosen}{function}}}", metric::DURATION.name);
            let query = format!("histogram_quantile({quantile}, sum by (le) ({buckets}))");
            json!({ "thresholdMetric": source(query) })
        }
        (name, _) => {
            let observed = metric::SLO_OBSERVED.name;
            json!({ "thresholdMetric": source(format!("{observed}{{{chosen},slo={name:?}}}")) })
        }
    }
}

/// As long as clients ask, in whole minutes: the shortest unit of OpenSLO.
fn window(run: &Run) -> String {
    format!("{}m", run.phases.quiet_end_ns.div_ceil(MINUTE).max(1))
}

/// A text as a name: small letters, digits, dots and hyphens.
fn name(text: &str) -> String {
    let letter = |letter: char| match letter.to_ascii_lowercase() {
        letter if letter.is_ascii_alphanumeric() || letter == '.' => letter,
        _ => '-',
    };
    let name: String = text.chars().map(letter).take(NAME_MAX).collect();
    match name.trim_matches(['-', '.']) {
        "" => "unnamed".into(),
        name => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_is_one_that_openslo_allows() {
        assert_eq!(name("raft/leader isolated"), "raft-leader-isolated");
        assert_eq!(name("…"), "unnamed");
        assert_eq!(name(&"x".repeat(400)).len(), 255);
    }
}
