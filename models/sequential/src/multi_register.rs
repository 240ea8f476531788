//! Registers that are read and written several at once.
//!
//! ```text
//! x = 0, y = 0   txn [["write", "x", 1], ["read", "y", nil]] → x = 1, y = 0, answers y = 0
//! ```
//! An operation is a list of `[function, register, value]`, done in their order and all at once; it
//! answers the same list with what it read filled in. Whatever its function is called, the argument
//! says what it does.
//! Source: the multi-register of Jepsen's Knossos.

use rustc_hash::FxHashMap;
use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::values::numbered;
use crate::{Effect, Model, ModelError, Values, learned};

/// Lists of reads and writes; at first every register is nil, or what [`Model::start_at`] says in a
/// list of `[register, value]`.
#[derive(Clone, Debug, Default)]
pub struct MultiRegister {
    numbers: FxHashMap<Value, u32>,
    values: Values,
    initial: Vec<u32>,
}

/// What is done to one register; values by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// The register, by its number.
    pub register: u32,
    /// What was found there before, if somebody knows.
    pub found: Option<u32>,
    /// What is left there, unless it is as it was.
    pub left: Option<u32>,
}

/// What an operation does to registers, each at most once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It does all this at once.
    All(Vec<Access>),
    /// It read something else than what it had written or read itself.
    Broken,
}

impl Model for MultiRegister {
    /// The value of each register, by numbers; those that are initial at the end are left out.
    type State = Vec<u32>;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "multi-register",
        doc: "Registers, at first nil. The argument of an operation is a list of \
              `[\"read\", register, nil]` and `[\"write\", register, value]`, done in this order and \
              all at once; its result is the same list with what was read filled in.",
    };

    fn initial(&self) -> Vec<u32> {
        self.initial.clone()
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        let wrong = || ModelError::wrong_initial::<Self>(initial);
        for pair in initial.as_list().ok_or_else(wrong)? {
            let (register, value) = pair.as_pair().ok_or_else(wrong)?;
            let register = self.register(register);
            let value = self.values.number(value);
            put(&mut self.initial, register, value);
        }
        Ok(())
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        let known = learned(operation).filter(|result| !result.is_nil());
        let list = known.unwrap_or(&operation.argument);
        let wrong = || {
            let wanted = "a list of [\"read\" or \"write\", register, value]";
            ModelError::wrong_value(operation, wanted, list)
        };
        let mut all = Vec::<Access>::new();
        let mut broken = false;
        for entry in list.as_list().ok_or_else(wrong)? {
            let [function, register, value] = entry.as_list().ok_or_else(wrong)? else {
                return Err(wrong());
            };
            let register = self.register(register);
            let access = access(&mut all, register);
            match function {
                Value::Text(read) if read == "read" => {
                    let value = known.map(|_| self.values.number(value));
                    broken |= !access.read(value);
                }
                Value::Text(write) if write == "write" => {
                    access.left = Some(self.values.number(value));
                }
                _ => return Err(wrong()),
            }
        }
        all.sort_by_key(|access| access.register);
        Ok(if broken { Step::Broken } else { Step::All(all) })
    }

    fn step(&self, state: &Vec<u32>, step: &Step) -> Option<Vec<u32>> {
        let Step::All(all) = step else {
            return None;
        };
        let legal = |access: &Access| access.found.is_none_or(|value| value == get(state, access));
        if !all.iter().all(legal) {
            return None;
        }
        let mut next = state.clone();
        for access in all {
            access.left.inspect(|value| put(&mut next, access.register, *value));
        }
        Some(next)
    }

    fn show(&self, state: &Vec<u32>) -> String {
        let told = |(register, value): (usize, &u32)| {
            format!("{} {}", numbered(&self.numbers, register as u32), self.values.value(*value))
        };
        state.iter().enumerate().map(told).collect::<Vec<_>>().join(", ")
    }

    fn effect(&self, step: &Step) -> Effect {
        match step {
            Step::All(all) if all.iter().any(|access| access.left.is_some()) => Effect::Any,
            _ => Effect::None,
        }
    }

    fn out_of_reach(&self, _: &Vec<u32>, goal: &Step) -> bool {
        *goal == Step::Broken
    }

    /// It helps a read that finds all it leaves there, some of which was not there before.
    fn helps(&self, state: &Vec<u32>, step: &Step, read: &Step) -> bool {
        let mut common = meetings(step, read).filter_map(|(one, other)| {
            let (left, found) = (one.left?, other.found?);
            Some((left == found, found != get(state, one)))
        });
        let mut new = false;
        common.all(|(fits, differs)| {
            new |= differs;
            fits
        }) && new
    }

    fn leads_to(&self, step: &Step, goal: &Step) -> bool {
        let mut common = meetings(step, goal).filter_map(|(one, other)| one.left.zip(other.found));
        let mut met = false;
        common.all(|(left, found)| {
            met = true;
            left == found
        }) && met
    }

    /// They touch each other in a register that one of them writes.
    fn touches(&self, one: &Step, other: &Step) -> bool {
        meetings(one, other).any(|(one, other)| one.left.is_some() || other.left.is_some())
    }
}

