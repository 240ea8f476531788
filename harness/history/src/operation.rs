//! One operation: what a client asked, when, and what it learned.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::value::Value;

/// A place in the recorded order of a history, and the virtual time it stands at.
///
/// The index decides order (two events may share a time); the time is for people and for bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment {
    /// Position among all events of the history, from 0.
    pub index: u64,
    /// Virtual nanoseconds since the run began.
    pub ns: u64,
}

impl Moment {
    /// After everything: where an operation that never completed ends.
    pub const NEVER: Self = Self { index: u64::MAX, ns: u64::MAX };
}

/// How an operation ended for the client that invoked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It took effect, and the client learned its result.
    Ok,
    /// It is known to have had no effect.
    Fail,
    /// Nobody knows whether it took effect, or whether it still will.
    Info,
}

/// What is recorded beside the essentials, where a design or client knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Details {
    /// The version that a conditional write expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
    /// The version that the answer carried. A design may lie here: no checker decides by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_version: Option<u64>,
    /// What the design may use to recognise a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<SmolStr>,
    /// The term, epoch or fencing token under which it was served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Where the client is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<SmolStr>,
    /// The tier of the data, 1 to 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    /// Why it did not end `ok`, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<SmolStr>,
    /// How many times the client tried, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
}

/// What one client asked and learned, from invoke to completion.
///
/// Shape: about 170 bytes and no allocation for the usual short keys and integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Unique in its history.
    pub id: u64,
    /// The process that invoked it; a process has at most one open operation.
    pub process: u32,
    /// The session it belongs to; a session outlives its processes.
    pub session: u32,
    /// The object it is about; empty where the model has only one.
    pub key: SmolStr,
    /// What was asked: `read`, `write`, `cas`, `add` …
    pub function: SmolStr,
    /// What it was asked with; a cas takes `[expected, new]`.
    pub argument: Value,
    /// What the client learned; `Nil` unless the outcome is `Ok`. A cas answers `true` or `false`.
    pub result: Value,
    /// How it ended.
    pub outcome: Outcome,
    /// When it was invoked.
    pub invoke: Moment,
    /// When the client learned the outcome; [`Moment::NEVER`] if the history ends before.
    pub complete: Moment,
    /// What else is known, boxed because most histories have none.
    pub details: Option<Box<Details>>,
}

impl Operation {
    /// Whether it certainly took effect.
    pub fn is_ok(&self) -> bool {
        self.outcome == Outcome::Ok
    }

    /// Whether it may have taken effect, now or at any later time.
    pub fn is_info(&self) -> bool {
        self.outcome == Outcome::Info
    }

    /// Where its effect must stand at the latest: its completion if `Ok`, else [`Moment::NEVER`].
    pub fn effect_by(&self) -> Moment {
        if self.is_ok() { self.complete } else { Moment::NEVER }
    }

    /// Whether its client learned the outcome before `other` was invoked.
    pub fn precedes(&self, other: &Self) -> bool {
        self.effect_by().index < other.invoke.index
    }

    /// The details, made if there are none yet.
    pub fn details_mut(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }
}
