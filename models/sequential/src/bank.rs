//! Accounts between which money is moved.
//!
//! ```text
//! a = 5, b = 0   transfer [a, b, 3] → a = 2, b = 3   transfer [a, b, 3] = false   read = [[a, 2], [b, 3]]
//! ```
//! A transfer that would leave less than nothing is refused: it fails, or is `ok` with `false`, which
//! asserts that there was too little. Where accounts may be overdrawn, [`Bank::overdraft`] says so,
//! and no transfer is refused.
//! Source: the bank workload of Jepsen.

use rustc_hash::FxHashMap;
use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::values::numbered;
use crate::{Effect, Model, ModelError, learned};

/// `transfer` with `[from, to, amount]`, and `read` of `[account, balance]`; at first every account
/// is empty, or holds what [`Model::start_at`] says in a list of `[account, balance]`.
#[derive(Clone, Debug, Default)]
pub struct Bank {
    /// Whether a balance may be negative.
    pub overdraft: bool,
    numbers: FxHashMap<Value, u32>,
    initial: Vec<i128>,
}

/// What an operation does to a bank; accounts by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// It found these balances, sorted by account; other accounts it did not look at. `None` if
    /// nobody knows what it found.
    Read(Option<Vec<(u32, i64)>>),
    /// It found two balances of one account, which no bank has.
    Twice,
    /// It moves money.
    Transfer {
        /// Whence.
        from: u32,
        /// Where to.
        to: u32,
        /// How much; not negative.
        amount: i64,
    },
    /// It found less than this in the account: a refused transfer.
    Short {
        /// Whence it should have been taken.
        from: u32,
        /// How much.
        amount: i64,
    },
}

impl Model for Bank {
    /// The balance of each account, by numbers; empty ones at the end are left out. So wide that no
    /// sum of amounts overflows.
    type State = Vec<i128>;
    type Step = Step;
    const INFO: &'static ModelInfo = &ModelInfo {
        name: "bank",
        doc: "Accounts with balances, at first 0. `transfer` with `[from, to, amount]` moves money; \
              one that would make a balance negative is refused, that is, it fails or answers \
              `false`. `read` returns a list of `[account, balance]`, of all accounts or of some.",
    };

    fn initial(&self) -> Vec<i128> {
        self.initial.clone()
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        let wrong = || ModelError::wrong_initial::<Self>(initial);
        for (account, balance) in balances(initial).ok_or_else(wrong)? {
            let account = self.account(account);
            *balance_mut(&mut self.initial, account) = balance.into();
        }
        trim(&mut self.initial);
        Ok(())
    }

    fn compile(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        match operation.function.as_str() {
            "read" => self.compile_read(operation),
            "transfer" => self.compile_transfer(operation),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, state: &Vec<i128>, step: &Step) -> Option<Vec<i128>> {
        match step {
            Step::Read(found) => {
                let mut found = found.iter().flatten();
                let legal =
                    found.all(|(account, found)| balance(state, *account) == i128::from(*found));
                legal.then(|| state.clone())
            }
            Step::Twice => None,
            Step::Transfer { from, to, amount } => self.transferred(state, (*from, *to), *amount),
            Step::Short { from, amount } => (!self.overdraft
                && balance(state, *from) < i128::from(*amount))
            .then(|| state.clone()),
        }
    }

    fn show(&self, balances: &Vec<i128>) -> String {
        let told = |(account, balance): (usize, &i128)| {
            format!("{} {balance}", numbered(&self.numbers, account as u32))
        };
        balances.iter().enumerate().map(told).collect::<Vec<_>>().join(", ")
    }

    fn effect(&self, step: &Step) -> Effect {
        match step {
            Step::Transfer { .. } => Effect::Any,
            Step::Read(_) | Step::Twice | Step::Short { .. } => Effect::None,
        }
    }

    /// It helps a read of either of its accounts, and a refusal on the one that it takes from.
    fn helps(&self, _: &Vec<i128>, step: &Step, read: &Step) -> bool {
        let Step::Transfer { from, to, amount } = step else {
            return false;
        };
        match read {
            _ if from == to || *amount == 0 => false,
            Step::Read(found) => {
                found.iter().flatten().any(|(account, _)| account == from || account == to)
            }
            Step::Short { from: short, .. } => short == from,
            Step::Twice | Step::Transfer { .. } => false,
        }
    }

    /// Sums commute; only what an account holds when it is taken from depends on the order.
    fn touches(&self, one: &Step, other: &Step) -> bool {
        let (Step::Transfer { from: a, to: b, .. }, Step::Transfer { from: c, to: d, .. }) =
            (one, other)
        else {
            return true;
        };
        !self.overdraft && (a == c || a == d || b == c)
    }
}

impl Bank {
    /// The sum of all balances, which no transfer changes.
    pub fn total(&self) -> i128 {
        self.initial.iter().sum()
    }

    /// How many accounts were named.
    pub fn accounts(&self) -> usize {
        self.numbers.len()
    }

    fn account(&mut self, name: &Value) -> u32 {
        let next = self.numbers.len() as u32;
        match self.numbers.get(name) {
            Some(number) => *number,
            None => *self.numbers.entry(name.clone()).or_insert(next),
        }
    }

