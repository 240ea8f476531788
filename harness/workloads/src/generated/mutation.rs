//! Makes a legal history wrong: replaces one result, or swaps two, so that no order explains them.
//!
//! Each rule carries the proof that it does. The operations nearest to the middle of the history are
//! tried first; where no rule of the kind applies to any of [`TRIED_MAX`] of them, an operation finds a
//! value that nobody ever wrote.

use std::collections::BTreeMap;

use wrack_history::truth::Mutation;
use wrack_history::{Operation, SmolStr, Value};

use super::{GenerateError, Kind};

/// So many operations are tried by the rule of a kind.
const TRIED_MAX: usize = 400;

/// Makes a history wrong and says how.
///
/// Errors: no operation learned anything.
pub(super) fn mutate(kind: Kind, operations: &mut [Operation]) -> Result<Mutation, GenerateError> {
    let mut found = None;
    for place in from_the_middle(operations).into_iter().take(TRIED_MAX) {
        found = match kind {
            Kind::Register | Kind::CasRegister => stale_read(operations, place),
            Kind::List => truncated_read(operations, place),
            Kind::Queue | Kind::Stack => swapped_pair(kind, operations, place),
            Kind::Set => removed_element(operations, place),
            Kind::ListAppend | Kind::RwRegister => out_of_date(operations, place),
        };
        if found.is_some() {
            break;
        }
    }
    let change = match found {
        Some(change) => change,
        None => never_written(operations).ok_or(GenerateError::NothingToMutate)?,
    };
    for (place, result) in &change.results {
        operations[*place].result = result.clone();
    }
    let ids = change.results.iter().map(|(place, _)| operations[*place].id).collect();
    Ok(Mutation { kind: SmolStr::new_static(change.kind), operations: ids, reason: change.reason })
}

/// Results to be replaced, by the places of their operations.
struct Change {
    kind: &'static str,
    results: Vec<(usize, Value)>,
    reason: String,
}

/// The places of all operations that learned something of their object, those nearest to the middle
/// first.
fn from_the_middle(operations: &[Operation]) -> Vec<usize> {
    let observes = |one: &Operation| {
        let function = one.function.as_str();
        one.is_ok() && matches!(function, "read" | "dequeue" | "pop" | "contains" | "txn")
    };
    let places = (0..operations.len()).filter(|place| observes(&operations[*place]));
    let mut places: Vec<usize> = places.collect();
    places.sort_by_key(|place| (2 * place + 1).abs_diff(operations.len()));
    places
}

fn of_key<'a>(operations: &'a [Operation], key: &SmolStr) -> impl Iterator<Item = &'a Operation> {
    operations.iter().filter(move |one| one.key == *key)
}

/// A read finds a value whose every change had completed before a change to another value was
/// invoked that had completed before the read was.
///
/// Proof: after that change the value is another one. Every change that leaves the stale value and
/// was invoked before the read completed stands before it, so the value is not back when the read
/// stands.
fn stale_read(operations: &[Operation], place: usize) -> Option<Change> {
    let read = &operations[place];
    let changes = of_key(operations, &read.key)
        .filter_map(|one| Some((one, left(one)?)))
        .filter(|(one, _)| one.invoke < read.complete);
    // Of the changes that had completed before the read, the last invoked, and the last invoked that
    // leaves another value than that one.
    let mut last: [Option<(&Operation, &Value)>; 2] = [None; 2];
    // When the last change to each value completed.
    let mut completed = BTreeMap::new();
    for (one, value) in changes {
        let until = completed.entry(value).or_insert(one.effect_by());
        *until = one.effect_by().max(*until);
        if !one.precedes(read) {
            continue;
        }
        if last[0].is_some_and(|(_, newest)| newest != value) {
            last[1] = last[0];
        }
        last[0] = Some((one, value));
    }
    let covered = completed.iter().filter_map(|(value, completed)| {
        let cover = last.iter().flatten().find(|(_, newest)| newest != value)?.0;
        (completed.index < cover.invoke.index).then_some((completed, *value, cover))
    });
    let (_, stale, cover) = covered.max_by_key(|(completed, ..)| **completed)?;
    Some(Change {
        kind: "stale-read",
        results: vec![(place, stale.clone())],
        reason: format!(
            "every change to {stale} that was invoked before the read completed had completed before \
             operation {} was invoked, which left another value and had completed before the read was \
             invoked",
            cover.id
        ),
    })
}

