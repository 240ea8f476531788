//! The engine rules, each with a test that fails if it is broken.

use std::cell::RefCell;
use std::rc::Rc;

use wrack_history::Trace;
use wrack_history::load::Environment;

use super::*;
use crate::disk::{Damage, Recovered};
use crate::flow::{Flow, FlowContext};
use crate::network::{LinkAction, LinkRule, Messages, NodeSet};
use crate::node::Cx;
use crate::world::World;

const MS: u64 = 1_000_000;

crate::timers! {
    enum Tick { Beat, Slow }
}

/// Sends its boot-time count to its neighbour at every beat, and logs what it hears.
struct Chatter {
    id: NodeId,
    nodes: u16,
    sent: u64,
    seen: Rc<RefCell<Vec<(u64, NodeId, u64)>>>,
}

impl Node for Chatter {
    type Message = u64;
    type Timer = Tick;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        let first = cx.random().between(0, 10 * MS);
        cx.arm(Tick::Beat, first);
    }

    fn on_message(&mut self, from: NodeId, message: u64, cx: &mut Cx<'_, Self>) {
        self.seen.borrow_mut().push((cx.now(), from, message));
        cx.append(&message);
        cx.sync(message);
        cx.failpoint("heard");
        cx.note(Fact::Custom { name: "heard".into(), value: (message as i64).into() });
    }

    fn on_timer(&mut self, _: Tick, cx: &mut Cx<'_, Self>) {
        self.sent += 1;
        cx.send(NodeId((self.id.0 + 1) % self.nodes), self.sent);
        cx.arm(Tick::Beat, 10 * MS);
    }
}

type Seen = Rc<RefCell<Vec<(u64, NodeId, u64)>>>;

fn config(seed: u64, nodes: usize) -> EngineConfig {
    EngineConfig {
        seed,
        names: (1..=nodes).map(|n| format!("n{n}").into()).collect(),
        servers: nodes,
        environment: Environment {
            peer_latency: Delay::uniform(MS, 5 * MS),
            client_latency: Delay::uniform(MS, 5 * MS),
            sync_latency: Delay::uniform(MS, 2 * MS),
        },
        trace: TraceLevel::Texts,
        keep_all_facts: true,
    }
}

fn chatters(seed: u64, nodes: u16) -> (Engine<Chatter>, Seen) {
    let seen = Seen::default();
    let log = Rc::clone(&seen);
    let boot = move |id, _| Chatter { id, nodes, sent: 0, seen: Rc::clone(&log) };
    (Engine::new(config(seed, usize::from(nodes)), Box::new(boot), &mut ()), seen)
}

/// Does something to the world at given times.
struct Script(Vec<(u64, Act)>);

type Act = Box<dyn FnMut(&mut dyn World)>;

impl Controller for Script {
    fn next_ns(&self) -> Option<u64> {
        self.0.first().map(|(at, _)| *at)
    }

    fn act(&mut self, world: &mut dyn World) {
        (self.0.remove(0).1)(world);
    }

    fn watched(&self) -> Watched {
        Watched::Nothing
    }

    fn on_fact(&mut self, _: &FactRecord, _: &mut dyn World) {}
}

fn at(ms: u64, act: impl FnMut(&mut dyn World) + 'static) -> (u64, Act) {
    (ms * MS, Box::new(act))
}

fn hash(seed: u64) -> (u64, Trace) {
    let (mut engine, _) = chatters(seed, 5);
    engine.run(500 * MS, &mut (), &mut ()).unwrap();
    let recording = engine.finish();
    (recording.trace_hash, recording.trace)
}

#[test]
fn one_seed_gives_one_trace_and_another_seed_another() {
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1).0, hash(2).0);
}

#[test]
fn running_in_steps_is_the_same_as_running_at_once() {
    let (mut engine, _) = chatters(1, 5);
    for ms in 1..=500 {
        engine.run(ms * MS, &mut (), &mut ()).unwrap();
    }
    assert_eq!(engine.finish().trace_hash, hash(1).0);
}

