//! `[[operation]]`: explicit operations, in place of those that a workload would draw.

use std::collections::BTreeMap;

use wrack_history::catalogue::{ParameterInfo, ParameterKind};
use wrack_history::duration::format;
use wrack_history::load::ExplicitOperation;
use wrack_history::{SmolStr, Value};

use crate::diagnostic::Span;
use crate::fields::Fields;
use crate::mistake::Mistake;
use crate::parameters;
use crate::scope::Scope;
use crate::suggestion::unknown;
use crate::value;

/// Values stay small enough that a sum of millions of them is still a number.
const VALUE_MAX: i64 = 1_000_000_000_000;

const VALUE: ParameterKind = ParameterKind::Integer { min: -VALUE_MAX, max: VALUE_MAX };

/// A client has at most so many operations.
const NUMBER_MAX: u64 = 10_000_000;

/// Numbers of operations times clients: what is kept of a run has a place for each.
const PLACES_MAX: u64 = 50_000_000;

/// Keys of every `[[operation]]`, beside `at`, `client`, `to`, `function` and `key`.
pub(crate) const KEYS: &[ParameterInfo] = &[
    ParameterInfo::optional("value", VALUE, "With what; a `read` has none."),
    ParameterInfo::optional(
        "expected",
        VALUE,
        "What a `cas` expects to find; nothing was there yet if absent.",
    ),
    ParameterInfo::optional(
        "number",
        ParameterKind::Integer { min: 0, max: NUMBER_MAX as i64 - 1 },
        "What random draws are keyed by; the position among the client's operations, from 0, if absent.",
    ),
];

/// An operation of the file, and where it stands.
struct Draft {
    operation: ExplicitOperation,
    number: Option<u32>,
    span: Span,
}

/// Reads the operations; `None` if the file leaves them to the workload.
pub(crate) fn read(root: &mut Fields, scope: &Scope) -> Option<Vec<ExplicitOperation>> {
    root.get("operation")?;
    let drafts = root.list("operation").into_iter();
    let drafts = drafts.filter_map(|fields| draft(fields, scope)).collect::<Vec<_>>();
    Some(number(drafts, root, scope))
}

fn draft(mut fields: Fields, scope: &Scope) -> Option<Draft> {
    let (findings, before, span) = (fields.findings, fields.findings.count(), fields.span.clone());
    let at_ns = fields.need("at").and_then(|item| {
        let at_ns = fields.keep("at", value::duration(item))?;
        judge(&fields, in_time(at_ns, item.span(), scope))?;
        Some(at_ns)
    });
    let client = fields.need("client").and_then(|item| {
        let name = fields.keep("client", value::name(item))?;
        judge(&fields, scope.client(&name, item.span()))
    });
    let to = fields.get("to").and_then(|item| {
        let name = fields.keep("to", value::name(item))?;
        judge(&fields, scope.node(&name, item.span()))?;
        Some(name)
    });
    let function = fields.need("function").and_then(|item| {
        let name = fields.keep("function", value::name(item))?;
        judge(&fields, known_function(&name, item.span(), scope))?;
        Some(name)
    });
    let key = fields.read_required("key", value::words);
    let given = parameters::read(&mut fields, KEYS, scope);
    if let (Some(function), true) = (&function, given.sound) {
        judge_value(&fields, function, &given);
    }
    fields.finish();
    let integer = |name| given.settings.integer(name);
    let function = function?;
    let argument = integer("value").map_or(Value::Nil, Value::Integer);
    let argument = match function.as_str() {
        "cas" => Value::pair(integer("expected").map_or(Value::Nil, Value::Integer), argument),
        _ => argument,
    };
    let number = integer("number").map(|number| number as u32);
    let operation = ExplicitOperation {
        client: client?,
        number: 0,
        at_ns: at_ns?,
        to,
        key: key?.into(),
        function,
        argument,
    };
    (findings.count() == before).then_some(Draft { operation, number, span })
}

fn judge<T>(fields: &Fields, result: Result<T, Mistake>) -> Option<T> {
    result.map_err(|mistake| fields.report(mistake)).ok()
}

