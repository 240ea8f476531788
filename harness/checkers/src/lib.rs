//! Checkers: one guarantee a file.
//!
//! A checker sees a recorded history and recorded facts, never the simulator: it judges a run of
//! ours and a history that somebody else recorded alike. Beside the history it reads nothing: no
//! clock, no chance, no environment; the same evidence gives the same judgement.
//!
//! The simplest way in is [`check`]: operations and the name of a model give a judgement. A run is
//! judged with [`by_code`] or [`judge_all`]; an [`Invariant`] can also be fed fact by fact while the
//! run goes on, and what [`online`] has operation by operation.

mod assertion;
mod atomicity;
mod blocking;
mod causal;
mod conservation;
mod convergence;
mod counter_bounds;
mod deliveries;
mod delta_atomicity;
mod drift;
mod duplicate;
mod effects;
mod fencing;
mod final_reads;
pub mod guards;
mod isolation;
mod linearizability;
mod liveness;
mod log;
mod lost;
mod lost_update;
mod missing;
mod monotone_versions;
mod monotonic_reads;
mod monotonic_writes;
pub mod online;
mod order;
mod phantom;
mod promised;
mod raft;
mod read_your_writes;
mod register;
mod replicated_value;
mod sequential;
mod sessions;
mod set_full;
mod staleness;
mod strong_convergence;
mod tally;
mod unique;
mod unique_ids;
mod version_lag;
mod versions;
mod words;
mod writes_follow_reads;

#[cfg(test)]
mod story;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use wrack_history::catalogue::{GuaranteeInfo, defaults};
use wrack_history::run::Phases;
use wrack_history::{FactRecord, History, Judgement, Operation, Settings, SmolStr, Value};
use wrack_sequential::{OwnModel, Specification};

pub use isolation::anomalies::ANOMALIES;
pub use isolation::{Levels, is_transactional, level_names, levels};
pub use linearizability::{KeyVerdict, Witness, is_linearizable, verdicts, witnesses};

/// What checkers judge by.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// What clients saw.
    pub history: &'a History,
    /// What nodes noted, in order. Facts of the kinds that only [`Invariant`]s read (`appended`,
    /// `committed`, `applied`) may have been left out.
    pub facts: &'a [FactRecord],
    /// Names of nodes, then of clients, by index; empty for a history recorded elsewhere.
    pub nodes: &'a [SmolStr],
    /// Where the phases end; all 0 for a history recorded elsewhere.
    pub phases: Phases,
    /// The sequential model that the workload is judged by, by name.
    pub model: &'a str,
    /// Models beside those that Wrack has.
    pub own_models: &'a [OwnModel],
    /// Where the object of each key starts; `Nil` where the model says.
    pub initial: &'a Value,
    /// Bounds every search: configurations per key.
    pub states_max: u64,
    /// Whether the order of the history is one of time; else only that within each session counts.
    pub real_time: bool,
    /// What several checkers work out of the history and the facts.
    pub derived: Derived<'a>,
}

/// What several checkers work out of the same evidence: the first that needs it does.
#[derive(Clone, Debug, Default)]
pub struct Derived<'a> {
    by_key: Arc<OnceLock<ByKey<'a>>>,
    effects: Arc<OnceLock<Vec<effects::Effect>>>,
}

/// The operations of each key, keys in order of their names.
pub(crate) type ByKey<'a> = BTreeMap<&'a SmolStr, Vec<&'a Operation>>;

/// Configurations per key that are enough for every workload of ours.
pub const STATES_MAX: u64 = 5_000_000;

impl<'a> Evidence<'a> {
    /// A history alone, as somebody else recorded it.
    pub fn of_history(history: &'a History, model: &'a str) -> Self {
        Self {
            history,
            facts: &[],
            nodes: &[],
            phases: Phases::default(),
            model,
            own_models: &[],
            initial: &Value::Nil,
            states_max: STATES_MAX,
            real_time: true,
            derived: Derived::default(),
        }
    }

    /// The operations of each key.
    pub(crate) fn by_key(&self) -> &ByKey<'a> {
        self.derived.by_key.get_or_init(|| operations_by_key(&self.history.operations))
    }

    /// All different effects, in the order in which they were noted first.
    pub(crate) fn effects(&self) -> &[effects::Effect] {
        self.derived.effects.get_or_init(|| effects::effects(self.facts))
    }

    /// Those of them that were not undone.
    pub(crate) fn lasting_effects(&self) -> impl Iterator<Item = &effects::Effect> {
        self.effects().iter().filter(|effect| !effect.undone)
    }

    /// Whether the objects are sets, whose elements count one by one.
    pub(crate) fn is_set(&self) -> bool {
        matches!(self.model, "set" | "g-set")
    }

    /// What the object of each key is.
    pub(crate) fn specification(&self) -> Specification<'a> {
        Specification { model: self.model, initial: self.initial, own: self.own_models }
    }
}