#[test]
fn a_crash_silences_a_node_and_a_boot_brings_it_back_with_its_disk() {
    let (mut engine, seen) = chatters(3, 3);
    let mut script = Script(vec![
        at(100, |world| {
            let fault = world.open_fault();
            world.crash(fault, NodeId(1), TailChance::default());
        }),
        at(200, |world| world.release(0, NodeId(1))),
    ]);
    engine.run(100 * MS, &mut (), &mut ()).unwrap();
    let durable = engine.disk(NodeId(1)).durable_len();
    engine.run(300 * MS, &mut script, &mut ()).unwrap();
    // Node 2 hears node 1 (its left neighbour) only while that is up.
    let silent = |(at, from, _): &&(u64, NodeId, u64)| {
        *from == NodeId(1) && (106 * MS..200 * MS).contains(at)
    };
    assert_eq!(seen.borrow().iter().filter(silent).count(), 0);
    assert!(seen.borrow().iter().any(|(at, from, _)| *from == NodeId(1) && *at > 200 * MS));
    let Recovered { records, torn } = engine.disk(NodeId(1)).recover::<u64>();
    assert!(records.len() > durable && !torn && durable > 5);
}

#[test]
fn what_is_spoiled_on_a_disk_counts_though_no_operation_is_open() {
    let (mut engine, _) = chatters(3, 3);
    let mut script = Script(vec![at(100, |world| {
        let (rot, loss) = (world.open_fault(), world.open_fault());
        world.damage_record(rot, NodeId(1), 0, Damage::Flipped(7));
        world.crash(loss, NodeId(2), TailChance::default());
        world.replace_disk(loss, NodeId(2));
    })]);
    engine.run(200 * MS, &mut script, &mut ()).unwrap();
    let effects = engine.finish().effects;
    assert_eq!(effects[0].count, 1);
    assert!(effects[1].count > 1 && effects[1].span_ns == Some((100 * MS, 100 * MS)));
}

#[test]
fn a_pause_holds_back_and_the_backlog_runs_in_order_of_its_due_time() {
    let (mut engine, seen) = chatters(4, 3);
    let mut script = Script(vec![
        at(100, |world| {
            let fault = world.open_fault();
            world.pause(fault, NodeId(1), false);
        }),
        at(200, |world| world.release(0, NodeId(1))),
    ]);
    engine.run(300 * MS, &mut script, &mut ()).unwrap();
    let from_left: Vec<_> =
        seen.borrow().iter().filter(|(_, from, _)| *from == NodeId(0)).copied().collect();
    assert!(from_left.iter().all(|(at, ..)| !(100 * MS + 1..200 * MS).contains(at)));
    assert!(from_left.iter().filter(|(at, ..)| *at == 200 * MS).count() >= 8);
    assert!(from_left.is_sorted_by_key(|(_, _, number)| *number));
}

#[test]
fn a_timer_follows_its_clock_when_the_drift_changes() {
    let (mut engine, _) = chatters(5, 2);
    let mut script = Script(vec![at(0, |world| {
        let fault = world.open_fault();
        world.set_drift(fault, NodeId(0), 1_000_000);
    })]);
    engine.run(1_000 * MS, &mut script, &mut ()).unwrap();
    let beats = |engine: &Engine<Chatter>, node| engine.member(NodeId(node)).unwrap().sent;
    assert!((195..=200).contains(&beats(&engine, 0)), "{}", beats(&engine, 0));
    assert!((98..=100).contains(&beats(&engine, 1)));
}

#[test]
fn a_held_message_arrives_after_the_release_in_order() {
    let (mut engine, seen) = chatters(6, 2);
    let everyone: NodeSet = (0..2).map(NodeId).collect();
    let rule = LinkRule {
        id: 0,
        from: everyone.clone(),
        to: everyone,
        messages: Messages::All,
        action: LinkAction::Hold,
    };
    let handle = Rc::new(RefCell::new(None));
    let kept = Rc::clone(&handle);
    let mut script = Script(vec![
        at(100, move |world| {
            let fault = world.open_fault();
            *kept.borrow_mut() = Some(world.add_rule(fault, rule.clone()));
        }),
        at(200, move |world| world.remove_rule(handle.borrow().unwrap())),
    ]);
    engine.run(400 * MS, &mut script, &mut ()).unwrap();
    let heard: Vec<_> = seen.borrow().iter().filter(|(_, from, _)| from.0 == 0).copied().collect();
    assert!(heard.iter().all(|(at, ..)| !(100 * MS..200 * MS).contains(at)));
    assert!(heard.iter().map(|(.., number)| *number).eq(1..=heard.len() as u64));
}

