//! Conservation between books: what one of them says of money, the others say too.
//!
//! ```text
//! gateway   charge 7    settlement +7   card −7
//! ledger    charge 7    settlement +7   sales −7        the two settlements agree
//! ```

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use wrack_history::{Anomaly, Fact, FactRecord, Judgement, Operation, SmolStr};

use super::ANOMALIES_MAX;
use crate::Evidence;
use crate::words::{list, noun, of};

type Amounts<'a> = &'a [(SmolStr, i64)];

/// Every entry of every book, each once, however often it was noted.
struct Books<'a>(BTreeMap<(&'a SmolStr, u64), (u64, Amounts<'a>)>);

/// What books say of one account and operation.
type Said<'a> = BTreeMap<&'a SmolStr, i64>;

impl<'a> Books<'a> {
    fn of(facts: &'a [FactRecord]) -> Self {
        let entries = facts.iter().filter_map(|record| match &record.fact {
            Fact::Posted { book, entry, operation, amounts } => {
                Some(((book, *entry), (*operation, amounts.as_slice())))
            }
            _ => None,
        });
        Self(entries.collect())
    }

    fn names(&self) -> BTreeSet<&'a SmolStr> {
        self.0.keys().map(|(book, _)| *book).collect()
    }

    /// For each account that several books keep, what they say of each operation.
    fn shared(&self) -> BTreeMap<&'a SmolStr, BTreeMap<u64, Said<'a>>> {
        let mut keepers = BTreeMap::<&SmolStr, BTreeSet<&SmolStr>>::new();
        for ((book, _), (_, amounts)) in &self.0 {
            for (account, _) in *amounts {
                keepers.entry(account).or_default().insert(book);
            }
        }
        keepers.retain(|_, books| books.len() > 1);
        let mut shared = BTreeMap::<_, BTreeMap<u64, Said<'_>>>::new();
        for ((book, _), (operation, amounts)) in &self.0 {
            for (account, amount) in *amounts {
                let Some(books) = keepers.get(account) else {
                    continue;
                };
                let said = shared.entry(account).or_default().entry(*operation).or_default();
                for book in books {
                    said.entry(book).or_default();
                }
                *said.entry(book).or_default() += amount;
            }
        }
        shared
    }
}

/// Whether any node noted an entry.
pub(super) fn are_kept(facts: &[FactRecord]) -> bool {
    facts.iter().any(|record| matches!(record.fact, Fact::Posted { .. }))
}

/// Judges the books as they stand in the end.
pub(super) fn judge(evidence: &Evidence<'_>, judgement: &mut Judgement) {
    let books = Books::of(evidence.facts);
    let operations: FxHashMap<u64, &Operation> =
        evidence.history.operations.iter().map(|one| (one.id, one)).collect();
    judgement.examine("entries", books.0.len() as u64);
    judgement.bound = Some("entries that add up to 0, and books that agree".to_owned());
    let mut wrong = 0;
    for ((book, entry), (operation, amounts)) in &books.0 {
        let sum: i128 = amounts.iter().map(|(_, amount)| i128::from(*amount)).sum();
        if sum != 0 {
            wrong += 1;
            let why = format!(
                "entry {entry} of the {book} for {} adds up to {sum}, not 0",
                name(&operations, *operation),
            );
            contradict(judgement, *operation, why);
        }
    }
    for (account, said) in books.shared() {
        for (operation, said) in said {
            if said.values().collect::<BTreeSet<_>>().len() > 1 {
                wrong += 1;
                let sayings: Vec<String> =
                    said.iter().map(|(book, amount)| format!("{amount} in the {book}")).collect();
                let why = format!(
                    "in the end {} stands in account {account} with {}",
                    name(&operations, operation),
                    list(&sayings),
                );
                contradict(judgement, operation, why);
            }
        }
    }
    let names: Vec<&SmolStr> = books.names().into_iter().collect();
    if names.len() < 2 {
        judgement.doubt("there is one book only, and none to compare it with");
    }
    judgement.observed = Some(format!("{wrong} wrong entries in the books of {}", list(&names)));
}

fn name(operations: &FxHashMap<u64, &Operation>, operation: u64) -> String {
    match operations.get(&operation) {
        Some(operation) => format!("{}{}", noun(operation), of(operation)),
        None => "an operation that nobody invoked".to_owned(),
    }
}

fn contradict(judgement: &mut Judgement, operation: u64, explanation: String) {
    if judgement.anomalies.len() < ANOMALIES_MAX {
        let operations = vec![operation];
        judgement.contradict(Anomaly { explanation, operations, ..Anomaly::default() });
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Fact, FactRecord};

    use crate::conservation::GUARANTEE;
    use crate::story::Case;

    const HISTORY: &str = "p1 charge k 7 10..20
                           p2 charge k 5 30..?";

    /// Entries: book, its place there, operation, and what stands on the shared and its own account.
    fn case(entries: &[(&str, u64, u64, i64, i64)]) -> Case<'static> {
        let fact = |&(book, entry, operation, shared, own): &(&str, u64, u64, i64, i64)| {
            let amounts = vec![("settlement".into(), shared), (format!("own {book}").into(), own)];
            let fact = Fact::Posted { book: book.into(), entry, operation, amounts };
            FactRecord { ns: 0, node: 0, fact }
        };
        Case::new("counter", HISTORY).facts(entries.iter().map(fact).collect())
    }

    #[test]
    fn books_that_say_the_same_agree_in_any_order_and_however_often_they_say_it() {
        let both = [("gateway", 1, 0, 7, -7), ("gateway", 2, 1, 5, -5)];
        let ledger = [("ledger", 1, 1, 5, -5), ("ledger", 2, 0, 7, -7), ("ledger", 2, 0, 7, -7)];
        case(&[&both[..], &ledger].concat()).accepted_by(&GUARANTEE);
    }

    #[test]
    fn what_stands_in_one_book_alone_is_an_anomaly() {
        let entries = [("gateway", 1, 0, 7, -7), ("gateway", 2, 1, 5, -5), ("ledger", 1, 1, 5, -5)];
        case(&entries).rejected_by(
            &GUARANTEE,
            "in the end charge 7 by process 1 of k stands in account settlement with 7 in the \
             gateway and 0 in the ledger",
        );
    }

    #[test]
    fn what_stands_twice_in_one_book_is_an_anomaly() {
        let entries = [("gateway", 1, 0, 7, -7), ("ledger", 1, 0, 7, -7), ("ledger", 2, 0, 7, -7)];
        case(&entries).rejected_by(
            &GUARANTEE,
            "in the end charge 7 by process 1 of k stands in account settlement with 7 in the \
             gateway and 14 in the ledger",
        );
    }

    #[test]
    fn an_entry_that_does_not_add_up_is_an_anomaly() {
        let entries = [("gateway", 1, 0, 7, -7), ("ledger", 1, 0, 7, -6)];
        case(&entries).rejected_by(
            &GUARANTEE,
            "entry 1 of the ledger for charge 7 by process 1 of k adds up to 1, not 0",
        );
    }

    #[test]
    fn one_book_alone_proves_nothing() {
        case(&[("gateway", 1, 0, 7, -7)])
            .unknown_to(&GUARANTEE, "there is one book only, and none to compare it with");
    }
}
