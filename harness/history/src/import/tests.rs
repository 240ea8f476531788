use super::*;
use crate::operation::{Moment, Operation, Outcome};

/// An operation in a line: `process key.function(argument) outcome result [from, to] error`.
fn line(operation: &Operation) -> String {
    let Operation { process, key, function, argument, result, .. } = operation;
    let key = if key.is_empty() { String::new() } else { format!("{key}.") };
    let outcome = match operation.outcome {
        Outcome::Ok => "ok",
        Outcome::Fail => "fail",
        Outcome::Info => "info",
    };
    let to = match operation.complete {
        Moment::NEVER => "never".to_owned(),
        moment => moment.index.to_string(),
    };
    let error = operation.details.as_ref().and_then(|details| details.error.as_ref());
    let error = error.map(|error| format!(" {error}")).unwrap_or_default();
    let from = operation.invoke.index;
    format!("{process} {key}{function}({argument}) {outcome} {result} [{from}, {to}]{error}")
}

pub fn lines(imported: &Imported) -> Vec<String> {
    imported.history.operations.iter().map(line).collect()
}

/// Reads a text for a model, and compares what was read.
pub fn check(model: &str, text: &str, expected: &[&str]) {
    let reading = Reading { model, ..Reading::default() };
    assert_eq!(lines(&read("f", text.as_bytes(), &reading).unwrap()), expected, "{text}");
}

/// Reads a text that must be refused.
pub fn refused(model: &str, text: &str, expected: &str) {
    let reading = Reading { model, ..Reading::default() };
    assert_eq!(read("f", text.as_bytes(), &reading).unwrap_err().to_string(), expected, "{text}");
}

fn assumed(imported: &Imported, name: &str) -> Option<Value> {
    imported.assumed.iter().find(|assumption| assumption.name == name).map(|a| a.value.clone())
}

/// Reads events in EDN, each written as `type process f value`.
fn events(reading: &Reading<'_>, events: &[&str]) -> Imported {
    let event = |event: &&str| {
        let mut parts = event.splitn(4, ' ');
        let mut part = || parts.next().unwrap_or("nil");
        format!("{{:type :{} :process {} :f :{} :value {}}}\n", part(), part(), part(), part())
    };
    let text = events.iter().map(event).collect::<String>();
    read("f", text.as_bytes(), reading).unwrap()
}

#[test]
fn formats_are_found_by_name_and_by_how_they_begin() {
    let recognised = |text: &str| {
        let mut from = text.as_bytes();
        recognise(&mut Source::open(&mut from).unwrap()).map(|format| format.name).ok()
    };
    assert!(ALL.iter().all(|format| by_name(format.name).is_some_and(|f| f.name == format.name)));
    assert_eq!(by_name("yaml").map(|format| format.name), None);
    let check = |text, expected| assert_eq!(recognised(text), Some(expected), "{text}");
    check("{\"format\":\"wrack-history\",\"version\":1}\n", "wrack");
    check("{\"meta\": {\"linearizable\": true}}\n", "synth-lin");
    check("one\nINFO  jepsen.util - 0\t:invoke\t:read\tnil\n", "jepsen-log");
    check("{:process 0, :type :ok, :f :get, :key \"0\"}", "porcupine-kv");
    check("{\"meta\": {\"consistent\": {}}}\n", "synth-txn");
    check("{\"p\":0,\"c\":0,\"r\":1,\"s\":\"ok\",\"t\":[]}\n", "synth-txn");
    check("\n w(0,1,1,-1)\n", "plume");
    check("w 0 1\n=====", "awdit");
    check("[ {\"type\": 1}]", "jepsen-json");
    check("{\"type\": 1}", "jepsen-json");
    check("; a comment\n  ({:type :invoke})", "jepsen-edn");
    check("#jepsen.history.Op{:type :invoke}", "jepsen-edn");
    assert_eq!(recognised("type,process\n"), None);
}

