//! Sets that only grow: LIN, and SETFULL with `immediate`, read by read.
//!
//! An element is *known* from the completion of its first ok add or of the first read that found it. What
//! [`crate::linearizability`] proves of whole histories (the sets that were read form a chain, and nothing of
//! a later phase completed before something of an earlier one was invoked) is the same as this, which
//! each read is asked when it completes:
//! * every element that it found is one that somebody has begun to add, and it found none twice;
//! * let `since` be the last of its invocation and those of the adds whose elements it found: it found
//!   all that was known before `since`;
//! * of it and any read before it one found all that the other found.
//!
//! An invocation of a smaller read asks nothing more: that read is asked itself. The chain is kept by
//! sizes: two reads of one chain that found as many found the same. An element's *rank* is the size of
//! the smallest read that found it, and a read that found S agrees with the next smaller one, of size n,
//! iff n elements of S have a rank of at most n, and with the next larger one, of size m, iff none of them
//! has a greater rank than m. So a read costs as much as it found.
//!
//! SETFULL asks the first, and with `immediate` the second for its own invocation alone: every element by
//! itself. Whether an element that was missed is found in the end only the end tells.
//!
//! What is held: each element once, as the set itself does, and the different sizes of what was read.
//!
//! Source: Jepsen's `set-full`; the rest is ours.

mod key;

use rustc_hash::FxHashMap;
use wrack_history::{Anomaly, Operation, Outcome, SmolStr, Value};

use super::{Online, anomaly};
use crate::words::{noun, of, short};
use key::{Key, Stop};

/// What reads are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// All of it.
    Linearizable,
    /// That each element is found once it is known, if so, and that no read is impossible.
    Elements { immediate: bool },
}

/// Sets by key.
pub(super) struct Sets {
    asked: Asked,
    initial: Vec<Value>,
    keys: FxHashMap<SmolStr, Key>,
    held: usize,
    doubt: Option<String>,
}

impl Sets {
    pub fn linearizable(initial: &Value) -> Self {
        Self::new(initial, Asked::Linearizable)
    }

    pub fn found(initial: &Value, immediate: bool) -> Self {
        let mut this = Self::new(initial, Asked::Elements { immediate });
        if !immediate {
            let why = "whether an element that was missed is found in the end, only the end tells";
            this.doubt = Some(why.to_owned());
        }
        this
    }

    fn new(initial: &Value, asked: Asked) -> Self {
        let initial = initial.as_list().unwrap_or_default().to_vec();
        Self { asked, initial, keys: FxHashMap::default(), held: 0, doubt: None }
    }

    fn code(&self) -> &'static str {
        match self.asked {
            Asked::Linearizable => "LIN",
            Asked::Elements { .. } => "SETFULL",
        }
    }

    fn give_up(&mut self, operation: &Operation, why: String) {
        let key = self.keys.get_mut(&operation.key).expect("it was invoked");
        self.held -= key.held();
        key.give_up();
        self.doubt.get_or_insert(why);
    }

    /// Whether it is no operation of a set that only grows.
    fn is_other(&self, operation: &Operation) -> bool {
        match operation.function.as_str() {
            "add" => operation.is_ok() && matches!(operation.result, Value::Bool(_)),
            "read" => {
                let result = &operation.result;
                operation.is_ok() && !result.is_nil() && result.as_list().is_none()
            }
            _ => true,
        }
    }
}

impl Online for Sets {
    fn invoke(&mut self, operation: &Operation) {
        if !self.keys.contains_key(&operation.key) {
            let key = match self.asked {
                Asked::Linearizable => Key::started(&self.initial),
                Asked::Elements { .. } => Key::default(),
            };
            self.held += key.held();
            self.keys.insert(operation.key.clone(), key);
        }
        let linearizable = self.asked == Asked::Linearizable;
        if linearizable && self.is_other(operation) {
            let why =
                format!("{}: not every operation is one of a set that only grows", noun(operation));
            return self.give_up(operation, why);
        }
        if !linearizable
            && operation.function == "add"
            && self.initial.contains(&operation.argument)
        {
            let why = "was there from the beginning, and may have been found before";
            return self.give_up(operation, format!("{} {why}", short(&operation.argument)));
        }
        let key = self.keys.get_mut(&operation.key).expect("it is there");
        let before = key.held();
        match operation.function.as_str() {
            _ if key.given_up => return,
            "add" => key.begin(operation),
            "remove" => key.remove(&operation.argument),
            _ => return,
        }
        self.held = self.held + key.held() - before;
    }

    fn complete(&mut self, operation: &Operation) -> Option<Anomaly> {
        if self.asked == Asked::Linearizable && self.is_other(operation) {
            let why =
                format!("{}: not every operation is one of a set that only grows", noun(operation));
            self.give_up(operation, why);
        }
        let (asked, code) = (self.asked, self.code());
        let key = self.keys.get_mut(&operation.key).expect("it was invoked");
        if key.given_up {
            return None;
        }
        let before = key.held();
        let broken = match (operation.function.as_str(), operation.outcome) {
            ("add", Outcome::Ok) => key.acknowledge(operation),
            ("add", Outcome::Fail) => key.take_back(operation),
            ("remove", Outcome::Fail) => Err(Stop::Doubt(format!(
                "{}{} failed, and what was missed meanwhile is not known",
                noun(operation),
                of(operation)
            ))),
            ("read", Outcome::Ok) => key.read(operation, asked, &self.initial),
            _ => Ok(()),
        };
        self.held = self.held + key.held() - before;
        match broken {
            Ok(()) => None,
            Err(Stop::Doubt(why)) => {
                self.give_up(operation, why);
                None
            }
            Err(Stop::Broken(why, others)) => Some(anomaly(code, operation, why, others)),
        }
    }

    fn held(&self) -> usize {
        self.held
    }

    fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }
}
