//! A dashboard for Grafana over the metrics that are exported.
//!
//! Its time range is that of the run, in virtual time: a run begins at the epoch. It asks the
//! Prometheus that is chosen in it, for the run that is chosen in it.

use serde_json::{Value, json};
use wrack_history::Run;
use wrack_history::duration::SECOND;

use super::metric;

/// What every query asks for.
const CHOSEN: &str = r#"scenario="$scenario",variant="$variant",seed="$seed""#;
/// Over how long rates are taken: samples are at least a second apart.
const WINDOW: &str = "10s";

/// Writes the dashboard.
pub(crate) fn dashboard(run: &Run) -> String {
    let mut panels = panels();
    for (number, panel) in panels.iter_mut().enumerate() {
        panel["id"] = json!(number + 1);
        panel["datasource"] = source();
        for target in panel["targets"].as_array_mut().expect("a panel has targets") {
            target["datasource"] = source();
        }
    }
    let dashboard = json!({
        "uid": format!("wrack-{}", run.trace_hash.get(..16).unwrap_or("run")),
        "title": format!("Wrack: {}", run.title),
        "description": format!("{} {}, seed {}. Times are virtual.", run.scenario, run.variant, run.seed),
        "tags": ["wrack"],
        "schemaVersion": 39,
        "version": 1,
        "editable": true,
        "timezone": "utc",
        "graphTooltip": 1,
        "time": { "from": moment(0), "to": moment(run.phases.end_ns) },
        "templating": { "list": variables(run) },
        "panels": panels,
    });
    format!("{dashboard:#}\n")
}

/// A virtual time as Grafana writes a moment: a run is shorter than a month.
fn moment(ns: u64) -> String {
    let seconds = ns.div_ceil(SECOND);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let day = days.min(30) + 1;
    format!("1970-01-{day:02}T{hours:02}:{minutes:02}:{:02}.000Z", seconds % 60)
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn variables(run: &Run) -> Vec<Value> {
    let info = format!("{}_info", metric::RUN.name);
    let chosen = |name: &str, of: String, value: &str| {
        let query = format!("label_values({info}{of}, {name})");
        json!({
            "name": name, "type": "query", "datasource": source(), "refresh": 2,
            "query": { "query": query, "refId": name }, "definition": query,
            "current": { "text": value, "value": value },
        })
    };
    vec![
        json!({ "name": "datasource", "type": "datasource", "query": "prometheus" }),
        chosen("scenario", String::new(), &run.scenario),
        chosen("variant", r#"{scenario="$scenario"}"#.into(), &run.variant),
        chosen(
            "seed",
            r#"{scenario="$scenario",variant="$variant"}"#.into(),
            &run.seed.to_string(),
        ),
    ]
}

/// What is drawn, and where: 24 columns across.
fn panels() -> Vec<Value> {
    let duration = metric::DURATION.name;
    let quantile = |q: &str| {
        let rate = format!("rate({duration}_bucket{{{CHOSEN}}}[{WINDOW}])");
        format!("histogram_quantile({q}, sum by (le) ({rate}))")
    };
    let of = |metric: &metric::Metric| format!("{}{{{CHOSEN}}}", metric.name);
    let total = |metric: &metric::Metric| format!("{}_total{{{CHOSEN}}}", metric.name);
    vec![
        panel(
            "stat",
            "Verdict",
            [0, 0, 6, 4],
            &[(format!("{} == 1", of(&metric::VERDICT)), "{{wrack_verdict}}")],
        ),
        panel("stat", "As expected", [6, 0, 6, 4], &[(of(&metric::AS_EXPECTED), "as expected")]),
        panel(
            "stat",
            "Objectives met",
            [12, 0, 12, 4],
            &[(of(&metric::SLO_MET), "{{slo}} {{objective}}")],
        ),
        panel(
            "timeseries",
            "Operations a second, by outcome",
            [0, 4, 12, 8],
            &[(
                format!("sum by (outcome) (rate({}[{WINDOW}]))", total(&metric::OPERATIONS)),
                "{{outcome}}",
            )],
        ),
        panel(
            "timeseries",
            "How long operations took that ended ok",
            [12, 4, 12, 8],
            &[(quantile("0.5"), "p50"), (quantile("0.95"), "p95"), (quantile("0.99"), "p99")],
        ),
        panel("timeseries", "Operations open", [0, 12, 12, 8], &[(of(&metric::OPEN), "open")]),
        panel(
            "timeseries",
            "Anomalies",
            [12, 12, 12, 8],
            &[(total(&metric::ANOMALIES), "{{code}}")],
        ),
        panel(
            "state-timeline",
            "Faults",
            [0, 20, 24, 6],
            &[(of(&metric::FAULT), "{{fault}} {{kind}} {{occurrence}}")],
        ),
        panel(
            "state-timeline",
            "Roles of nodes",
            [0, 26, 24, 8],
            &[(format!("{} == 1", of(&metric::NODE_ROLE)), "{{node}} {{role}}")],
        ),
        panel("state-timeline", "Nodes up", [0, 34, 12, 6], &[(of(&metric::NODE_UP), "{{node}}")]),
        panel(
            "timeseries",
            "Terms and epochs",
            [12, 34, 12, 6],
            &[(of(&metric::NODE_EPOCH), "{{node}}")],
        ),
        panel(
            "state-timeline",
            "Alerts that would be firing",
            [0, 40, 12, 6],
            &[(of(&metric::ALERT), "{{severity}} {{windows}}")],
        ),
        panel(
            "table",
            "What each fault touched",
            [12, 40, 12, 6],
            &[(of(&metric::FAULT_EFFECT), "")],
        ),
    ]
}

fn panel(kind: &str, title: &str, [x, y, w, h]: [u32; 4], queries: &[(String, &str)]) -> Value {
    let target = |(letter, (query, legend)): (char, &(String, &str))| json!({ "refId": letter.to_string(), "expr": query, "legendFormat": legend });
    let targets: Vec<Value> = ('A'..='Z').zip(queries).map(target).collect();
    json!({
        "type": kind,
        "title": title,
        "gridPos": { "x": x, "y": y, "w": w, "h": h },
        "targets": targets,
        "fieldConfig": { "defaults": {}, "overrides": [] },
        "options": {},
    })
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_run_begins_at_the_epoch_and_ends_after_its_last_second() {
        assert_eq!(moment(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(moment(60_500_000_000), "1970-01-01T00:01:01.000Z");
        assert_eq!(moment(90_061_000_000_000), "1970-01-02T01:01:01.000Z");
    }
}