/// A promise about the inside of a design, judged fact by fact as a run goes on.
pub trait Invariant {
    /// Takes the next fact.
    fn observe(&mut self, record: &FactRecord);
    /// Takes the next facts, in order.
    fn observe_all(&mut self, records: &[FactRecord]) {
        records.iter().for_each(|record| self.observe(record));
    }
    /// Judges what it has seen.
    fn judgement(&mut self, nodes: &[SmolStr]) -> Judgement;
}

/// How a guarantee is judged.
#[derive(Clone, Copy)]
pub enum Judge {
    /// From the whole evidence, after the run.
    Evidence(fn(&Evidence<'_>, &Settings) -> Judgement),
    /// Fact by fact.
    Facts(fn() -> Box<dyn Invariant>),
}

/// A guarantee, and who judges it.
pub struct Guarantee {
    /// What it is called and what it means.
    pub info: &'static GuaranteeInfo,
    /// Who judges it.
    pub judge: Judge,
}

impl Guarantee {
    /// Whether it says anything of a history of this model that asks for these functions: nothing is
    /// updated by plain reads and writes, only some models read what was written as it was, only some
    /// have versions, and some guarantees are about one model alone.
    ///
    /// A scenario is judged by what its design or it itself promises, and by nothing else.
    pub fn applies(&self, model: &str, functions: &[&str]) -> bool {
        let is_set = matches!(model, "set" | "g-set");
        let is_register = matches!(model, "register" | "cas-register");
        match self.info.code {
            "LUPD" => functions.iter().any(|function| matches!(*function, "cas" | "increment")),
            "PHANTOM" => is_set || is_register,
            "STALE" | "DRIFT" | "KST" | "RYW" | "MR" | "MW" | "WFR" => {
                is_register || model == "counter"
            }
            "CAUS" => is_register,
            "DELTA" => model == "register",
            "SETFULL" => is_set,
            "SUM" => model == "counter",
            "CONS" => model == "bank" || functions.contains(&"charge"),
            "UNIQ" => model == "unique-ids",
            "LOG" => model == "log",
            code if isolation::is_level(code) => isolation::is_transactional(model),
            "CONV" => functions.contains(&"read"),
            "CRDT" => is_set || is_register || matches!(model, "cart" | "counter"),
            _ => true,
        }
    }

    /// Judges a run that is over. Settings that are absent take their defaults.
    pub fn judge(&self, evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
        match self.judge {
            Judge::Evidence(judge) => {
                let mut all = defaults(self.info.parameters);
                all.0.extend(settings.0.clone());
                judge(evidence, &all)
            }
            Judge::Facts(new) => {
                let mut invariant = new();
                for record in evidence.facts {
                    invariant.observe(record);
                }
                invariant.judgement(evidence.nodes)
            }
        }
    }
}

/// Every guarantee, sorted by code.
pub const ALL: &[Guarantee] = &[
    assertion::GUARANTEE,
    atomicity::GUARANTEE,
    blocking::GUARANTEE,
    causal::GUARANTEE,
    isolation::CAUSAL,
    conservation::GUARANTEE,
    convergence::GUARANTEE,
    replicated_value::GUARANTEE,
    delta_atomicity::GUARANTEE,
    drift::GUARANTEE,
    duplicate::GUARANTEE,
    version_lag::GUARANTEE,
    linearizability::GUARANTEE,
    liveness::GUARANTEE,
    log::GUARANTEE,
    lost::GUARANTEE,
    lost_update::GUARANTEE,
    missing::GUARANTEE,
    monotone_versions::GUARANTEE,
    monotonic_reads::GUARANTEE,
    monotonic_writes::GUARANTEE,
    order::GUARANTEE,
    isolation::PREFIX,
    phantom::GUARANTEE,
    isolation::PARALLEL_SNAPSHOT_ISOLATION,
    isolation::READ_ATOMIC,
    raft::GUARANTEE,
    isolation::READ_COMMITTED,
    isolation::READ_COMMITTED_AXIOMATIC,
    isolation::REPEATABLE_READ,
    isolation::READ_UNCOMMITTED,
    read_your_writes::GUARANTEE,
    strong_convergence::GUARANTEE,
    sequential::GUARANTEE,
    isolation::SERIALIZABLE,
    set_full::GUARANTEE,
    isolation::SNAPSHOT_ISOLATION,
    fencing::GUARANTEE,
    isolation::STRICT_SERIALIZABLE,
    isolation::STRONG_SESSION_SERIALIZABLE,
    isolation::STRONG_SESSION_SNAPSHOT_ISOLATION,
    staleness::GUARANTEE,
    counter_bounds::GUARANTEE,
    unique_ids::GUARANTEE,
    writes_follow_reads::GUARANTEE,
];

/// The guarantee of this code.
pub fn by_code(code: &str) -> Option<&'static Guarantee> {
    ALL.iter().find(|guarantee| guarantee.info.code == code)
}

/// Judges each of these guarantees with its default settings, in their order.
pub fn judge_all<'a>(
    guarantees: impl IntoIterator<Item = &'a Guarantee>,
    evidence: &Evidence<'_>,
) -> Vec<Judgement> {
    let guarantees = guarantees.into_iter();
    guarantees.map(|guarantee| guarantee.judge(evidence, &Settings::default())).collect()
}

