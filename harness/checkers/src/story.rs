//! Histories as text, for tests.
//!
//! One operation a line: process, function, key, argument, interval in milliseconds, and how it
//! ended. `-` stands for nil or for no key, and `@2` after the process for its session.
//! ```text
//! p1 write k 1      10..20           ok; its result is nil
//! p2 read k -       12..30 1         ok with a result
//! p3 cas k [1,2]    31..40 true
//! p4 write k 3      35..?            in doubt
//! p5 write k 4      36..39 fail
//! p1@7 read k -     41..42 [1,2]
//! ```

use wrack_history::run::Phases;
use wrack_history::{Fact, FactRecord, History, Judgement, Moment, NodeIndex, Operation};
use wrack_history::{Outcome, Settings, SmolStr, Value};

use crate::{Derived, Evidence, Guarantee};

const MILLISECOND: u64 = 1_000_000;

/// The history that the text tells. Events at the same millisecond stand in the order of the lines,
/// invocations before completions.
pub(crate) fn history(text: &str) -> History {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut operations: Vec<Operation> = lines.map(operation).collect();
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (position, operation) in operations.iter().enumerate() {
        events.push((operation.invoke.ns, false, position));
        if operation.complete != Moment::NEVER {
            events.push((operation.complete.ns, true, position));
        }
    }
    events.sort_unstable();
    for (index, (_, completes, position)) in events.into_iter().enumerate() {
        let operation = &mut operations[position];
        let moment = if completes { &mut operation.complete } else { &mut operation.invoke };
        moment.index = index as u64;
    }
    operations.sort_by_key(|operation| operation.invoke.index);
    for (id, operation) in operations.iter_mut().enumerate() {
        operation.id = id as u64;
    }
    History { operations, nemesis: Vec::new() }
}

fn operation(line: &str) -> Operation {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [process, function, key, argument, interval, rest @ ..] = words.as_slice() else {
        panic!("a line has process, function, key, argument and interval: {line}");
    };
    let (process, session) = process.split_once('@').unwrap_or((process, "0"));
    let (from, to) = interval.split_once("..").expect("an interval is written 10..20");
    let at = |ms: &str| Moment {
        index: 0,
        ns: ms.parse::<u64>().expect("times are milliseconds") * MILLISECOND,
    };
    let outcome = match (to, rest) {
        ("?", _) => Outcome::Info,
        (_, ["fail"]) => Outcome::Fail,
        (_, ["info"]) => Outcome::Info,
        _ => Outcome::Ok,
    };
    let result = match (outcome, rest) {
        (Outcome::Ok, [result]) => value(result),
        _ => Value::Nil,
    };
    Operation {
        id: 0,
        process: process.trim_start_matches('p').parse().expect("a process is p1"),
        session: session.parse().expect("a session is a number"),
        key: if *key == "-" { "" } else { *key }.into(),
        function: (*function).into(),
        argument: value(argument),
        result,
        outcome,
        invoke: at(from),
        complete: if to == "?" { Moment::NEVER } else { at(to) },
        details: None,
    }
}

/// `-`, `true`, `7`, `[1,[2,3]]` or a text.
pub(crate) fn value(text: &str) -> Value {
    if let Some(list) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let mut depth = 0;
        let elements = list.split(|letter| {
            depth += i32::from(letter == '[') - i32::from(letter == ']');
            letter == ',' && depth == 0
        });
        return Value::list(elements.filter(|element| !element.is_empty()).map(value));
    }
    match text {
        "-" => Value::Nil,
        "true" => true.into(),
        "false" => false.into(),
        _ => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
    }
}

/// Facts, each with the node that noted it and when, in milliseconds.
pub(crate) fn facts(facts: impl IntoIterator<Item = (NodeIndex, u64, Fact)>) -> Vec<FactRecord> {
    let record = |(node, ms, fact)| FactRecord { ns: ms * MILLISECOND, node, fact };
    facts.into_iter().map(record).collect()
}

/// That the operations took effect at these positions, with these values afterwards.
pub(crate) fn effects(key: &str, effects: &[(u64, i64, u64)]) -> Vec<FactRecord> {
    let of_key = effects.iter().map(|(operation, value, at)| (*operation, key, *value, *at));
    effects_of(&of_key.collect::<Vec<_>>())
}

