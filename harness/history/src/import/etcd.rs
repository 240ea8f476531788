//! What clients of etcd's robustness tests did: one operation a line, one file a client.
//!
//! ```text
//! {"ClientId":4,"Input":{"Type":"range","Range":{"Start":"a","End":"z","Limit":10,"Revision":0}},
//!  "Call":12,"Output":{"Range":{"KVs":[…],"Count":2},"Revision":3,"Error":""},"Return":15}
//! ```
//! `Call` and `Return` are nanoseconds on one clock, so the files of a run are one history in parts. An
//! error leaves in doubt what might have changed something, and says nothing of a read; a client that
//! is in doubt goes on as another process. A value that is too long to be written out is its hash.
//! Leases and compaction are not part of the model `etcd`, and refused; defragmentation changes nothing.
//! Source: <https://github.com/etcd-io/etcd>, `tests/robustness/report` and `model`.

use std::borrow::Cow;

use serde::Deserialize;
use smol_str::SmolStr;

use super::forms::{Form, Forms, Notation};
use super::jepsen_json::from_json;
use super::recorder::{Event, Kind, Recorder, Subject, Timed};
use super::source::Source;
use super::{Format, Read, Stop, contains};
use crate::value::Value;

pub const FORMAT: Format = Format {
    name: "etcd-robustness",
    doc: "Operations of etcd's robustness tests: JSON Lines with ClientId, Input, Call, Output and \
          Return. The files of a folder are one history.",
    recognises,
    read: Read::Recorded(read),
    failed_cas: None,
    initial: Value::Nil,
};

fn recognises(head: &[u8]) -> bool {
    let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.starts_with(b"{") && contains(line, "\"ClientId\":") && contains(line, "\"Input\":")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    client_id: u32,
    #[serde(borrow)]
    input: Input<'a>,
    call: u64,
    #[serde(borrow)]
    output: Output<'a>,
    #[serde(rename = "Return")]
    complete: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    #[serde(borrow, rename = "Type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    range: Option<Range<'a>>,
    #[serde(borrow, default)]
    txn: Option<Txn<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range<'a> {
    #[serde(borrow)]
    start: Cow<'a, str>,
    #[serde(borrow, default)]
    end: Cow<'a, str>,
    #[serde(default)]
    limit: i64,
    #[serde(default)]
    revision: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Txn<'a> {
    #[serde(borrow, default)]
    conditions: Option<Vec<Condition<'a>>>,
    #[serde(borrow, default)]
    operations_on_success: Option<Vec<Small<'a>>>,
    #[serde(borrow, default)]
    operations_on_failure: Option<Vec<Small<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Condition<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(default)]
    expected_revision: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Small<'a> {
    #[serde(borrow, rename = "Type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    range: Option<Range<'a>>,
    #[serde(borrow, default)]
    put: Option<Put<'a>>,
    #[serde(borrow, default)]
    delete: Option<Delete<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    value: Hashed<'a>,
    #[serde(default, rename = "LeaseID")]
    lease: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
}

/// A value, or its hash if it is long.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Hashed<'a> {
    #[serde(borrow, default)]
    value: Cow<'a, str>,
    #[serde(default)]
    hash: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    #[serde(borrow, default)]
    txn: Option<Answered<'a>>,
    #[serde(borrow, default)]
    range: Option<Found<'a>>,
    #[serde(default)]
    revision: i64,
    #[serde(default)]
    partial_response: bool,
    #[serde(borrow, default)]
    error: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answered<'a> {
    #[serde(default)]
    failure: bool,
    #[serde(borrow, default)]
    results: Option<Vec<Found<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found<'a> {
    #[serde(borrow, rename = "KVs", default)]
    keys: Option<Vec<Pair<'a>>>,
    #[serde(default)]
    count: i64,
    #[serde(default)]
    deleted: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pair<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    value: Hashed<'a>,
    mod_revision: i64,
}

/// Clients have numbers below this; after a doubt a client goes on under its own plus a multiple of it.
const CLIENTS_MAX: u32 = 1 << 16;

