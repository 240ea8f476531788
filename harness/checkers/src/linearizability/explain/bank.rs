//! What contradicts itself in a bank.

use std::collections::{BTreeMap, BTreeSet};

use wrack_history::{Operation, Value};

use super::{Story, Told, told};
use crate::words::{count, done_at, of};

/// Accounts of which a wrong balance is told.
const BALANCES_MAX: usize = 3;

impl<'a> Story<'a> {
    pub(super) fn bank(&self) -> Option<Told<'a>> {
        self.overdrawn()
            .or_else(|| self.wrong_total())
            .or_else(|| Some(self.since_a_read(self.certain_only("transfer"))))
    }

    /// What was told, of a bank that starts where a read found it; and where the only other read is wrong
    /// whatever else took effect.
    fn since_a_read(&self, mut told: Told<'a>) -> Told<'a> {
        if let Some(read) = self.since {
            told.text = format!("from what {} found, {}", self.statement(read), told.text);
            told.operations.push(self.full(read));
        }
        let mut reads = self.statements();
        if let (Some((_, found)), None) = (reads.next(), reads.next()) {
            self.impossible(&found).take(BALANCES_MAX).for_each(|wrong| told.text += &wrong);
        }
        told
    }

    /// Balances of accounts that neither the certain transfers alone leave, nor with some of the others.
    fn impossible(&self, found: &[(&'a Value, i64)]) -> impl Iterator<Item = String> {
        let mut left: BTreeMap<&Value, (i128, i128)> = BTreeMap::new();
        for (account, balance) in self.initial_balances() {
            left.insert(account, (balance.into(), balance.into()));
        }
        let moves = |one: &&Operation| one.function == "transfer" && one.result != false.into();
        for transfer in self.small.iter().filter(moves) {
            if let Some([from, to, amount]) = transfer.argument.as_list()
                && let Some(amount) = amount.as_integer().map(i128::from)
            {
                let certain = if transfer.is_ok() { amount } else { 0 };
                let (least, most) = left.entry(from).or_default();
                (*least, *most) = (*least - amount, *most - certain);
                let (least, most) = left.entry(to).or_default();
                (*least, *most) = (*least + certain, *most + amount);
            }
        }
        found.iter().filter_map(move |(account, found)| {
            let (least, most) = left.get(account).copied().unwrap_or_default();
            let between = match least == most {
                true => least.to_string(),
                false => format!("{least} to {most}"),
            };
            (!(least..=most).contains(&i128::from(*found))).then(|| {
                format!("; it found {found} in account {account}, where they leave {between}")
            })
        })
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
