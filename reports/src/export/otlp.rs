//! A run as OTLP traces in JSON: operations and messages as spans, causes as links, faults as events.
//!
//! Shape: lines of JSON, each a `TracesData` of one resource, as files of OTLP are. The run is a span
//! with its faults as events; an operation is a trace of its own, with the messages that came of it;
//! every other message belongs to the trace of the run. A link goes from a message to what it came of,
//! and from an operation to the message that answered it.
//! Units: virtual nanoseconds; the run begins at the epoch.
//! Source: OTLP 1.x, JSON Protobuf encoding and file format.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use wrack_history::fault::ResolvedFault;
use wrack_history::{Anomaly, Moment, NodeIndex, Operation, Outcome, Run};

use super::messages::{Cause, Message, Messages};
use crate::text;

/// So many spans stand in one line.
const SPANS_MAX: usize = 1_000;
/// What a message says is clipped to so many characters.
const WORDS_MAX: usize = 200;

/// Writes the lines.
pub(crate) fn lines(run: &Run) -> String {
    let messages = Messages::of(run);
    let tracing = Tracing::of(run, &messages);
    let mut out = String::new();
    tracing.write(&mut out, "wrack", std::iter::once(tracing.run_span()));
    let operations = run.history.operations.iter().enumerate();
    tracing.write(
        &mut out,
        "clients",
        operations.map(|(place, operation)| tracing.operation_span(place, operation)),
    );
    let mut senders = BTreeMap::<NodeIndex, Vec<&Message>>::new();
    for message in &messages.list {
        senders.entry(message.from).or_default().push(message);
    }
    for (sender, messages) in senders {
        let spans = messages.iter().map(|message| tracing.message_span(message));
        tracing.write(&mut out, &tracing.name(sender), spans);
    }
    out
}

struct Tracing<'a> {
    run: &'a Run,
    messages: &'a Messages,
    /// The first half of every trace's id.
    prefix: u64,
    end_ns: u64,
    /// Anomalies by the operations that show them.
    anomalies: BTreeMap<u64, Vec<&'a Anomaly>>,
}

/// Spans of three kinds are told apart by the first byte of their id.
const RUN: u64 = 1 << 56;
const OPERATION: u64 = 2 << 56;
const MESSAGE: u64 = 3 << 56;

impl<'a> Tracing<'a> {
    fn of(run: &'a Run, messages: &'a Messages) -> Self {
        let mut anomalies = BTreeMap::<u64, Vec<&Anomaly>>::new();
        for anomaly in run.anomalies() {
            for id in &anomaly.operations {
                anomalies.entry(*id).or_default().push(anomaly);
            }
        }
        let prefix = u64::from_str_radix(&run.trace_hash, 16).unwrap_or(0) | 1;
        let completed = run.history.operations.iter().map(|one| one.complete.ns);
        let last = completed.filter(|ns| *ns < u64::MAX).max().unwrap_or(0);
        Self { run, messages, prefix, end_ns: run.phases.end_ns.max(last), anomalies }
    }

    /// Writes spans of one resource, as many as fit in a line.
    fn write(&self, out: &mut String, service: &str, spans: impl Iterator<Item = Span>) {
        let mut spans = spans.peekable();
        while spans.peek().is_some() {
            let some: Vec<Span> = spans.by_ref().take(SPANS_MAX).collect();
            let scope = InstrumentationScope {
                name: "wrack".into(),
                version: self.run.wrack_version.clone(),
                ..Default::default()
            };
            let resource = Resource { attributes: self.resource(service), ..Default::default() };
            let of_scope = ScopeSpans { scope: Some(scope), spans: some, ..Default::default() };
            let of_resource = ResourceSpans {
                resource: Some(resource),
                scope_spans: vec![of_scope],
                ..Default::default()
            };
            let data = TracesData { resource_spans: vec![of_resource] };
            out.push_str(&serde_json::to_string(&data).expect("a trace is plain data"));
            out.push('\n');
        }
    }

