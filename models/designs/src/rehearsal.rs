//! Rehearsals: a design on the engine, with simple clients and traps at its failpoints, for tests.

use std::collections::BTreeMap;

use wrack_history::catalogue::defaults;
use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::load::{Environment, Pace, RetryKey, RetryPolicy};
use wrack_history::setting::Delay;
use wrack_history::{Fact, FactRecord, SmolStr};
use wrack_sim::client::{Argument, ClientPlan};
use wrack_sim::network::{LinkAction, LinkRule, Messages, NodeSet, RuleId};
use wrack_sim::world::{FailpointAction, Trap};
use wrack_sim::{
    Client, Cluster, Controller, Design, Engine, EngineConfig, Member, NodeId, PlannedOperation,
    Recording, TraceLevel, Watched, World,
};

const CLIENTS: u32 = 4;
/// Each client asks so often, one operation every 50 ms.
const OPERATIONS: u32 = 100;
/// Links lose messages until here.
const HEAL_NS: u64 = 6 * SECOND;
const END_NS: u64 = 12 * SECOND;

/// What a run is made of.
#[derive(Clone, Copy)]
pub struct Rehearsal {
    pub variant: &'static str,
    pub function: &'static str,
    pub seed: u64,
    /// A node crashes for 300 ms at each of the first hits of this failpoint after two seconds.
    pub crash_at: Option<(&'static str, u32)>,
    /// So many of a million messages are lost.
    pub loss_per_million: u32,
}

impl Rehearsal {
    pub fn run<D: Design>(self) -> Outcome {
        let settings = defaults(D::INFO.parameters);
        let names = (D::INFO.nodes)(&settings);
        let cluster = Cluster { names, settings, variant: self.variant.into() };
        let servers = cluster.names.len();
        let entries = D::entries(&cluster);
        let clients = (0..CLIENTS).map(|client| format!("client-{client}").into());
        let config = EngineConfig {
            seed: self.seed,
            names: cluster.names.iter().cloned().chain(clients).collect(),
            servers,
            environment: Environment {
                peer_latency: Delay::uniform(MILLISECOND, 3 * MILLISECOND),
                client_latency: Delay::uniform(MILLISECOND, 5 * MILLISECOND),
                sync_latency: Delay::uniform(MILLISECOND, 3 * MILLISECOND),
            },
            trace: TraceLevel::Hash,
            keep_all_facts: false,
        };
        let boot = move |id: NodeId, _| match id.index().checked_sub(servers) {
            Some(client) => Member::<D>::Client(Client::new(self.plan(client as u32, &entries))),
            None => Member::Server(D::boot(&cluster, id)),
        };
        let mut engine = Engine::new(config, Box::new(boot), &mut ());
        let mut script = Script { rehearsal: self, step: 0, rule: None };
        engine.run(END_NS, &mut script, &mut ()).unwrap();
        Outcome(engine.finish())
    }

    fn plan(self, client: u32, entries: &[NodeId]) -> ClientPlan {
        let operations = (0..OPERATIONS).map(|number| PlannedOperation {
            number,
            due_ns: u64::from(number) * 50 * MILLISECOND,
            key: format!("k{}", number % 3).into(),
            function: SmolStr::new_static(self.function),
            argument: Argument::Value(i64::from(number * CLIENTS + client + 1).into()),
            to: None,
        });
        ClientPlan {
            client,
            clients: CLIENTS,
            operations: operations.collect(),
            pace: Pace::Open,
            policy: RetryPolicy {
                timeout_ns: 500 * MILLISECOND,
                attempts_max: 8,
                backoff_ns: 20 * MILLISECOND,
                backoff_max_ns: 200 * MILLISECOND,
                jitter_per_million: 200_000,
                budget_per_million: None,
                key: RetryKey::Unique,
                late_duplicate_per_million: 0,
                late_duplicate_after_ns: 0,
            },
            stops_ns: u64::MAX,
            surge: None,
            entries: entries.to_vec(),
        }
    }
}

/// Loss from the beginning on, traps after two seconds, and no loss any more in the end.
struct Script {
    rehearsal: Rehearsal,
    step: usize,
    rule: Option<RuleId>,
}

impl Controller for Script {
    fn next_ns(&self) -> Option<u64> {
        [0, 2 * SECOND, HEAL_NS].get(self.step).copied()
    }

    fn act(&mut self, world: &mut dyn World) {
        let everyone: NodeSet = (0..100).map(NodeId).collect();
        match (self.step, self.rehearsal.crash_at) {
            (0, _) => {
                let fault = world.open_fault();
                let rule = LinkRule {
                    id: 0,
                    from: everyone.clone(),
                    to: everyone,
                    messages: Messages::All,
                    action: LinkAction::Lose { per_million: self.rehearsal.loss_per_million },
                };
                self.rule = Some(world.add_rule(fault, rule));
            }
            (1, Some((failpoint, times))) => {
                let fault = world.open_fault();
                world.set_trap(
                    fault,
                    Trap {
                        id: 1,
                        failpoint: failpoint.into(),
                        node: None,
                        nth: 1,
                        per_million: 1_000_000,
                        times,
                        action: FailpointAction::Crash { down_ns: 300 * MILLISECOND },
                    },
                );
            }
            (1, None) => {}
            _ => world.remove_rule(self.rule.take().expect("it was laid")),
        }
        self.step += 1;
    }

    fn watched(&self) -> Watched {
        Watched::Nothing
    }

    fn on_fact(&mut self, _: &FactRecord, _: &mut dyn World) {}
}

/// What came of a run.
pub struct Outcome(Recording);

impl Outcome {
    /// Effects of each operation, at different places.
    fn effects(&self) -> BTreeMap<u64, Vec<u64>> {
        let mut effects = BTreeMap::<u64, Vec<u64>>::new();
        for record in &self.0.facts {
            if let Fact::Effect { operation, position, .. } = &record.fact {
                let places = effects.entry(*operation).or_default();
                if !places.contains(position) {
                    places.push(*position);
                }
            }
        }
        effects
    }

    /// How many operations were answered ok.
    pub fn ok(&self) -> usize {
        self.0.history.operations.iter().filter(|operation| operation.is_ok()).count()
    }

    /// How often something crashed.
    pub fn crashes(&self) -> usize {
        self.0.facts.iter().filter(|record| record.fact == Fact::Crashed).count()
    }

    /// How many operations took effect more than once.
    pub fn doubled(&self) -> usize {
        self.effects().values().filter(|places| places.len() > 1).count()
    }

    /// How many operations were answered ok and never took effect.
    pub fn missing(&self) -> usize {
        let effects = self.effects();
        let ok = self.0.history.operations.iter().filter(|operation| operation.is_ok());
        ok.filter(|operation| !effects.contains_key(&operation.id)).count()
    }

    /// What all entries of a book say of an account.
    pub fn balance(&self, book: &str, account: &str) -> i64 {
        let mut entries = BTreeMap::new();
        for record in &self.0.facts {
            if let Fact::Posted { book: kept, entry, amounts, .. } = &record.fact
                && kept == book
            {
                let of_account = amounts.iter().filter(|(name, _)| name == account);
                entries.insert(*entry, of_account.map(|(_, amount)| amount).sum::<i64>());
            }
        }
        entries.values().sum()
    }

    /// Whether a situation worth reaching was reached.
    pub fn reached(&self, name: &str) -> bool {
        self.0.sometimes.contains_key(name)
    }
}