    fn compile_read(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        let Some(list) = learned(operation) else {
            return Ok(Step::Read(None));
        };
        let wanted = "a list of [account, balance] as its answer";
        let found =
            balances(list).ok_or_else(|| ModelError::wrong_value(operation, wanted, list))?;
        let mut found: Vec<(u32, i64)> =
            found.into_iter().map(|(account, balance)| (self.account(account), balance)).collect();
        found.sort_unstable();
        found.dedup();
        let twice = found.windows(2).any(|pair| pair[0].0 == pair[1].0);
        Ok(if twice { Step::Twice } else { Step::Read(Some(found)) })
    }

    fn compile_transfer(&mut self, operation: &Operation) -> Result<Step, ModelError> {
        let argument = &operation.argument;
        let wrong = || {
            let wanted = "[from, to, amount] with an amount that is not negative";
            ModelError::wrong_value(operation, wanted, argument)
        };
        let [from, to, Value::Integer(amount @ 0..)] = argument.as_list().ok_or_else(wrong)? else {
            return Err(wrong());
        };
        let (from, to, amount) = (self.account(from), self.account(to), *amount);
        match learned(operation) {
            Some(Value::Bool(false)) => Ok(Step::Short { from, amount }),
            _ => Ok(Step::Transfer { from, to, amount }),
        }
    }

    fn transferred(
        &self,
        state: &[i128],
        (from, to): (u32, u32),
        amount: i64,
    ) -> Option<Vec<i128>> {
        let amount = i128::from(amount);
        if !self.overdraft && balance(state, from) < amount {
            return None;
        }
        let mut next = state.to_vec();
        *balance_mut(&mut next, from) -= amount;
        *balance_mut(&mut next, to) += amount;
        trim(&mut next);
        Some(next)
    }
}

/// The pairs of a list of `[account, balance]`; a nil list has none.
fn balances(list: &Value) -> Option<Vec<(&Value, i64)>> {
    let pairs = if list.is_nil() { &[] } else { list.as_list()? };
    let mut all = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let (account, balance) = pair.as_pair()?;
        all.push((account, balance.as_integer()?));
    }
    Some(all)
}

fn balance(state: &[i128], account: u32) -> i128 {
    state.get(account as usize).copied().unwrap_or(0)
}

fn balance_mut(state: &mut Vec<i128>, account: u32) -> &mut i128 {
    let place = account as usize;
    if state.len() <= place {
        state.resize(place + 1, 0);
    }
    &mut state[place]
}

fn trim(state: &mut Vec<i128>) {
    while state.last() == Some(&0) {
        state.pop();
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Value};

    use super::Bank;
    use crate::testing::{check_refused, info, ok};
    use crate::{Model, replay};

    fn accounts(balances: &[(&str, i64)]) -> Value {
        Value::list(
            balances
                .iter()
                .map(|(account, balance)| Value::pair((*account).into(), (*balance).into())),
        )
    }

    fn transfer(from: &str, to: &str, amount: i64) -> Operation {
        let argument = Value::list([from.into(), to.into(), amount.into()]);
        ok("transfer", argument, Value::Nil)
    }

    fn read(balances: &[(&str, i64)]) -> Operation {
        ok("read", Value::Nil, accounts(balances))
    }

    fn bank(overdraft: bool) -> Bank {
        let mut bank = Bank { overdraft, ..Bank::default() };
        bank.start_at(&accounts(&[("a", 5), ("b", 0)])).unwrap();
        bank
    }

    #[test]
    fn money_moves_and_is_neither_made_nor_lost() {
        let bank = bank(false);
        let after = |found: &[(&str, i64)]| {
            replay(bank.clone(), &[transfer("a", "b", 3), read(found)]).unwrap()
        };
        assert!(after(&[("a", 2), ("b", 3)]) && after(&[("b", 3)]) && after(&[]));
        assert!(!after(&[("a", 5), ("b", 0)]) && !after(&[("a", 2), ("b", 2)]));
        assert!(!after(&[("a", 2), ("a", 3)]));
        assert_eq!(bank.total(), 5);
        let doubtful = info("transfer", Value::list(["a".into(), "b".into(), 1.into()]));
        assert_eq!(replay(bank, &[doubtful, read(&[("a", 4)])]), Ok(true));
    }

    #[test]
    fn an_account_is_overdrawn_only_where_that_is_allowed() {
        let much = [transfer("a", "b", 6), read(&[("a", -1), ("b", 6)])];
        assert_eq!(replay(bank(false), &much), Ok(false));
        assert_eq!(replay(bank(true), &much), Ok(true));
        let refused =
            |amount: i64| Operation { result: false.into(), ..transfer("a", "b", amount) };
        assert_eq!(replay(bank(false), &[refused(6), read(&[("a", 5)])]), Ok(true));
        assert_eq!(replay(bank(false), &[refused(5)]), Ok(false));
        assert_eq!(replay(bank(true), &[refused(6)]), Ok(false));
    }

    #[test]
    fn what_is_no_transfer_is_refused() {
        check_refused::<Bank>(
            transfer("a", "b", -1),
            "operation 0: transfer needs [from, to, amount] with an amount that is not negative, \
             not [\"a\", \"b\", -1]",
        );
        check_refused::<Bank>(
            ok("read", Value::Nil, 7),
            "operation 0: read needs a list of [account, balance] as its answer, not 7",
        );
        check_refused::<Bank>(
            ok("deposit", 7, Value::Nil),
            "operation 0: the model bank has no function \"deposit\"",
        );
        assert!(Bank::default().start_at(&7.into()).is_err());
    }
}
