//! Runs that nobody ran: enough of everything to see what a report makes of it.

use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::fault::ResolvedFault;
use wrack_history::run::{Phases, Slo};
use wrack_history::{
    Anomaly, Details, Fact, FactRecord, History, Judgement, Moment, Operation, Outcome, Run, Value,
    Verdict,
};

const END_NS: u64 = 60 * SECOND;
const PARTITION: (u64, u64) = (10 * SECOND, 18 * SECOND);
const PAUSE: (u64, u64) = (25 * SECOND, 29 * SECOND);

/// A small fixed mixing function: samples must not change between releases of a crate.
fn mix(index: u64) -> u64 {
    let mut word = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word ^ (word >> 31)
}

/// A run of a correct design under three faults, with so many operations.
pub fn valid(operations: u64) -> Run {
    let history = history(operations);
    Run {
        format: 1,
        wrack_version: "0.1.0".into(),
        scenario: "raft/leader-isolated".into(),
        scenario_hash: "4f1d0c7a9be23615".into(),
        scenario_path: "scenarios/raft/leader-isolated.toml".into(),
        title: "The leader is cut off while clients write".into(),
        story: "Five nodes elect a leader. Ten seconds in, a partition isolates it from the other \
                four, while clients on both sides go on reading and writing. The majority elects a \
                second leader. Then the old one comes back, and is paused for good measure."
            .into(),
        hypothesis: "Every read returns the latest write that was acknowledged before it began, \
                     and clients on the majority's side are served again within two seconds."
            .into(),
        scenario_source: "title = \"The leader is cut off while clients write\"\ndesign = \"raft\"\n\n[workload]\nname = \"register\"\nclients = 8\nkeys = 5\n\n[[fault]]\nkind = \"partition\"\nat = \"10s\"\nfor = \"8s\"\nisolate = { role = \"leader\" }\n".into(),
        design: "raft".into(),
        variant: "reference".into(),
        seed: 42,
        engine: "sim".into(),
        expected: "valid".into(),
        verdict: Verdict::Valid,
        as_expected: true,
        judgements: judgements(operations),
        faults: faults(),
        slos: slos(),
        counts: history.counts(),
        phases: Phases { heal_ns: 45 * SECOND, quiet_end_ns: 57 * SECOND, end_ns: END_NS },
        nodes: nodes(),
        clients: 8,
        sometimes: [("a second leader is elected", 3), ("a follower catches up by snapshot", 0)]
            .map(|(name, times)| (name.into(), times))
            .into(),
        facts: facts(),
        messages: 184_223,
        trace_hash: "9d27b1e05c3f8a64".into(),
        replay: "wrack run scenarios/raft/leader-isolated.toml --variant reference --seed 42".into(),
        history,
        ..Run::default()
    }
}

/// The same with a design that reads stale values, as its scenario expects.
pub fn invalid(operations: u64) -> Run {
    let mut run = valid(operations);
    run.variant = "stale_local_read".into();
    run.expected = "LIN".into();
    run.verdict = Verdict::Invalid;
    run.replay = run.replay.replace("reference", "stale_local_read");
    let named = stale_read(&mut run.history);
    run.judgements[0].contradict(Anomaly {
        explanation: "process 3 read 4 at 12.031 s, but process 1 had written 5 and learned so at \
                      12.004 s, before the read began: the isolated leader answered from its own \
                      copy. Process 6 wrote 6 and never learned whether it took effect."
            .into(),
        operations: named,
        key: Some("k3".into()),
        at_ns: Some(12_031_000_000),
        ..Anomaly::default()
    });
    run.judgements[1].contradict(Anomaly {
        explanation: "n1 and n3 both acted as leader from 11.900 s to 18.200 s".into(),
        nodes: vec![0, 2],
        at_ns: Some(11_900_000_000),
        ..Anomaly::default()
    });
    run.counts = run.history.counts();
    run
}

/// A run that proves nothing, because a fault touched nothing.
pub fn unknown(operations: u64) -> Run {
    let mut run = valid(operations);
    run.verdict = Verdict::Unknown;
    run.as_expected = false;
    run.doubts = vec![
        "fault F3 (clock_step) touched nothing: 0 clock reads shifted, at least 1 is needed".into(),
        "LIN examined 12 reads, at least 30 are needed".into(),
    ];
    run.judgements[0].doubt("12 reads were examined, at least 30 are needed");
    run.faults[2].effect = 0;
    run.faults[2].effect_span_ns = None;
    run.slos[1].met = Some(false);
    run
}

