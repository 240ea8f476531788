//! Who keeps books: the gateway and the ledger, each of which enters a charge once.
//!
//! Both do the same. A charge comes, maybe for the tenth time; what is new is written down, the entry
//! and the number of its charge as *one* record, and then answered. They differ in which accounts they
//! enter it into, and in what goes wrong with them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wrack_history::{Fact, SmolStr, Value};
use wrack_sim::{FlowContext, NodeId};

use super::message::{Charge, Message};

/// One record of the log: an entry, and the number that keeps it from being entered again.
#[derive(Serialize, Deserialize)]
struct Record(Charge);

/// What is particular about a book.
pub struct About {
    /// Whose it is.
    pub name: &'static str,
    /// The account beside [`SETTLEMENT`], before the name of the customer.
    pub account: &'static str,
    /// The failpoint at which entries are appended and not yet synced.
    pub appended: &'static str,
    /// Whether an entry is what the customer asked for, and not only the memory of it.
    pub is_effect: bool,
}

/// The account that both books keep: the money that the gateway took and owes us.
const SETTLEMENT: SmolStr = SmolStr::new_static("settlement");

/// The entries of one book.
pub struct Book {
    cx: FlowContext<Message>,
    about: &'static About,
    /// Numbers of the charges that are in it.
    entered: BTreeSet<u64>,
}

impl Book {
    /// The book as the disk holds it. A crash may have come between a sync and the facts about it,
    /// so they are noted again: the same place is the same entry.
    pub fn open(cx: FlowContext<Message>, about: &'static About) -> Self {
        let mut book = Self { cx, about, entered: BTreeSet::new() };
        let log = book.cx.recover::<Record>();
        if log.torn {
            book.cx.truncate(log.records.len());
        }
        for Record(charge) in &log.records {
            book.apply(charge);
        }
        book
    }

    /// Enters those that are new, all with one sync. Gives the numbers of all that are durable now,
    /// each with who asked.
    pub async fn enter(&mut self, charges: Vec<(NodeId, Charge)>) -> Vec<(NodeId, u64)> {
        let is_new = |charge: &Charge| !self.entered.contains(&charge.number);
        let new = charges.iter().filter(|(_, charge)| is_new(charge));
        let new: Vec<Record> = new.map(|(_, charge)| Record(charge.clone())).collect();
        for record in &new {
            self.cx.append(record);
        }
        if !new.is_empty() {
            self.cx.failpoint(self.about.appended);
            if self.cx.sync().await.is_err() {
                // The disk has dropped what was appended: somebody will ask again.
                return Vec::new();
            }
        }
        for Record(charge) in &new {
            self.apply(charge);
        }
        charges.into_iter().map(|(from, charge)| (from, charge.number)).collect()
    }

    /// Enters what is durable, unless the same charge stands before it in the log.
    fn apply(&mut self, charge: &Charge) {
        if !self.entered.insert(charge.number) {
            return;
        }
        let (entry, operation) = (self.entered.len() as u64, charge.tag.operation());
        let other = format!("{} {}", self.about.account, charge.customer).into();
        let amounts = vec![(SETTLEMENT, charge.amount), (other, -charge.amount)];
        let book = SmolStr::new_static(self.about.name);
        self.cx.note(Fact::Posted { book, entry, operation, amounts });
        if self.about.is_effect {
            let amount = Value::Integer(charge.amount);
            self.cx.effect(charge.tag, &charge.customer, &amount, entry);
        }
    }
}
