//! The sweep that finds what each operation owes.

use rustc_hash::FxHashMap;
use wrack_history::{Operation, Outcome, Value};

use super::{Knows, OwedBy, Rule};
use crate::Evidence;
use crate::register::left;
use crate::versions::{Version, Versioned, is_ok_read, twice};

/// A read or a write, and the version that it found or made.
pub(super) struct Access<'a> {
    pub operation: &'a Operation,
    pub key: u32,
    pub is_read: bool,
    /// The version, to whoever learns it.
    pub learned: Version,
    /// The version, where this operation owes something: the last it made, if it made several.
    pub owing: Version,
    /// The write whose version a read returned, if the history has it.
    pub maker: Option<u32>,
}

/// The reads and writes of a history, in order of their invocation.
///
/// Shape: versions are places in the authority's order of the key where that is known. Where it is not
/// they are numbers: of key `k` the initial value is `k`, and after the keys come the writes.
pub(super) struct Timeline<'a> {
    pub rule: Rule,
    pub keys: usize,
    pub accesses: Vec<Access<'a>>,
    /// The values of the versions, after the initial ones; empty where the order is known.
    values: Vec<&'a Value>,
}

/// Accesses in order, each read with the access that made its version. A read of what was written only
/// later is left out: it is PHANTOM's.
fn linked<'a>(accesses: Vec<(Option<&Operation>, Access<'a>)>) -> Vec<Access<'a>> {
    let mut accesses = accesses;
    accesses.retain(|(maker, access)| maker.is_none_or(|maker| !access.operation.precedes(maker)));
    accesses.sort_unstable_by_key(|(_, access)| access.operation.invoke.index);
    let numbers =
        (0u32..).zip(&accesses).map(|(number, (_, access))| (access.operation.id, number));
    let numbers: FxHashMap<u64, u32> = numbers.collect();
    let link = |(maker, access): (Option<&Operation>, Access<'a>)| Access {
        maker: maker.and_then(|maker| numbers.get(&maker.id).copied()),
        ..access
    };
    accesses.into_iter().map(link).collect()
}

/// What becomes of the obligations.
pub(super) trait Order {
    /// At least these versions of a key.
    type Floor: Copy;
    /// The floor, and the version that an access taught.
    fn raise(&mut self, floor: Option<Self::Floor>, access: u32) -> Self::Floor;
    /// Both floors; the other one is taken over because of a read.
    fn join(&mut self, floor: Option<Self::Floor>, other: Self::Floor, read: u32) -> Self::Floor;
    /// The access must not be older than the floor.
    fn oblige(&mut self, floor: Self::Floor, access: u32);
}