fn trapped(action: FailpointAction) -> (Engine<Chatter>, Seen) {
    let (mut engine, seen) = chatters(7, 2);
    let mut script = Script(vec![at(0, move |world| {
        let fault = world.open_fault();
        let trap = Trap {
            id: 0,
            failpoint: "heard".into(),
            node: Some(NodeId(1)),
            nth: 3,
            per_million: 1_000_000,
            times: 1,
            action: action.clone(),
        };
        world.set_trap(fault, trap);
    })]);
    engine.run(300 * MS, &mut script, &mut ()).unwrap();
    (engine, seen)
}

fn heard_facts(recording: &Recording, node: u16) -> Vec<u64> {
    let heard = recording.facts.iter().filter(|record| record.node == node);
    heard.filter(|record| record.fact.is_named("heard")).map(|record| record.ns).collect()
}

#[test]
fn a_crash_at_a_failpoint_keeps_what_stands_before_and_drops_the_rest() {
    let (engine, seen) = trapped(FailpointAction::Crash { down_ns: 50 * MS });
    let heard = seen.borrow().iter().filter(|(_, from, _)| from.0 == 0).count();
    let recording = engine.finish();
    // The third message was heard and appended, but its fact was cut off.
    assert_eq!(heard_facts(&recording, 1).len(), heard - 1);
    assert!(recording.facts.iter().any(|record| record.fact == Fact::Crashed));
}

#[test]
fn a_pause_at_a_failpoint_releases_the_rest_at_resume() {
    let pause = FailpointAction::Pause { pause_ns: 50 * MS, clock_stops: false };
    let (engine, seen) = trapped(pause);
    let third = seen.borrow().iter().filter(|(_, from, _)| from.0 == 0).nth(2).unwrap().0;
    let facts = heard_facts(&engine.finish(), 1);
    assert_eq!(facts[2], third + 50 * MS);
}

/// Does what `Chatter` does, without its log, as a flow.
fn flowing(id: NodeId, nodes: u16, first: u64) -> impl Fn(FlowContext<u64>) -> FlowFuture {
    move |cx| {
        Box::pin(async move {
            let mut beat = first;
            let mut sent = 0;
            loop {
                match cx.within(beat.saturating_sub(cx.now()), cx.recv()).await {
                    Some((_, message)) => {
                        cx.note(Fact::Custom {
                            name: "heard".into(),
                            value: (message as i64).into(),
                        });
                    }
                    None => {
                        sent += 1;
                        cx.send(NodeId((id.0 + 1) % nodes), sent);
                        beat = cx.now() + 10 * MS;
                    }
                }
            }
        })
    }
}

type FlowFuture = std::pin::Pin<Box<dyn std::future::Future<Output = ()>>>;

/// The same by hand: one timer, re-armed after every event.
struct ByHand {
    id: NodeId,
    nodes: u16,
    beat: u64,
    sent: u64,
    timer: u64,
}

impl ByHand {
    fn wait(&mut self, cx: &mut Cx<'_, Self>) {
        let after = self.beat.saturating_sub(cx.now());
        cx.arm(self.timer, after);
    }
}

impl Node for ByHand {
    type Message = u64;
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        self.wait(cx);
    }

    fn on_message(&mut self, _: NodeId, message: u64, cx: &mut Cx<'_, Self>) {
        cx.note(Fact::Custom { name: "heard".into(), value: (message as i64).into() });
        cx.disarm(self.timer);
        self.timer += 1;
        self.wait(cx);
    }

    fn on_timer(&mut self, _: u64, cx: &mut Cx<'_, Self>) {
        self.sent += 1;
        cx.send(NodeId((self.id.0 + 1) % self.nodes), self.sent);
        self.beat = cx.now() + 10 * MS;
        self.timer += 1;
        self.wait(cx);
    }
}

#[test]
fn a_flow_and_a_state_machine_give_the_same_trace_hash_for_hash() {
    let first = |id: NodeId| u64::from(id.0 + 1) * 3 * MS;
    let boot = move |id, _| Flow::new(flowing(id, 3, first(id)));
    let mut flows = Engine::new(config(8, 3), Box::new(boot), &mut ());
    let boot = move |id, _| ByHand { id, nodes: 3, beat: first(id), sent: 0, timer: 0 };
    let mut machines = Engine::new(config(8, 3), Box::new(boot), &mut ());
    flows.run(500 * MS, &mut (), &mut ()).unwrap();
    machines.run(500 * MS, &mut (), &mut ()).unwrap();
    let (flows, machines) = (flows.finish(), machines.finish());
    assert!(flows.messages > 100);
    assert_eq!(flows.trace.texts, machines.trace.texts);
    assert_eq!(flows.trace_hash, machines.trace_hash);
}

