//! What contradicts itself in a bank.

use std::collections::BTreeSet;

use wrack_history::{Operation, Value};

use super::{Story, Told, told};
use crate::words::{count, done_at, of};

impl<'a> Story<'a> {
    pub(super) fn bank(&self) -> Option<Told<'a>> {
        self.overdrawn()
            .or_else(|| self.wrong_total())
            .or_else(|| Some(self.certain_only("transfer")))
    }

    /// Reads, with the balances that they found.
    fn statements(&self) -> impl Iterator<Item = (&'a Operation, Vec<(&'a Value, i64)>)> {
        let reads = self.small.iter();
        reads.filter(|read| read.is_ok() && read.function == "read").map(|read| {
            let pairs = read.result.as_list().unwrap_or_default().iter();
            let balance =
                |(account, balance): (&'a Value, &Value)| Some((account, balance.as_integer()?));
            (read, pairs.filter_map(|pair| balance(pair.as_pair()?)).collect())
        })
    }

    fn overdrawn(&self) -> Option<Told<'a>> {
        self.statements().find_map(|(read, found)| {
            let (account, balance) = found.iter().find(|(_, balance)| *balance < 0)?;
            let text = format!(
                "{} found {balance} in account {account}, but no transfer takes more than there is",
                self.statement(read),
            );
            told(text, [read])
        })
    }

    fn wrong_total(&self) -> Option<Told<'a>> {
        let total: i128 = self.initial_balances().map(|(_, balance)| i128::from(balance)).sum();
        let transfers = self.whole.iter().filter(|one| one.function == "transfer");
        let mut accounts: BTreeSet<&Value> = transfers
            .flat_map(|one| one.argument.as_list().unwrap_or_default().iter().take(2))
            .collect();
        accounts.extend(self.initial_balances().map(|(account, _)| account));
        self.statements().find_map(|(read, found)| {
            let sum: i128 = found.iter().map(|(_, balance)| i128::from(*balance)).sum();
            let seen: BTreeSet<&Value> = found.iter().map(|(account, _)| *account).collect();
            if sum == total || !accounts.is_subset(&seen) || seen.len() < found.len() {
                return None;
            }
            let text = format!(
                "{} found {sum} in all accounts together, but they held {total} at first, and no \
                 transfer changes that",
                self.statement(read),
            );
            told(text, [read])
        })
    }

    fn initial_balances(&self) -> impl Iterator<Item = (&'a Value, i64)> {
        let pairs = self.initial.as_list().unwrap_or_default().iter();
        pairs.filter_map(|pair| {
            let (account, balance) = pair.as_pair()?;
            Some((account, balance.as_integer()?))
        })
    }

    fn statement(&self, read: &Operation) -> String {
        let full = self.full(read);
        format!("the read{} by process {} at {}", of(full), full.process, done_at(full))
    }

    /// The operations that certainly took effect; the others may have, and it does not help.
    pub(super) fn certain_only(&self, noun: &str) -> Told<'a> {
        let mut told = self.list_of(self.small.iter().filter(|operation| operation.is_ok()));
        let others = self.small.len() - told.operations.len();
        if others > 0 {
            let others = count(others, noun);
            told.text = format!("whether {others} beside took effect or not, {}", told.text);
        }
        told
    }
}
