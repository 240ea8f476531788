//! A mutex: acquired and released in turn.
//!
//! What stands at each place of a legal order is known beforehand: an acquire where it is free, a
//! release where it is held. That is a [succession](super::succession) of two classes, without an end.

use wrack_history::Operation;
use wrack_sequential::mutex::{Mutex, Step};
use wrack_sequential::{Model, ModelError, Specification};

use super::call::{Answer, Core, calls};
use super::succession::{Part, Succession, follow};

const ACQUIRE: u32 = 0;
const RELEASE: u32 = 1;

/// Decides one mutex, and says how.
pub(super) fn decide(
    specification: Specification<'_>,
    operations: &[&Operation],
) -> Result<(Answer, &'static str), ModelError> {
    let mut model: Mutex = specification.start()?;
    let calls = calls(&mut model, operations)?;
    let part = |step: Step| match step {
        Step::Acquire => Part::Change(ACQUIRE),
        Step::Release => Part::Change(RELEASE),
    };
    let parts: Vec<Part> = calls.iter().map(|call| part(call.step)).collect();
    let succession = Succession {
        start: u64::from(model.initial()),
        classes: 2,
        class_at: |state: u64| Some(if state.is_multiple_of(2) { ACQUIRE } else { RELEASE }),
    };
    let answer = match follow(&calls, &parts, &succession) {
        Ok(()) => Answer::Linearizable,
        Err(stuck) => Answer::Contradiction(Core::Stuck(calls[stuck.goal as usize].complete)),
    };
    Ok((answer, "taking turns"))
}
