//! The plan: which operations each client runs, and when.
//!
//! ```text
//! open pace    |--×-----|-----×--|×-------|      one operation in each slot, anywhere in it
//! closed pace  ×~~~×~×~~~~~~×                    a think time ~ after each answer
//! ```
//! A slot is as long as one client takes per operation at the workload's rate, so an open plan has
//! exactly the rate that was asked for, and two operations of one client come as close as they like.
//! Every draw for an operation comes from the stream of its client and number, so that no operation
//! depends on another. The clients' own draws for it are keyed by attempts from 1, the plan's by 0.

use std::sync::Arc;

use wrack_history::load::{ExplicitOperation, Pace, Workload};
use wrack_history::setting::Delay;
use wrack_history::{SmolStr, Value};
use wrack_sim::chance::Purpose;
use wrack_sim::client::{Argument, Operations};
use wrack_sim::{NodeId, PlannedOperation, Stream};

use crate::keys::Keys;
use crate::{Entry, Question, entry, transactions};

const NS_PER_KILOSECOND: u128 = 1_000_000_000_000;

/// At most so many operations can be planned for one client.
pub const OPERATIONS_PER_CLIENT_MAX: u32 = 10_000_000;

/// The operations of each client, in the order in which it runs them.
///
/// Units: virtual nanoseconds. In open pace every operation is due before `duration_ns`; in closed
/// pace the think times add up to no more than it, and waiting for answers comes on top.
///
/// # Panics
/// As [`Planner::new`], if the workload is not one of ours, and if a client had more than
/// [`OPERATIONS_PER_CLIENT_MAX`] operations.
pub fn plan(workload: &Workload, seed: u64, duration_ns: u64) -> Vec<Operations> {
    let entry = entry(&workload.name).expect("the workload is one of ours");
    plan_of(entry, workload, seed, duration_ns)
}

/// The same for a workload that need not be one of ours: `entry` is what `workload` names.
pub fn plan_of(
    entry: &'static Entry,
    workload: &Workload,
    seed: u64,
    duration_ns: u64,
) -> Vec<Operations> {
    let planner = Arc::new(Planner::new(entry, workload, seed));
    let of_client = |client| {
        let planner = Arc::clone(&planner);
        Operations::new(move || planner.client(client, duration_ns))
    };
    (0..workload.clients).map(of_client).collect()
}

/// How many operations a plan has, all clients together: about so many, but hardly more.
pub fn expected_operations(workload: &Workload, duration_ns: u64) -> usize {
    let of_rate = u128::from(workload.rate_per_kilosecond) * u128::from(duration_ns);
    let planned = of_rate / NS_PER_KILOSECOND + u128::from(workload.clients);
    planned.min(u128::from(workload.operations_max.unwrap_or(u64::MAX))) as usize
}