/// A run with an anomaly of many operations, over many keys and a long time.
pub fn crowded(operations: u64) -> Run {
    let mut run = invalid(operations);
    run.judgements[0].contradict(Anomaly {
        explanation: "these operations form a cycle of write-read and read-write dependencies"
            .into(),
        operations: (0..60)
            .map(|index| operations / 5 + index + index / 20 * operations / 6)
            .collect(),
        ..Anomaly::default()
    });
    run.faults = (0..24)
        .map(|index| {
            let mut fault = run.faults[index % 3].clone();
            let from = (index as u64 * 1_800 + 500) * MILLISECOND;
            fault.injected_ns = Some(from);
            fault.healed_ns = (index % 4 > 0).then_some(from + index as u64 * 300 * MILLISECOND);
            fault.effect_span_ns = None;
            fault
        })
        .collect();
    run
}

fn nodes() -> Vec<wrack_history::SmolStr> {
    let servers = (1..=5).map(|n| format!("n{n}"));
    servers.chain((1..=8).map(|n| format!("c{n}"))).map(Into::into).collect()
}

fn history(operations: u64) -> History {
    let gap = 57 * SECOND / operations.max(1);
    let operations = (0..operations).map(|id| operation(id, id * gap)).collect();
    History { operations, nemesis: Vec::new() }
}

fn operation(id: u64, ns: u64) -> Operation {
    let noise = mix(id);
    let within = |(from, to): (u64, u64)| (from..to).contains(&ns);
    let troubled = within(PARTITION) || within(PAUSE);
    let slow = if troubled { 40 } else { 1 };
    let latency = (2 + noise % 7 * (noise % 11) / 4) * slow * MILLISECOND + noise % 999_983;
    let outcome = match noise % 100 {
        0..8 if troubled => Outcome::Info,
        8..24 if troubled => Outcome::Fail,
        0 => Outcome::Fail,
        _ => Outcome::Ok,
    };
    let never = outcome == Outcome::Info && noise.is_multiple_of(2);
    let read = noise.is_multiple_of(2);
    let value = Value::Integer((noise % 1_000) as i64);
    Operation {
        id,
        process: (id % 8) as u32,
        session: (id % 8) as u32,
        key: format!("k{}", noise % 5).into(),
        function: if read { "read" } else { "write" }.into(),
        argument: if read { Value::Nil } else { value.clone() },
        result: if read && outcome == Outcome::Ok { value } else { Value::Nil },
        outcome,
        invoke: Moment { index: 2 * id, ns },
        complete: match never {
            true => Moment::NEVER,
            false => Moment { index: 2 * id + 1, ns: ns + latency },
        },
        details: None,
    }
}