/// Whether operations, in any order, are linearizable by the model of this name.
///
/// ```
/// use wrack_history::{Moment, Operation, Outcome, Value, Verdict};
///
/// let at = |index| Moment { index, ns: index * 1_000_000 };
/// let write = Operation {
///     id: 0, process: 1, session: 1, key: "k".into(), function: "write".into(), argument: 7.into(),
///     result: Value::Nil, outcome: Outcome::Ok, invoke: at(0), complete: at(1), details: None,
/// };
/// let read = Operation {
///     id: 1, process: 2, session: 2, function: "read".into(), argument: Value::Nil,
///     invoke: at(2), complete: at(3), ..write.clone()
/// };
/// let judgement = wrack_checkers::check(vec![write, read], "register");
/// assert_eq!(judgement.verdict, Verdict::Invalid);
/// assert_eq!(
///     judgement.anomalies[0].explanation,
///     "process 2 read nil of k at 0.003 s, but write 7 by process 1 had completed at 0.001 s, \
///      before that began, and nil is only the initial value",
/// );
/// ```
pub fn check(mut operations: Vec<Operation>, model: &str) -> Judgement {
    operations.sort_by_key(|operation| operation.invoke.index);
    let history = History { operations, nemesis: Vec::new() };
    let evidence = Evidence::of_history(&history, model);
    linearizability::GUARANTEE.judge(&evidence, &Settings::default())
}

/// The operations of each key.
pub(crate) fn operations_by_key(operations: &[Operation]) -> ByKey<'_> {
    let mut places = FxHashMap::<&SmolStr, usize>::default();
    let mut keys: Vec<(&SmolStr, Vec<&Operation>)> = Vec::new();
    let mut place = 0;
    for operation in operations {
        if keys.get(place).is_none_or(|(key, _)| **key != operation.key) {
            place = *places.entry(&operation.key).or_insert(keys.len());
            if place == keys.len() {
                keys.push((&operation.key, Vec::new()));
            }
        }
        keys[place].1.push(operation);
    }
    keys.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{ALL, by_code};

    #[test]
    fn guarantees_are_sorted_by_code_and_found_by_it() {
        assert!(ALL.is_sorted_by_key(|guarantee| guarantee.info.code));
        assert!(ALL.iter().all(|guarantee| by_code(guarantee.info.code).is_some()));
        assert!(by_code("NONE").is_none());
    }

    #[test]
    fn what_can_judge_a_model_is_known() {
        let codes = |model, functions: &[&str]| -> Vec<&str> {
            let applies = ALL.iter().filter(|guarantee| guarantee.applies(model, functions));
            let codes = applies.map(|guarantee| guarantee.info.code);
            codes
                .filter(|code| {
                    !["ASSERT", "ATOM", "BLOCK", "DUP", "LIN", "LIVE", "LOST", "MISS"]
                        .contains(code)
                })
                .collect()
        };
        let register = [
            "CAUS", "CONV", "CRDT", "DELTA", "DRIFT", "KST", "MONO", "MR", "MW", "ORD", "PHANTOM",
            "RAFT", "RYW", "SEC", "SEQ", "SPLIT", "STALE", "WFR",
        ];
        assert_eq!(codes("register", &["read", "write"]), register);
        let set =
            ["CONV", "CRDT", "MONO", "ORD", "PHANTOM", "RAFT", "SEC", "SEQ", "SETFULL", "SPLIT"];
        assert_eq!(codes("g-set", &["read", "add"]), set);
        let log = ["LOG", "MONO", "ORD", "RAFT", "SEC", "SEQ", "SPLIT"];
        assert_eq!(codes("log", &["append", "poll"]), log);
        let ids = ["MONO", "ORD", "RAFT", "SEC", "SEQ", "SPLIT", "UNIQ"];
        assert_eq!(codes("unique-ids", &["generate"]), ids);
    }

    #[test]
    fn every_guarantee_explains_itself() {
        for guarantee in ALL {
            assert!(guarantee.info.doc.len() > 100, "{}", guarantee.info.code);
        }
    }
}