impl<'a> Timeline<'a> {
    /// Of a history whose order of versions is known.
    pub fn known(keys: &[Versioned<'a>], evidence: &Evidence<'a>, rule: Rule) -> Self {
        let mut accesses = Vec::new();
        let operations = evidence.history.operations.iter();
        let by_id: FxHashMap<u64, &Operation> = operations.map(|one| (one.id, one)).collect();
        for (key, versioned) in (0..).zip(keys) {
            for &operation in &versioned.operations {
                let (is_read, (learned, owing)) = match versioned.read_version(operation) {
                    Some(version) => (true, (version, version)),
                    None => match versioned.made(operation) {
                        Some(made) => (false, made),
                        None => continue,
                    },
                };
                let maker = is_read.then(|| versioned.maker(learned)).flatten();
                let maker = maker.and_then(|id| by_id.get(&id).copied());
                accesses
                    .push((maker, Access { operation, key, is_read, learned, owing, maker: None }));
            }
        }
        Self { rule, keys: keys.len(), accesses: linked(accesses), values: Vec::new() }
    }

    /// Of a history whose versions are known by their values alone.
    ///
    /// Errors: a value that several operations may have written, or an operation that is none of a
    /// register.
    pub fn unknown(evidence: &Evidence<'a>, rule: Rule) -> Result<Self, String> {
        let by_key = evidence.by_key();
        let keys = by_key.len();
        let mut accesses = Vec::new();
        let mut values = Vec::new();
        let mut makers = FxHashMap::<(u32, &Value), (Version, &Operation)>::default();
        for (key, (name, operations)) in (0u32..).zip(by_key) {
            for operation in operations.iter().copied().filter(|one| one.outcome != Outcome::Fail) {
                if !matches!(operation.function.as_str(), "read" | "write" | "cas") {
                    let function = &operation.function;
                    return Err(format!("{function} is no operation of a register"));
                }
                let Some(value) = left(operation) else {
                    continue;
                };
                let version = (keys + values.len()) as Version;
                let known = makers.insert((key, value), (version, operation));
                if known.is_some() || value == evidence.initial {
                    return Err(twice(name, value));
                }
                let (learned, owing) = (version, version);
                values.push(value);
                let (is_read, maker) = (false, None);
                accesses.push((None, Access { operation, key, is_read, learned, owing, maker }));
            }
            for operation in operations.iter().filter(|one| is_ok_read(one)) {
                let made = makers.get(&(key, &operation.result)).copied();
                let initial = operation.result == *evidence.initial;
                let (version, maker) = match made {
                    Some((version, maker)) => (version, Some(maker)),
                    None if initial => (Version::from(key), None),
                    None => continue,
                };
                let (is_read, learned, owing) = (true, version, version);
                accesses
                    .push((maker, Access { operation, key, is_read, learned, owing, maker: None }));
            }
        }
        Ok(Self { rule, keys, accesses: linked(accesses), values })
    }

    /// The operation of an access.
    pub fn operation(&self, access: u32) -> &'a Operation {
        self.accesses[access as usize].operation
    }

    /// A read, and the write that it read.
    pub fn followed(&self, read: u32) -> Option<(&'a Operation, &'a Operation)> {
        let maker = self.accesses[read as usize].maker?;
        Some((self.operation(read), self.operation(maker)))
    }

    /// The operations that owe something, in order of their invocation.
    pub fn judged(&self) -> impl Iterator<Item = &Access<'a>> {
        self.accesses.iter()
    }

    /// How many versions there are, where the order is not known.
    pub fn versions(&self) -> usize {
        self.keys + self.values.len()
    }

    /// The value of a version, where the order is not known.
    pub fn value<'v>(&self, version: u32, initial: &'v Value) -> &'v Value
    where
        'a: 'v,
    {
        let write = (version as usize).checked_sub(self.keys);
        write.map_or(initial, |write| self.values[write])
    }

    /// Finds all obligations.
    ///
    /// Why: one sweep over the events; what completes teaches its session, and an operation owes what
    /// was known when it was invoked. A session outlives its processes, so one may have operations
    /// open that overlap: those say nothing about each other. What a write carries to its readers is
    /// how much its session had learned when it was invoked.
    pub fn sweep<O: Order>(&self, order: &mut O) {
        let mut events: Vec<(u64, bool, u32)> = Vec::with_capacity(2 * self.accesses.len());
        for (number, access) in (0..).zip(&self.accesses) {
            events.push((access.operation.invoke.index, false, number));
            if access.operation.is_ok() {
                events.push((access.operation.complete.index, true, number));
            }
        }
        events.sort_unstable();
        let mut minds = Minds { timeline: self, own: Vec::new(), of_session: FxHashMap::default() };
        let mut carried = vec![0; self.accesses.len()];
        for (_, completes, number) in events {
            match completes {
                false => carried[number as usize] = minds.invoke(order, number),
                true => minds.complete(order, number, &carried),
            }
        }
    }

    fn owes(&self, access: &Access<'_>) -> bool {
        match (self.rule.owed_by, self.rule.knows) {
            (OwedBy::Reads, _) => access.is_read,
            (OwedBy::Followers, Knows::Writes) => !access.is_read && access.operation.is_ok(),
            (OwedBy::Followers, Knows::Reads) => !access.is_read,
        }
    }

    fn teaches(&self, access: &Access<'_>) -> bool {
        access.operation.is_ok() && access.is_read == (self.rule.knows == Knows::Reads)
    }
}

