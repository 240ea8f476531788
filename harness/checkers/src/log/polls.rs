//! What reads and polls answer, and whether polls go forward without gaps.

use rustc_hash::FxHashMap;
use wrack_history::{Operation, Value};

use super::{Finding, name};
use crate::words::{done_at, short};

/// A value at an offset of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub key: &'a str,
    pub offset: i64,
    pub value: &'a Value,
}

/// An entry that a read or a poll answered.
pub(crate) struct Handed<'a> {
    pub entry: Entry<'a>,
    pub read: &'a Operation,
}

/// The entries that an ok operation answered, in order; none of what is no read and no poll.
pub(crate) fn entries(read: &Operation) -> Vec<Handed<'_>> {
    let list = read.result.as_list().unwrap_or_default();
    let handed = |entry| Handed { entry, read };
    match read.function.as_str() {
        "poll" => list.iter().flat_map(|item| polled(&read.key, item)).map(handed).collect(),
        "read" => {
            let from = match &read.argument {
                Value::List(range) => range.first().and_then(Value::as_integer).unwrap_or(0),
                offset => offset.as_integer().unwrap_or(0),
            };
            let entry = |(place, value): (usize, _)| {
                Some(Entry { key: &read.key, offset: from.checked_add(place as i64)?, value })
            };
            list.iter().enumerate().filter_map(entry).map(handed).collect()
        }
        _ => Vec::new(),
    }
}

/// `[offset, value]`, or `[key, [[offset, value], …]]`.
fn polled<'a>(key: &'a str, item: &'a Value) -> Vec<Entry<'a>> {
    let entry = |key, pair: &'a Value| {
        let (offset, value) = pair.as_pair()?;
        Some(Entry { key, offset: offset.as_integer()?, value })
    };
    match item.as_pair() {
        Some((Value::Text(key), Value::List(pairs))) => {
            pairs.iter().filter_map(|pair| entry(key.as_str(), pair)).collect()
        }
        _ => entry(key, item).into_iter().collect(),
    }
}

/// Polls of a process that do not go forward, or pass over an entry that is known to be there.
pub(super) fn disorder<'a>(
    operations: &'a [Operation],
    known: impl Fn(&'a str, i64) -> Option<&'a Value>,
) -> Vec<Finding<'a>> {
    let mut polls: Vec<&Operation> = operations.iter().collect();
    polls.sort_by_key(|operation| operation.complete.index);
    let mut last = FxHashMap::<(u32, &str), (i64, &Operation)>::default();
    let mut begun_anew = FxHashMap::<u32, u64>::default();
    let mut findings = Vec::new();
    for poll in polls {
        match poll.function.as_str() {
            "assign" | "subscribe" | "crash" => {
                *begun_anew.entry(poll.process).or_default() = poll.invoke.index;
            }
            "poll" if poll.is_ok() => {
                for Handed { entry, .. } in entries(poll) {
                    let Entry { key, offset, .. } = entry;
                    let since = begun_anew.get(&poll.process).copied().unwrap_or(0);
                    let before = last.insert((poll.process, key), (offset, poll));
                    let before = before.filter(|(_, before)| before.invoke.index >= since);
                    let Some((reached, before)) = before else {
                        continue;
                    };
                    let operations = vec![before, poll];
                    let (process, at, name) = (poll.process, done_at(poll), name(key));
                    if offset <= reached {
                        findings.push(Finding {
                            kind: "reordered",
                            key,
                            operations,
                            explanation: format!(
                                "process {process} was handed offset {offset} of {name} at {at}, after \
                                 offset {reached} at {}",
                                done_at(before)
                            ),
                        });
                    } else if let Some((passed, value)) =
                        passed(reached, offset, |at| known(key, at))
                    {
                        let value = short(value);
                        findings.push(Finding {
                            kind: "skipped",
                            key,
                            operations,
                            explanation: format!(
                                "process {process} was handed offset {offset} of {name} at {at}, after \
                                 offset {reached} at {}, and so passed over {value} at offset {passed}",
                                done_at(before)
                            ),
                        });
                    }
                }
            }
            _ => (),
        }
    }
    findings
}

/// The first known entry between two offsets.
///
/// Bounds: looks at so many offsets only, so that absurd ones cost nothing.
fn passed<'a>(
    from: i64,
    to: i64,
    known: impl Fn(i64) -> Option<&'a Value>,
) -> Option<(i64, &'a Value)> {
    const LOOKED_AT_MAX: usize = 1_000;
    let between = from.checked_add(1)?..to;
    between.take(LOOKED_AT_MAX).find_map(|offset| Some((offset, known(offset)?)))
}
