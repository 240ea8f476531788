//! CONS: money is moved, never made or lost.
//!
//! Valid: a transfer of 3 from a to b, and reads before and after it.
//! ```text
//! read = [[a, 10], [b, 0]]   transfer [a, b, 3]   read = [[a, 7], [b, 3]]
//! ```
//! Invalid, because the read sees one half of the transfer:
//! ```text
//! read = [[a, 10], [b, 0]]   transfer [a, b, 3]   read = [[a, 7], [b, 0]]
//! ```
//! The definition: the balances of every ok read have the same total, none is negative, none is
//! missing, and all reads see the same accounts. The total is the setting, or else that of the initial
//! value, or else that of the first read.
//!
//! Where nodes keep books and note their entries, those are judged instead: the amounts of every entry
//! add up to 0 (Σ debit = Σ credit), and in the end all books that keep an account say the same of every
//! operation. Invalid, because the gateway took the money and the ledger does not know:
//! ```text
//! gateway  charge 7: settlement +7, card −7
//! ledger   (nothing)
//! ```
//! An account that stands in one book alone is compared with nothing.
//!
//! Source: the bank workload of Jepsen; double entry (Pacioli 1494) and reconciliation.

use std::collections::BTreeSet;

use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{Anomaly, Judgement, Operation, Settings, Value};

use crate::tally::Tally;
use crate::words::{done_at, list};
use crate::{Evidence, Guarantee, Judge};

mod books;

/// Conservation.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "CONS",
        name: "conservation",
        doc: "What is moved between accounts is neither made nor lost: every read of all balances \
              finds the same total.\n\n\
              Every ok read answers `[account, balance]` for the same accounts; the balances add up \
              to the same total, and none is less than nothing unless `overdraft` allows it. The \
              total is what `total` says, or else that of the initial value, or else that of the \
              first read.\n\n\
              Where nodes keep books, their entries are judged instead of reads: the amounts of \
              each entry add up to 0, and once all is quiet the books that keep an account agree \
              about every operation.\n\n\
              The usual ways to break it: a read that sees one half of a transfer (read skew); a \
              transfer that is applied twice or half; two transfers that both spend the same money \
              (write skew, lost update); a payment that one system took and the other never \
              booked.",
        parameters: &[
            ParameterInfo::optional(
                "total",
                ParameterKind::Integer { min: i64::MIN, max: i64::MAX },
                "What all balances add up to.",
            ),
            ParameterInfo::new(
                "overdraft",
                ParameterKind::Flag,
                DefaultSetting::Flag(false),
                "Whether a balance may be less than nothing.",
            ),
        ],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    if books::are_kept(evidence.facts) {
        books::judge(evidence, &mut judgement);
        return judgement;
    }
    let overdraft = settings.flag("overdraft").expect("it has a default");
    let mut tally = Tally::default();
    let (mut wrong, mut totals) = (0, BTreeSet::new());
    for (&key, operations) in evidence.by_key() {
        let mut expected = Expected {
            total: settings.integer("total").map(i128::from),
            ..Expected::of(evidence.initial)
        };
        let reads = operations.iter().filter(|one| one.is_ok() && one.function == "read");
        for read in reads {
            let why = expected.contradiction(&read.result, overdraft);
            judgement.examine("reads", 1);
            tally.look(read, why.is_some());
            let Some(why) = why else {
                continue;
            };
            wrong += 1;
            if judgement.anomalies.len() < ANOMALIES_MAX {
                let (process, at) = (read.process, done_at(read));
                judgement.contradict(Anomaly {
                    explanation: format!("process {process} read {}{why} at {at}", of(read)),
                    operations: vec![read.id],
                    key: Some(key.clone()).filter(|key| !key.is_empty()),
                    at_ns: Some(read.complete.ns),
                    ..Anomaly::default()
                });
            }
        }
        totals.extend(expected.total);
    }
    if judgement.examined.is_empty() {
        judgement.doubt("there is no ok read of balances");
    }
    let totals: Vec<i128> = totals.into_iter().collect();
    judgement.bound = Some(format!("a total of {}", list(&totals)));
    judgement.observed = Some(format!("{wrong} wrong reads"));
    tally.tell(&mut judgement);
    judgement
}

fn of(read: &Operation) -> String {
    if read.key.is_empty() { String::new() } else { format!("of {} ", read.key) }
}

/// What every read must find.
#[derive(Default)]
struct Expected<'a> {
    total: Option<i128>,
    accounts: Option<Vec<&'a Value>>,
}

