//! The ledger: double entry, append only. Every charge is one entry on two accounts.

use wrack_sim::{FlowContext, Wire};

use super::book::{About, Book};
use super::message::{Message, Peer};

const ABOUT: About =
    About { name: "ledger", account: "sales to", appended: "ledger.appended", is_effect: false };
/// What makes it fail although the money is taken.
const FAILURE: &str = "downstream-failure";

/// The ledger, as a flow: one batch after the other.
pub async fn ledger(cx: FlowContext<Message>) {
    let mut book = Book::open(cx.clone(), &ABOUT);
    loop {
        let mut charges = Vec::new();
        for (from, message) in cx.recv_all().await {
            match message {
                Wire::Peer(Peer::Post(charge)) if !fails(&cx) => {
                    cx.failpoint("ledger.asked");
                    charges.push((from, charge));
                }
                _ => {}
            }
        }
        for (to, number) in book.enter(charges).await {
            cx.failpoint("ledger.posted_before_answer");
            cx.send(to, Wire::Peer(Peer::Posted { number }));
        }
    }
}

/// Whether this entry fails: nothing is entered, and nobody is told.
fn fails(cx: &FlowContext<Message>) -> bool {
    let share = cx.control(FAILURE).and_then(|settings| settings.per_million("share"));
    let share = share.unwrap_or(0);
    let fails = share > 0 && cx.random(|stream| stream.chance(share));
    if fails {
        cx.touched(FAILURE, 1);
    }
    fails
}
