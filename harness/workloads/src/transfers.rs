//! `transfers`: money moves between the accounts of a bank.

use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind, WorkloadInfo};
use wrack_history::{Settings, Value};
use wrack_sim::Stream;
use wrack_sim::client::Argument;

use crate::{Entry, Question};

/// The most accounts that a bank may have.
const ACCOUNTS_MAX: i64 = 1_000;
/// The most money that may be spoken of.
const AMOUNT_MAX: i64 = 1_000_000;

/// The workload `transfers`.
pub const ENTRY: Entry = Entry {
    info: &WorkloadInfo {
        name: "transfers",
        doc: "Every key is a bank of `accounts` accounts, 0 and up, each with `balance` at first. \
              `transfer` takes `[from, to, amount]` with an amount from 1 to `amount_max` and two \
              different accounts; it answers nil, or `false` if there was too little. `read` takes a \
              list of accounts, which here is all of them, and answers `[account, balance]` for each. \
              One bank (`keys = 1`) is the usual.",
        functions: &["transfer", "read"],
        model: "bank",
        parameters: &[
            ParameterInfo::new(
                "accounts",
                ParameterKind::Integer { min: 2, max: ACCOUNTS_MAX },
                DefaultSetting::Integer(10),
                "how many accounts a bank has",
            ),
            ParameterInfo::new(
                "balance",
                ParameterKind::Integer { min: 0, max: AMOUNT_MAX },
                DefaultSetting::Integer(100),
                "what every account holds at first; the design must know it, too",
            ),
            ParameterInfo::new(
                "amount_max",
                ParameterKind::Integer { min: 1, max: AMOUNT_MAX },
                DefaultSetting::Integer(20),
                "the most that one transfer moves",
            ),
        ],
    },
    argument,
    initial,
    last_read,
};

fn accounts(settings: &Settings) -> i64 {
    settings.integer("accounts").unwrap_or(10)
}

fn argument(question: &Question<'_>, stream: &mut Stream) -> Argument {
    let settings = question.settings;
    let accounts = accounts(settings);
    Argument::Value(match question.function {
        "transfer" => {
            let from = stream.below(accounts as u64) as i64;
            // One of the others.
            let to = (from + 1 + stream.below(accounts as u64 - 1) as i64) % accounts;
            let amount_max = settings.integer("amount_max").unwrap_or(20);
            let amount = 1 + stream.below(amount_max as u64) as i64;
            Value::list([from, to, amount].map(Value::from))
        }
        _ => last_read(settings).1,
    })
}

fn initial(settings: &Settings) -> Value {
    let balance = settings.integer("balance").unwrap_or(100);
    Value::list((0..accounts(settings)).map(|account| Value::pair(account.into(), balance.into())))
}

fn last_read(settings: &Settings) -> (&'static str, Value) {
    ("read", Value::list((0..accounts(settings)).map(Value::from)))
}

#[cfg(test)]
mod tests {
    use wrack_history::{Setting, Settings, Value};
    use wrack_sim::client::Argument;

    use super::ENTRY;
    use crate::plan::tests::arguments_with;

    #[test]
    fn a_transfer_is_between_two_accounts_and_a_read_is_of_all() {
        let settings = Settings::default()
            .with("accounts", Setting::Integer(3))
            .with("balance", Setting::Integer(7))
            .with("amount_max", Setting::Integer(2));
        for drawn in arguments_with(&ENTRY, "transfer", &settings) {
            let Argument::Value(value) = drawn else { panic!("a value") };
            let [from, to, amount] = value.as_list().unwrap() else { panic!("three") };
            assert!(from != to && (1..=2).contains(&amount.as_integer().unwrap()), "{value}");
            let account = |account: &Value| (0..3).contains(&account.as_integer().unwrap());
            assert!(account(from) && account(to), "{value}");
        }
        let all = Value::list([0, 1, 2].map(Value::from));
        assert_eq!(arguments_with(&ENTRY, "read", &settings)[0], Argument::Value(all));
        assert_eq!((ENTRY.initial)(&settings).to_string(), "[[0, 7], [1, 7], [2, 7]]");
    }
}