impl<'a> Expected<'a> {
    /// As the initial value has it, if there is one.
    fn of(initial: &'a Value) -> Self {
        let Some(balances) = initial.as_list().and_then(|list| balances(list).ok()) else {
            return Self::default();
        };
        Self { total: Some(total(&balances)), accounts: Some(accounts(&balances)) }
    }

    /// Why a read is wrong; the first one may say what is right.
    fn contradiction(&mut self, read: &'a Value, overdraft: bool) -> Option<String> {
        let Some(entries) = read.as_list() else {
            return Some(format!("{read}, which is no list of balances"));
        };
        let balances = match balances(entries) {
            Ok(balances) => balances,
            Err(entry) => return Some(format!("{entry}, which is no account with its balance")),
        };
        let found = total(&balances);
        let expected = *self.total.get_or_insert(found);
        let known = self.accounts.get_or_insert_with(|| accounts(&balances));
        let found_accounts = accounts(&balances);
        let negative = balances.iter().find(|(_, balance)| *balance < 0);
        match negative {
            _ if found != expected => {
                Some(format!("balances of {found} in all, which should be {expected},"))
            }
            _ if found_accounts != *known => Some(format!(
                "the accounts {}, but there are {}",
                list(&found_accounts),
                list(known)
            )),
            Some((account, balance)) if !overdraft => {
                Some(format!("a balance of {balance} in account {account}, less than nothing,"))
            }
            _ => None,
        }
    }
}

/// Accounts with their balances; an error is what is none.
fn balances(list: &[Value]) -> Result<Vec<(&Value, i64)>, &Value> {
    list.iter()
        .map(|entry| {
            let (account, balance) = entry.as_pair().ok_or(entry)?;
            Ok((account, balance.as_integer().ok_or(entry)?))
        })
        .collect()
}

fn total(balances: &[(&Value, i64)]) -> i128 {
    balances.iter().map(|(_, balance)| i128::from(*balance)).sum()
}

fn accounts<'a>(balances: &[(&'a Value, i64)]) -> Vec<&'a Value> {
    let mut accounts: Vec<&Value> = balances.iter().map(|(account, _)| *account).collect();
    accounts.sort_unstable();
    accounts
}

#[cfg(test)]
mod tests {
    use wrack_history::{Setting, Settings, Value};

    use super::GUARANTEE;
    use crate::story::Case;

    const HISTORY: &str = "p1 read     - - 1..2   [[a,10],[b,0]]
                           p1 transfer - [a,b,3] 3..9
                           p2 read     - - 4..5   [[b,3],[a,7]]";

    #[test]
    fn a_total_that_never_changes_is_valid() {
        Case::new("bank", HISTORY).accepted_by(&GUARANTEE);
        let initial =
            Value::list([Value::pair("a".into(), 10.into()), Value::pair("b".into(), 0.into())]);
        Case::new("bank", HISTORY).initial(initial).accepted_by(&GUARANTEE);
        let total = Settings::default().with("total", Setting::Integer(11));
        Case::new("bank", HISTORY).settings(total).rejected_by(
            &GUARANTEE,
            "process 1 read balances of 10 in all, which should be 11, at 0.002 s",
        );
    }

    fn rejected(read: &str, why: &str) {
        let history = format!("{HISTORY}\n p3 read - - 10..11 {read}");
        let explanation = format!("process 3 read {why} at 0.011 s");
        Case::new("bank", &history).rejected_by(&GUARANTEE, &explanation);
    }

    #[test]
    fn a_read_that_sees_half_a_transfer_is_an_anomaly() {
        rejected("[[a,7],[b,0]]", "balances of 7 in all, which should be 10,");
    }

    #[test]
    fn a_balance_below_nothing_is_an_anomaly_unless_it_may_be() {
        rejected("[[a,11],[b,-1]]", "a balance of -1 in account \"b\", less than nothing,");
        let overdraft = Settings::default().with("overdraft", Setting::Flag(true));
        let history = format!("{HISTORY}\n p3 read - - 10..11 [[a,11],[b,-1]]");
        Case::new("bank", &history).settings(overdraft).accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_read_that_misses_an_account_or_a_balance_is_an_anomaly() {
        rejected("[[a,10]]", "the accounts \"a\", but there are \"a\" and \"b\"");
        rejected("[[a,10],[b,-]]", "[\"b\", nil], which is no account with its balance");
        rejected("7", "7, which is no list of balances");
    }

    #[test]
    fn without_reads_nothing_can_be_said() {
        Case::new("bank", "p1 transfer - [a,b,3] 3..9")
            .unknown_to(&GUARANTEE, "there is no ok read of balances");
    }
}
