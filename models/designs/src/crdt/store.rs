//! One replica's objects, and its book of who knows which updates: no message, timer or disk.
//!
//! ```text
//! accept  ─▶ shipment of one ─┐
//! peers   ─▶ shipment ────────┼─▶ integrate ─▶ objects, log, vector, sessions
//! disk    ─▶ shipment ────────┘
//! ```
//! Everything that changes a replica is a shipment, and its disk is the list of those that it took:
//! what a client asked for, what a peer sent, and what is found after a crash go one way.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wrack_history::fact::{Fact, UpdateName};
use wrack_history::{SmolStr, Value};
use wrack_sim::chance::Digest;
use wrack_sim::{Idempotency, Request};

use super::flaws;
use super::message::{Change, Form, Shipment, Update};
use super::object::{Command, Kind, Object};
use super::types::{Dot, HybridClock, ReplicaId, Stamp, Timestamp, VersionVector};

/// How a cluster works, and where a variant differs.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What stands under each key.
    pub kind: Kind,
    /// In which form updates travel.
    pub form: Form,
    /// Operations are applied as often as they come (variant `op_no_dedupe`).
    pub no_dedupe: bool,
    /// How states of others are merged.
    pub merge: fn(&mut Object, &Object),
    /// Timestamps are the wall clock's, whatever was heard of (variant `wall_clock_lww`).
    pub wall_clock: bool,
}

/// An object, and how many updates of each replica are in it.
struct Entry {
    object: Object,
    updates: VersionVector,
}

/// One replica's objects and books.
pub struct Store {
    rules: Rules,
    id: ReplicaId,
    clock: HybridClock,
    objects: BTreeMap<SmolStr, Entry>,
    /// All updates that it has, in an order in which each comes after its past.
    log: Vec<Arc<Update>>,
    vector: VersionVector,
    /// The last command of each session.
    sessions: BTreeMap<u64, u64>,
}

impl Store {
    /// The replica of this number, before anything happened.
    pub fn new(rules: Rules, id: ReplicaId) -> Self {
        Self {
            rules,
            id,
            clock: HybridClock::default(),
            objects: BTreeMap::new(),
            log: Vec::new(),
            vector: VersionVector::default(),
            sessions: BTreeMap::new(),
        }
    }

    /// What it has.
    pub fn vector(&self) -> &VersionVector {
        &self.vector
    }

    /// The updates that it has, in order.
    pub fn log(&self) -> &[Arc<Update>] {
        &self.log
    }

    /// What a client sees of an object.
    pub fn read(&self, key: &str) -> Value {
        match self.objects.get(key) {
            Some(entry) => entry.object.read(),
            None => Object::new(self.rules.kind).read(),
        }
    }

    /// Whether the command comes before, is, or comes after the last of its session that was accepted by a
    /// replica that this one has heard of.
    pub fn place(&self, identity: Idempotency) -> Ordering {
        let last = self.sessions.get(&identity.session);
        last.map_or(Ordering::Greater, |last| identity.sequence.cmp(last))
    }

    /// Makes an update of what a client asks, ready to be integrated.
    ///
    /// Errors: why the object does not take it, for the client.
    pub fn accept(&mut self, request: &Request, wall_ns: u64) -> Result<Shipment, SmolStr> {
        let kind = self.rules.kind;
        let command = Command::of(kind, &request.function, &request.argument)?;
        let entry = self.objects.entry(request.key.clone()).or_insert_with(|| Entry::new(kind));
        let time = match self.rules.wall_clock {
            true => Timestamp { wall_ns, count: 0, replica: self.id },
            false => self.clock.tick(wall_ns, self.id),
        };
        let within = Stamp { dot: entry.updates.next(self.id), time };
        let operation = entry.object.prepare(&command, &within);
        let (change, states) = match self.rules.form {
            Form::Operations => (Change::Operation(operation), Vec::new()),
            Form::Deltas => (Change::Delta(entry.object.delta(&operation)), Vec::new()),
            Form::States => {
                let delta = entry.object.delta(&operation);
                (Change::InState, vec![(request.key.clone(), delta)])
            }
        };
        let update = Update {
            stamp: Stamp { dot: self.vector.next(self.id), time },
            past: self.vector.clone(),
            key: request.key.clone(),
            tag: request.tag,
            identity: request.idempotency,
            change,
        };
        Ok(Shipment { updates: vec![Arc::new(update)], states })
    }

