//! What other tools read of a run, read back.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use serde_json::Value as Json;
use wrack_history::alert::Alert;
use wrack_history::catalogue::{MetricInfo, ParameterKind};
use wrack_history::duration::SECOND;
use wrack_history::gate::{Measured, Unit};
use wrack_history::{Catalogue, Fact, FactRecord, Run, Trace, TraceEvent, TraceKind};
use wrack_reports::{csv, grafana, openmetrics, openslo, otlp};
use wrack_scenario::{Bound, Objective, read_openslo};

use crate::sample;

/// A run that has something of everything.
fn everything() -> Run {
    let mut run = sample::invalid(300);
    run.alerts.push(Alert {
        windows: "1h/5m".into(),
        severity: "page".into(),
        burn_rate_tenths: 144,
        fired_ns: Some(20 * SECOND),
        detected_after_ns: Some(10 * SECOND),
        recovered_after_ns: Some(15 * SECOND),
    });
    let measured =
        Measured { number: 999_500, unit: Unit::PerMillion, higher_is_better: true, events: 300 };
    run.slos[0].measured = Some(measured);
    run.facts.push(FactRecord { ns: 30 * SECOND, node: 1, fact: Fact::Crashed });
    run
}

/// The names in a query, or at the beginning of lines.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("wrack_")).map(str::to_owned).collect()
}

/// Lines of samples, without the metadata.
fn samples(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

fn emitted(run: &Run) -> BTreeSet<String> {
    let text = openmetrics(run);
    let name = |line: &&str| line.split('{').next().unwrap_or_default().to_owned();
    samples(&text).iter().map(name).collect()
}

#[test]
fn metrics_are_of_families_that_are_declared_once_and_end_as_they_must() {
    let text = openmetrics(&everything());
    assert!(text.ends_with("# EOF\n"));
    assert_eq!(text.matches("# EOF").count(), 1);
    let mut families = BTreeSet::new();
    let mut family = "";
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            family = declared.split(' ').next().unwrap();
            assert!(families.insert(family), "{family} is declared twice");
        } else if !line.starts_with('#') {
            let name = line.split('{').next().unwrap();
            let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} in {family}"));
            assert!(
                ["", "_total", "_info", "_bucket", "_count", "_sum"].contains(&suffix),
                "{line}"
            );
        }
    }
    assert_eq!(text, openmetrics(&everything()));
}

#[test]
fn counts_of_operations_end_at_what_the_run_counted() {
    let run = everything();
    let text = openmetrics(&run);
    let mut last = BTreeMap::new();
    let mut times = BTreeMap::<&str, f64>::new();
    for line in samples(&text) {
        let (series, rest) = line.rsplit_once("} ").unwrap();
        let (value, time) = rest.split_once(' ').unwrap();
        let time: f64 = time.parse().unwrap();
        let before = times.insert(series, time);
        assert!(before.is_none_or(|before| before < time), "{line} goes back");
        last.insert(series, value.parse::<f64>().unwrap());
    }
    let total = |outcome: &str| -> f64 {
        let of = last.iter().filter(|(series, _)| {
            series.starts_with("wrack_operations_total{")
                && series.contains(&format!("outcome=\"{outcome}\""))
        });
        of.map(|(_, value)| value).sum()
    };
    assert_eq!(total("ok"), run.counts.ok as f64);
    assert_eq!(total("fail"), run.counts.fail as f64);
    assert_eq!(total("info"), run.counts.info as f64);
    let held = last.iter().filter(|(series, _)| series.ends_with("le=\"+Inf\""));
    assert_eq!(held.map(|(_, value)| value).sum::<f64>(), run.counts.ok as f64);
}

#[test]
fn the_dashboard_asks_for_nothing_but_what_is_emitted() {
    let run = everything();
    let dashboard: Json = serde_json::from_str(&grafana(&run)).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let queries = queries.map(|target| target["expr"].as_str().unwrap());
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    let variables = variables.filter_map(|variable| variable["definition"].as_str());
    let asked: BTreeSet<String> = queries.chain(variables).flat_map(names).collect();
    let emitted = emitted(&run);
    assert!(asked.len() >= 12, "{asked:?}");
    for name in &asked {
        assert!(emitted.contains(name), "{name} is asked for and never emitted: {emitted:?}");
    }
    for panel in panels {
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{panel}");
    }
}

#[test]
fn the_table_has_every_operation() {
    let run = everything();
    let table = csv(&run);
    let mut reader = ::csv::Reader::from_reader(&table[..]);
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|one| one == name).unwrap();
    let (id, key, anomalies) = (column("operation"), column("key"), column("anomalies"));
    let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), run.history.operations.len());
    for (row, operation) in rows.iter().zip(&run.history.operations) {
        assert_eq!(&row[id], operation.id.to_string());
        assert_eq!(&row[key], operation.key.as_str());
    }
    let shown = rows.iter().filter(|row| row[anomalies].contains("LIN")).count();
    assert_eq!(shown, run.judgements[0].anomalies[0].operations.len());
}

#[test]
fn a_key_that_is_hostile_to_a_format_stays_a_key() {
    let mut run = everything();
    let hostile = "a,\"b\"\n\\} 1\r# EOF";
    run.scenario = hostile.into();
    run.history.operations[0].key = hostile.into();
    run.history.operations[0].function = hostile.into();
    let table = csv(&run);
    let first = ::csv::Reader::from_reader(&table[..]).records().next().unwrap().unwrap();
    assert!(first.iter().any(|cell| cell == hostile));
    assert!(
        openmetrics(&run).lines().all(|line| line.starts_with("# ") || line.starts_with("wrack_"))
    );
    serde_json::from_str::<Json>(&grafana(&run)).unwrap();
    assert!(!spans(&otlp(&run)).is_empty());
}