/// The value that an operation leaves if it takes effect.
fn left(operation: &Operation) -> Option<&Value> {
    match operation.function.as_str() {
        "write" => Some(&operation.argument),
        "cas" if operation.result == Value::Bool(false) => None,
        "cas" => operation.argument.as_pair().map(|(_, new)| new),
        _ => None,
    }
}

/// A read of a list lacks what stands behind some place, although the element there had been appended
/// before the read was invoked.
///
/// Proof: elements are unique, and nothing is ever taken from a list.
fn truncated_read(operations: &[Operation], place: usize) -> Option<Change> {
    let read = &operations[place];
    let list = read.result.as_list()?;
    let appends: BTreeMap<&Value, &Operation> = of_key(operations, &read.key)
        .filter(|one| one.function == "append")
        .map(|one| (&one.argument, one))
        .collect();
    let lost = list.iter().rposition(|element| appends[element].precedes(read))?;
    Some(Change {
        kind: "truncated-read",
        results: vec![(place, Value::list(list[..lost].iter().cloned()))],
        reason: format!(
            "operation {} had appended {} before the read was invoked",
            appends[&list[lost]].id, list[lost]
        ),
    })
}

/// A transaction's first read of a key that it had not written before lacks the last element, or finds
/// the value before the last one, although that had been written before the transaction was invoked,
/// and the value that it finds before that.
///
/// Proof: values are unique, and those of a key are written in the order of these three completions and
/// invocations; whoever wrote the last one comes before the reader in time, and yet after it.
fn out_of_date(operations: &[Operation], place: usize) -> Option<Change> {
    let reader = &operations[place];
    let micros = reader.result.as_list()?;
    let parts = |micro: &Value| Some((micro.as_list()?[1].clone(), micro.as_list()?[2].clone()));
    let is_read = |micro: &Value| micro.as_list().is_some_and(|parts| parts[0] == "r".into());
    for (nth, micro) in micros.iter().enumerate().filter(|(_, micro)| is_read(micro)) {
        let (key, found) = parts(micro)?;
        let used = |one: &Value| parts(one).is_some_and(|(other, _)| other == key);
        if micros.iter().enumerate().any(|(other, one)| other != nth && used(one)) {
            continue;
        }
        let last = found.as_list().map_or(Some(&found), |list| list.last());
        let writes_it = |one: &&Operation, value: &Value| {
            let asked = one.argument.as_list().unwrap_or(&[]).iter();
            asked
                .filter(|micro| !is_read(micro))
                .any(|micro| parts(micro) == Some((key.clone(), value.clone())))
        };
        let Some(writer) = last.and_then(|last| operations.iter().find(|one| writes_it(one, last)))
        else {
            continue;
        };
        if !writer.precedes(reader) {
            continue;
        }
        let stale = match found.as_list() {
            Some(list) => Some(Value::list(list[..list.len() - 1].iter().cloned())),
            None => before(operations, writer, &key),
        };
        let Some(stale) = stale else {
            continue;
        };
        let mut results = micros.to_vec();
        results[nth] = Value::list(["r".into(), key.clone(), stale]);
        return Some(Change {
            kind: "out-of-date",
            results: vec![(place, Value::list(results))],
            reason: format!(
                "operation {} had written key {key} before the transaction was invoked, which does \
                 not see that",
                writer.id
            ),
        });
    }
    None
}

/// A last value that another transaction than this writer gave a register, and had before the writer
/// was invoked.
fn before(operations: &[Operation], writer: &Operation, key: &Value) -> Option<Value> {
    let left = |one: &Operation| {
        let asked = one.argument.as_list()?.iter().rev();
        let mut of_key = asked.filter_map(|micro| {
            let parts = micro.as_list()?;
            (parts[0] == "w".into() && parts[1] == *key).then(|| parts[2].clone())
        });
        of_key.next()
    };
    let earlier = operations.iter().filter(|one| one.precedes(writer));
    earlier
        .filter_map(|one| Some((one.complete, left(one)?)))
        .max_by_key(|(at, _)| *at)
        .map(|(_, value)| value)
}