#[test]
fn an_empty_file_is_read_only_if_its_format_is_named() {
    refused(
        "register",
        " \n",
        "f:1:1: the file is empty, so its format cannot be recognised: name it with --from: wrack, \
         synth-txn, synth-lin, etcd-robustness, jepsen-log, plume, dbcop, awdit, porcupine-kv, jepsen-json, jepsen-edn",
    );
    for format in ALL.iter().filter(|format| !["dbcop", "wrack"].contains(&format.name)) {
        let reading = Reading { model: "register", from: Some(format), ..Reading::default() };
        assert!(read("f", "\n".as_bytes(), &reading).unwrap().history.operations.is_empty());
    }
}

#[test]
fn keys_are_independent_only_if_all_values_are() {
    let reading = Reading { model: "cas-register", ..Reading::default() };
    let imported = events(
        &reading,
        &[
            "invoke 0 cas [0 [1 2]]",
            "invoke 1 read [7 nil]",
            "ok 0 cas [0 [1 2]]",
            "ok 1 read [7 3]",
        ],
    );
    assert_eq!(assumed(&imported, "keys"), Some("independent".into()));
    assert_eq!(lines(&imported), ["0 0.cas([1, 2]) ok true [0, 2]", "1 7.read(nil) ok 3 [1, 3]"]);
    for plain in [
        ["invoke 0 cas [1 2]", "invoke 1 read [0 nil]", "ok 1 read [0 3]"],
        ["invoke 0 write [1 2]", "invoke 1 read", "ok 1 read [1 2]"],
        ["invoke 0 write [1 2]", "invoke 1 read [1 nil]", "ok 1 read [2 2]"],
        ["invoke 0 write [1 2]", "invoke 1 read [1 nil]", "ok 1 read"],
        ["invoke 0 write [nil 2]", "invoke 1 read [1 nil]", "ok 1 read [1 2]"],
    ] {
        assert_eq!(assumed(&events(&reading, &plain), "keys"), Some("none".into()), "{plain:?}");
    }
}

#[test]
fn an_integer_and_a_text_that_look_alike_are_two_keys() {
    let reading = Reading { model: "register", ..Reading::default() };
    let imported = events(&reading, &["invoke 0 write [1 2]", "invoke 1 write [\"1\" 2]"]);
    let keys = imported.history.operations.iter().map(|operation| operation.key.as_str());
    assert_eq!(keys.collect::<Vec<_>>(), ["1", "\"1\""]);
}