/// After the quiet period nobody is asked any more.
fn in_time(at_ns: u64, span: Span, scope: &Scope) -> Result<(), Mistake> {
    let Some(end_ns) = scope.end_ns.filter(|end_ns| at_ns >= *end_ns) else {
        return Ok(());
    };
    let title = format!("the operation is due at {}, after the quiet period", format(at_ns));
    let label = format!("clients stop asking at {}", format(end_ns));
    let help = "`phases.faults` and `phases.quiet` say how long the phases last";
    Err(Mistake::new(span, title, label).help(help))
}

fn known_function(name: &str, span: Span, scope: &Scope) -> Result<(), Mistake> {
    let Some(workload) = scope.workload.filter(|info| !info.functions.contains(&name)) else {
        return match scope.design.filter(|design| !design.functions.contains(&name)) {
            Some(design) => {
                let title = format!("`{}` does not serve `{name}`", design.name);
                Err(Mistake::new(span, title, "would never be answered"))
            }
            None => Ok(()),
        };
    };
    Err(unknown(&format!("function of `{}`", workload.name), name, span, workload.functions))
}

/// Only what changes something has a value, and only a cas expects one.
fn judge_value(fields: &Fields, function: &str, given: &parameters::Given) {
    let (value, expected) = (given.span("value"), given.span("expected"));
    match (function, value, expected) {
        ("read", Some(span), _) => {
            fields.report(Mistake::new(span, "a `read` has no `value`", "leave it out"));
        }
        ("read", None, None) | ("cas", Some(_), _) | (_, Some(_), None) => (),
        ("cas", None, _) | (_, None, None) => fields.miss("value"),
        (_, _, Some(span)) => {
            let title = format!("a `{function}` has no `expected`");
            fields.report(Mistake::new(span, title, "only a `cas` expects something"));
        }
    }
}

/// Numbers each client's operations, in order of time, and refuses a number that comes twice.
fn number(mut drafts: Vec<Draft>, root: &Fields, scope: &Scope) -> Vec<ExplicitOperation> {
    drafts.sort_by_key(|draft| draft.operation.at_ns);
    let mut counts = BTreeMap::<u32, u32>::new();
    let mut numbered = BTreeMap::<(u32, u32), Span>::new();
    let clients = u64::from(scope.clients.unwrap_or(1));
    for draft in &mut drafts {
        let operation = &mut draft.operation;
        let count = counts.entry(operation.client).or_default();
        operation.number = draft.number.unwrap_or(*count);
        *count += 1;
        if u64::from(operation.number) * clients > PLACES_MAX {
            let title = format!("{} is too much for {clients} clients", operation.number);
            let label = format!("at most {}", PLACES_MAX / clients);
            root.report(Mistake::new(draft.span.clone(), title, label));
        }
        let name = (operation.client, operation.number);
        if let Some(first) = numbered.insert(name, draft.span.clone()) {
            let title = format!(
                "two operations of `client-{}` have the number {}",
                operation.client + 1,
                operation.number
            );
            root.report(
                Mistake::new(draft.span.clone(), title, "the second one")
                    .related(first, "the first one")
                    .help("give each operation a `number`, or none: without one it is its position among those of its client"),
            );
        }
    }
    drafts.into_iter().map(|draft| draft.operation).collect()
}