fn spans(lines: &str) -> Vec<(String, Span)> {
    let read = |line: &str| serde_json::from_str::<TracesData>(line).unwrap();
    let resources = lines.lines().flat_map(|line| read(line).resource_spans);
    let of = |resource: opentelemetry_proto::tonic::trace::v1::ResourceSpans| {
        let name = serde_json::to_string(&resource.resource).unwrap();
        resource.scope_spans.into_iter().flat_map(move |scope| {
            let name = name.clone();
            scope.spans.into_iter().map(move |span| (name.clone(), span))
        })
    };
    resources.flat_map(of).collect()
}

/// One operation, asked and answered with two messages, and a trace of it.
fn traced() -> Run {
    let mut run = everything();
    run.history.operations.truncate(1);
    let client = (run.nodes.len() - 1) as u16;
    let event = |ns, kind, node, peer, detail| TraceEvent { ns, detail, kind, node, peer };
    let events = vec![
        event(1, TraceKind::Invoke, client, client, 0),
        event(1, TraceKind::Send, client, 0, 10),
        event(2, TraceKind::Deliver, 0, client, 10),
        event(2, TraceKind::Send, 0, client, 11),
        event(2, TraceKind::Send, 0, 1, 12),
        event(3, TraceKind::Drop, 0, 1, 12),
        event(4, TraceKind::Deliver, client, 0, 11),
        event(4, TraceKind::Complete, client, client, 0),
    ];
    run.trace = Some(Trace { events, texts: Vec::new() });
    run
}

#[test]
fn operations_and_messages_are_spans_and_every_link_leads_somewhere() {
    let spans = spans(&otlp(&traced()));
    assert_eq!(spans.len(), 1 + 1 + 3);
    let known: BTreeSet<_> =
        spans.iter().map(|(_, span)| (span.trace_id.clone(), span.span_id.clone())).collect();
    assert_eq!(known.len(), spans.len(), "an id is used twice");
    let links: Vec<_> = spans.iter().flat_map(|(_, span)| &span.links).collect();
    assert_eq!(links.len(), 4, "three messages came of something, and one was the answer");
    for link in links {
        assert!(known.contains(&(link.trace_id.clone(), link.span_id.clone())), "{link:?}");
    }
    let parents = spans.iter().filter(|(_, span)| !span.parent_span_id.is_empty());
    for (_, span) in parents {
        assert!(known.contains(&(span.trace_id.clone(), span.parent_span_id.clone())), "{span:?}");
    }
    for (_, span) in &spans {
        assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
    }
    assert_eq!(
        spans.iter().filter(|(_, span)| span.events.iter().any(|e| e.name == "lost")).count(),
        1
    );
}

#[test]
fn faults_are_events_of_the_run_and_of_the_operations_that_they_met() {
    let run = everything();
    let spans = spans(&otlp(&run));
    assert_eq!(spans.len(), 1 + run.history.operations.len());
    let named = |span: &Span| span.events.iter().filter(|e| e.name.ends_with(" injected")).count();
    assert_eq!(named(&spans[0].1), run.faults.iter().filter(|f| f.injected_ns.is_some()).count());
    assert!(spans[1..].iter().any(|(_, span)| named(span) > 0));
    let shown =
        spans.iter().filter(|(_, span)| span.events.iter().any(|e| e.name == "anomaly LIN"));
    assert_eq!(shown.count(), 1 + run.judgements[0].anomalies[0].operations.len());
}

const METRICS: [MetricInfo; 5] = [
    metric("availability", true, ParameterKind::PerMillion),
    metric("latency", false, ParameterKind::Duration),
    metric("M3", true, ParameterKind::PerMillion),
    metric("M5", false, ParameterKind::PerMillion),
    metric("backlog", false, ParameterKind::Integer { min: 0, max: 1_000 }),
];

const fn metric(name: &'static str, higher_is_better: bool, kind: ParameterKind) -> MetricInfo {
    MetricInfo { name, doc: "", higher_is_better, kind }
}

#[test]
fn objectives_are_read_from_openslo_as_they_were_written() {
    let objective = |metric: &str, function: Option<&str>, bound| Objective {
        metric: metric.into(),
        function: function.map(Into::into),
        deadline_ns: None,
        quantile_per_million: 990_000,
        bound,
    };
    let mut quick = objective("latency", Some("read"), Bound::AtMost(1_500_000));
    quick.quantile_per_million = 999_900;
    let mut reconciled = objective("M3", None, Bound::AtLeast(950_000));
    reconciled.deadline_ns = Some(5_000_000_000);
    let objectives = [
        objective("availability", None, Bound::AtLeast(999_500)),
        reconciled,
        quick,
        objective("M5", None, Bound::AtMostShare(100)),
        objective("backlog", None, Bound::AtMostCount(7)),
    ];
    static KNOWN: [MetricInfo; 5] = METRICS;
    let catalogue = Catalogue { metrics: KNOWN.iter().collect(), ..Catalogue::default() };
    let mut run = everything();
    run.hypothesis = "Nothing: \"is\" lost\n- ever # at all".into();
    let text = openslo(&run, &objectives);
    let read = read_openslo("slos.yaml", &text, &catalogue);
    assert_eq!(read.unwrap_or_else(|wrong| panic!("{text}\n{wrong}")), objectives);
    assert_eq!(text.matches("apiVersion: openslo/v1").count(), objectives.len(), "{text}");
    let emitted = emitted(&run);
    for name in names(&text) {
        assert!(emitted.contains(&name), "{name} is asked for and never emitted");
    }
}
