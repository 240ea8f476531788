//! `payments`: customers are charged, and every charge must happen once.

use wrack_history::Value;
use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind, WorkloadInfo};
use wrack_sim::Stream;
use wrack_sim::client::Argument;

use crate::{Entry, Question, read_key, start_at_nil};

/// The largest amount that a scenario may ask for.
const AMOUNT_MAX: i64 = 1_000_000;

/// The workload `payments`.
pub const ENTRY: Entry = Entry {
    info: &WorkloadInfo {
        name: "payments",
        doc: "Customers, one under each key, are charged. `charge` takes an amount from 1 to \
              `amount_max`; `read` returns what the customer has paid in all. Amounts repeat, as \
              those of real purchases do: two charges of one amount to one customer are two \
              charges.",
        functions: &["charge", "read"],
        model: "counter",
        parameters: &[ParameterInfo::new(
            "amount_max",
            ParameterKind::Integer { min: 1, max: AMOUNT_MAX },
            DefaultSetting::Integer(20),
            "the most that one charge takes",
        )],
    },
    argument,
    initial: start_at_nil,
    last_read: read_key,
};

fn argument(question: &Question<'_>, stream: &mut Stream) -> Argument {
    let amount_max = question.settings.integer("amount_max").unwrap_or(20);
    Argument::Value(match question.function {
        "charge" => Value::Integer(1 + stream.below(amount_max as u64) as i64),
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
    fn charges_take_every_amount_up_to_the_most() {
        assert_eq!(argument_of(&ENTRY, "read"), Argument::Value(Value::Nil));
        let settings = Settings::default().with("amount_max", Setting::Integer(3));
        let drawn = arguments_with(&ENTRY, "charge", &settings);
        for amount in 1..=3 {
            assert!(drawn.contains(&Argument::Value(amount.into())), "{drawn:?}");
        }
        assert!(drawn.iter().all(|drawn| *drawn != Argument::Value(4.into())));
    }
}
