//! `register`: one value under each key, written, read and compared-and-set.

use wrack_history::Value;
use wrack_history::catalogue::WorkloadInfo;
use wrack_sim::Stream;
use wrack_sim::client::Argument;

use crate::{Entry, Question, read_key, start_at_nil};

/// The workload `register`.
pub const ENTRY: Entry = Entry {
    info: &WorkloadInfo {
        name: "register",
        doc: "One value under each key. `write` writes a value that no other operation of the run \
              writes, so that a read names the write it saw. `cas` goes from what its client last \
              saw under the key to such a value; a client that has seen nothing expects nil. \
              `read` reads. Few keys make contention, and many cas under contention make refusals; \
              a lost write shows only if nothing overwrote it, so use `append-set` to look for \
              losses.",
        functions: &["read", "write", "cas"],
        model: "cas-register",
        parameters: &[],
    },
    argument,
    initial: start_at_nil,
    last_read: read_key,
};

fn argument(question: &Question<'_>, _: &mut Stream) -> Argument {
    match question.function {
        "write" => Argument::Value(Value::Integer(question.unique)),
        "cas" => Argument::FromSeen(Value::Integer(question.unique)),
        _ => Argument::Value(Value::Nil),
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;
    use wrack_sim::client::Argument;

    use super::ENTRY;
    use crate::plan::tests::argument_of;

    #[test]
    fn writes_are_unique_and_a_cas_starts_from_what_was_seen() {
        let check = |function, expected| assert_eq!(argument_of(&ENTRY, function), expected);
        check("read", Argument::Value(Value::Nil));
        check("write", Argument::Value(7.into()));
        check("cas", Argument::FromSeen(7.into()));
    }
}
