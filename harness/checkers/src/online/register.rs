//! LIN of registers whose written values are unique, zone by zone as they grow.
//!
//! A *version* is a value with its write and its reads. What [`crate::linearizability`] proves of whole
//! histories: let `first` be the first completion of a version, and `last` the last invocation; two
//! versions contradict each other iff `first(X) < last(Y)` and `first(Y) < last(X)`, and a history is
//! linearizable iff no two do and nothing is read that nobody has begun to write.
//!
//! # Zones as they grow
//! Events come in order. So the first completion of a version is its `first` for good, and later than all
//! that was before: a new version contradicts nobody. Only `last` grows, when a read completes. Let X grow
//! from `l` to `l'`. Those with `first` beyond `l'` it precedes. It is newly compared with every Y whose
//! `first` lies in between, which then either contradicts it or lies `within`: `first(X) < first(Y) <
//! last(X)`, and `last(Y) <= first(X)`. Conversely, if Y lies within X and grows beyond `first(X)`, they
//! contradict each other. No point lies within two versions that agree, so all comparisons together cost
//! as much as there are versions.
//!
//! # What is forgotten
//! Let A be the first invocation of what is in flight: whatever completes later was invoked at A or
//! later. Let Z be, of the versions with `first < A`, the one whose `last` is greatest. Any other Y with
//! `first(Y) < last(Z)` is before Z for good: a read of it that completes later was invoked after
//! `first(Z)`, and contradicts. So it is forgotten, and a read of what is not held is an anomaly.
//!
//! Nothing else is missed thereby. Say X is held, Y forgotten because of Z, and X grows. They do not
//! contradict each other unless `first(X) < last(Y)`, and Y and Z do not, so `last(Y) <= first(Z) < A`. If
//! X is Z, `first(X) >= last(Y)` follows. Otherwise `first(X) >= last(Z)`, because X is held, and `first(Y)
//! < last(Z) <= first(X) < last(Y)`; but then Y is of those with `first < A` the one whose `last` is
//! greater than that of Z.
//!
//! For the same reason a value may be written again once it is forgotten: whoever reads it later can have
//! read it from no other write. As long as it is held, a second write makes the key a doubt.
//!
//! What is held: versions that may still be read, which are as many as were written at the same time or
//! while the oldest operation in flight has been open; and those in doubt.
//!
//! # Compare-and-set
//! An ok cas is a read of the expected value and a write of the new one, within the same interval, and
//! nobody else replaces what it found. That says less than that both are one: whoever does cas may be
//! wrong in ways that only the whole history shows, and there is always a doubt.
//!
//! Source: Gibbons and Korach, "Testing shared memories", 1997, theorem 4.1 and its zones; the rest is
//! ours.

mod broken;

use rustc_hash::FxHashMap;
use wrack_history::{Anomaly, Operation, Outcome, SmolStr, Value};

use super::graves::{Grave, Graves};
use super::{Note, Online};
use crate::register::{found, is_refused};
use crate::words::{noun, of, short};
use broken::Broken;

/// Registers by key.
pub(super) struct Registers {
    initial: Value,
    keys: FxHashMap<SmolStr, Key>,
    graves: Graves,
    held: usize,
    doubt: Option<String>,
}

/// After all events. Events count from 2, two apart; the initial value was there at 0.
const NEVER: u64 = u64::MAX;

struct Key {
    versions: FxHashMap<Value, Version>,
    /// Those that certainly took effect, in the order of their first completions.
    zones: Vec<Zone>,
    /// Invocations of what is in flight, in order.
    open: Vec<u64>,
    /// What was invoked before this is over.
    settled: u64,
    /// Of the zones that began before: the greatest `last`, and the `first` of that zone.
    latest: (u64, u64),
    /// Whether something was forgotten.
    forgot: bool,
    /// Whether nothing more can be said of it.
    given_up: bool,
}

struct Version {
    /// Who wrote it; nobody the initial value.
    write: Option<Note>,
    /// When that was invoked.
    written: u64,
    /// The first completion; `NEVER` as long as nobody knows that it took effect.
    first: u64,
    /// Who saw it first.
    seen: Option<Note>,
    /// The ok cas that replaced it.
    replaced: Option<Note>,
}

struct Zone {
    value: Value,
    first: u64,
    last: u64,
    /// The `first` of the zone that it lies within.
    within: u64,
    /// Who completed first and who was invoked last; nobody with the initial value.
    first_by: Option<Note>,
    last_by: Option<Note>,
}