#[test]
fn a_failed_cas_says_what_its_error_or_the_reader_says() {
    let text = "{:type :invoke :process 0 :f :cas :value [1 2]}
        {:type :fail :process 0 :f :cas :value [1 2]}
        {:type :invoke :process 0 :f :cas :value [1 2]}
        {:type :fail :process 0 :f :cas :value [1 2] :error [:precondition-failed \"not 1\"]}
        {:type :invoke :process 0 :f :cas :value [1 2]}
        {:type :fail :process 0 :f :cas :value [1 2] :error [11 \"not a leader\"]}
        {:type :invoke :process 0 :f :cas :value [nil 2]}
        {:type :fail :process 0 :f :cas :value [nil 2] :error [20 \"not found\"]}
        {:type :invoke :process 0 :f :read}
        {:type :fail :process 0 :f :read :error [20 \"not found\"]}";
    let outcomes = |failed_cas| {
        let reading = Reading { model: "cas-register", failed_cas, ..Reading::default() };
        let imported = read("f", text.as_bytes(), &reading).unwrap();
        let outcomes = imported.history.operations.iter().map(Operation::is_ok).collect::<Vec<_>>();
        (outcomes, assumed(&imported, "failed_cas").unwrap())
    };
    assert_eq!(outcomes(None), (vec![false, true, false, false, true], "by-error".into()));
    let observed = outcomes(Some(FailedCas::Observed));
    assert_eq!(observed, (vec![true, true, false, false, true], "observed".into()));
    assert_eq!(outcomes(Some(FailedCas::Ignored)), (vec![false; 5], "ignored".into()));
}

#[test]
fn a_read_of_nil_says_nothing_where_nil_cannot_be() {
    let history = ["invoke 0 read", "ok 0 read", "invoke 1 write 1"];
    let check = |model, initial: Option<i64>, events: &[&str], expected: Option<&str>, count| {
        let reading = Reading { model, initial: initial.map(Value::from), ..Reading::default() };
        let imported = super::tests::events(&reading, events);
        assert_eq!(assumed(&imported, "nil_reads"), expected.map(Value::from));
        assert_eq!(imported.history.operations.len(), count);
    };
    check("register", None, &history, Some("observed"), 2);
    check("register", Some(0), &history, Some("unknown"), 1);
    check(
        "register",
        Some(0),
        &["invoke 0 read", "ok 0 read", "invoke 1 write"],
        Some("observed"),
        2,
    );
    check("register", Some(0), &["invoke 0 read", "ok 0 read 0"], None, 1);
    check("queue", None, &["invoke 0 dequeue", "ok 0 dequeue"], None, 1);
}

#[test]
fn a_micro_read_of_nil_says_nothing_where_its_key_starts_otherwise() {
    let initial = Some(value("", "{:x 0}").unwrap());
    let reading = Reading { model: "multi-register", initial, ..Reading::default() };
    let history = ["invoke 0 txn [[:r :x nil] [:r :y nil]]", "ok 0 txn [[:r :x nil] [:r :y nil]]"];
    let imported = events(&reading, &history);
    assert_eq!(assumed(&imported, "nil_reads"), Some("unknown".into()));
    let left = r#"0 txn([["read", "y", nil]]) ok [["read", "y", nil]] [0, 1]"#;
    assert_eq!(lines(&imported), [left]);
    let writes = [history[0], history[1], "invoke 1 txn [[:w :x nil]]"];
    assert_eq!(assumed(&events(&reading, &writes), "nil_reads"), None);
}

#[test]
fn micro_operations_are_triples_with_full_names() {
    check(
        "multi-register",
        "{:type :invoke :process 0 :f :txn :value [[:r :x nil] [:write :y 2]]}
         {:type :ok :process 0 :f :txn :value [[:r :x 1] [:write :y 2]]}
         {:type :invoke :process 0 :f :read :value {:x nil :y nil}}
         {:type :ok :process 0 :f :read :value {:x 1 :y 2}}",
        &[
            r#"0 txn([["read", "x", nil], ["write", "y", 2]]) ok [["read", "x", 1], ["write", "y", 2]] [0, 1]"#,
            r#"0 txn([["read", "x", nil], ["read", "y", nil]]) ok [["read", "x", 1], ["read", "y", 2]] [2, 3]"#,
        ],
    );
    refused(
        "multi-register",
        "{:type :invoke :process 0 :f :txn :value [[:r :x nil]]}
         {:type :ok :process 0 :f :txn :value [[:r :y 1]]}",
        "f:1:1: the answer [[\"read\", \"y\", 1]] is none to the micro-operations [[\"read\", \"x\", nil]]",
    );
    refused(
        "multi-register",
        "{:type :invoke :process 0 :f :txn :value [[:append :x 1]]}",
        "f:1:1: a micro-operation is [:read key value] or [:write key value], not [\"append\", \"x\", 1]",
    );
}

#[test]
fn a_function_that_the_model_does_not_have_is_refused_with_the_models_that_do() {
    let text = "{:type :invoke :process 0 :f :enqueue :value 1}";
    refused(
        "stack",
        text,
        "f:1:1: the model stack has no function \"enqueue\": --model can be queue",
    );
    check("tickets", text, &["0 enqueue(1) info nil [0, never]"]);
}

#[test]
fn times_that_are_missing_or_jump_back_do_not_change_the_order() {
    let text = "{:type :invoke :process 0 :f :read :time 5}
        {:type :ok :process 0 :f :read :time 3}
        {:type :invoke :process 0 :f :read :time -1}";
    let reading = Reading { model: "register", ..Reading::default() };
    let imported = read("f", text.as_bytes(), &reading).unwrap();
    let [first, second] = &imported.history.operations[..] else { panic!("two") };
    assert_eq!((first.invoke.ns, first.complete.ns, second.invoke.ns), (5, 5, 5));
    assert_eq!(assumed(&imported, "times"), Some("partial".into()));
}