/// The weight of each function of the workload, as if these operations had been drawn; the final
/// reads count as well.
pub(crate) fn mix(
    functions: &'static [&'static str],
    operations: &[ExplicitOperation],
    final_reads: bool,
) -> Vec<(SmolStr, u32)> {
    let weigh = |function: &&'static str| {
        let same = operations.iter().filter(|operation| operation.function == *function);
        let count = same.count() as u32 + u32::from(*function == "read" && final_reads);
        (SmolStr::new_static(function), count)
    };
    functions.iter().map(weigh).collect()
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use crate::testing::{check, read_good};

    const READ: &str = "at = \"1s\"\nclient = \"client-1\"\nfunction = \"read\"\nkey = \"k0\"";

    fn operation(lines: &str, expected: &str) {
        check(&format!("[[operation]]\n{lines}"), expected);
    }

    /// A read with one line replaced.
    fn instead(of: &str, with: &str, expected: &str) {
        assert!(READ.contains(of));
        operation(&READ.replace(of, with), expected);
    }

    #[test]
    fn operations_are_numbered_in_order_of_time_and_a_cas_has_two_values() {
        let scenario = read_good(
            "operation = [\n\
             { at = \"2s\", client = \"client-2\", function = \"cas\", key = \"k\", value = 7 },\n\
             { at = \"1s\", client = \"client-2\", function = \"write\", key = \"k\", value = 3, to = \"n2\" },\n\
             { at = \"3s\", client = \"client-1\", function = \"cas\", key = \"j\", expected = 7, value = 8, number = 5 },\n\
             ]",
        );
        let operations = scenario.operations.unwrap();
        let names =
            operations.iter().map(|one| (one.client, one.number, one.at_ns / 1_000_000_000));
        assert_eq!(names.collect::<Vec<_>>(), [(1, 0, 1), (1, 1, 2), (0, 5, 3)]);
        assert_eq!(operations[0].to.as_deref(), Some("n2"));
        assert_eq!(operations[0].argument, 3.into());
        assert_eq!(operations[1].argument, Value::pair(Value::Nil, 7.into()));
        assert_eq!(operations[2].argument, Value::pair(7.into(), 8.into()));
        let mix = [("read".into(), 1), ("write".into(), 1), ("cas".into(), 2)];
        assert_eq!(scenario.workload.mix, mix);
        assert_eq!(read_good("operation = []").operations, Some(Vec::new()));
        assert_eq!(read_good("").operations, None);
    }

    #[test]
    fn an_operation_names_what_exists() {
        check(
            "«[[operation]]»\nat = \"1s\"\nclient = \"client-1\"\nkey = \"k\"",
            "missing key `function` in `operation`",
        );
        instead(
            "\"1s\"",
            "«1»",
            "`operation.at`: expected a duration such as \"150ms\", found a whole number",
        );
        instead(
            "\"1s\"",
            "«\"60s\"»",
            "the operation is due at 60s, after the quiet period\nclients stop asking at 60s",
        );
        instead(
            "\"client-1\"",
            "«\"client-9\"»",
            "there is no client `client-9`\nthe clients are `client-1` to `client-5`",
        );
        instead(
            "\"client-1\"",
            "«\"n1\"»",
            "`n1` is not a client\nthe clients are `client-1` to `client-5`",
        );
        instead(
            "\"read\"",
            "«\"raed\"»",
            "unknown function `raed` of `register`\ndid you mean `read`?",
        );
        instead("\"k0\"", "«\"\"»", "`operation.key`: an empty string");
        operation(&format!("{READ}\nto = «\"n9\"»"), "unknown node `n9`");
        operation(
            &format!("{READ}\n«valeu» = 3"),
            "unknown key `valeu` in `operation`\ndid you mean `value`?",
        );
        check(
            "operation = «7»",
            "`operation`: expected an array of tables, found a whole number\nwrite `[[operation]]` above each of them",
        );
    }

    #[test]
    fn a_value_stands_where_something_is_changed() {
        operation(&format!("{READ}\nvalue = «3»"), "a `read` has no `value`\nleave it out");
        operation(
            &format!("{READ}\nexpected = «3»"),
            "a `read` has no `expected`\nonly a `cas` expects something",
        );
        let write = READ.replace("read", "write");
        check(&format!("«[[operation]]»\n{write}"), "missing key `value` in `operation`");
        operation(&format!("{write}\nvalue = 1\nexpected = «3»"), "a `write` has no `expected`");
        operation(
            &format!("{write}\nvalue = «9999999999999»"),
            "`operation.value`: 9999999999999 is out of bounds",
        );
    }

    #[test]
    fn two_operations_of_a_client_have_two_numbers() {
        let second = format!("«[[operation]]»\n{READ}\nnumber = 4");
        check(
            &format!("[[operation]]\n{READ}\nnumber = 4\n{second}"),
            "two operations of `client-1` have the number 4\nthe first one\nor none",
        );
        operation(
            &format!("{READ}\nnumber = «10000000»"),
            "`operation.number`: 10000000 is out of bounds",
        );
        check(
            &format!(
                "[workload]\nname = \"register\"\nclients = 10000\n«[[operation]]»\n{READ}\nnumber = 9999999"
            ),
            "9999999 is too much for 10000 clients\nat most 5000",
        );
    }

    #[test]
    fn what_is_explicit_is_not_drawn() {
        check(
            "operation = []\n[workload]\nname = \"register\"\nrate = «\"50/s\"»",
            "`rate` has no meaning beside explicit operations\nleave it out",
        );
        read_good(&format!(
            "[workload]\nname = \"register\"\nclients = 2\nfinal_reads = false\n[[operation]]\n{READ}"
        ));
    }
}
