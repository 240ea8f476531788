//! RYW, MR, MW and WFR of registers whose written values are unique, obligation by obligation.
//!
//! [`crate::sessions`] says what a session learns and who owes it, and judges a history whose order of
//! versions nobody noted by whether some order meets every obligation *not newer than*. This does the same
//! as obligations come in: they are due when an operation completes, against what its session knew
//! when it was invoked, and the first that closes a circle is the anomaly.
//!
//! [`order`] keeps who is not newer than whom, its transitive closure included. So a version can be forgotten and what
//! followed from it is still known. Who may be read again is not bounded: a session that lags may find any
//! old version. The oldest are forgotten when a key has more than so many, but for those that some session,
//! or an operation in flight, still owes something to. Whoever reads a forgotten one owes nothing
//! for that, which is a doubt. Where something is owed to very many, as in a session that writes and writes
//! and nobody sees in which order, that is given up, which is a doubt, too: so memory is bounded.
//!
//! A write carries to its readers what its session knew when it was invoked. Of that a session keeps
//! one step for each of its writes that is held ([`mind`]). MW asks this of ok writes alone: what was read
//! from a write in flight is kept until that ends, and asked then.
//!
//! A value may come again only as long as it can be told from the one before: once a key has forgotten
//! something, values that were written before anywhere ([`super::written`]) are a doubt.

#![allow(clippy::result_large_err, reason = "an anomaly comes once, and ends the judging")]

mod circle;
mod mind;
mod order;

use rustc_hash::FxHashMap;
use wrack_history::{Anomaly, Operation, Outcome, SmolStr, Value};

use super::written::Written;
use super::{Note, Online};
use crate::register::is_refused;
use crate::sessions::{Knows, OwedBy};
use crate::words::{noun, of, short};
use circle::circle;
use mind::{Floor, Mind};
use order::{Due, Order};

/// A key has so many versions before the oldest are forgotten.
const VERSIONS_MAX: usize = 256;
/// So many versions of a key that something is owed to are held at most: beyond, nothing more is said.
const HELD_MAX: usize = 2_048;

/// Sessions, and the versions that they know of.
pub(super) struct Sessions {
    code: &'static str,
    knows: Knows,
    owed_by: OwedBy,
    initial: Value,
    versions_max: usize,
    keys: FxHashMap<SmolStr, u32>,
    orders: Vec<Order>,
    minds: FxHashMap<u32, Mind>,
    /// What is in flight, by its id.
    open: FxHashMap<u64, Open>,
    written: Written,
    given_up: bool,
    doubt: Option<String>,
}

/// An operation in flight.
struct Open {
    key: u32,
    session: u32,
    invoke: u64,
    /// What it owes: by itself, and to the writes that its session has read.
    owed: Floor,
    followed: Floor,
    /// Reads of what it wrote, while it has been in flight.
    readers: Vec<Reader>,
}

/// A session that has read what a write in flight wrote, and what it has read since.
struct Reader {
    session: u32,
    since: u64,
    reads: Vec<(u32, Option<u64>, Operation)>,
}

impl Sessions {
    pub fn new(code: &str, initial: &Value) -> Self {
        let (code, knows, owed_by) = match code {
            "RYW" => ("RYW", Knows::Writes, OwedBy::Reads),
            "MR" => ("MR", Knows::Reads, OwedBy::Reads),
            "MW" => ("MW", Knows::Writes, OwedBy::Followers),
            _ => ("WFR", Knows::Reads, OwedBy::Followers),
        };
        Self {
            code,
            knows,
            owed_by,
            initial: initial.clone(),
            versions_max: VERSIONS_MAX,
            keys: FxHashMap::default(),
            orders: Vec::new(),
            minds: FxHashMap::default(),
            open: FxHashMap::default(),
            written: Written::default(),
            given_up: false,
            doubt: None,
        }
    }

    #[cfg(test)]
    pub fn holding(code: &str, initial: &Value, versions_max: usize) -> Self {
        Self { versions_max, ..Self::new(code, initial) }
    }

    fn key(&mut self, name: &SmolStr) -> u32 {
        if let Some(key) = self.keys.get(name) {
            return *key;
        }
        let key = self.orders.len() as u32;
        self.keys.insert(name.clone(), key);
        self.orders.push(Order::new(self.versions_max));
        key
    }

    /// Nothing more can be said.
    fn give_up(&mut self, why: String) {
        let (code, initial) = (self.code, std::mem::take(&mut self.initial));
        let doubt = self.doubt.take().or(Some(why));
        *self = Self { given_up: true, doubt, ..Self::new(code, &initial) };
    }

