//! Traces as text, for finding where two runs differ for the first time.

use wrack_history::Trace;
use wrack_history::duration::seconds;

/// One event of a trace as a line.
pub fn line(trace: &Trace, index: usize) -> String {
    let event = &trace.events[index];
    let text = trace.texts.get(index).map_or("", |text| text.as_str());
    format!("{} {:?} {text} [{:016x}]", seconds(event.ns), event.kind, event.detail)
}
