//! A mutex: held or free.
//!
//! ```text
//! free  acquire → held   release → free   acquire → held
//! ```
//! It does not matter who releases it. A client that gave up waiting goes on under the name of
//! another process and may hold what its former self acquired, so a holder by process would find
//! anomalies where there are none. An attempt that was turned away is a failed operation, and took
//! no effect.
//! Source: Jepsen's Knossos, whose mutex has no owner either.

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::{Model, ModelError};

/// `acquire` and `release`; at first it is free, or held if [`Model::start_at`] is given `true`.
#[derive(Clone, Debug, Default)]
pub struct Mutex {
    held: bool,
}

/// What an operation does to a mutex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It was free and is held.
    Acquire,
    /// It was held and is free.
    Release,
}

impl Model for Mutex {
    /// Whether it is held.
    type State = bool;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "mutex",
        doc: "Held or free, at first free. `acquire` is legal if it is free, `release` if it is held, \
              whoever holds it. An attempt that was turned away is a failed operation.",
    };

    fn initial(&self) -> bool {
        self.held
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        match initial {
            Value::Bool(held) => self.held = *held,
            _ => return Err(ModelError::wrong_initial::<Self>(initial)),
        }
        Ok(())
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        match operation.function.as_str() {
            "acquire" => Ok(Step::Acquire),
            "release" => Ok(Step::Release),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn show(&self, held: &bool) -> String {
        if *held { "held" } else { "free" }.to_owned()
    }

    fn step(&self, held: &bool, step: &Step) -> Option<bool> {
        let acquires = *step == Step::Acquire;
        (*held != acquires).then_some(acquires)
    }

    /// A mutex that is to be acquired must be free, so the last step released it; and the reverse.
    fn leads_to(&self, step: &Step, goal: &Step) -> bool {
        step != goal
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Outcome, Value};

    use super::Mutex;
    use crate::testing::{check, check_refused, info, ok};
    use crate::{Model, replay};

    #[test]
    fn a_mutex_is_acquired_and_released_in_turn() {
        let acquire = ok("acquire", Value::Nil, Value::Nil);
        let release = ok("release", Value::Nil, Value::Nil);
        check::<Mutex>(&[acquire.clone(), release.clone(), acquire.clone()], true);
        check::<Mutex>(&[acquire.clone(), acquire.clone()], false);
        check::<Mutex>(std::slice::from_ref(&release), false);
        check::<Mutex>(&[acquire.clone(), info("release", Value::Nil), acquire.clone()], true);

        let mut refused = acquire.clone();
        refused.outcome = Outcome::Fail;
        check::<Mutex>(&[acquire.clone(), refused, release.clone()], true);

        let mut held = Mutex::default();
        held.start_at(&true.into()).unwrap();
        assert_eq!(replay(held.clone(), [&release, &acquire]), Ok(true));
        assert_eq!(replay(held, [&acquire]), Ok(false));
    }

    #[test]
    fn a_mutex_is_not_read() {
        check_refused::<Mutex>(
            ok("read", Value::Nil, true),
            "operation 0: the model mutex has no function \"read\"",
        );
        let error = Mutex::default().start_at(&7.into()).expect_err("7 is no state");
        assert_eq!(error.to_string(), "the object of the model mutex cannot start at 7");
    }
}