impl MultiRegister {
    fn register(&mut self, name: &Value) -> u32 {
        let next = self.numbers.len() as u32;
        match self.numbers.get(name) {
            Some(number) => *number,
            None => *self.numbers.entry(name.clone()).or_insert(next),
        }
    }
}

impl Access {
    /// Reads the register; whether what is read is what was written or read before.
    fn read(&mut self, value: Option<u32>) -> bool {
        match (self.left.or(self.found), value) {
            (_, None) => true,
            (None, value) => {
                self.found = value;
                true
            }
            (own, value) => own == value,
        }
    }
}

/// What is done to a register; nothing so far if it is new.
fn access(all: &mut Vec<Access>, register: u32) -> &mut Access {
    let known = all.iter().position(|access| access.register == register);
    let place = known.unwrap_or_else(|| {
        all.push(Access { register, found: None, left: None });
        all.len() - 1
    });
    &mut all[place]
}

/// What two steps do to the registers that both name.
fn meetings<'a>(one: &'a Step, other: &'a Step) -> impl Iterator<Item = (&'a Access, &'a Access)> {
    let of = |step: &'a Step| match step {
        Step::All(all) => all.as_slice(),
        Step::Broken => &[],
    };
    let others = of(other);
    of(one).iter().filter_map(move |one| {
        let place = others.binary_search_by_key(&one.register, |other| other.register).ok()?;
        Some((one, &others[place]))
    })
}

fn get(state: &[u32], access: &Access) -> u32 {
    state.get(access.register as usize).copied().unwrap_or(crate::INITIAL)
}

fn put(state: &mut Vec<u32>, register: u32, value: u32) {
    let place = register as usize;
    if state.len() <= place {
        state.resize(place + 1, crate::INITIAL);
    }
    state[place] = value;
    while state.last() == Some(&crate::INITIAL) {
        state.pop();
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Value};

    use super::MultiRegister;
    use crate::testing::{check, check_refused, info, ok};
    use crate::{Model, replay};

    fn list(accesses: &[(&str, &str, Value)]) -> Value {
        Value::list(accesses.iter().map(|(function, register, value)| {
            Value::list([(*function).into(), (*register).into(), value.clone()])
        }))
    }

    fn txn(accesses: &[(&str, &str, Value)]) -> Operation {
        ok("txn", list(accesses), list(accesses))
    }

    #[test]
    fn all_is_read_and_written_at_once() {
        let write = txn(&[("write", "x", 1.into()), ("write", "y", 2.into())]);
        let both = |x: i64, y: i64| txn(&[("read", "x", x.into()), ("read", "y", y.into())]);
        check::<MultiRegister>(&[txn(&[("read", "x", Value::Nil)])], true);
        check::<MultiRegister>(&[write.clone(), both(1, 2)], true);
        check::<MultiRegister>(&[write.clone(), both(1, 1)], false);
        let swap = txn(&[("read", "x", 1.into()), ("write", "x", 3.into())]);
        check::<MultiRegister>(&[write.clone(), swap.clone(), both(3, 2)], true);
        check::<MultiRegister>(&[write, swap.clone(), swap], false);

        let mut zeros = MultiRegister::default();
        let pair = |name: &str| Value::pair(name.into(), 0.into());
        zeros.start_at(&Value::list([pair("x"), pair("y")])).unwrap();
        assert_eq!(replay(zeros, &[both(0, 0)]), Ok(true));
    }

    #[test]
    fn an_operation_sees_what_it_wrote_itself() {
        let own = |value: i64| txn(&[("write", "x", 1.into()), ("read", "x", value.into())]);
        check::<MultiRegister>(&[own(1)], true);
        check::<MultiRegister>(&[own(2)], false);
        check::<MultiRegister>(
            &[txn(&[("read", "x", Value::Nil), ("read", "x", 1.into())])],
            false,
        );
    }

    #[test]
    fn nobody_knows_what_an_operation_in_doubt_has_read() {
        let argument = list(&[("read", "x", Value::Nil), ("write", "y", 1.into())]);
        let write = txn(&[("write", "x", 7.into())]);
        check::<MultiRegister>(
            &[write, info("txn", argument), txn(&[("read", "y", 1.into())])],
            true,
        );
    }

    #[test]
    fn what_is_no_list_of_reads_and_writes_is_refused() {
        check_refused::<MultiRegister>(
            ok("txn", 7, Value::Nil),
            "operation 0: txn needs a list of [\"read\" or \"write\", register, value], not 7",
        );
        let append = list(&[("append", "x", 1.into())]);
        check_refused::<MultiRegister>(
            ok("txn", append, Value::Nil),
            "operation 0: txn needs a list of [\"read\" or \"write\", register, value], \
             not [[\"append\", \"x\", 1]]",
        );
        assert!(MultiRegister::default().start_at(&7.into()).is_err());
    }
}