fn read(source: &mut Source<'_>, recorder: &mut Recorder) -> Result<(), Stop> {
    let mut forms = Forms::new(source, Notation::Json);
    let mut doubts = rustc_hash::FxHashMap::<u32, u32>::default();
    while let Some(form) = forms.next_form()? {
        let line = from_json::<Line<'_>>(form)?;
        if line.input.kind == "defragment" {
            continue;
        }
        let doubts = doubts.entry(line.client_id).or_default();
        let process = (line.client_id < CLIENTS_MAX).then_some(line.client_id);
        let process =
            process.and_then(|client| doubts.checked_mul(CLIENTS_MAX)?.checked_add(client));
        let process = process.ok_or_else(|| form.wrong(0, "a client is a number below 65536"))?;
        let (function, value, changes) = asked(form, &line.input)?;
        if line.complete < line.call {
            return Err(form.wrong(0, "this operation returns before it is called"));
        }
        let subject = Subject::Client(process);
        let place = form.place;
        let invoke = Event { subject, function, value, ns: Some(line.call), ..Event::default() };
        recorder.later.push(Timed { rank: line.call, place, event: invoke });
        let failed = !line.output.error.is_empty() || line.output.partial_response;
        let error = failed.then(|| SmolStr::from(line.output.error.as_ref()));
        let kind = match (failed, changes) {
            (false, _) => Kind::Ok,
            (true, false) => Kind::Fail,
            (true, true) => {
                *doubts += 1;
                Kind::Info
            }
        };
        let value = if failed { Value::Nil } else { answered(form, &line)? };
        let ns = Some(line.complete);
        let event = Event { kind, subject, value, ns, error, ..Event::default() };
        recorder.later.push(Timed { rank: line.complete, place, event });
    }
    Ok(())
}

/// The function and its argument, and whether it may change something.
fn asked(form: Form<'_>, input: &Input<'_>) -> Result<(SmolStr, Value, bool), Stop> {
    match (&*input.kind, &input.range, &input.txn) {
        ("range", Some(asked), _) => {
            let mut list = range(asked);
            list.push(asked.revision.into());
            Ok((SmolStr::new_static("range"), Value::list(list), false))
        }
        ("txn", _, Some(txn)) => {
            let condition = |condition: &Condition<'_>| {
                Value::pair(condition.key.as_ref().into(), condition.expected_revision.into())
            };
            let conditions = txn.conditions.as_deref().unwrap_or_default().iter().map(condition);
            let success = txn.operations_on_success.as_deref().unwrap_or_default();
            let failure = txn.operations_on_failure.as_deref().unwrap_or_default();
            let smalls = |list: &[Small<'_>]| {
                list.iter()
                    .map(|one| small(form, one))
                    .collect::<Result<Vec<_>, _>>()
                    .map(Value::list)
            };
            let value = Value::list([Value::list(conditions), smalls(success)?, smalls(failure)?]);
            let changes = |one: &Small<'_>| one.kind != "range-operation";
            let changes = success.iter().chain(failure).any(changes);
            Ok((SmolStr::new_static("txn"), value, changes))
        }
        (kind, ..) => Err(form
            .wrong(0, format!("the operation \"{kind}\" is not part of the model etcd"))
            .suggest("it has range and txn, without leases and compaction")),
    }
}

fn range(range: &Range<'_>) -> Vec<Value> {
    vec![range.start.as_ref().into(), range.end.as_ref().into(), range.limit.into()]
}

fn small(form: Form<'_>, small: &Small<'_>) -> Result<Value, Stop> {
    let wrong = |reason: String| form.wrong(0, reason);
    match (&*small.kind, &small.range, &small.put, &small.delete) {
        ("range-operation", Some(asked), ..) => {
            Ok(Value::list([vec!["range".into()], range(asked)].concat()))
        }
        ("put-operation", _, Some(put), _) if put.lease == 0 => {
            Ok(Value::list(["put".into(), put.key.as_ref().into(), hashed(&put.value)]))
        }
        ("put-operation", _, Some(_), _) => {
            Err(wrong("a put with a lease is not part of the model etcd".into()))
        }
        ("delete-operation", _, _, Some(delete)) => {
            Ok(Value::list(["delete".into(), delete.key.as_ref().into()]))
        }
        (kind, ..) => Err(wrong(format!("the operation \"{kind}\" is not known"))),
    }
}

fn hashed(value: &Hashed<'_>) -> Value {
    match value.hash {
        0 => value.value.as_ref().into(),
        hash => format!("#{hash}").as_str().into(),
    }
}

fn answered(form: Form<'_>, line: &Line<'_>) -> Result<Value, Stop> {
    let revision = Value::from(line.output.revision);
    match (&line.output.range, &line.output.txn) {
        (Some(found), _) if line.input.range.is_some() => {
            Ok(Value::list([revision, found.count.into(), pairs(found)]))
        }
        (_, Some(answered)) if line.input.txn.is_some() => {
            let results = answered.results.as_deref().unwrap_or_default().iter();
            let results = results
                .map(|found| Value::pair((found.count + found.deleted).into(), pairs(found)));
            Ok(Value::list([revision, (!answered.failure).into(), Value::list(results)]))
        }
        _ => Err(form.wrong(0, "the output of this operation is none to its input")),
    }
}