/// Arms a timer for now, for ever.
struct Spinner;

impl Node for Spinner {
    type Message = u64;
    type Timer = Tick;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        cx.arm(Tick::Beat, 0);
    }

    fn on_message(&mut self, _: NodeId, _: u64, _: &mut Cx<'_, Self>) {}

    fn on_timer(&mut self, timer: Tick, cx: &mut Cx<'_, Self>) {
        cx.arm(timer, 0);
    }
}

#[test]
fn a_node_that_spins_without_letting_time_pass_is_named() {
    let mut engine = Engine::new(config(1, 1), Box::new(|_, _| Spinner), &mut ());
    let error = engine.run(MS, &mut (), &mut ()).unwrap_err();
    assert!(error.to_string().contains("n1 spin"), "{error}");
}

/// Panics at its slow timer.
struct Faulty;

impl Node for Faulty {
    type Message = u64;
    type Timer = Tick;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        cx.always("time starts at zero", cx.now() == 0);
        cx.always("two is odd", false);
        cx.arm(Tick::Slow, MS);
    }

    fn on_message(&mut self, _: NodeId, _: u64, _: &mut Cx<'_, Self>) {}

    fn on_timer(&mut self, _: Tick, _: &mut Cx<'_, Self>) {
        panic!("the index is beyond the log");
    }
}

#[test]
fn a_failed_always_and_a_panic_of_a_design_are_facts_of_the_run() {
    let mut engine = Engine::new(config(1, 1), Box::new(|_, _| Faulty), &mut ());
    engine.run(10 * MS, &mut (), &mut ()).unwrap();
    let failed = engine.finish().facts.into_iter().filter_map(|record| match record.fact {
        Fact::AssertionFailed { name, message } => Some((record.ns, name, message)),
        _ => None,
    });
    let failed: Vec<_> = failed.collect();
    assert_eq!(failed.len(), 2);
    assert_eq!((failed[0].0, failed[0].1.as_str()), (0, "two is odd"));
    assert_eq!(failed[1], (MS, "panic".into(), "the index is beyond the log".into()));
}

#[test]
fn simultaneous_events_come_in_an_order_that_depends_on_the_seed() {
    let order = |seed| {
        let boot = |id: NodeId, _| ByHand { id, nodes: 4, beat: 10 * MS, sent: 0, timer: 0 };
        let mut engine = Engine::new(config(seed, 4), Box::new(boot), &mut ());
        engine.run(10 * MS + 1, &mut (), &mut ()).unwrap();
        let trace = engine.finish().trace;
        let timers = trace.events.iter().filter(|event| event.kind == TraceKind::Timer);
        timers.map(|event| event.node).collect::<Vec<_>>()
    };
    let orders: std::collections::BTreeSet<_> = (0..50).map(order).collect();
    assert!(orders.len() > 5, "{orders:?}");
    assert!(orders.iter().all(|order| order.len() == 4));
}

#[test]
fn a_slow_a_failing_and_a_lying_disk_do_what_they_say() {
    let durable = |trouble: Option<DiskTrouble>| {
        let (mut engine, _) = chatters(9, 2);
        let mut script = Script(vec![at(0, move |world| {
            let fault = world.open_fault();
            let what =
                trouble.clone().map(|trouble| DiskFault { id: 0, per_million: 1_000_000, trouble });
            what.into_iter().for_each(|what| world.add_disk_fault(fault, NodeId(1), what));
        })]);
        engine.run(200 * MS, &mut script, &mut ()).unwrap();
        (engine.disk(NodeId(1)).len(), engine.disk(NodeId(1)).durable_len())
    };
    let (appended, all) = durable(None);
    assert!(appended >= 18 && all + 2 >= appended, "{appended} {all}");
    let slow = DiskTrouble::Slow(Delay::constant(100 * MS));
    assert!(durable(Some(slow)).1 < all / 2 + 2);
    assert_eq!(durable(Some(DiskTrouble::Lying)).1, 0);
    let (left, none) = durable(Some(DiskTrouble::Error));
    assert!(left <= 2 && none == 0, "{left} {none}");
    let full = DiskTrouble::Full { spare_bytes: 0 };
    assert_eq!(durable(Some(full)), (0, 0));
}