/// A read of every key, with this function and argument, for a client of closed pace that runs when all
/// others are done.
pub fn final_reads(
    (function, argument): &(&'static str, Value),
    keys: &[SmolStr],
) -> Vec<PlannedOperation> {
    let read = |(number, key): (u32, &SmolStr)| PlannedOperation {
        number,
        due_ns: 0,
        key: key.clone(),
        function: SmolStr::new_static(function),
        argument: Argument::Value(argument.clone()),
        to: None,
    };
    (0..).zip(keys).map(read).collect()
}

/// Every key of a workload that draws its operations.
pub fn keys(workload: &Workload) -> Vec<SmolStr> {
    match entry(&workload.name) {
        Some(entry) if transactions::is_model(entry.info.model) => vec![SmolStr::default()],
        _ => Keys::new(workload.keys, workload.distribution).names().to_vec(),
    }
}

/// The operations of each client, as a scenario names them in order of time; `nodes` are the names that
/// it may ask first.
pub fn explicit(
    operations: &[ExplicitOperation],
    clients: u32,
    nodes: &[SmolStr],
) -> Vec<Operations> {
    let planned = |operation: &ExplicitOperation| PlannedOperation {
        number: operation.number,
        due_ns: operation.at_ns,
        key: operation.key.clone(),
        function: operation.function.clone(),
        argument: Argument::Value(operation.argument.clone()),
        to: operation.to.as_ref().and_then(|name| {
            let place = nodes.iter().position(|node| node == name);
            place.map(|place| NodeId(place as u16))
        }),
    };
    let of_client = |client| {
        let own = operations.iter().filter(|operation| operation.client == client);
        own.map(planned).collect()
    };
    (0..clients).map(of_client).collect()
}

/// Plans one operation at a time: a pure function of client and number.
pub struct Planner {
    workload: Workload,
    entry: &'static Entry,
    seed: u64,
    keys: Keys,
    mix_total: u64,
}

impl Planner {
    /// A planner for this workload, which `entry` is.
    ///
    /// # Panics
    /// If the workload is another one, or has no client, no key, no rate or a mix without weight: the
    /// reader of scenarios refuses all of these.
    pub fn new(entry: &'static Entry, workload: &Workload, seed: u64) -> Self {
        assert_eq!(entry.info.name, workload.name, "the entry is that of the workload");
        let mix_total = workload.mix.iter().map(|(_, weight)| u64::from(*weight));
        let mix_total = mix_total.sum();
        assert!(mix_total > 0, "some function of the mix has a weight");
        assert!(workload.clients > 0, "somebody runs the workload");
        assert!(workload.rate_per_kilosecond > 0, "a workload has a rate");
        Self {
            workload: workload.clone(),
            entry,
            seed,
            keys: Keys::new(workload.keys, workload.distribution),
            mix_total,
        }
    }

    /// All operations of one client.
    pub fn client(
        self: &Arc<Self>,
        client: u32,
        duration_ns: u64,
    ) -> impl Iterator<Item = PlannedOperation> + Send + use<> {
        let planner = Arc::clone(self);
        let mut numbers = 0..self.operations_max(client);
        let mut thought_ns = 0u64;
        std::iter::from_fn(move || {
            for number in numbers.by_ref() {
                assert!(
                    number < OPERATIONS_PER_CLIENT_MAX,
                    "a client has at most ten million operations"
                );
                let operation = planner.operation(client, number);
                let (begins_ns, due_ns) = match planner.workload.pace {
                    Pace::Open => (planner.slot_ns(number), operation.due_ns),
                    Pace::Closed => {
                        thought_ns = thought_ns.saturating_add(operation.due_ns.max(1));
                        (thought_ns, thought_ns)
                    }
                };
                if begins_ns >= duration_ns {
                    break;
                }
                if due_ns < duration_ns {
                    return Some(operation);
                }
            }
            numbers = 0..0;
            None
        })
    }

    /// One operation of one client.
    pub fn operation(&self, client: u32, number: u32) -> PlannedOperation {
        let (first, second) = (u64::from(client), u64::from(number) << 16);
        let stream = &mut Stream::new(self.seed, Purpose::Operation, first, second);
        let due_ns = self.due_ns(number, stream);
        // The objects of a transaction stand in its argument.
        let key = match self.keys.draw(stream) {
            _ if transactions::is_model(self.entry.info.model) => SmolStr::default(),
            key => key,
        };
        let function = self.function(stream);
        let question = Question {
            function,
            unique: i64::from(number) * i64::from(self.workload.clients) + i64::from(client) + 1,
            settings: &self.workload.settings,
        };
        let argument = (self.entry.argument)(&question, stream);
        PlannedOperation { number, due_ns, key, function: function.clone(), argument, to: None }
    }

    /// The limit of the workload is shared out evenly, the first clients taking what is left over.
    fn operations_max(&self, client: u32) -> u32 {
        let Some(limit) = self.workload.operations_max else {
            return u32::MAX;
        };
        let (clients, client) = (u64::from(self.workload.clients), u64::from(client));
        let share = limit / clients + u64::from(client < limit % clients);
        share.min(u64::from(OPERATIONS_PER_CLIENT_MAX)) as u32
    }

    /// Open: when it is due. Closed: how long the client thinks before it.
    fn due_ns(&self, number: u32, stream: &mut Stream) -> u64 {
        let begin = self.slot_ns(number);
        match self.workload.pace {
            Pace::Open => stream.between(begin, self.slot_ns(number + 1).max(begin + 1) - 1),
            Pace::Closed => {
                stream.delay(&Delay::Exponential { min_ns: 0, mean_ns: self.slot_ns(1) })
            }
        }
    }

    /// Where the slot of this number begins.
    fn slot_ns(&self, number: u32) -> u64 {
        let operations = u128::from(number) * u128::from(self.workload.clients);
        let ns = operations * NS_PER_KILOSECOND / u128::from(self.workload.rate_per_kilosecond);
        u64::try_from(ns).unwrap_or(u64::MAX)
    }

    /// A function of the mix, as likely as its weight.
    fn function(&self, stream: &mut Stream) -> &SmolStr {
        let mut drawn = stream.below(self.mix_total);
        for (function, weight) in &self.workload.mix {
            match drawn.checked_sub(u64::from(*weight)) {
                Some(rest) => drawn = rest,
                None => return function,
            }
        }
        unreachable!("a draw is below the sum of the weights")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use wrack_history::Settings;
    use wrack_history::load::KeyDistribution;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// The argument that a workload gives to the operation with the unique number 7.
    pub(crate) fn argument_of(entry: &Entry, function: &str) -> Argument {
        arguments_with(entry, function, &Settings::default()).remove(0)
    }

    /// A hundred draws of it.
    pub(crate) fn arguments_with(
        entry: &Entry,
        function: &str,
        settings: &Settings,
    ) -> Vec<Argument> {
        let question = Question { function, unique: 7, settings };
        let draw = |number| {
            let stream = &mut Stream::new(1, Purpose::Operation, 0, number);
            (entry.argument)(&question, stream)
        };
        (0..100).map(draw).collect()
    }

    /// 5 clients, 100 operations a second in all.
    fn workload(pace: Pace) -> Workload {
        Workload {
            name: "register".into(),
            clients: 5,
            keys: 3,
            distribution: KeyDistribution::Uniform,
            rate_per_kilosecond: 100_000,
            pace,
            mix: vec![("read".into(), 2), ("write".into(), 1), ("cas".into(), 1)],
            operations_max: None,
            settings: Settings::default(),
        }
    }

    fn plan(workload: &Workload, seed: u64, duration_ns: u64) -> Vec<Vec<PlannedOperation>> {
        let plan = super::plan(workload, seed, duration_ns);
        plan.iter().map(|operations| operations.iter().collect()).collect()
    }

    #[test]
    fn an_open_plan_has_the_rate_that_was_asked_for() {
        let plan = plan(&workload(Pace::Open), 1, 60 * SECOND);
        assert_eq!(plan.len(), 5);
        for operations in &plan {
            assert_eq!(operations.len(), 1_200);
            assert_eq!(expected_operations(&workload(Pace::Open), 60 * SECOND), 6_005);
            assert!(operations.is_sorted_by_key(|operation| operation.due_ns));
            assert!(operations.last().unwrap().due_ns < 60 * SECOND);
        }
    }

    #[test]
    fn a_slow_client_may_have_no_operation_in_a_short_time() {
        let slow = Workload { rate_per_kilosecond: 250, ..workload(Pace::Open) };
        let planned = (0..200).map(|seed| plan(&slow, seed, 4 * SECOND).concat().len());
        // One operation is expected in four seconds: a fifth of each client's slot.
        assert!((150..=250).contains(&planned.sum::<usize>()));
    }

    #[test]
    fn think_times_of_a_closed_plan_add_up_to_the_duration() {
        let plan = plan(&workload(Pace::Closed), 1, 600 * SECOND);
        for operations in &plan {
            let thought = operations.iter().map(|operation| operation.due_ns);
            assert!((599 * SECOND..600 * SECOND).contains(&thought.sum::<u64>()));
            assert!((11_000..=13_000).contains(&operations.len()));
        }
    }

    #[test]
    fn functions_come_as_often_as_the_mix_says() {
        let operations = plan(&workload(Pace::Open), 1, 600 * SECOND).concat();
        let count = |function| {
            let same = |operation: &&PlannedOperation| operation.function == function;
            operations.iter().filter(same).count()
        };
        assert!((29_000..=31_000).contains(&count("read")));
        assert!((14_500..=15_500).contains(&count("write")));
        assert_eq!(count("read") + count("write") + count("cas"), 60_000);
    }

    #[test]
    fn an_operation_depends_on_its_client_and_number_alone() {
        for pace in [Pace::Open, Pace::Closed] {
            let workload = workload(pace);
            let short = plan(&workload, 1, 10 * SECOND);
            let long = plan(&workload, 1, 20 * SECOND);
            let planner = Planner::new(&crate::register::ENTRY, &workload, 1);
            for (client, operations) in short.iter().enumerate() {
                assert_eq!(operations[..], long[client][..operations.len()]);
                // Alone, without any other client or operation having been planned.
                for operation in operations {
                    let alone = planner.operation(client as u32, operation.number);
                    assert_eq!(alone, *operation);
                }
            }
        }
    }

    #[test]
    fn another_seed_gives_another_plan() {
        let planned = |seed| plan(&workload(Pace::Open), seed, SECOND);
        assert_eq!(planned(1), planned(1));
        assert_ne!(planned(1), planned(2));
    }

    #[test]
    fn no_two_operations_write_the_same_value() {
        let operations = plan(&workload(Pace::Open), 1, 60 * SECOND).concat();
        let written = operations.iter().filter_map(|operation| {
            let (Argument::Value(value) | Argument::FromSeen(value)) = &operation.argument;
            (operation.function != "read").then(|| value.as_integer().unwrap())
        });
        let written: Vec<_> = written.collect();
        assert!(written.iter().all(|value| *value > 0));
        assert_eq!(written.iter().collect::<BTreeSet<_>>().len(), written.len());
    }

    #[test]
    fn a_limit_is_shared_by_the_clients() {
        let limited = Workload { operations_max: Some(13), ..workload(Pace::Open) };
        let lengths = plan(&limited, 1, 60 * SECOND);
        let lengths: Vec<_> = lengths.iter().map(Vec::len).collect();
        assert_eq!(lengths, [3, 3, 3, 2, 2]);
    }

    #[test]
    fn every_key_is_read_at_the_end() {
        let reads = final_reads(&("read", Value::Nil), &keys(&workload(Pace::Open)));
        let keys: Vec<_> = reads.iter().map(|read| read.key.as_str()).collect();
        assert_eq!(keys, ["k0", "k1", "k2"]);
        assert!(reads.iter().all(|read| read.due_ns == 0));
    }
}