fn pairs(found: &Found<'_>) -> Value {
    Value::list(found.keys.as_deref().unwrap_or_default().iter().map(|pair| {
        Value::list([pair.key.as_ref().into(), hashed(&pair.value), pair.mod_revision.into()])
    }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, lines, refused};
    use super::super::{Reading, read_parts};

    const RANGE: &str = r#"{"ClientId":4,"Input":{"Type":"range","Range":{"Start":"a","End":"z","Limit":10,"Revision":0},"Txn":null},"Call":12,"Output":{"Txn":null,"Range":{"KVs":[{"Key":"k","Value":{"Value":"5","Hash":0},"ModRevision":2}],"Count":1},"Revision":3,"PartialResponse":false,"Error":""},"Return":15}"#;
    const PUT: &str = r#"{"ClientId":7,"Input":{"Type":"txn","Range":null,"Txn":{"Conditions":[{"Key":"k","ExpectedRevision":0}],"OperationsOnSuccess":[{"Type":"put-operation","Range":{"Start":"","End":"","Limit":0},"Put":{"Key":"k","Value":{"Value":"","Hash":9},"LeaseID":0},"Delete":{"Key":""}}],"OperationsOnFailure":[{"Type":"range-operation","Range":{"Start":"k","End":"","Limit":0},"Put":{"Key":"","Value":{"Value":"","Hash":0},"LeaseID":0},"Delete":{"Key":""}}]}},"Call":10,"Output":{"Txn":{"Failure":false,"Results":[{"KVs":null,"Count":0,"Deleted":0}]},"Range":null,"Revision":2,"Error":""},"Return":14}"#;

    #[test]
    fn files_of_clients_are_one_history_in_order_of_time() {
        let expected = [
            r##"7 txn([[["k", 0]], [["put", "k", "#9"]], [["range", "k", "", 0]]]) ok [2, true, [[0, []]]] [0, 2]"##,
            r#"4 range(["a", "z", 10, 0]) ok [3, 1, [["k", "5", 2]]] [1, 3]"#,
        ];
        check("etcd", &format!("{RANGE}\n{PUT}\n"), &expected);
        let reading = Reading { model: "etcd", ..Reading::default() };
        let parts = [RANGE, PUT].map(|part| (String::from("part"), part.as_bytes()));
        assert_eq!(lines(&read_parts("run", parts, &reading).unwrap()), expected);
        let parts = [(String::from("part"), "w 0 1".as_bytes())];
        let reading = Reading { model: "rw-register", ..Reading::default() };
        let error = read_parts("run", parts, &reading).unwrap_err();
        assert_eq!(
            error.to_string(),
            "part:1:1: a history in the format awdit is one file: check the files one by one"
        );
    }

    #[test]
    fn an_error_leaves_a_change_in_doubt_and_its_client_goes_on_as_another_process() {
        let doubt = PUT.replace("\"Error\":\"\"", "\"Error\":\"timed out\"");
        let later = RANGE.replace("\"ClientId\":4", "\"ClientId\":7").replace("12,", "13,");
        let failed = RANGE.replace("\"Error\":\"\"", "\"Error\":\"timed out\"");
        check(
            "etcd",
            &format!("{doubt}\n{later}\n{failed}"),
            &[
                r##"7 txn([[["k", 0]], [["put", "k", "#9"]], [["range", "k", "", 0]]]) info nil [0, 3] timed out"##,
                r#"4 range(["a", "z", 10, 0]) fail nil [1, 5] timed out"#,
                r#"65543 range(["a", "z", 10, 0]) ok [3, 1, [["k", "5", 2]]] [2, 4]"#,
            ],
        );
    }

    #[test]
    fn what_the_model_does_not_have_is_refused() {
        let lease = PUT.replace(
            "\"LeaseID\":0},\"Delete\":{\"Key\":\"\"}}],\"OperationsOnF",
            "\"LeaseID\":5},\"Delete\":{\"Key\":\"\"}}],\"OperationsOnF",
        );
        refused("etcd", &lease, "f:1:1: a put with a lease is not part of the model etcd");
        let revoke = RANGE.replace("\"range\"", "\"leaseRevoke\"");
        refused(
            "etcd",
            &revoke,
            "f:1:1: the operation \"leaseRevoke\" is not part of the model etcd: it has range and txn, \
             without leases and compaction",
        );
        let early = RANGE.replace("\"Return\":15", "\"Return\":1");
        refused("etcd", &early, "f:1:1: this operation returns before it is called");
        let other = RANGE.replace("\"range\",\"Range\"", "\"txn\",\"Range\"");
        refused(
            "etcd",
            &other,
            "f:1:1: the operation \"txn\" is not part of the model etcd: it has range and txn, without \
             leases and compaction",
        );
    }
}
