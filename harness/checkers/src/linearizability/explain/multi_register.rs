//! What contradicts itself in several registers.

use wrack_history::{Operation, Outcome, Value};

use super::{Story, Told, told};
use crate::words::{done_at, of};

impl<'a> Story<'a> {
    pub(super) fn multi_register(&self) -> Option<Told<'a>> {
        self.small.iter().filter(|one| one.is_ok()).find_map(|read| {
            let (register, value) =
                accesses(read, "read").find(|(register, value)| self.is_from_nowhere(register, value))?;
            let full = self.full(read);
            let text = format!(
                "process {} read {value} in {register}{} at {}, but nobody ever wrote {value} there",
                full.process,
                of(full),
                done_at(full),
            );
            told(text, [read])
        })
    }

    fn is_from_nowhere(&self, register: &Value, value: &Value) -> bool {
        let initial = self.initial.as_list().unwrap_or_default().iter();
        let first = initial.filter_map(Value::as_pair).find(|(name, _)| *name == register);
        let writers = self.whole.iter().filter(|one| one.outcome != Outcome::Fail);
        let mut written = writers.flat_map(|writer| accesses(writer, "write"));
        first.map_or(&Value::Nil, |(_, value)| value) != value
            && !written.any(|written| written == (register, value))
    }
}

/// The registers that an operation reads or writes, with the values.
fn accesses<'a>(
    operation: &'a Operation,
    function: &str,
) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    let list = if operation.result.is_nil() { &operation.argument } else { &operation.result };
    list.as_list().unwrap_or_default().iter().filter_map(move |access| match access.as_list()? {
        [name, register, value] if *name == function.into() => Some((register, value)),
        _ => None,
    })
}