    /// Whether nothing is missing between what it has and what the shipment brings.
    pub fn fits(&self, shipment: &Shipment) -> bool {
        let mut vector = self.vector.clone();
        shipment.updates.iter().all(|update| {
            let (dot, known) = (update.stamp.dot, vector.contains(update.stamp.dot));
            let next = vector.is_next(dot) && vector.covers(&update.past);
            vector.advance(dot);
            known || next
        })
    }

    /// Whether it would learn anything.
    pub fn is_news(&self, shipment: &Shipment) -> bool {
        let unknown = |update: &Arc<Update>| !self.vector.contains(update.stamp.dot);
        self.rules.no_dedupe || shipment.updates.iter().any(unknown)
    }

    /// Takes in a shipment that fits. Gives what is to be noted about each object that it touched.
    pub fn integrate(&mut self, shipment: &Shipment) -> Vec<Fact> {
        let mut touched = BTreeMap::<&SmolStr, Vec<UpdateName>>::new();
        let own = |update: &Arc<Update>| update.stamp.dot.replica == self.id;
        let merge = if shipment.updates.iter().all(own) { Object::merge } else { self.rules.merge };
        for (key, state) in &shipment.states {
            merge(&mut self.entry(key).object, state);
        }
        for update in &shipment.updates {
            let known = self.vector.contains(update.stamp.dot);
            if known && !self.rules.no_dedupe {
                continue;
            }
            self.apply(update, merge);
            if !known {
                self.learn(update);
            }
            touched.entry(&update.key).or_default().push(name(update));
        }
        let delivered = |(key, updates): (&SmolStr, Vec<UpdateName>)| Fact::Delivered {
            key: key.clone(),
            updates,
            digest: Digest::of(&self.read(key)),
        };
        touched.into_iter().map(delivered).collect()
    }

    fn apply(&mut self, update: &Update, merge: fn(&mut Object, &Object)) {
        let entry = self.entry(&update.key);
        match &update.change {
            Change::Operation(operation) => entry.object.apply(operation),
            Change::Delta(delta) => merge(&mut entry.object, delta),
            Change::InState => {}
        }
    }

    fn learn(&mut self, update: &Arc<Update>) {
        let Stamp { dot, time } = update.stamp;
        self.vector.advance(dot);
        self.clock.hear(time);
        self.entry(&update.key).count(dot.replica);
        if let Some(identity) = update.identity {
            let last = self.sessions.entry(identity.session).or_default();
            *last = identity.sequence.max(*last);
        }
        self.log.push(Arc::clone(update));
    }

    /// What somebody lacks of the log from a place on, in the form in which updates travel.
    pub fn ship(&self, from: usize, known: &VersionVector) -> Option<Shipment> {
        let lacks = |update: &&Arc<Update>| !known.contains(update.stamp.dot);
        let updates: Vec<Arc<Update>> = self.log[from..].iter().filter(lacks).cloned().collect();
        let keys: BTreeSet<&SmolStr> = updates.iter().map(|update| &update.key).collect();
        let states = match self.rules.form {
            Form::States => keys
                .into_iter()
                .map(|key| (key.clone(), self.objects[key].object.clone()))
                .collect(),
            Form::Operations | Form::Deltas => Vec::new(),
        };
        (!updates.is_empty()).then_some(Shipment { updates, states })
    }

    fn entry(&mut self, key: &SmolStr) -> &mut Entry {
        let kind = self.rules.kind;
        self.objects.entry(key.clone()).or_insert_with(|| Entry::new(kind))
    }
}

impl Entry {
    fn new(kind: Kind) -> Self {
        Self { object: Object::new(kind), updates: VersionVector::default() }
    }

    /// One more update of this replica is in the object.
    fn count(&mut self, replica: ReplicaId) {
        self.updates.advance(self.updates.next(replica));
    }
}

fn name(update: &Update) -> UpdateName {
    let Dot { replica, sequence } = update.stamp.dot;
    UpdateName { operation: update.tag.operation(), origin: replica, sequence }
}

/// The merge of this variant.
pub fn merge_of(variant: &str) -> fn(&mut Object, &Object) {
    match variant {
        "bad_merge" => flaws::take_counts,
        "naive_set_remove" => flaws::unite_elements,
        _ => Object::merge,
    }
}
