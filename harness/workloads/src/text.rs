//! `text`: many people write one text, a word at a time.

use wrack_history::Value;
use wrack_history::catalogue::WorkloadInfo;
use wrack_sim::Stream;
use wrack_sim::client::Argument;

use crate::{Entry, Question, read_key, start_at_nil};

/// The workload `text`.
pub const ENTRY: Entry = Entry {
    info: &WorkloadInfo {
        name: "text",
        doc: "A text under each key, written by many at once. `add` writes a word that no other operation \
              of the run writes; where it stands, the design says. `remove` takes out a word that was \
              planned to be written before, whether it is there or not, and `read` returns all words in \
              their order. As a set it is judged by which words are there, each once; that all replicas \
              have them in one order is what CONV and SEC say. A word that is written at two replicas, \
              because its client tried again, stands there twice: let clients try once.",
        functions: &["add", "remove", "read"],
        model: "set",
        parameters: &[],
    },
    argument,
    initial: start_at_nil,
    last_read: read_key,
};

fn argument(question: &Question<'_>, stream: &mut Stream) -> Argument {
    Argument::Value(match question.function {
        "add" => Value::Integer(question.unique),
        "remove" => Value::Integer(1 + stream.below(question.unique as u64) as i64),
        _ => Value::Nil,
    })
}

#[cfg(test)]
mod tests {
    use wrack_history::{Settings, Value};
    use wrack_sim::client::Argument;

    use super::ENTRY;
    use crate::plan::tests::{argument_of, arguments_with};

    #[test]
    fn words_are_unique_and_an_earlier_one_is_removed() {
        assert_eq!(argument_of(&ENTRY, "add"), Argument::Value(7.into()));
        assert_eq!(argument_of(&ENTRY, "read"), Argument::Value(Value::Nil));
        let removed = arguments_with(&ENTRY, "remove", &Settings::default());
        for word in 1..=7 {
            assert!(removed.contains(&Argument::Value(word.into())), "{removed:?}");
        }
        assert!(!removed.contains(&Argument::Value(8.into())));
    }
}
