//! What nodes promised in transactions, and what came of it, from the facts `prepared` and `settled`.
//!
//! A part is one node's share of a transaction. From its promise until it is settled the node is in
//! doubt. A boot that finds the promise on the disk notes it again; one that does not has forgotten it.

use std::collections::BTreeMap;

use wrack_history::{Fact, FactRecord, NodeIndex};

/// One node's share of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// When it was promised first, and when last noted; absent if it was only ever settled.
    pub prepared: Option<(u64, u64)>,
    /// Boots of the node before the promise was noted last.
    boots: u32,
    /// When it was done (`true`) or dropped first, and whether it was done.
    pub settled: Option<(u64, bool)>,
    /// When it was settled the other way, too.
    pub contradicted: Option<u64>,
    /// When the node booted without it while it was in doubt.
    pub forgotten: Option<u64>,
}

/// All parts of one transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transaction {
    /// The operation's id in the history.
    pub operation: u64,
    /// By node.
    pub parts: BTreeMap<NodeIndex, Part>,
}

impl Transaction {
    /// The first node that did its part, and when.
    pub fn done(&self) -> Option<(NodeIndex, u64)> {
        let done = self.parts.iter().filter_map(|(node, part)| match part.settled {
            Some((ns, true)) => Some((ns, *node)),
            _ => None,
        });
        done.min().map(|(ns, node)| (node, ns))
    }
}

/// Every transaction by its number.
pub(crate) fn transactions(facts: &[FactRecord]) -> BTreeMap<u64, Transaction> {
    let mut transactions = BTreeMap::<u64, Transaction>::new();
    let mut boots = BTreeMap::<NodeIndex, Vec<u64>>::new();
    for FactRecord { ns, node, fact } in facts {
        match fact {
            Fact::Booted { .. } => boots.entry(*node).or_default().push(*ns),
            Fact::Prepared { operation, transaction } => {
                let part = part(&mut transactions, (*operation, *transaction), *node);
                part.prepared = Some((part.prepared.map_or(*ns, |(first, _)| first), *ns));
                part.boots = boots.get(node).map_or(0, |boots| boots.len() as u32);
            }
            Fact::Settled { operation, transaction, committed } => {
                let part = part(&mut transactions, (*operation, *transaction), *node);
                let (_, known) = *part.settled.get_or_insert((*ns, *committed));
                if known != *committed {
                    part.contradicted.get_or_insert(*ns);
                }
            }
            _ => {}
        }
    }
    for transaction in transactions.values_mut() {
        for (node, part) in &mut transaction.parts {
            let boots = boots.get(node).map_or(&[][..], Vec::as_slice);
            // It booted again, and neither found the promise nor learned what became of it.
            let next = boots.get(part.boots as usize).copied();
            part.forgotten = next.filter(|ns| {
                part.prepared.is_some() && part.settled.is_none_or(|(settled, _)| settled > *ns)
            });
        }
    }
    transactions
}

fn part(
    transactions: &mut BTreeMap<u64, Transaction>,
    (operation, transaction): (u64, u64),
    node: NodeIndex,
) -> &mut Part {
    let known = transactions.entry(transaction).or_default();
    known.operation = operation;
    known.parts.entry(node).or_default()
}

#[cfg(test)]
pub(crate) mod testing {
    use wrack_history::{Fact, FactRecord};

    const MILLISECOND: u64 = 1_000_000;

    /// Facts as text: `10 n0 prepared 7`, `20 n1 committed 7`, `30 n1 aborted 7`, `40 n1 booted`, in
    /// milliseconds; a transaction is that of the operation with its number modulo 100.
    pub(crate) fn facts(text: &str) -> Vec<FactRecord> {
        let fact = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let transaction = words.get(3).map_or(0, |word| word.parse().unwrap());
            let operation = transaction % 100;
            let settled = |committed| Fact::Settled { operation, transaction, committed };
            let fact = match words[2] {
                "prepared" => Fact::Prepared { operation, transaction },
                "committed" => settled(true),
                "aborted" => settled(false),
                "booted" => Fact::Booted { boot: 1 },
                other => panic!("no fact {other}"),
            };
            let node = words[1].trim_start_matches('n').parse().unwrap();
            FactRecord { ns: words[0].parse::<u64>().unwrap() * MILLISECOND, node, fact }
        };
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(fact).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::facts;
    use super::*;

    #[test]
    fn a_promise_that_a_boot_does_not_find_is_forgotten() {
        let part = |text: &str| transactions(&facts(text))[&7].parts[&0].clone();
        let kept = part("1 n0 prepared 7\n2 n0 booted\n3 n0 prepared 7\n9 n0 committed 7");
        assert_eq!((kept.forgotten, kept.settled), (None, Some((9_000_000, true))));
        assert_eq!(kept.prepared, Some((1_000_000, 3_000_000)));
        let lost = part("1 n0 booted\n1 n0 prepared 7\n2 n0 booted");
        assert_eq!(lost.forgotten, Some(2_000_000));
        let done = part("1 n0 prepared 7\n2 n0 committed 7\n3 n0 booted\n3 n0 committed 7");
        assert_eq!(done.forgotten, None);
    }

    #[test]
    fn a_part_that_was_settled_both_ways_says_so() {
        let both = transactions(&facts("1 n0 prepared 7\n2 n0 aborted 7\n4 n0 committed 7"));
        assert_eq!(both[&7].parts[&0].contradicted, Some(4_000_000));
        assert_eq!(both[&7].done(), None);
    }
}
