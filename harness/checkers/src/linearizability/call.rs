//! One key of a history in compact form.

use wrack_history::{Operation, Outcome};
use wrack_sequential::{Effect, Model, ModelError};

/// An operation that took effect or may have.
#[derive(Clone, Debug)]
pub(super) struct Call<S> {
    /// What it does.
    pub step: S,
    /// How it treats the state.
    pub effect: Effect,
    /// Its position among the operations of the key.
    pub operation: u32,
    /// Whether it certainly took effect.
    pub required: bool,
    /// Index of its invocation in the history.
    pub invoke: u64,
    /// Index of the event by which it took effect; `u64::MAX` unless required.
    pub complete: u64,
    /// Index of the event after which a doubtful call can no longer take effect; `u64::MAX` if unknown.
    pub expires: u64,
    /// Whether an overwriting call may leave no mark, because another one follows at once.
    pub absorbable: bool,
    /// Index of the last completion that can have seen what it left; `u64::MAX` if unknown.
    pub wanted_until: u64,
    /// Whether somebody may need no more than that the state before it is gone.
    pub displaces: bool,
}

impl<S> Call<S> {
    /// The same call of another model.
    pub fn with<T>(&self, step: T, effect: Effect) -> Call<T> {
        Call {
            step,
            effect,
            operation: self.operation,
            required: self.required,
            invoke: self.invoke,
            complete: self.complete,
            expires: self.expires,
            absorbable: self.absorbable,
            wanted_until: self.wanted_until,
            displaces: self.displaces,
        }
    }
}

/// What a decision procedure says of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// There is a legal order.
    Linearizable,
    /// There is none.
    Contradiction(Core),
    /// A bound was met.
    Unknown(String),
}

/// Where a contradiction is to be sought; operations by their positions within the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Core {
    /// No order was left at the event of this index.
    Stuck(u64),
    /// These operations contradict each other by themselves.
    Among(Vec<u32>),
}

/// The calls of one key, in order of invocation. Operations that failed have none, nor have reads
/// in doubt: they change nothing, and nobody knows what they saw.
pub(super) fn calls<M: Model>(
    model: &mut M,
    operations: &[&Operation],
) -> Result<Vec<Call<M::Step>>, ModelError> {
    let mut calls = Vec::with_capacity(operations.len());
    for (position, operation) in operations.iter().enumerate() {
        if operation.outcome == Outcome::Fail {
            continue;
        }
        let step = model.compile(operation)?;
        let effect = model.effect(&step);
        if effect == Effect::None && !operation.is_ok() {
            continue;
        }
        calls.push(Call {
            step,
            effect,
            operation: position as u32,
            required: operation.is_ok(),
            invoke: operation.invoke.index,
            complete: operation.effect_by().index,
            expires: u64::MAX,
            absorbable: true,
            wanted_until: u64::MAX,
            displaces: true,
        });
    }
    Ok(calls)
}

/// What happens to calls, in order of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The call was invoked.
    Invoke(u32),
    /// The call, a required one, completed.
    Complete(u32),
    /// The call, a doubtful one, can no longer take effect.
    Expire(u32),
}

/// The events of calls that are in order of invocation, in order of the history.
pub(super) fn events<S>(calls: &[Call<S>]) -> Vec<Event> {
    let mut ends = Vec::with_capacity(calls.len());
    ends.extend(calls.iter().enumerate().filter_map(|(index, call)| match call.required {
        true => Some((call.complete, false, index as u32)),
        false => (call.expires < u64::MAX).then_some((call.expires, true, index as u32)),
    }));
    ends.sort_unstable();
    let event = |(_, expires, call): (u64, bool, u32)| match expires {
        true => Event::Expire(call),
        false => Event::Complete(call),
    };
    let mut ends = ends.into_iter().peekable();
    let mut events = Vec::with_capacity(2 * calls.len());
    for (index, call) in calls.iter().enumerate() {
        while let Some(end) = ends.next_if(|(at, ..)| *at < call.invoke) {
            events.push(event(end));
        }
        events.push(Event::Invoke(index as u32));
    }
    events.extend(ends.map(event));
    events
}
