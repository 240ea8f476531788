//! The gateway: somebody else's service, which takes the money and may not say so.
//!
//! It keeps its side of the contract: the same number is charged once, and what it confirms is
//! durable. But it is far away and shared with others. Its answer may be lost after it took the money,
//! and it may refuse for a while.

use wrack_history::Settings;
use wrack_history::duration::SECOND;
use wrack_sim::{FlowContext, Wire};

use super::book::{About, Book};
use super::message::{Message, Peer};

const ABOUT: About =
    About { name: "gateway", account: "card of", appended: "gateway.appended", is_effect: true };
/// What makes it behave like an interface on the internet.
const API: &str = "external-api";

/// The gateway, as a flow: one batch after the other.
pub async fn gateway(cx: FlowContext<Message>) {
    let mut book = Book::open(cx.clone(), &ABOUT);
    let mut quota = Quota::default();
    loop {
        let mut charges = Vec::new();
        for (from, message) in cx.recv_all().await {
            let Wire::Peer(Peer::Capture(charge)) = message else {
                continue;
            };
            if quota.is_used_up(&cx) {
                let number = charge.number;
                cx.touched(API, 1);
                cx.send(from, Wire::Peer(Peer::Throttled { number }));
            } else {
                cx.failpoint("gateway.asked");
                charges.push((from, charge));
            }
        }
        for (to, number) in book.enter(charges).await {
            cx.failpoint("gateway.captured_before_answer");
            if !times_out(&cx) {
                cx.send(to, Wire::Peer(Peer::Captured { number }));
            }
        }
    }
}

/// Whether this answer never comes, although the money is taken.
fn times_out(cx: &FlowContext<Message>) -> bool {
    let share = cx.control(API).and_then(|settings| settings.per_million("timeout")).unwrap_or(0);
    let lost = share > 0 && cx.random(|stream| stream.chance(share));
    if lost {
        cx.touched(API, 1);
    }
    lost
}

/// Requests in the current second.
#[derive(Default)]
struct Quota {
    second: u64,
    used: i64,
}

impl Quota {
    /// Whether one request more is too many.
    fn is_used_up(&mut self, cx: &FlowContext<Message>) -> bool {
        let quota = |settings: Settings| settings.integer("quota");
        let Some(quota) = cx.control(API).and_then(quota) else {
            return false;
        };
        let second = cx.now() / SECOND;
        if second != self.second {
            *self = Self { second, used: 0 };
        }
        self.used += 1;
        self.used > quota
    }
}
