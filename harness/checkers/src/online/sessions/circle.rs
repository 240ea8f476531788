//! An obligation that nothing can meet, in words.

use wrack_history::duration::seconds;
use wrack_history::{Anomaly, Operation, Value};

use super::order::{Due, Order};
use crate::online::{Note, anomaly};
use crate::words::{done_at, sentence, short};

/// An operation should have had this version or a newer one, and what it had is older.
pub(super) fn circle(
    code: &str,
    order: &Order,
    due: Due,
    (version, initial): (Option<u64>, &Value),
    by: &Operation,
    path: &[(Due, u64, Note)],
) -> Anomaly {
    let value =
        |version: u64| order.version(version).map_or(String::new(), |one| short(&one.value));
    let owed = value(due.version);
    let had = version.map_or_else(|| short(initial), value);
    let at = seconds(due.taught.ns);
    let mut why = format!(
        "{} at {}, but by what its session knew ({owed} from {} at {at}) that must be no older than \
         {owed}",
        sentence(by),
        done_at(by),
        due.taught.noun(order.version(due.version).map_or(initial, |one| &one.value)),
    );
    let mut operations = vec![due.taught.id];
    operations.extend(due.followed.map(|read| read.id));
    match version {
        None => why += &format!(", and {had} is only the initial value"),
        Some(_) => why += &format!(", and {had} is older than {owed} by what sessions saw before"),
    }
    for (due, to, owes) in path {
        why += &format!(
            "; {} at {} after {}",
            owes.noun(order.version(*to).map_or(initial, |one| &one.value)),
            seconds(owes.ns),
            value(due.version),
        );
        operations.extend([due.taught.id, owes.id]);
        operations.extend(due.followed.map(|read| read.id));
    }
    anomaly(code, by, why, operations)
}