    /// A write is invoked: its version is new.
    fn begin(&mut self, write: &Operation, value: &Value, key: u32) {
        let order = &mut self.orders[key as usize];
        let again = self.written.has(value) != Some(false);
        self.written.insert(value);
        let twice = order.find(value).is_some() || *value == self.initial;
        if twice || (order.forgot && again) {
            let (value, of) = (short(value), of(write));
            return self.give_up(format!("{value}{of} was written again, or may have been"));
        }
        let epoch = match self.owed_by {
            OwedBy::Followers => self.minds.entry(write.session).or_default().write(),
            OwedBy::Reads => 0,
        };
        order.add(value, write.session, epoch, Note::of(write));
        if order.is_full() {
            self.sweep(key);
        }
        let held = self.orders[key as usize].versions().len();
        if held > HELD_MAX {
            let of = of(write);
            self.give_up(format!("something is still owed to each of {held} values{of}"));
        }
    }

    /// Forgets the oldest versions of a key that nobody owes anything to.
    fn sweep(&mut self, key: u32) {
        let mut held = FxHashMap::<u32, Vec<u64>>::default();
        for version in self.orders.iter().flat_map(Order::versions) {
            held.entry(version.session).or_default().push(version.epoch);
        }
        let versions = self.orders[key as usize].versions().iter();
        let in_flight = versions.filter(|version| self.open.contains_key(&version.note.id));
        let mut roots: Vec<u64> = in_flight.map(|version| version.number).collect();
        for (session, mind) in &mut self.minds {
            mind.prune(held.remove(session).unwrap_or_default());
            mind.roots(key, &mut roots);
        }
        for open in self.open.values().filter(|open| open.key == key) {
            roots.extend(open.owed.iter().chain(&open.followed).map(|due| due.version));
        }
        for reader in self.open.values().flat_map(|open| &open.readers) {
            let reads = reader.reads.iter().filter(|(of, ..)| *of == key);
            roots.extend(reads.filter_map(|(_, version, _)| *version));
        }
        self.orders[key as usize].sweep(roots);
    }

    /// An operation has found or made a version, and owes so much.
    fn oblige(
        &mut self,
        key: u32,
        floor: &Floor,
        version: Option<u64>,
        by: &Operation,
    ) -> Result<(), Anomaly> {
        let order = &mut self.orders[key as usize];
        for due in floor {
            let closed = match version {
                Some(version) => order.connect(*due, version, Note::of(by)),
                None => Err(Vec::new()),
            };
            if let Err(path) = closed {
                return Err(circle(self.code, order, *due, (version, &self.initial), by, &path));
            }
        }
        Ok(())
    }

    fn owes(&self, operation: &Operation) -> bool {
        let is_read = operation.function == "read";
        match (self.owed_by, self.knows) {
            (OwedBy::Reads, _) => is_read,
            (OwedBy::Followers, Knows::Writes) => !is_read && operation.is_ok(),
            (OwedBy::Followers, Knows::Reads) => !is_read,
        }
    }

    /// What an operation that is over has found or made; nothing, if it is left out.
    fn access(&mut self, operation: &Operation, key: u32) -> Option<Option<u64>> {
        let order = &mut self.orders[key as usize];
        if operation.function == "read" {
            if !operation.is_ok() {
                return None;
            }
            let version = order.find(&operation.result);
            if version.is_none() && operation.result != self.initial {
                if order.forgot {
                    let why =
                        || format!("{} may be of a version that was forgotten", noun(operation));
                    self.doubt.get_or_insert_with(why);
                }
                return None;
            }
            order.see(version);
            return Some(version);
        }
        let version = order.find(asked(operation)?)?;
        if operation.outcome != Outcome::Fail && !is_refused(operation) {
            return Some(Some(version));
        }
        if order.remove(version) {
            self.give_up(format!("{} took no effect, but was read", noun(operation)));
        }
        None
    }

    fn settle(&mut self, operation: &Operation, open: Open) -> Result<(), Anomaly> {
        let Open { key, session, owed, followed, readers, .. } = open;
        let Some(version) = self.access(operation, key) else {
            return Ok(());
        };
        let is_read = operation.function == "read";
        if self.owes(operation) {
            self.oblige(key, &owed, version, operation)?;
        }
        if is_read {
            self.oblige(key, &followed, version, operation)?;
        }
        if operation.is_ok()
            && is_read == (self.knows == Knows::Reads)
            && let Some(version) = version
        {
            let due = Due { version, taught: Note::of(operation), followed: None };
            let order = &self.orders[key as usize];
            self.minds.entry(session).or_default().learn(key, due, order);
        }
        if self.owed_by == OwedBy::Followers {
            if is_read {
                self.read_from(operation, key, version);
            } else if self.owes(operation) {
                self.followed(operation, readers)?;
            }
        }
        Ok(())
    }

