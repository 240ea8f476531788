//! A relay: it carries rows of the outbox to the broker, and marks those that the broker has.
//!
//! ```text
//! claim ─▶ publish ─▶ wait for the broker ─▶ mark
//! ```
//! Publish first, mark afterwards: whatever is interrupted in between is published once more by
//! whoever claims the rows next. The other way round it would never be published.

use wrack_history::duration::MILLISECOND;
use wrack_history::{Fact, Settings, SmolStr};
use wrack_sim::{FlowContext, Wire};

use super::Rules;
use super::message::{Event, Message, Peer};

/// How long an answer is waited for.
const ANSWER_NS: u64 = 200 * MILLISECOND;
/// What an operator asks of relays.
const SCALE: &str = "relay-scale";

/// How relays are run.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// This relay's number, from 0.
    pub number: i64,
    /// So many relays work; the others stand by.
    pub active: i64,
    /// How long from one look at the outbox to the next, in nanoseconds.
    pub poll_ns: u64,
    /// By how much that differs each time, either way, in millionths.
    pub jitter_per_million: u32,
}

impl Schedule {
    /// As an operator wants it for now.
    fn scaled(self, settings: &Settings) -> Self {
        Self {
            active: settings.integer("count").unwrap_or(self.active),
            jitter_per_million: settings.per_million("jitter").unwrap_or(self.jitter_per_million),
            ..self
        }
    }

    fn works(&self) -> bool {
        self.number < self.active
    }

    /// How far from `poll_ns` a wait may be, in nanoseconds.
    fn spread_ns(&self) -> u64 {
        self.poll_ns / 1_000_000 * u64::from(self.jitter_per_million)
    }
}

/// A relay, as a flow.
pub async fn relay(cx: FlowContext<Message>, rules: Rules, schedule: Schedule) {
    let mut role = "";
    loop {
        let scale = cx.control(SCALE);
        let schedule = scale.as_ref().map_or(schedule, |settings| schedule.scaled(settings));
        let wanted = if schedule.works() { "relay" } else { "standby" };
        if wanted != role {
            role = wanted;
            cx.note(Fact::Role { role: SmolStr::new_static(role), epoch: 0 });
        }
        let (poll_ns, spread_ns) = (schedule.poll_ns, schedule.spread_ns());
        let wait_ns = cx.random(|stream| stream.between(poll_ns - spread_ns, poll_ns + spread_ns));
        cx.sleep(wait_ns).await;
        if schedule.works() {
            let rows = round(&cx, &rules).await;
            if scale.is_some() {
                cx.touched(SCALE, rows as u64);
            }
        }
    }
}

/// One batch from the outbox to the broker; how many rows it was about.
async fn round(cx: &FlowContext<Message>, rules: &Rules) -> usize {
    let events = claim(cx, rules).await;
    if events.is_empty() {
        return 0;
    }
    cx.failpoint("outbox.claimed");
    let rows: Vec<u64> = events.iter().map(|event| event.row).collect();
    let mark = |rows| cx.send(rules.orders, Wire::Peer(Peer::Mark { rows }));
    let count = rows.len();
    if rules.mark_first {
        mark(rows);
        cx.failpoint("outbox.marked_before_publish");
        publish(cx, rules, events).await;
    } else if publish(cx, rules, events).await {
        cx.failpoint("outbox.published_before_mark");
        mark(rows);
    }
    count
}

/// Rows to work on; none if there are none, or nobody answers.
async fn claim(cx: &FlowContext<Message>, rules: &Rules) -> Vec<Event> {
    let asked = cx.random(|stream| stream.word());
    cx.send(rules.orders, Wire::Peer(Peer::Claim { number: asked }));
    let answer = async {
        loop {
            // Whatever else comes answers a question that was given up.
            match cx.recv().await.1 {
                Wire::Peer(Peer::Claimed { number, events }) if number == asked => return events,
                _ => {}
            }
        }
    };
    cx.within(ANSWER_NS, answer).await.unwrap_or_default()
}

/// Whether the broker has said that it has them.
async fn publish(cx: &FlowContext<Message>, rules: &Rules, events: Vec<Event>) -> bool {
    let asked = cx.random(|stream| stream.word());
    cx.send(rules.broker, Wire::Peer(Peer::Publish { number: asked, events }));
    let answer = async {
        loop {
            match cx.recv().await.1 {
                Wire::Peer(Peer::Published { number }) if number == asked => return,
                _ => {}
            }
        }
    };
    cx.within(ANSWER_NS, answer).await.is_some()
}
