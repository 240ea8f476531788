//! Messages around an anomaly, and what nodes noted meanwhile.
//!
//! Source: Lamport, "Time, clocks, and the ordering of events in a distributed system", 1978, figure 1.

use std::collections::BTreeMap;

use wrack_history::picture::{Mark, Message, SpaceTime};
use wrack_history::{FactRecord, Run, SmolStr, Trace, TraceEvent, TraceKind};

use crate::replay;

/// So many messages are kept.
const MESSAGES_MAX: usize = 1_500;
/// So many marks are kept.
const MARKS_MAX: usize = 1_500;
const TEXT_CHARS_MAX: usize = 180;

/// What a trace, which was kept within the windows, says of them.
pub(super) fn of(
    trace: &Trace,
    facts: &[FactRecord],
    run: &Run,
    windows: Vec<(u64, u64)>,
) -> SpaceTime {
    let within = |ns: u64| windows.iter().any(|(from, to)| (*from..=*to).contains(&ns));
    let mut sent = BTreeMap::<u64, Message>::new();
    for (event, text) in trace.events.iter().zip(&trace.texts) {
        match event.kind {
            TraceKind::Send if within(event.ns) => {
                sent.insert(event.detail, message(event, text));
            }
            TraceKind::Deliver | TraceKind::Drop => {
                if let Some(message) = sent.get_mut(&event.detail) {
                    message.ended_ns.get_or_insert(event.ns);
                    message.lost |= event.kind == TraceKind::Drop;
                }
            }
            _ => {}
        }
    }
    let (messages, left_out) = kept(sent.into_values().collect(), run);
    let marks = facts.iter().filter(|record| within(record.ns) && is_mark(record));
    let marks = marks.take(MARKS_MAX).map(|record| Mark {
        ns: record.ns,
        node: record.node,
        text: words(record, run),
    });
    SpaceTime { marks: marks.collect(), messages, windows, left_out }
}

/// Facts that say something to a reader who looks at messages.
fn is_mark(record: &FactRecord) -> bool {
    !matches!(record.fact.kind(), "appended" | "committed" | "applied" | "sometimes" | "durable")
}

fn words(record: &FactRecord, run: &Run) -> SmolStr {
    let told = replay::fact(record, run);
    let node = run.nodes.get(usize::from(record.node)).map_or("", SmolStr::as_str);
    clip(told.strip_prefix(node).unwrap_or(&told).trim_start())
}

fn message(event: &TraceEvent, text: &str) -> Message {
    // What is sent is told as `a ⇒ b: content`.
    let content = text.split_once(": ").map_or(text, |(_, content)| content);
    let (from, to) = (event.node, event.peer);
    Message { from, to, sent_ns: event.ns, ended_ns: None, lost: false, text: clip(content) }
}

fn clip(text: &str) -> SmolStr {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// Of too many those between nodes go first, from the start: clients' messages and what is near the
/// end, where the anomaly becomes visible, stay.
fn kept(messages: Vec<Message>, run: &Run) -> (Vec<Message>, u64) {
    let over = messages.len().saturating_sub(MESSAGES_MAX);
    let servers = run.nodes.len() - run.clients as usize;
    let is_client = |node: u16| usize::from(node) >= servers;
    let mut left_out = 0;
    let mut kept: Vec<Message> = Vec::new();
    for message in messages {
        let between_nodes = !is_client(message.from) && !is_client(message.to);
        if between_nodes && left_out < over {
            left_out += 1;
        } else {
            kept.push(message);
        }
    }
    let rest = kept.len().saturating_sub(MESSAGES_MAX);
    (kept.split_off(rest), (left_out + rest) as u64)
}
