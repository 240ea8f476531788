//! A source of unique identifiers.
//!
//! ```text
//! {}  generate = 7 → {7}   generate = "a" → {7, "a"}
//! ```
//! Source: the unique-ids workload of Jepsen and Maelstrom.

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::set::Elements;
use crate::{Model, ModelError, Values, learned};

/// `generate`, which answers an identifier that nobody got before.
#[derive(Clone, Debug, Default)]
pub struct UniqueIds {
    /// The numbers of the identifiers.
    pub values: Values,
}

/// The identifier that was handed out, by its number; `None` if nobody knows which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generate(pub Option<u32>);

impl Model for UniqueIds {
    /// The identifiers that were handed out.
    type State = Elements;
    type Step = Generate;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "unique-ids",
        doc: "`generate` answers an identifier, any value that nobody got before.",
    };

    fn initial(&self) -> Elements {
        Elements::default()
    }

    fn compile(&mut self, operation: &Operation) -> Result<Generate, ModelError> {
        match operation.function.as_str() {
            "generate" => Ok(Generate(learned(operation).map(|id| self.values.number(id)))),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn show(&self, given: &Elements) -> String {
        let known =
            0..u32::try_from(self.values.count()).expect("a key has fewer than 2^32 values");
        let given = known.filter(|id| given.has(*id));
        Value::list(given.map(|id| self.values.value(id))).to_string()
    }

    fn step(&self, given: &Elements, step: &Generate) -> Option<Elements> {
        match step.0 {
            None => Some(given.clone()),
            Some(id) => (!given.has(id)).then(|| given.with(id)),
        }
    }

    fn out_of_reach(&self, given: &Elements, goal: &Generate) -> bool {
        goal.0.is_some_and(|id| given.has(id))
    }

    fn leads_to(&self, _: &Generate, _: &Generate) -> bool {
        false
    }

    fn touches(&self, one: &Generate, other: &Generate) -> bool {
        one == other
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::UniqueIds;
    use crate::testing::{check, check_refused, info, ok};

    #[test]
    fn nobody_gets_what_somebody_got_before() {
        let generate = |id: i64| ok("generate", Value::Nil, id);
        let doubtful = info("generate", Value::Nil);
        check::<UniqueIds>(&[generate(1), doubtful.clone(), generate(2), doubtful], true);
        check::<UniqueIds>(&[generate(1), generate(2), generate(1)], false);
        check_refused::<UniqueIds>(
            ok("read", Value::Nil, Value::Nil),
            "operation 0: the model unique-ids has no function \"read\"",
        );
    }
}
