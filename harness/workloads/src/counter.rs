//! `counter`: sums that clients add to, so that an update that overwrites another shows in the sum.

use wrack_history::Value;
use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind, WorkloadInfo};
use wrack_sim::Stream;
use wrack_sim::client::Argument;

use crate::{Entry, Question, read_key, start_at_nil};

/// The largest delta that a scenario may ask for.
const DELTA_MAX: i64 = 1_000_000;

/// The workload `counter`.
pub const ENTRY: Entry = Entry {
    info: &WorkloadInfo {
        name: "counter",
        doc: "A sum under each key. `increment` adds a whole number from 1 to `delta_max` and \
              answers the new sum; `read` returns the sum. The final sum says how many increments \
              survived: one that is missing was lost, one too many was carried out twice. \
              Increments of 1 are alike, which keeps the search for a linearization short.",
        functions: &["increment", "read"],
        model: "counter",
        parameters: &[ParameterInfo::new(
            "delta_max",
            ParameterKind::Integer { min: 1, max: DELTA_MAX },
            DefaultSetting::Integer(1),
            "the most that one increment adds",
        )],
    },
    argument,
    initial: start_at_nil,
    last_read: read_key,
};

fn argument(question: &Question<'_>, stream: &mut Stream) -> Argument {
    let delta_max = question.settings.integer("delta_max").unwrap_or(1);
    Argument::Value(match question.function {
        "increment" => Value::Integer(1 + stream.below(delta_max as u64) as i64),
        _ => Value::Nil,
    })
}

#[cfg(test)]
mod tests {
    use wrack_history::{Setting, Settings, Value};
    use wrack_sim::client::Argument;

    use super::ENTRY;
    use crate::plan::tests::{argument_of, arguments_with};

    #[test]
    fn increments_add_one_unless_the_scenario_allows_more() {
        assert_eq!(argument_of(&ENTRY, "increment"), Argument::Value(1.into()));
        assert_eq!(argument_of(&ENTRY, "read"), Argument::Value(Value::Nil));
        let settings = Settings::default().with("delta_max", Setting::Integer(3));
        let drawn = arguments_with(&ENTRY, "increment", &settings);
        for delta in 1..=3 {
            assert!(drawn.contains(&Argument::Value(delta.into())), "{drawn:?}");
        }
    }
}
