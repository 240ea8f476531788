//! What a carrier must do with lives, pauses, panics and nodes that spin; on each of them.

use wrack_history::load::Environment;
use wrack_history::setting::Delay;
use wrack_history::{Fact, FactRecord};
use wrack_sim::network::{LinkAction, LinkRule, Messages};
use wrack_sim::world::{DiskFault, DiskTrouble, TailChance};
use wrack_sim::{
    Controller, Cx, Engine, EngineConfig, LimitError, Node, NodeId, TraceLevel, Watched, World,
};

use crate::hub::{Cargo, Delivered};
use crate::{sockets, thread, turmoil};

const MS: u64 = 1_000_000;
const END_NS: u64 = 400 * MS;

/// Tells both others at every beat, and writes down what it hears.
struct Chatter {
    id: NodeId,
    beats: u64,
    habit: Habit,
}

#[derive(Clone, Copy, PartialEq)]
enum Habit {
    Chats,
    /// `n2` panics at its tenth beat.
    Panics,
    /// `n2` arms a timer for now, for ever.
    Spins,
}

impl Node for Chatter {
    type Message = u64;
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        let kept = cx.disk().len() as i64;
        cx.note(Fact::Custom { name: "kept".into(), value: kept.into() });
        cx.arm(0, 10 * MS);
    }

    fn on_message(&mut self, from: NodeId, message: u64, cx: &mut Cx<'_, Self>) {
        cx.append(&message);
        cx.sync(message);
        let told = i64::from(from.0) << 32 | message as i64;
        cx.note(Fact::Custom { name: "heard".into(), value: told.into() });
    }

    fn on_timer(&mut self, _: u64, cx: &mut Cx<'_, Self>) {
        self.beats += 1;
        let is_odd = self.id == NodeId(1) && self.habit != Habit::Chats;
        assert!(!is_odd || self.habit == Habit::Spins || self.beats < 10, "the tenth beat");
        if is_odd && self.habit == Habit::Spins {
            cx.arm(0, 0);
            return;
        }
        for other in (0..3).map(NodeId).filter(|other| *other != self.id) {
            cx.send(other, self.beats);
        }
        cx.arm(0, 10 * MS);
    }
}

/// Milliseconds since the run began, and what is done to the world then.
type Deed = (u64, fn(&mut dyn World));

/// Does something to the world at given times.
struct Script(Vec<Deed>);

impl Controller for Script {
    fn next_ns(&self) -> Option<u64> {
        self.0.first().map(|(ms, _)| ms * MS)
    }

    fn act(&mut self, world: &mut dyn World) {
        (self.0.remove(0).1)(world);
    }

    fn watched(&self) -> Watched {
        Watched::Nothing
    }

    fn on_fact(&mut self, _: &FactRecord, _: &mut dyn World) {}
}

