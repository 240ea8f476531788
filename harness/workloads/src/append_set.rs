//! `append-set`: elements are added and never removed, so that none can be lost unseen.

use wrack_history::Value;
use wrack_history::catalogue::WorkloadInfo;
use wrack_sim::Stream;
use wrack_sim::client::Argument;

use crate::{Entry, Question, read_key, start_at_nil};

/// The workload `append-set`.
pub const ENTRY: Entry = Entry {
    info: &WorkloadInfo {
        name: "append-set",
        doc: "A growing set under each key. `add` adds an element that no other operation of the \
              run adds, and `read` returns all of them. Nothing is ever overwritten: an \
              acknowledged element that is missing at the end was lost, and one that stands there \
              twice was added twice. A read grows with its set, so keep reads rare or keys many: \
              ten thousand elements in a thousand reads are ten million values to keep and check.",
        functions: &["add", "read"],
        model: "set",
        parameters: &[],
    },
    argument,
    initial: start_at_nil,
    last_read: read_key,
};

fn argument(question: &Question<'_>, _: &mut Stream) -> Argument {
    Argument::Value(match question.function {
        "add" => Value::Integer(question.unique),
        _ => Value::Nil,
    })
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;
    use wrack_sim::client::Argument;

    use super::ENTRY;
    use crate::plan::tests::argument_of;

    #[test]
    fn every_element_is_unique() {
        let check = |function, expected| {
            assert_eq!(argument_of(&ENTRY, function), Argument::Value(expected));
        };
        check("add", 7.into());
        check("read", Value::Nil);
    }
}