    fn resource(&self, service: &str) -> Vec<KeyValue> {
        let Run { scenario, variant, seed, engine, design, scenario_hash, .. } = self.run;
        vec![
            word("service.name", service),
            word("service.namespace", design),
            word("wrack.scenario", scenario),
            word("wrack.scenario_hash", scenario_hash),
            word("wrack.variant", variant),
            number("wrack.seed", *seed),
            word("wrack.engine", engine),
        ]
    }

    fn name(&self, node: NodeIndex) -> String {
        let known = self.run.nodes.get(node as usize);
        known.map_or_else(|| format!("node {node}"), ToString::to_string)
    }

    fn trace_id(&self, low: u64) -> Vec<u8> {
        [self.prefix.to_be_bytes(), low.to_be_bytes()].concat()
    }

    fn run_trace(&self) -> Vec<u8> {
        self.trace_id(0)
    }

    fn operation_trace(&self, place: usize) -> Vec<u8> {
        self.trace_id(place as u64 + 1)
    }

    fn run_span(&self) -> Span {
        let Run { scenario, variant, verdict, expected, title, .. } = self.run;
        let faults = self.run.faults.iter().flat_map(fault_events).map(|(_, event)| event);
        let anomalies = self.run.anomalies().map(anomaly_event);
        Span {
            trace_id: self.run_trace(),
            span_id: id(RUN, 0),
            name: format!("{scenario} {variant}"),
            kind: SpanKind::Internal as i32,
            end_time_unix_nano: self.end_ns,
            attributes: vec![
                word("wrack.title", title),
                word("wrack.verdict", &verdict.to_string()),
                word("wrack.expected", expected),
            ],
            events: faults.chain(anomalies).collect(),
            ..Default::default()
        }
    }

    fn operation_span(&self, place: usize, operation: &Operation) -> Span {
        let end_ns = match operation.complete {
            Moment::NEVER => self.end_ns,
            complete => complete.ns,
        };
        let shown = self.anomalies.get(&operation.id).into_iter().flatten();
        let during = |(ns, _): &(u64, Event)| (operation.invoke.ns..=end_ns).contains(ns);
        let faults = self.run.faults.iter().flat_map(fault_events).filter(during);
        let answer = self.messages.answers.get(&place).map(|answer| &self.messages.list[*answer]);
        Span {
            trace_id: self.operation_trace(place),
            span_id: id(OPERATION, place as u64),
            name: operation.function.to_string(),
            kind: SpanKind::Client as i32,
            start_time_unix_nano: operation.invoke.ns,
            end_time_unix_nano: end_ns,
            attributes: operation_words(operation),
            events: faults
                .map(|(_, event)| event)
                .chain(shown.map(|one| anomaly_event(one)))
                .collect(),
            links: answer.map(|message| self.link_to(message, "answered by")).into_iter().collect(),
            status: Some(status(operation)),
            ..Default::default()
        }
    }

    fn message_span(&self, message: &Message) -> Span {
        let parent = match message.operation {
            Some(place) => id(OPERATION, place as u64),
            None => id(RUN, 0),
        };
        let cause = match message.cause {
            Cause::Operation(place) => Some(Link {
                trace_id: self.operation_trace(place),
                span_id: id(OPERATION, place as u64),
                attributes: vec![word("wrack.link", "asked by")],
                ..Default::default()
            }),
            Cause::Message(place) => Some(self.link_to(&self.messages.list[place], "came of")),
            Cause::Unknown => None,
        };
        let lost = message.lost_ns.map(|ns| event(ns, "lost", Vec::new()));
        let again = message.delivered_ns.iter().skip(1);
        let again = again.map(|ns| event(*ns, "delivered again", Vec::new()));
        let end_ns = message.delivered_ns.first().copied().or(message.lost_ns);
        let what = message.words.split(['(', '{', ' ']).next().unwrap_or_default();
        let mut attributes = vec![
            word("wrack.from", &self.name(message.from)),
            word("wrack.to", &self.name(message.to)),
        ];
        if !message.words.is_empty() {
            attributes.push(word("wrack.message", &text::clip(&message.words, WORDS_MAX)));
        }
        Span {
            trace_id: self.trace_of(message),
            span_id: id(MESSAGE, message.number),
            parent_span_id: parent,
            name: if what.is_empty() { "message".into() } else { format!("message {what}") },
            kind: SpanKind::Producer as i32,
            start_time_unix_nano: message.sent_ns,
            end_time_unix_nano: end_ns.unwrap_or(self.end_ns).max(message.sent_ns),
            attributes,
            events: lost.into_iter().chain(again).collect(),
            links: cause.into_iter().collect(),
            ..Default::default()
        }
    }