/// What one session knows.
struct Mind<F> {
    /// What it learned by itself, by key.
    floors: FxHashMap<u32, F>,
    /// The keys of its lessons, in order.
    lessons: Vec<u32>,
    /// Of each key, after how many lessons its floor became what.
    steps: FxHashMap<u32, Vec<(u32, F)>>,
    /// What it learned by reading others' writes, by key.
    followed: FxHashMap<u32, F>,
    /// How many lessons of each session it has taken over.
    taken: FxHashMap<u32, u32>,
}

struct Minds<'t, 'a, F> {
    timeline: &'t Timeline<'a>,
    own: Vec<Mind<F>>,
    of_session: FxHashMap<u32, u32>,
}

impl<F: Copy> Minds<'_, '_, F> {
    fn mind(&mut self, session: u32) -> u32 {
        let next = self.own.len() as u32;
        *self.of_session.entry(session).or_insert_with(|| {
            self.own.push(Mind {
                floors: FxHashMap::default(),
                lessons: Vec::new(),
                steps: FxHashMap::default(),
                followed: FxHashMap::default(),
                taken: FxHashMap::default(),
            });
            next
        })
    }

    /// Holds an access to what is known; how many lessons its session has had.
    fn invoke<O: Order<Floor = F>>(&mut self, order: &mut O, number: u32) -> u32 {
        let access = &self.timeline.accesses[number as usize];
        let mind = self.mind(access.operation.session) as usize;
        let mind = &self.own[mind];
        if self.timeline.owes(access)
            && let Some(floor) = mind.floors.get(&access.key)
        {
            order.oblige(*floor, number);
        }
        if access.is_read
            && let Some(floor) = mind.followed.get(&access.key)
        {
            order.oblige(*floor, number);
        }
        mind.lessons.len() as u32
    }

    fn complete<O: Order<Floor = F>>(&mut self, order: &mut O, number: u32, carried: &[u32]) {
        let access = &self.timeline.accesses[number as usize];
        let mind = self.mind(access.operation.session);
        if self.timeline.teaches(access) {
            let mind = &mut self.own[mind as usize];
            let floor = order.raise(mind.floors.get(&access.key).copied(), number);
            mind.floors.insert(access.key, floor);
            mind.lessons.push(access.key);
            mind.steps.entry(access.key).or_default().push((mind.lessons.len() as u32, floor));
        }
        if let (OwedBy::Followers, Some(maker)) = (self.timeline.rule.owed_by, access.maker)
            && self.timeline.owes(&self.timeline.accesses[maker as usize])
        {
            self.follow(order, mind, (number, maker), carried[maker as usize]);
        }
    }

    /// A session has read a write: it takes over what the writer knew.
    fn follow<O: Order<Floor = F>>(
        &mut self,
        order: &mut O,
        reader: u32,
        (read, maker): (u32, u32),
        carried: u32,
    ) {
        let session = self.timeline.accesses[maker as usize].operation.session;
        let writer = self.mind(session);
        let taken = self.own[reader as usize].taken.get(&writer).copied().unwrap_or(0);
        if carried <= taken {
            return;
        }
        let mut keys = self.own[writer as usize].lessons[taken as usize..carried as usize].to_vec();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let steps = &self.own[writer as usize].steps[&key];
            let step = steps.partition_point(|(lessons, _)| *lessons <= carried) - 1;
            let floor = steps[step].1;
            let reader = &mut self.own[reader as usize];
            let joined = order.join(reader.followed.get(&key).copied(), floor, read);
            reader.followed.insert(key, joined);
        }
        self.own[reader as usize].taken.insert(writer, carried);
    }
}