/// Runs the script on every carrier, and lets `check` look at what each delivered.
fn on_each(
    habit: Habit,
    script: &[Deed],
    check: impl Fn(&'static str, &Delivered<Script, ()>) + Sync,
) {
    let is_over = |engine: &Engine<Chatter>| engine.now_ns() >= END_NS;
    let cargo = || cargo(habit, script);
    thread::alone(|| check("turmoil", &turmoil::run(cargo(), is_over)));
    thread::alone(|| check("tokio", &sockets::run(cargo(), is_over)));
    #[cfg(madsim)]
    thread::alone(|| check("madsim", &crate::madsim::run(cargo(), is_over)));
}

fn cargo(habit: Habit, script: &[Deed]) -> Cargo<Chatter, Script, ()> {
    let latency = Delay::uniform(3 * MS, 5 * MS);
    let config = EngineConfig {
        seed: 1,
        names: (1..=3).map(|number| format!("n{number}").into()).collect(),
        servers: 3,
        environment: Environment {
            peer_latency: latency.clone(),
            client_latency: latency,
            sync_latency: Delay::constant(MS),
        },
        trace: TraceLevel::Hash,
        keep_all_facts: true,
    };
    let boot = move |id, _| Chatter { id, beats: 0, habit };
    let (controller, observer) = (Script(script.to_vec()), ());
    Cargo { config, boot: Box::new(boot), controller, observer, operations: 0 }
}

/// When a node noted a fact of this kind, in milliseconds.
fn times(delivered: &Delivered<Script, ()>, node: u16, kind: &str) -> Vec<u64> {
    let facts = delivered.recording.facts.iter();
    let wanted = facts.filter(|fact| fact.node == node && fact.fact.is_named(kind));
    wanted.map(|fact| fact.ns / MS).collect()
}

/// The bounds that the tests ask for are low, because on real sockets a busy machine is slow.
fn heard_between(delivered: &Delivered<Script, ()>, node: u16, from: u64, to: u64) -> usize {
    times(delivered, node, "heard").into_iter().filter(|ms| (from..to).contains(ms)).count()
}

fn crash(world: &mut dyn World) {
    let fault = world.open_fault();
    world.crash(fault, NodeId(1), TailChance::default());
}

fn pause(world: &mut dyn World) {
    let fault = world.open_fault();
    world.pause(fault, NodeId(1), false);
}

fn release(world: &mut dyn World) {
    world.release(0, NodeId(1));
}

#[test]
fn a_member_that_crashed_is_silent_and_boots_with_its_disk() {
    on_each(Habit::Chats, &[(100, crash), (200, release)], |engine, delivered| {
        let crashed = delivered.recording.facts.iter().filter(|fact| fact.fact == Fact::Crashed);
        assert_eq!(crashed.count(), 1, "{engine}");
        assert_eq!(heard_between(delivered, 1, 110, 195), 0, "{engine}");
        let kept = delivered.recording.facts.iter().filter_map(|fact| match &fact.fact {
            Fact::Custom { name, value } if name == "kept" && fact.node == 1 => value.as_integer(),
            _ => None,
        });
        let kept: Vec<_> = kept.collect();
        assert!(kept.len() == 2 && kept[0] == 0 && kept[1] >= 3, "{engine}: {kept:?}");
        assert!(heard_between(delivered, 1, 210, 400) > 5, "{engine}");
        assert!(heard_between(delivered, 0, 300, 400) > 3, "{engine}: it is heard again");
    });
}

#[test]
fn a_member_that_was_paused_hears_everything_when_it_goes_on() {
    on_each(Habit::Chats, &[(100, pause), (200, release)], |engine, delivered| {
        assert_eq!(heard_between(delivered, 1, 110, 195), 0, "{engine}");
        assert!(heard_between(delivered, 1, 195, 250) > 5, "{engine}");
    });
}

#[test]
fn messages_of_a_pair_stay_in_order_unless_they_are_reordered() {
    fn reorder(world: &mut dyn World) {
        let fault = world.open_fault();
        let everyone: wrack_sim::network::NodeSet = (0..3).map(NodeId).collect();
        let action = LinkAction::Reorder { per_million: 500_000, window_ns: 40 * MS };
        let (from, to, messages) = (everyone.clone(), everyone, Messages::All);
        world.add_rule(fault, LinkRule { id: 0, from, to, messages, action });
    }
    let from_first = |delivered: &Delivered<Script, ()>| {
        let facts = delivered.recording.facts.iter();
        let told = facts.filter_map(|fact| match &fact.fact {
            Fact::Custom { name, value } if name == "heard" && fact.node == 1 => value.as_integer(),
            _ => None,
        });
        told.filter(|told| told >> 32 == 0).map(|told| told as u32).collect::<Vec<_>>()
    };
    on_each(Habit::Chats, &[], |engine, delivered| {
        let told = from_first(delivered);
        assert!(told.len() > 8 && told.is_sorted(), "{engine}: {told:?}");
    });
    on_each(Habit::Chats, &[(0, reorder)], |engine, delivered| {
        let told = from_first(delivered);
        assert!(told.len() > 8 && !told.is_sorted(), "{engine}: {told:?}");
    });
}

#[test]
fn a_disk_that_lies_keeps_nothing_on_any_carrier() {
    fn lie(world: &mut dyn World) {
        let fault = world.open_fault();
        let what = DiskFault { id: 0, per_million: 1_000_000, trouble: DiskTrouble::Lying };
        world.add_disk_fault(fault, NodeId(1), what);
    }
    fn release_crashed(world: &mut dyn World) {
        world.release(1, NodeId(1));
    }
    let script: [Deed; 3] = [(0, lie), (100, crash), (150, release_crashed)];
    on_each(Habit::Chats, &script, |engine, delivered| {
        let kept = delivered.recording.facts.iter().filter(|fact| {
            fact.node == 1 && fact.fact == Fact::Custom { name: "kept".into(), value: 0.into() }
        });
        assert_eq!(kept.count(), 2, "{engine}");
    });
}

#[test]
fn a_panic_of_a_design_is_a_fact_and_the_others_go_on() {
    on_each(Habit::Panics, &[], |engine, delivered| {
        let failed = |fact: &&FactRecord| matches!(fact.fact, Fact::AssertionFailed { .. });
        let failed: Vec<_> = delivered.recording.facts.iter().filter(failed).collect();
        assert!(failed.len() == 1 && failed[0].node == 1, "{engine}: {failed:?}");
        assert!(heard_between(delivered, 0, 300, 400) > 2, "{engine}");
    });
}

#[test]
fn a_node_that_spins_without_letting_time_pass_is_named() {
    on_each(Habit::Spins, &[], |engine, delivered| match &delivered.limit {
        Some(LimitError::Spin { nodes, .. }) => assert_eq!(nodes, "n2", "{engine}"),
        limit => panic!("{engine}: {limit:?}"),
    });
}