    fn trace_of(&self, message: &Message) -> Vec<u8> {
        message.operation.map_or_else(|| self.run_trace(), |place| self.operation_trace(place))
    }

    fn link_to(&self, message: &Message, what: &str) -> Link {
        Link {
            trace_id: self.trace_of(message),
            span_id: id(MESSAGE, message.number),
            attributes: vec![word("wrack.link", what)],
            ..Default::default()
        }
    }
}

fn id(kind: u64, number: u64) -> Vec<u8> {
    (kind | number).to_be_bytes().into()
}

fn value(key: &str, value: Any) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.into(), value, ..Default::default() }
}

fn word(key: &str, text: &str) -> KeyValue {
    value(key, Any::StringValue(text.into()))
}

fn number(key: &str, number: u64) -> KeyValue {
    value(key, Any::IntValue(i64::try_from(number).unwrap_or(i64::MAX)))
}

fn event(ns: u64, name: &str, attributes: Vec<KeyValue>) -> Event {
    Event { time_unix_nano: ns, name: name.into(), attributes, ..Default::default() }
}

fn operation_words(operation: &Operation) -> Vec<KeyValue> {
    let mut words = vec![
        number("wrack.operation", operation.id),
        number("wrack.process", u64::from(operation.process)),
        word("wrack.key", &operation.key),
        word("wrack.outcome", text::outcome(operation.outcome)),
    ];
    if !operation.argument.is_nil() {
        words.push(word("wrack.argument", &operation.argument.to_string()));
    }
    if operation.is_ok() {
        words.push(word("wrack.result", &operation.result.to_string()));
    }
    let details = operation.details.as_deref();
    words.extend(details.and_then(|d| d.attempts).map(|n| number("wrack.attempts", n.into())));
    words.extend(details.and_then(|d| d.region.as_ref()).map(|name| word("wrack.region", name)));
    words
}

/// Nobody knows how an `info` ended, so its status stays unset.
fn status(operation: &Operation) -> Status {
    let error = operation.details.as_ref().and_then(|details| details.error.as_ref());
    let message = error.map(ToString::to_string).unwrap_or_default();
    let code = match operation.outcome {
        Outcome::Ok => StatusCode::Ok,
        Outcome::Fail => StatusCode::Error,
        Outcome::Info => StatusCode::Unset,
    };
    Status { message, code: code as i32 }
}

/// A fault's injection and heal, each with its time.
fn fault_events(fault: &ResolvedFault) -> Vec<(u64, Event)> {
    let words = || {
        vec![
            word("wrack.fault", &fault.kind),
            word("wrack.detail", &fault.detail),
            word("wrack.effect", &text::effect(fault.effect, &fault.unit)),
        ]
    };
    let named = |ns: u64, what: &str| (ns, event(ns, &format!("{} {what}", fault.kind), words()));
    let injected = fault.injected_ns.map(|ns| named(ns, "injected"));
    injected.into_iter().chain(fault.healed_ns.map(|ns| named(ns, "healed"))).collect()
}

fn anomaly_event(anomaly: &Anomaly) -> Event {
    let words =
        vec![word("wrack.anomaly", &anomaly.code), word("wrack.explanation", &anomaly.explanation)];
    event(anomaly.at_ns.unwrap_or(0), &format!("anomaly {}", anomaly.code), words)
}