/// That the operations took effect on these keys, with these values afterwards, at these positions.
pub(crate) fn effects_of(effects: &[(u64, &str, i64, u64)]) -> Vec<FactRecord> {
    let effect = |(operation, key, value, position): &(u64, &str, i64, u64)| {
        let fact = Fact::Effect {
            operation: *operation,
            key: (*key).into(),
            value: (*value).into(),
            position: *position,
        };
        (0, 0, fact)
    };
    facts(effects.iter().map(effect))
}

/// What a guarantee says of a history, facts and phases (heal, end of the quiet phase, end; in
/// milliseconds).
pub(crate) struct Case<'a> {
    pub model: &'a str,
    pub history: &'a str,
    pub facts: Vec<FactRecord>,
    pub phases_ms: [u64; 3],
    pub settings: Settings,
    pub initial: Value,
}

impl<'a> Case<'a> {
    pub fn new(model: &'a str, history: &'a str) -> Self {
        Self {
            model,
            history,
            facts: Vec::new(),
            phases_ms: [0; 3],
            settings: Settings::default(),
            initial: Value::Nil,
        }
    }

    pub fn facts(self, facts: Vec<FactRecord>) -> Self {
        Self { facts, ..self }
    }

    pub fn phases(self, heal: u64, quiet_end: u64, end: u64) -> Self {
        Self { phases_ms: [heal, quiet_end, end], ..self }
    }

    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    pub fn initial(self, initial: Value) -> Self {
        Self { initial, ..self }
    }

    pub fn judge(&self, guarantee: &Guarantee) -> Judgement {
        let history = history(self.history);
        let nodes: Vec<SmolStr> = ["n1", "n2", "n3"].map(SmolStr::from).to_vec();
        let [heal_ns, quiet_end_ns, end_ns] = self.phases_ms.map(|ms| ms * MILLISECOND);
        let evidence = Evidence {
            history: &history,
            facts: &self.facts,
            nodes: &nodes,
            phases: Phases { heal_ns, quiet_end_ns, end_ns },
            model: self.model,
            own_models: &[],
            initial: &self.initial,
            states_max: 100_000,
            real_time: true,
            derived: Derived::default(),
        };
        guarantee.judge(&evidence, &self.settings)
    }

    /// The guarantee holds.
    pub fn accepted_by(&self, guarantee: &Guarantee) {
        let judgement = self.judge(guarantee);
        assert_eq!(judgement.verdict, wrack_history::Verdict::Valid, "{judgement:#?}");
    }

    /// The guarantee is broken, and the first anomaly says so in these words.
    pub fn rejected_by(&self, guarantee: &Guarantee, explanation: &str) {
        let judgement = self.judge(guarantee);
        assert_eq!(judgement.verdict, wrack_history::Verdict::Invalid, "{judgement:#?}");
        assert_eq!(judgement.anomalies[0].explanation, explanation);
        assert_eq!(judgement.anomalies[0].code, guarantee.info.code);
    }

    /// Nothing can be said, for this reason.
    pub fn unknown_to(&self, guarantee: &Guarantee, reason: &str) {
        let judgement = self.judge(guarantee);
        assert_eq!(judgement.verdict, wrack_history::Verdict::Unknown, "{judgement:#?}");
        assert_eq!(judgement.reason.as_deref(), Some(reason));
    }
}

/// A register's history as text: write `n` by process `n` over (begin, length, ok), and reads by
/// other processes over (begin, value), the value taken modulo what was written and nil for 0.
pub(crate) fn writes_and_reads(writes: &[(u64, u64, bool)], reads: &[(u64, i64)]) -> String {
    let mut text = String::new();
    for (value, (begin, length, ok)) in (1..).zip(writes) {
        let outcome = if *ok { "" } else { " info" };
        let end = begin + length + 1;
        text += &format!("p{value} write k {value} {begin}..{end}{outcome}\n");
    }
    for (process, (begin, value)) in (20..).zip(reads) {
        let value = value % (writes.len() as i64 + 1);
        let value = if value == 0 { String::new() } else { value.to_string() };
        text += &format!("p{process} read k - {begin}..{} {value}\n", begin + 5);
    }
    text
}