/// Process, function, argument, result, outcome, invoke and complete in milliseconds.
type Told = (u32, &'static str, Option<i64>, Option<i64>, Outcome, u64, u64);

/// Adds the operations of a stale read, and names them.
fn stale_read(history: &mut History) -> Vec<u64> {
    let story: [Told; 6] = [
        (0, "write", Some(4), None, Outcome::Ok, 2_100, 2_131),
        (1, "write", Some(5), None, Outcome::Ok, 11_962, 12_004),
        (6, "write", Some(6), None, Outcome::Info, 11_990, 0),
        (2, "write", Some(9), None, Outcome::Fail, 12_001, 12_020),
        (3, "read", None, Some(4), Outcome::Ok, 12_012, 12_031),
        (4, "read", None, Some(5), Outcome::Ok, 12_015, 12_049),
    ];
    let first = history.operations.len() as u64;
    for (id, (process, function, argument, result, outcome, from, to)) in (first..).zip(story) {
        let value = |value: Option<i64>| value.map_or(Value::Nil, Value::Integer);
        let error = (outcome == Outcome::Fail).then(|| "not the leader".into());
        history.operations.push(Operation {
            id,
            process,
            session: process,
            key: "k3".into(),
            function: function.into(),
            argument: value(argument),
            result: value(result),
            outcome,
            invoke: Moment { index: 2 * id, ns: from * MILLISECOND },
            complete: match to {
                0 => Moment::NEVER,
                to => Moment { index: 2 * id + 1, ns: to * MILLISECOND },
            },
            details: error
                .map(|error| Box::new(Details { error: Some(error), ..Details::default() })),
        });
    }
    (first..history.operations.len() as u64).collect()
}

fn judgements(operations: u64) -> Vec<Judgement> {
    let mut lin = Judgement::new("LIN");
    lin.examine("reads", operations / 2);
    lin.examine("keys", 5);
    lin.algorithm = Some("linear-time register check".into());
    let mut raft = Judgement::new("RAFT");
    raft.examine("facts", 9_120);
    let mut stale = Judgement::new("STALE");
    stale.examine("reads", operations / 2);
    stale.bound = Some("5s".into());
    stale.observed = Some("0.112 s at most".into());
    let mut phantom = Judgement::new("PHANTOM");
    phantom.examine("reads", operations / 2);
    vec![lin, raft, stale, phantom]
}

fn faults() -> Vec<ResolvedFault> {
    let fault =
        |id, kind: &str, detail: &str, nodes: &[&str], span: (u64, u64), effect, unit: &str| {
            ResolvedFault {
                id,
                occurrence: 0,
                kind: kind.into(),
                detail: detail.into(),
                nodes: nodes.iter().map(|name| (*name).into()).collect(),
                injected_ns: Some(span.0),
                healed_ns: Some(span.1),
                effect,
                unit: unit.into(),
                operations_open: 412 / (u64::from(id) + 1),
                effect_span_ns: Some((span.0 + 3 * MILLISECOND, span.1 - 8 * MILLISECOND)),
                settings: wrack_history::Settings::default(),
            }
        };
    let step = (36 * SECOND, 36 * SECOND + 400 * MILLISECOND);
    vec![
        fault(
            0,
            "partition",
            "n1 from the others",
            &["n1", "c1", "c2"],
            PARTITION,
            8_214,
            "messages dropped",
        ),
        fault(1, "pause", "n3 stands still, its clock runs on", &["n3"], PAUSE, 4_000, "ms paused"),
        fault(2, "clock_step", "n2 by -250ms", &["n2"], step, 118, "clock reads shifted"),
    ]
}

fn slos() -> Vec<Slo> {
    let slo = |name: &str, objective: &str, observed: &str, met| Slo {
        name: name.into(),
        objective: objective.into(),
        observed: observed.into(),
        met,
        measured: None,
        pooled: None,
    };
    vec![
        slo("availability", ">= 97%", "98.02% (3,012 operations)", Some(true)),
        slo("latency.read p99", "< 500ms", "412 ms (1,480 reads)", Some(true)),
        slo("M5", "< 0.01%", "0 of 1,204 effects", None),
    ]
}

fn facts() -> Vec<FactRecord> {
    let role = |role: &str, epoch| Fact::Role { role: role.into(), epoch };
    let mut facts: Vec<(u64, u16, Fact)> =
        (0..5).map(|node| (0, node, Fact::Booted { boot: 0 })).collect();
    facts.extend((0..5).map(|node| (5, node, role("follower", 0))));
    facts.extend([
        (180, 0, role("candidate", 1)),
        (240, 0, role("leader", 1)),
        (11_700, 2, role("candidate", 2)),
        (11_900, 2, role("leader", 2)),
        (18_200, 0, role("follower", 2)),
        (25_000, 2, Fact::Paused),
        (26_600, 1, role("candidate", 3)),
        (26_800, 1, role("leader", 3)),
        (29_000, 2, Fact::Resumed),
        (29_100, 2, role("follower", 3)),
        (33_000, 4, Fact::Crashed),
        (39_000, 4, Fact::Booted { boot: 1 }),
        (39_050, 4, role("follower", 3)),
    ]);
    let record = |(ms, node, fact)| FactRecord { ns: ms * MILLISECOND, node, fact };
    let mut facts: Vec<FactRecord> = facts.into_iter().map(record).collect();
    facts.sort_by_key(|record| record.ns);
    facts
}