/// Two removals, one after the other, have swapped what they found.
///
/// Proof, for a queue: `a` was enqueued before `b` was, and `b` is dequeued before `a` is. For a
/// stack: `a` was pushed before `b` was, and `b` before the removal that now finds `a`, while `b` is
/// still there, since it is removed after that. Elements are unique.
fn swapped_pair(kind: Kind, operations: &[Operation], place: usize) -> Option<Change> {
    let first = &operations[place];
    let inserted: BTreeMap<&Value, &Operation> = of_key(operations, &first.key)
        .filter(|one| matches!(one.function.as_str(), "enqueue" | "push"))
        .map(|one| (&one.argument, one))
        .collect();
    let first_inserted = inserted.get(&first.result)?;
    let is_wrong = |second: &Operation| {
        let Some(second_inserted) = inserted.get(&second.result).filter(|_| second.is_ok()) else {
            return false;
        };
        match kind {
            Kind::Queue => first_inserted.precedes(second_inserted),
            _ => second_inserted.precedes(first_inserted) && first_inserted.precedes(first),
        }
    };
    let later = operations.iter().enumerate().skip(place + 1);
    let mut later = later.filter(|(_, one)| one.key == first.key && first.precedes(one));
    let (other, second) = later.find(|(_, one)| is_wrong(one))?;
    Some(Change {
        kind: "swapped-pair",
        results: vec![(place, second.result.clone()), (other, first.result.clone())],
        reason: match kind {
            Kind::Queue => format!(
                "{} was enqueued before {}, which is dequeued before it",
                first.result, second.result
            ),
            _ => format!(
                "{} was pushed before {}, which is on top of it when it is popped",
                second.result, first.result
            ),
        },
    })
}

/// An element is found although a removal of it had completed before the question was asked, and
/// every add of it had completed before that removal was invoked or was invoked after the answer.
///
/// Proof: it is not there after the removal, and nothing adds it before the question stands.
fn removed_element(operations: &[Operation], place: usize) -> Option<Change> {
    let question = &operations[place];
    if question.result == Value::Bool(true) {
        return None;
    }
    let same = || of_key(operations, &question.key).filter(|one| one.argument == question.argument);
    let removals = same().filter(|one| one.function == "remove" && one.precedes(question));
    let removal = removals.max_by_key(|one| one.invoke)?;
    let mut adds = same().filter(|one| one.function == "add");
    adds.all(|add| add.precedes(removal) || question.precedes(add)).then(|| Change {
        kind: "removed-element",
        results: vec![(place, true.into())],
        reason: format!(
            "operation {} had removed {} before, and no add could bring it back",
            removal.id, question.argument
        ),
    })
}

/// The operation nearest to the middle finds a value that no operation ever wrote; if it asks whether
/// a set has an element, the answer is turned round where that one was never added at all.
fn never_written(operations: &[Operation]) -> Option<Change> {
    let integer = |value: &Value| value.as_integer().unwrap_or(0);
    let largest = |one: &Operation| match one.argument.as_pair() {
        Some((_, new)) => integer(new),
        None => integer(&one.argument),
    };
    let unknown = Value::from(operations.iter().map(largest).max()? + 1);
    let added = |question: &Operation| {
        of_key(operations, &question.key)
            .any(|one| one.function == "add" && one.argument == question.argument)
    };
    let change = |place: usize| {
        let one = &operations[place];
        let result = match (one.function.as_str(), &one.result) {
            ("contains", _) if added(one) => return None,
            ("contains", _) => true.into(),
            (_, Value::List(list)) => Value::list(list.iter().cloned().chain([unknown.clone()])),
            _ => unknown.clone(),
        };
        Some((place, result))
    };
    let found = from_the_middle(operations).into_iter().find_map(change)?;
    Some(Change {
        kind: "never-written",
        reason: "nobody ever put in what it finds".into(),
        results: vec![found],
    })
}