    /// A read: whoever reads a write takes over what its writer knew.
    fn read_from(&mut self, read: &Operation, key: u32, version: Option<u64>) {
        let (session, complete) = (read.session, read.complete.index);
        if self.knows == Knows::Writes {
            for open in self.open.values_mut() {
                let since = open
                    .readers
                    .iter_mut()
                    .filter(|reader| reader.session == session && reader.since < read.invoke.index);
                since.for_each(|reader| reader.reads.push((key, version, read.clone())));
            }
        }
        let order = &self.orders[key as usize];
        let Some(maker) = version.and_then(|version| order.version(version)) else {
            return;
        };
        match self.open.get_mut(&maker.note.id).filter(|_| self.knows == Knows::Writes) {
            Some(open) => {
                open.readers.push(Reader { session, since: complete, reads: Vec::new() });
            }
            None if self.knows == Knows::Reads || maker.ok => {
                let (writer, epoch) = (maker.session, maker.epoch);
                self.follow(session, (writer, epoch), Note::of(read));
            }
            None => (),
        }
    }

    /// A write has turned out to be ok: who read it while it was in flight owes what its writer knew.
    fn followed(&mut self, write: &Operation, readers: Vec<Reader>) -> Result<(), Anomaly> {
        let key = self.keys[&write.key];
        let order = &mut self.orders[key as usize];
        let Some(version) = asked(write).and_then(|value| order.find(value)) else {
            return Ok(());
        };
        order.is_ok(version);
        let epoch = order.version(version).expect("it is held").epoch;
        for Reader { session, since, reads } in readers {
            let by = Note::of(write);
            for (key, version, read) in reads {
                let floor = self.minds[&write.session].at(key, epoch);
                self.oblige(key, &floor, version, &read)?;
            }
            for open in self.open.values_mut() {
                if open.session == session && open.invoke > since {
                    let order = &self.orders[open.key as usize];
                    for due in self.minds[&write.session].at(open.key, epoch) {
                        mind::join(&mut open.followed, due, order);
                    }
                }
            }
            self.follow(session, (write.session, epoch), by);
        }
        Ok(())
    }

    fn follow(&mut self, reader: u32, (writer, epoch): (u32, u64), by: Note) {
        let mut mind = self.minds.remove(&reader).unwrap_or_default();
        let writes = match writer == reader {
            true => None,
            false => self.minds.get(&writer),
        };
        match writes {
            Some(writes) => mind.follow(writes, (writer, epoch), by, &self.orders),
            None => mind.follow_itself((writer, epoch), by, &self.orders),
        }
        self.minds.insert(reader, mind);
    }
}

impl Online for Sessions {
    fn invoke(&mut self, operation: &Operation) {
        if self.given_up {
            return;
        }
        let key = self.key(&operation.key);
        let is_read = operation.function == "read";
        let (session, invoke) = (operation.session, operation.invoke.index);
        let mind = self.minds.entry(session).or_default();
        let owed = mind.floor(key);
        let followed = if is_read { mind.followed(key) } else { Floor::default() };
        let readers = Vec::new();
        self.open.insert(operation.id, Open { key, session, invoke, owed, followed, readers });
        if is_read {
            return;
        }
        let Some(value) = asked(operation) else {
            return self.give_up(format!("{} is no operation of a register", noun(operation)));
        };
        self.begin(operation, value, key);
        // What is in doubt owes the same.
        if self.knows == Knows::Reads && self.owed_by == OwedBy::Followers && !self.given_up {
            let version = self.orders[key as usize].find(value);
            let floor = self.open[&operation.id].owed.clone();
            let new = self.oblige(key, &floor, version, operation);
            assert!(new.is_ok(), "nothing is newer than a version that nobody has seen");
        }
    }

    fn complete(&mut self, operation: &Operation) -> Option<Anomaly> {
        if self.given_up {
            return None;
        }
        let open = self.open.remove(&operation.id).expect("it was invoked");
        self.settle(operation, open).err()
    }

    fn held(&self) -> usize {
        let orders: usize = self.orders.iter().map(Order::held).sum();
        let minds: usize = self.minds.values().map(Mind::held).sum();
        let open = self.open.values().map(|open| {
            1 + open.readers.iter().map(|reader| 1 + reader.reads.len()).sum::<usize>()
        });
        orders + minds + open.sum::<usize>() + self.written.held()
    }

    fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }
}

/// The value that an operation would leave.
fn asked(operation: &Operation) -> Option<&Value> {
    match operation.function.as_str() {
        "write" => Some(&operation.argument),
        "cas" => operation.argument.as_pair().map(|(_, new)| new),
        _ => None,
    }
}
