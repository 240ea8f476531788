//! `cart`: a sum and a set under each key, for replicas that change both at the same time.

use wrack_history::Value;
use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind, WorkloadInfo};
use wrack_sim::Stream;
use wrack_sim::client::Argument;

use crate::{Entry, Question, read_key, start_at_nil};

/// The workload `cart`.
pub const ENTRY: Entry = Entry {
    info: &WorkloadInfo {
        name: "cart",
        doc: "A sum and a set of elements under each key. `increment` adds a whole number from -2 to 3, \
              but not 0; `add` and `remove` put in and take out one of a few elements, so that clients \
              meet over them; `read` returns the pair of sum and elements. Of two clients in two \
              places one adds what the other removes, and both change the sum: what comes of it, a \
              design must say and keep to.",
        functions: &["increment", "add", "remove", "read"],
        model: "cart",
        parameters: &[ParameterInfo::new(
            "elements",
            ParameterKind::Integer { min: 1, max: 1_000 },
            DefaultSetting::Integer(10),
            "how many different elements are added and removed",
        )],
    },
    argument,
    initial: start_at_nil,
    last_read: read_key,
};

fn argument(question: &Question<'_>, stream: &mut Stream) -> Argument {
    const DELTAS: [i64; 5] = [-2, -1, 1, 2, 3];
    let elements = question.settings.integer("elements").unwrap_or(10);
    Argument::Value(match question.function {
        "increment" => Value::Integer(DELTAS[stream.below(DELTAS.len() as u64) as usize]),
        "add" | "remove" => Value::Integer(1 + stream.below(elements as u64) as i64),
        _ => Value::Nil,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wrack_history::{Setting, Settings, Value};
    use wrack_sim::client::Argument;

    use super::ENTRY;
    use crate::plan::tests::{argument_of, arguments_with};

    #[test]
    fn a_few_elements_and_small_steps_are_drawn() {
        let settings = Settings::default().with("elements", Setting::Integer(3));
        let drawn = |function| -> BTreeSet<i64> {
            let integer = |argument: &Argument| match argument {
                Argument::Value(value) => value.as_integer().unwrap(),
                Argument::FromSeen(_) => panic!("nothing depends on what was seen"),
            };
            arguments_with(&ENTRY, function, &settings).iter().map(integer).collect()
        };
        assert_eq!(drawn("add"), BTreeSet::from([1, 2, 3]));
        assert_eq!(drawn("remove"), BTreeSet::from([1, 2, 3]));
        assert_eq!(drawn("increment"), BTreeSet::from([-2, -1, 1, 2, 3]));
        assert_eq!(argument_of(&ENTRY, "read"), Argument::Value(Value::Nil));
    }
}
