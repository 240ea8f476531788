//! Key-value stores: registers, if one reads the texts rightly.
//!
//! # Without appends
//! A value that is only written, read, deleted, compared and set is a register: a delete writes the
//! missing value.
//!
//! # With appends
//! Let a *piece* be a text that is written or appended. Let none be empty, none the beginning of
//! another or of the initial text, and let no two writes write the same. Then every text that a legal
//! order can leave is, in one way only, a written piece, or the initial text, and the pieces appended
//! to it since. If, besides, no piece is used twice, each names its operation. So an ok read tells the
//! order of all changes since the last write, and the history is one of a register with cas:
//!
//! * a write leaves a state of its own, its piece alone;
//! * an append that some read shows is a cas from the state that the text before it names to the
//!   state that the text up to it names;
//! * an append that no read shows is a write of a value that nobody sees: before the next write
//!   follow only appends of its kind, because whoever reads or shows something after it shows it too.
//!   If it is in doubt it is left out;
//! * a read sees the state that its text names.
//!
//! Legal orders are the same. Of two reads that begin with the same write one must continue the other,
//! and an append stands in one place only; otherwise the reads contradict each other. Every state is
//! left by one operation at most, so the zones of [`super::register`] decide.
//!
//! # Pieces that are appended more than once
//! The texts still tell where such a piece stands, but not which of its appends that is. In a legal
//! order each of its places is taken by one of them, another one each time, and the rest is seen by no
//! read. So the history is linearizable iff it is for some way to give them their places. An append
//! can take a place only if it was invoked before every read that shows the place had completed, and
//! had not completed before a read that shows less of the same write, or the write itself, was
//! invoked. That leaves few ways, which are tried one by one.
//!
//! A piece that is both written and appended may begin a text in both ways, if the initial text is
//! empty. As an append it is the first change of all, so no other had completed before it was invoked;
//! and a read that shows it so was invoked before any write had completed. As a write it had been
//! invoked before the read completed. Where both fit a read, the search decides.
//!
//! With both appends and cas, with pieces that do not come apart so, and with too many ways, the search
//! decides.
//!
//! Source: the stores that Porcupine judges; the reduction is ours.

use wrack_history::{Operation, Value};
use wrack_sequential::cas_register::{self, CasRegister};
use wrack_sequential::kv::{KeyValue, Step};
use wrack_sequential::{Model, ModelError, Specification, Values};

use super::call::{Answer, Call, calls};
use super::register;
use super::search::{Hints, search};
use pieces::{Kind, Pieces};
use texts::Texts;

pub(super) mod pieces;
mod texts;

/// Decides one key, and says how.
pub(super) fn decide(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    let mut model: KeyValue = specification.start()?;
    let calls = calls(&mut model, operations)?;
    let has = |of: fn(&Step) -> bool| calls.iter().any(|call| of(&call.step));
    if !has(|step| matches!(step, Step::Append(_))) {
        return Ok(as_register(&model, &calls, states_max));
    }
    let compares = has(|step| matches!(step, Step::Cas { .. } | Step::Differs(_)));
    let initial = model.initial();
    let pieces = if compares { None } else { Pieces::new(&initial, written(&calls)) };
    let texts = pieces.map(|pieces| Texts { calls: &calls, pieces });
    let mut states_left = states_max;
    let decided =
        texts.filter(Texts::are_told_apart).and_then(|texts| texts.decide(&mut states_left));
    Ok(match decided {
        Some(answer) => (answer, "zones of recovered texts"),
        None => (search(&model, &calls, &Hints::NONE, states_left), "just-in-time search"),
    })
}

/// Decides what nobody appends to.
fn as_register(model: &KeyValue, calls: &[Call<Step>], states_max: u64) -> (Answer, &'static str) {
    let mut values = Values::default();
    values.start_at(&model.initial());
    let mut number = |value: &Value| values.number(value);
    let mut step = |step: &Step| match step {
        Step::Read(found) => cas_register::Step::Read(found.as_ref().map(&mut number)),
        Step::Write(value) => cas_register::Step::Write(number(value)),
        Step::Cas { expected, new } => {
            cas_register::Step::Cas { expected: number(expected), new: number(new) }
        }
        Step::Differs(value) => cas_register::Step::Differs(number(value)),
        Step::Append(_) => unreachable!("nothing is appended"),
    };
    let calls: Vec<Call<cas_register::Step>> =
        calls.iter().map(|call| call.with(step(&call.step), call.effect)).collect();
    register::decide_calls(&CasRegister { values }, calls, states_max)
}

/// What was written and appended, and by which calls.
fn written(calls: &[Call<Step>]) -> impl Iterator<Item = (&Value, Kind, u32)> {
    calls.iter().enumerate().filter_map(|(index, call)| match &call.step {
        Step::Write(text) => Some((text, Kind::Write, index as u32)),
        Step::Append(text) => Some((text, Kind::Append, index as u32)),
        _ => None,
    })
}