#[test]
fn a_node_comes_back_when_the_last_fault_that_keeps_it_lets_go() {
    let comings = |keep: fn(&mut dyn World, usize)| {
        let (mut engine, _) = chatters(10, 2);
        let hold = move |world: &mut dyn World| {
            let fault = world.open_fault();
            keep(world, fault);
        };
        let mut script = Script(vec![
            at(100, hold),
            at(150, hold),
            at(200, |world| world.release(0, NodeId(1))),
            at(300, |world| world.release(1, NodeId(1))),
        ]);
        engine.run(400 * MS, &mut script, &mut ()).unwrap();
        let facts = engine.finish().facts.into_iter();
        let facts = facts.filter(|record| record.ns > 100 * MS && !record.fact.is_named("heard"));
        facts.map(|record| record.ns / MS).collect::<Vec<_>>()
    };
    let crash = |world: &mut dyn World, fault| {
        world.crash(fault, NodeId(1), TailChance::default());
    };
    assert_eq!(comings(crash), [300]);
    assert_eq!(comings(|world, fault| world.pause(fault, NodeId(1), true)), [300]);
}

#[test]
fn messages_under_way_when_a_hold_begins_are_released_before_those_sent_after_it() {
    let seen = Seen::default();
    let log = Rc::clone(&seen);
    let boot = move |id, _| Chatter { id, nodes: 2, sent: 0, seen: Rc::clone(&log) };
    let mut config = config(11, 2);
    config.environment.peer_latency = Delay::uniform(20 * MS, 50 * MS);
    let mut engine = Engine::new(config, Box::new(boot), &mut ());
    let everyone: NodeSet = (0..2).map(NodeId).collect();
    let rule = LinkRule {
        id: 0,
        from: everyone.clone(),
        to: everyone,
        messages: Messages::All,
        action: LinkAction::Hold,
    };
    let kept = Rc::new(RefCell::new(None));
    let laid = Rc::clone(&kept);
    let mut script = Script(vec![
        at(100, move |world| {
            let fault = world.open_fault();
            *laid.borrow_mut() = Some(world.add_rule(fault, rule.clone()));
        }),
        at(200, move |world| world.remove_rule(kept.borrow().unwrap())),
    ]);
    engine.run(400 * MS, &mut script, &mut ()).unwrap();
    let heard = seen.borrow();
    let heard = heard.iter().filter(|(_, from, _)| from.0 == 0).map(|(.., number)| *number);
    assert!(heard.clone().is_sorted() && heard.count() > 20);
}

/// Moves its slow timer to later at every beat, and is paused meanwhile.
struct Mover;

impl Node for Mover {
    type Message = u64;
    type Timer = Tick;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        cx.arm(Tick::Beat, 10 * MS);
        cx.arm(Tick::Slow, 15 * MS);
    }

    fn on_message(&mut self, _: NodeId, _: u64, _: &mut Cx<'_, Self>) {}

    fn on_timer(&mut self, timer: Tick, cx: &mut Cx<'_, Self>) {
        cx.note(Fact::Custom {
            name: format!("{timer:?}").into(),
            value: (cx.now() as i64).into(),
        });
        if timer == Tick::Beat {
            cx.arm(Tick::Slow, 15 * MS);
        }
    }
}

#[test]
fn a_timer_that_was_moved_and_falls_due_in_a_pause_fires_once_when_the_node_goes_on() {
    let mut engine = Engine::new(config(1, 1), Box::new(|_, _| Mover), &mut ());
    let mut script = Script(vec![
        at(12, |world| {
            let fault = world.open_fault();
            world.pause(fault, NodeId(0), false);
        }),
        at(40, |world| world.release(0, NodeId(0))),
    ]);
    engine.run(100 * MS, &mut script, &mut ()).unwrap();
    let facts = engine.finish().facts;
    let fired = |name| {
        let named = facts.iter().filter(|record| record.fact.is_named(name));
        named.map(|record| record.ns / MS).collect::<Vec<_>>()
    };
    assert_eq!((fired("Beat"), fired("Slow")), (vec![10], vec![40]));
}
