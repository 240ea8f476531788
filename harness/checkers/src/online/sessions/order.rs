//! Which versions of a key are not newer than which, closed transitively.
//!
//! Rows of bits: a new relation costs as many rows as lead to it, and one that follows from others costs a
//! look. A circle of two versions is found by the relation that closes it. The initial value has no row: it is
//! older than all others.

use rustc_hash::FxHashMap;
use wrack_history::Value;

use super::Note;

/// A version of a key that somebody must not be older than, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub version: u64,
    /// Who learned it.
    pub taught: Note,
    /// By which read somebody else took it over.
    pub followed: Option<Note>,
}

/// A value that was written.
pub(super) struct Version {
    pub number: u64,
    pub value: Value,
    pub session: u32,
    /// The epoch of its session in which it was invoked.
    pub epoch: u64,
    pub note: Note,
    pub ok: bool,
    /// Whether somebody has read it.
    seen: bool,
}

/// The versions of a key.
pub(super) struct Order {
    versions: Vec<Version>,
    numbers: FxHashMap<Value, u64>,
    /// Of each version, those that it is not newer than.
    rows: Vec<Vec<u64>>,
    /// What was not known before, and why.
    edges: Vec<(Due, u64, Note)>,
    next: u64,
    /// So many, and some are forgotten.
    max: usize,
    /// Whether some were forgotten.
    pub forgot: bool,
}

impl Order {
    /// Without versions; so many it has before some are forgotten.
    pub fn new(max: usize) -> Self {
        Self {
            versions: Vec::new(),
            numbers: FxHashMap::default(),
            rows: Vec::new(),
            edges: Vec::new(),
            next: 0,
            max,
            forgot: false,
        }
    }

    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    pub fn find(&self, value: &Value) -> Option<u64> {
        self.numbers.get(value).copied()
    }

    pub fn version(&self, number: u64) -> Option<&Version> {
        self.place(number).map(|place| &self.versions[place])
    }

    fn place(&self, number: u64) -> Option<usize> {
        self.versions.binary_search_by_key(&number, |version| version.number).ok()
    }

    pub fn add(&mut self, value: &Value, session: u32, epoch: u64, note: Note) {
        let number = self.next;
        self.next += 1;
        self.numbers.insert(value.clone(), number);
        let (value, ok, seen) = (value.clone(), false, false);
        self.versions.push(Version { number, value, session, epoch, note, ok, seen });
        self.rows.push(Vec::new());
    }

    /// Somebody has read it.
    pub fn see(&mut self, number: Option<u64>) {
        if let Some(place) = number.and_then(|number| self.place(number)) {
            self.versions[place].seen = true;
        }
    }

    /// It certainly took effect.
    pub fn is_ok(&mut self, number: u64) {
        if let Some(place) = self.place(number) {
            self.versions[place].ok = true;
        }
    }

    /// Takes out what took no effect; whether somebody has read it all the same.
    pub fn remove(&mut self, number: u64) -> bool {
        let place = self.place(number).expect("what is in flight is held");
        let seen = self.versions[place].seen;
        if !seen {
            let kept = |one: &Version| one.number != number;
            self.keep(kept);
        }
        seen
    }

    fn bit(&self, row: usize, place: usize) -> bool {
        self.rows[row].get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// Whether one is known to be not newer than the other; one that was forgotten is.
    pub fn is_older(&self, number: u64, other: u64) -> bool {
        match (self.place(number), self.place(other)) {
            (Some(one), Some(other)) => one == other || self.bit(one, other),
            (one, _) => one.is_none(),
        }
    }

    /// What is due is not newer than this version.
    ///
    /// Errors: it is newer; how that is known, as far as what is held tells.
    pub fn connect(&mut self, due: Due, to: u64, by: Note) -> Result<(), Vec<(Due, u64, Note)>> {
        let [one, other] = [due.version, to].map(|number| self.place(number));
        let (Some(one), Some(other)) = (one, other) else { return Ok(()) };
        if one == other || self.bit(one, other) {
            return Ok(());
        }
        if self.bit(other, one) {
            return Err(self.path(to, due.version));
        }
        self.edges.push((due, to, by));
        let mut newer = self.rows[other].clone();
        set(&mut newer, other);
        for row in 0..self.rows.len() {
            if row == one || self.bit(row, one) {
                let row = &mut self.rows[row];
                row.resize(row.len().max(newer.len()), 0);
                row.iter_mut().zip(&newer).for_each(|(word, newer)| *word |= newer);
            }
        }
        Ok(())
    }

    /// A shortest way from one version to a newer one.
    fn path(&self, from: u64, to: u64) -> Vec<(Due, u64, Note)> {
        let mut came = FxHashMap::<u64, usize>::default();
        let mut queue = std::collections::VecDeque::from([from]);
        while let Some(version) = queue.pop_front() {
            for (place, (due, next, _)) in self.edges.iter().enumerate() {
                if due.version == version && *next != from && !came.contains_key(next) {
                    came.insert(*next, place);
                    queue.push_back(*next);
                }
            }
        }
        let mut path = Vec::new();
        let mut version = to;
        while let Some(edge) = came.get(&version).filter(|_| version != from) {
            path.push(self.edges[*edge]);
            version = self.edges[*edge].0.version;
        }
        path.reverse();
        path
    }

    pub fn is_full(&self) -> bool {
        self.versions.len() > self.max
    }

    /// Forgets the older half of those that are none of these, and not in flight.
    pub fn sweep(&mut self, mut roots: Vec<u64>) {
        roots.sort_unstable();
        let needed = |version: &Version| roots.binary_search(&version.number).is_ok();
        let free = self.versions.iter().filter(|version| !needed(version));
        let numbers: Vec<u64> = free.map(|version| version.number).collect();
        let last = self.versions.last().map_or(0, |version| version.number);
        let upto = numbers.get(numbers.len() / 2).copied().unwrap_or(0).min(last);
        self.keep(|version| version.number >= upto || needed(version));
        self.forgot = true;
        self.max = self.max.max(2 * self.versions.len());
    }

    fn keep(&mut self, kept: impl Fn(&Version) -> bool) {
        let places: Vec<usize> =
            (0..self.versions.len()).filter(|place| kept(&self.versions[*place])).collect();
        let rows = places.iter().map(|row| {
            let mut bits = Vec::new();
            for (new, place) in places.iter().enumerate() {
                if self.bit(*row, *place) {
                    set(&mut bits, new);
                }
            }
            bits
        });
        self.rows = rows.collect();
        self.versions.retain(kept);
        let versions = &self.versions;
        let is_held =
            |number: u64| versions.binary_search_by_key(&number, |version| version.number).is_ok();
        self.numbers.retain(|_, number| is_held(*number));
        self.edges.retain(|(due, to, _)| is_held(due.version) && is_held(*to));
    }

    pub fn held(&self) -> usize {
        self.versions.len() + self.edges.len()
    }
}

fn set(bits: &mut Vec<u64>, place: usize) {
    bits.resize(bits.len().max(place / 64 + 1), 0);
    bits[place / 64] |= 1 << (place % 64);
}
