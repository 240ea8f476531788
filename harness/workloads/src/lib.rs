//! What clients ask: one workload a file, planned as a whole before a run begins.
//!
//! A workload says which functions it asks for and with which arguments; [`plan()`] says when, by
//! whom and under which key. A plan is a pure function of workload, seed and duration, and every
//! operation in it is a pure function of its client and number, so that a shrinker may strike out
//! operations and clients without touching any other. What an operation comes to, no workload
//! knows: a cas names its expected value as "what I last saw", and the client fills it in.
//!
//! # Adding a workload
//! Write a file with its [`WorkloadInfo`] and its `argument` function, and add its two lines here.

pub mod append_set;
pub mod cart;
pub mod counter;
pub mod generated;
pub mod keys;
pub mod payments;
pub mod plan;
pub mod register;
pub mod text;
pub mod transactions;
pub mod transfers;

use wrack_history::catalogue::WorkloadInfo;
use wrack_history::{Settings, Value};
use wrack_sim::Stream;
use wrack_sim::client::Argument;

pub use plan::{Planner, expected_operations, explicit, final_reads, keys, plan, plan_of};

/// A workload: how it describes itself, and what it asks with.
#[derive(Debug)]
pub struct Entry {
    /// Its name, functions, model and parameters.
    pub info: &'static WorkloadInfo,
    /// The argument of one operation; the stream is that operation's own.
    pub argument: fn(&Question<'_>, &mut Stream) -> Argument,
    /// Where the object of each key starts; `Nil` where the model says.
    pub initial: fn(&Settings) -> Value,
    /// The function and the argument with which all that is under a key is read in the end.
    pub last_read: fn(&Settings) -> (&'static str, Value),
}

impl Entry {
    /// A workload whose objects start where the model says, and are read by a plain `read` in the end.
    pub const fn new(
        info: &'static WorkloadInfo,
        argument: fn(&Question<'_>, &mut Stream) -> Argument,
    ) -> Self {
        Self { info, argument, initial: start_at_nil, last_read: read_key }
    }
}

/// Objects start where the model says.
fn start_at_nil(_: &Settings) -> Value {
    Value::Nil
}

/// A key is read by a plain `read`.
fn read_key(_: &Settings) -> (&'static str, Value) {
    ("read", Value::Nil)
}

/// An operation that wants its argument.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// One of the workload's functions.
    pub function: &'a str,
    /// A number that no other operation of the run has, from 1.
    pub unique: i64,
    /// The workload's parameters.
    pub settings: &'a Settings,
}

/// Every workload, sorted by name.
pub const ALL: &[Entry] = &[
    append_set::ENTRY,
    cart::ENTRY,
    counter::ENTRY,
    payments::ENTRY,
    register::ENTRY,
    text::ENTRY,
    transactions::LISTS,
    transactions::REGISTERS,
    transfers::ENTRY,
];

/// The workload of this name.
pub fn entry(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.info.name == name)
}

#[cfg(test)]
mod tests {
    use wrack_history::catalogue::defaults;

    use super::{ALL, entry};

    #[test]
    fn workloads_are_sorted_and_found_by_name() {
        assert!(ALL.is_sorted_by_key(|entry| entry.info.name));
        for known in ALL {
            assert_eq!(entry(known.info.name).unwrap().info.name, known.info.name);
            let (last_read, _) = (known.last_read)(&defaults(known.info.parameters));
            assert!(known.info.functions.contains(&last_read));
        }
        assert!(entry("tickets").is_none());
    }
}