impl Registers {
    pub fn new(initial: &Value) -> Self {
        let (keys, graves) = Default::default();
        Self { initial: initial.clone(), keys, graves, held: 0, doubt: None }
    }

    fn doubt(&mut self, why: impl FnOnce() -> String) {
        self.doubt.get_or_insert_with(why);
    }

    fn give_up(&mut self, operation: &Operation, why: impl FnOnce() -> String) {
        let key = self.keys.get_mut(&operation.key).expect("it was invoked");
        if !key.given_up {
            self.held -= key.held();
            *key = Key { given_up: true, ..Key::new(&self.initial) };
            self.doubt(why);
        }
    }
}

/// Where an event stands.
fn place(index: u64) -> u64 {
    2 * index + 2
}

/// The value that an operation would leave.
fn asked(operation: &Operation) -> Option<&Value> {
    match operation.function.as_str() {
        "write" => Some(&operation.argument),
        "cas" => operation.argument.as_pair().map(|(_, new)| new),
        _ => None,
    }
}

impl Online for Registers {
    fn invoke(&mut self, operation: &Operation) {
        if !self.keys.contains_key(&operation.key) {
            let key = Key::new(&self.initial);
            self.held += key.held();
            self.keys.insert(operation.key.clone(), key);
        }
        let key = self.keys.get_mut(&operation.key).expect("it is there");
        if key.given_up {
            return;
        }
        key.open.push(place(operation.invoke.index));
        self.held += 1;
        if operation.function == "read" {
            return;
        }
        let Some(value) = asked(operation) else {
            let why = || format!("{} is no operation of a register", noun(operation));
            return self.give_up(operation, why);
        };
        if operation.function == "cas" {
            let why = "of a cas only what it found and left is judged, not that both are one";
            self.doubt.get_or_insert_with(|| why.to_owned());
        }
        if key.versions.contains_key(value) {
            let why = || {
                let (value, of) = (short(value), of(operation));
                format!("{value}{of} was written again while it could still be read")
            };
            return self.give_up(operation, why);
        }
        let version = Version {
            write: Some(Note::of(operation)),
            written: place(operation.invoke.index),
            first: NEVER,
            seen: None,
            replaced: None,
        };
        key.versions.insert(value.clone(), version);
        self.held += 1;
    }

    fn complete(&mut self, operation: &Operation) -> Option<Anomaly> {
        let key = self.keys.get_mut(&operation.key).expect("it was invoked");
        if key.given_up {
            return None;
        }
        let before = key.held();
        let found = found(operation).map_or(Ok(()), |value| key.find(value, operation));
        let wrote = found.and_then(|()| key.leave(operation));
        if let Err(broken) = wrote {
            return Some(broken.anomaly(operation, key, &self.graves));
        }
        key.close(place(operation.invoke.index), (&operation.key, &mut self.graves));
        self.held = self.held + key.held() - before;
        None
    }

    fn held(&self) -> usize {
        self.held
    }

    fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }
}

impl Key {
    fn new(initial: &Value) -> Self {
        let version = Version { write: None, written: 0, first: 0, seen: None, replaced: None };
        let zone = Zone {
            value: initial.clone(),
            first: 0,
            last: 0,
            within: NEVER,
            first_by: None,
            last_by: None,
        };
        Self {
            versions: FxHashMap::from_iter([(initial.clone(), version)]),
            zones: vec![zone],
            open: Vec::new(),
            settled: 1,
            latest: (0, 0),
            forgot: false,
            given_up: false,
        }
    }

    fn held(&self) -> usize {
        self.versions.len() + self.open.len()
    }

    /// An operation has found a value.
    fn find(&mut self, value: &Value, by: &Operation) -> Result<(), Broken> {
        let Some(version) = self.versions.get_mut(value) else {
            return Err(Broken::NotHeld { value: value.clone() });
        };
        let note = Note::of(by);
        version.seen.get_or_insert(note);
        if by.function == "cas" {
            if let Some(other) = version.replaced {
                return Err(Broken::ReplacedTwice { value: value.clone(), other });
            }
            version.replaced = Some(note);
        }
        let (invoke, complete) = (place(by.invoke.index), place(by.complete.index));
        if version.first == NEVER {
            version.first = complete;
            let written = version.written;
            let write = version.write.expect("the initial value was there from the beginning");
            let last_by = if invoke > written { note } else { write };
            let (first, last, within) = (complete, invoke.max(written), NEVER);
            let (value, first_by, last_by) = (value.clone(), Some(note), Some(last_by));
            self.zones.push(Zone { value, first, last, within, first_by, last_by });
            return Ok(());
        }
        let first = version.first;
        let place = self.zone(first);
        self.grow(place, invoke, note)
    }

    /// What an operation would leave has taken effect, or has not, or nobody knows.
    fn leave(&mut self, by: &Operation) -> Result<(), Broken> {
        let Some(value) = asked(by) else { return Ok(()) };
        let void = by.outcome == Outcome::Fail || is_refused(by);
        let version = self.versions.get_mut(value).expect("what is in flight is held");
        if void {
            let seen = version.seen;
            self.versions.remove(value);
            return seen.map_or(Ok(()), |seen| Err(Broken::Void { seen }));
        }
        let note = Note::of(by);
        version.write = Some(note);
        if by.is_ok() && version.first == NEVER {
            version.first = place(by.complete.index) + 1;
            let (first, last, within) = (version.first, version.written, NEVER);
            let (first_by, last_by) = (Some(note), Some(note));
            self.zones.push(Zone { value: value.clone(), first, last, within, first_by, last_by });
        }
        Ok(())
    }

    /// The zone that began there.
    fn zone(&self, first: u64) -> usize {
        let place = self.zones.binary_search_by_key(&first, |zone| zone.first);
        place.expect("what took effect has a zone")
    }

    /// A zone lasts until this invocation at least.
    fn grow(&mut self, place: usize, last: u64, by: Note) -> Result<(), Broken> {
        let Zone { first, last: before, within, .. } = self.zones[place];
        if last <= before {
            return Ok(());
        }
        if last > within {
            let other = self.zones.binary_search_by_key(&within, |zone| zone.first).ok();
            return Err(Broken::Overlap { zone: place, other });
        }
        let new = self.zones[place + 1..].partition_point(|zone| zone.first < before);
        for (other, zone) in self.zones.iter_mut().enumerate().skip(place + 1 + new) {
            if zone.first >= last {
                break;
            }
            if zone.last > first {
                return Err(Broken::Overlap { zone: place, other: Some(other) });
            }
            zone.within = first;
        }
        let zone = &mut self.zones[place];
        (zone.last, zone.last_by) = (last, Some(by));
        if first < self.settled {
            self.latest = self.latest.max((last, first));
        }
        Ok(())
    }

    /// What was invoked there is no longer in flight: what nobody can read any more is forgotten.
    fn close(&mut self, invoke: u64, (key, graves): (&SmolStr, &mut Graves)) {
        let open = self.open.binary_search(&invoke).expect("it was invoked");
        self.open.remove(open);
        let begun = self.zones.partition_point(|zone| zone.first < self.settled);
        if open == 0 {
            self.settled = self.open.first().copied().unwrap_or(NEVER);
        }
        for zone in self.zones[begun..].iter().take_while(|zone| zone.first < self.settled) {
            self.latest = self.latest.max((zone.last, zone.first));
        }
        if self.open.is_empty() {
            // Whatever is invoked next stands behind all that has completed.
            self.settled = self.zones.last().map_or(1, |zone| zone.first + 1);
        }
        let (last, first) = self.latest;
        let over = self.zones.partition_point(|zone| zone.first < last);
        let kept = self.zones[..over].iter().position(|zone| zone.first == first);
        if over == usize::from(kept.is_some()) {
            return;
        }
        self.forgot = true;
        let latest = self.zones.binary_search_by_key(&first, |zone| zone.first).ok();
        let after = latest.and_then(|place| {
            let Zone { value, first_by, last_by, .. } = &self.zones[place];
            Some((value.clone(), (*first_by)?, (*last_by)?))
        });
        let kept = kept.map(|place| self.zones.remove(place));
        for zone in self.zones.drain(..over - usize::from(kept.is_some())) {
            self.versions.remove(&zone.value);
            if let Some(after) = &after {
                let (key, after) = (key.clone(), after.clone());
                graves.bury(Grave { key, value: zone.value, first_by: zone.first_by, after });
            }
        }
        self.zones.splice(..0, kept);
    }
}
