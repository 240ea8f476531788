//! A history of transactions in dense numbers.
//!
//! Two passes: the first gives every key its number and every write its version, the second finds out
//! which version every read is of. The first leaves behind what the second needs, so that each value is
//! fetched from memory once, and versions are looked up key by key, because transactions that are near in
//! time use the same keys. What contradicts a level without any cycle is found on the way. What is
//! kept are the transactions that took effect: those that are ok, and those in doubt that somebody saw.
//! (One in doubt that nobody saw can be left out of any order that explains the rest.)
//!
//! The elements of a list in the longest read of its key are the known order of its versions, its
//! *chain*. Versions that stand in no chain are *loose*: those of a list come after its chain, those of a
//! register in any order.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHashMap;
use wrack_history::{Operation, Outcome, Value};

use super::finding::{Breaks, Finding};
use super::graph::NONE;
use super::rows::Rows;

/// What transactions do to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Append one element, or read all.
    ListAppend,
    /// Write a value, or read it.
    Register,
}

impl Style {
    /// That of the model of this name.
    pub fn of(model: &str) -> Option<Self> {
        match model {
            "list-append" => Some(Self::ListAppend),
            "rw-register" => Some(Self::Register),
            _ => None,
        }
    }

    /// What the micro-operation that changes a key is called.
    fn writes(self) -> &'static str {
        match self {
            Self::ListAppend => "append",
            Self::Register => "w",
        }
    }
}

/// One version of a key.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    pub key: u32,
    /// The operation that made it.
    pub operation: u32,
    /// The transaction that made it; [`NONE`] if that took no effect.
    pub writer: u32,
    /// The value that was written, or the element that was appended.
    pub value: &'a Value,
    /// Its place in the chain of its key, or [`NONE`].
    pub place: u32,
    /// Whether its transaction wrote no later one of the key.
    pub last: bool,
    /// Whether the same was written twice.
    twice: bool,
}

/// A read of what somebody else wrote; the version is [`NONE`] where it found the initial value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    pub key: u32,
    pub version: u32,
}

/// A history of transactions.
pub struct Transactions<'a> {
    pub style: Style,
    pub operations: &'a [Operation],
    /// The place of each transaction among the operations.
    pub members: Vec<u32>,
    pub keys: Vec<&'a Value>,
    pub versions: Vec<Version<'a>>,
    /// What each transaction read of others, in its order.
    pub reads: Rows<Access>,
    /// The last version of each key that each transaction wrote.
    pub writes: Rows<Access>,
    /// Known orders of versions, by key.
    pub chains: Vec<Vec<u32>>,
    /// Last versions that stand in no chain, by key.
    pub loose: Vec<Vec<u32>>,
    /// The transaction before this one in its session, or [`NONE`].
    pub previous: Vec<u32>,
    /// Each transaction's lane: those of one lane follow one another in one session.
    pub lanes: Vec<u32>,
    pub lane_count: usize,
    /// Whether the order of time between sessions is known.
    pub real_time: bool,
}

/// Who overwrote a version first, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwriter {
    /// This transaction.
    Known(u32),
    /// One of the loose writers of the key, and all of them sooner or later.
    Loose,
    /// The version is loose itself, or was overwritten by its own writer.
    Unknown,
}

/// A history of transactions, and what is wrong with it beside cycles.
pub struct Observed<'a> {
    pub transactions: Transactions<'a>,
    pub findings: Vec<Finding>,
    /// Why it cannot be known what a read is of.
    pub doubt: Option<String>,
}

impl<'a> Transactions<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// The operation of a transaction.
    pub fn operation(&self, transaction: u32) -> &'a Operation {
        &self.operations[self.members[transaction as usize] as usize]
    }

    /// The version of a key that a transaction leaves.
    pub fn written(&self, transaction: u32, key: u32) -> Option<u32> {
        let row = self.writes.row(transaction);
        row.iter().find(|write| write.key == key).map(|write| write.version)
    }

    /// The transaction that wrote a version; [`NONE`] for the initial one.
    pub fn writer(&self, version: u32) -> u32 {
        if version == NONE { NONE } else { self.versions[version as usize].writer }
    }

    /// Whether one version of a key is known to come before another one.
    pub fn is_older(&self, one: u32, other: u32) -> bool {
        if one == NONE || other == NONE {
            return one == NONE && other != NONE;
        }
        let place = |version: u32| self.versions[version as usize].place;
        place(one) != NONE && place(one) < place(other)
    }

    /// Who overwrote a version first.
    pub fn overwriter(&self, key: u32, version: u32) -> Overwriter {
        let place = match version {
            NONE => 0,
            version => match self.versions[version as usize].place {
                NONE => return Overwriter::Unknown,
                place => place as usize + 1,
            },
        };
        match self.chains[key as usize].get(place) {
            None => Overwriter::Loose,
            Some(next) if self.writer(*next) == self.writer(version) => Overwriter::Unknown,
            Some(next) => Overwriter::Known(self.writer(*next)),
        }
    }

    /// Whether any key has versions whose order is open.
    pub fn has_choice(&self) -> bool {
        self.loose.iter().any(|loose| loose.len() > 1)
    }
}

/// Reads operations of the model; those that failed are needed too.
///
/// Errors: an operation that the model cannot read.
pub fn observe<'a>(
    operations: &'a [Operation],
    style: Style,
    initial: &'a Value,
) -> Result<Observed<'a>, String> {
    let mut observer = Observer {
        style,
        operations,
        initial,
        key_numbers: FxHashMap::default(),
        keys: Vec::new(),
        steps: Vec::with_capacity(operations.len()),
        versions: Vec::with_capacity(operations.len()),
        numbers: Vec::new(),
        own: Vec::new(),
        longest: Vec::new(),
        seen: vec![false; operations.len()],
        findings: Vec::new(),
        doubt: None,
    };
    observer.number_writes()?;
    let reads = observer.resolve_reads();
    let chains = observer.chains();
    Ok(observer.finish(reads, chains))
}

struct Observer<'a> {
    style: Style,
    operations: &'a [Operation],
    initial: &'a Value,
    key_numbers: FxHashMap<Name<'a>, u32>,
    keys: Vec<&'a Value>,
    /// All micro-operations, in order.
    steps: Vec<Step<'a>>,
    versions: Vec<Version<'a>>,
    /// By key: the version of each value.
    numbers: Vec<FxHashMap<Name<'a>, u32>>,
    /// By key: the operation that wrote it last, and which version.
    own: Vec<(u32, u32)>,
    /// By key: the longest list that was read, and by which operation.
    longest: Vec<(u32, &'a [Value])>,
    /// By operation: whether somebody saw what it wrote.
    seen: Vec<bool>,
    findings: Vec<Finding>,
    doubt: Option<String>,
}

/// A read as it is resolved: the operation, and what of.
type Resolved = (u32, Access);

/// A value as it is looked up: an integer, as most are, without a way to memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name<'a> {
    Integer(i64),
    Other(&'a Value),
}

impl<'a> Name<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Integer(number) => Self::Integer(*number),
            other => Self::Other(other),
        }
    }
}

impl Hash for Name<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Integer(number) => number.hash(state),
            Self::Other(value) => value.hash(state),
        }
    }
}

/// A micro-operation in numbers.
#[derive(Clone, Copy)]
struct Step<'a> {
    operation: u32,
    key: u32,
    is_read: bool,
    name: Name<'a>,
    value: &'a Value,
}

/// A micro-operation as it is written down.
struct Micro<'a> {
    function: &'a str,
    key: &'a Value,
    value: &'a Value,
}

fn micro<'a>(operation: &Operation, value: &'a Value) -> Result<Micro<'a>, String> {
    match value.as_list() {
        Some([Value::Text(function), key, value]) => Ok(Micro { function, key, value }),
        _ => Err(format!(
            "operation {}: a transaction is a list of [function, key, value], not of {value}",
            operation.id
        )),
    }
}

/// What a transaction did; of an ok one with what it learned.
fn micros(operation: &Operation) -> Result<&[Value], String> {
    let list = match &operation.result {
        Value::List(list) if operation.is_ok() => list,
        _ => match &operation.argument {
            Value::List(list) => list,
            other => {
                let id = operation.id;
                return Err(format!("operation {id}: a transaction is a list, not {other}"));
            }
        },
    };
    Ok(list)
}

impl<'a> Observer<'a> {
    fn key(&mut self, key: &'a Value) -> u32 {
        let next = self.keys.len() as u32;
        let number = *self.key_numbers.entry(Name::of(key)).or_insert(next);
        if number == next {
            self.keys.push(key);
            self.numbers.push(FxHashMap::default());
            self.own.push((NONE, NONE));
            self.longest.push((NONE, &[]));
        }
        number
    }

    fn number_writes(&mut self) -> Result<(), String> {
        for (place, operation) in self.operations.iter().enumerate() {
            if operation.function != "txn" {
                let (id, function) = (operation.id, &operation.function);
                return Err(format!("operation {id}: a transaction is a txn, not a {function}"));
            }
            for value in micros(operation)? {
                let micro = micro(operation, value)?;
                let step = Step {
                    operation: place as u32,
                    key: self.key(micro.key),
                    is_read: micro.function == "r",
                    name: Name::of(micro.value),
                    value: micro.value,
                };
                self.steps.push(step);
                match micro.function {
                    "r" => (),
                    function if function == self.style.writes() => self.write(step),
                    function => {
                        let (id, writes) = (operation.id, self.style.writes());
                        return Err(format!(
                            "operation {id}: a transaction of this model does r and {writes}, not \
                             {function}"
                        ));
                    }
                }
            }
        }
        self.own.fill((NONE, NONE));
        Ok(())
    }

    fn write(&mut self, Step { operation, key, name, value, .. }: Step<'a>) {
        let number = self.versions.len() as u32;
        let (writer, before) = self.own[key as usize];
        if writer == operation {
            self.versions[before as usize].last = false;
        }
        self.own[key as usize] = (operation, number);
        let before = self.numbers[key as usize].insert(name, number);
        if let Some(before) = before {
            self.versions[before as usize].twice = true;
        }
        self.versions.push(Version {
            key,
            operation,
            writer: NONE,
            value,
            place: NONE,
            last: true,
            twice: before.is_some(),
        });
    }

    fn resolve_reads(&mut self) -> Vec<Resolved> {
        let mut reads = Vec::with_capacity(self.steps.len() - self.versions.len());
        let mut next_version = 0;
        for step in std::mem::take(&mut self.steps) {
            let Step { operation, key, .. } = step;
            if !step.is_read {
                self.own[key as usize] = (operation, next_version);
                next_version += 1;
            } else if self.operations[operation as usize].outcome == Outcome::Ok {
                let version = match self.style {
                    Style::Register => self.read_register(step),
                    Style::ListAppend => self.read_list(operation, key, step.value),
                };
                reads.extend(version.map(|version| (operation, Access { key, version })));
            }
        }
        reads
    }

    /// The version of a key that has this value.
    fn number(&self, key: u32, name: Name<'_>) -> Option<u32> {
        self.numbers[key as usize].get(&name).copied()
    }

    /// The version that a read of somebody else's value is of, if the read can be used.
    fn read_register(&mut self, step: Step<'a>) -> Option<u32> {
        let Step { operation: reader, key, name, value, .. } = step;
        let found = self.number(key, name);
        let (writer, own) = self.own[key as usize];
        if writer == reader {
            if self.versions[own as usize].value != value {
                self.not_its_own(reader, key, own, found, value);
            }
            return None;
        }
        let initial = value.is_nil() || value == self.initial;
        if initial && found.is_none() {
            return Some(NONE);
        }
        // A first transaction that writes the initial value says where the key starts.
        let given = found.is_some_and(|found| self.versions[found as usize].operation == 0);
        if initial && !given {
            self.doubt(key, value, "is the initial value, and was written too");
        }
        self.read_version(reader, key, value, found)
    }

    fn read_list(&mut self, reader: u32, key: u32, value: &'a Value) -> Option<u32> {
        let list = value.as_list().unwrap_or(&[]);
        self.compare_with_longest(reader, key, list);
        let last = list.last();
        let found = last.and_then(|last| self.number(key, Name::of(last)));
        let (writer, own) = self.own[key as usize];
        if writer == reader {
            if found != Some(own) {
                self.not_its_own(reader, key, own, found, value);
            }
            return None;
        }
        let Some(last) = last else {
            return Some(NONE);
        };
        self.read_version(reader, key, last, found)
    }

    /// A read of a value that others wrote, if anybody.
    fn read_version(
        &mut self,
        reader: u32,
        key: u32,
        value: &'a Value,
        found: Option<u32>,
    ) -> Option<u32> {
        let Some(number) = found else {
            let words = format!("read {}, which was never written", self.named(key, value));
            self.find("garbage-read", Breaks::Everything, &[reader], key, words);
            return None;
        };
        let version = self.versions[number as usize];
        if version.twice {
            self.doubt(key, value, "was written twice, so it is not known what a read is of");
        }
        if version.operation == reader {
            let words = format!("read {}, which it wrote itself later", self.named(key, value));
            self.find("future-read", Breaks::Everything, &[reader], key, words);
            return None;
        }
        self.seen[version.operation as usize] = true;
        if self.operations[version.operation as usize].outcome == Outcome::Fail {
            let words = self.of_a_failure(key, value, version.operation);
            self.find("G1a", Breaks::Committed, &[version.operation, reader], key, words);
            return None;
        }
        if !version.last {
            let words = format!(
                "read {}, which {} overwrote before it committed",
                self.named(key, value),
                super::words::name(&self.operations[version.operation as usize])
            );
            self.find("G1b", Breaks::Committed, &[version.operation, reader], key, words);
        }
        Some(number)
    }

    /// A transaction read something else than it had written itself.
    fn not_its_own(
        &mut self,
        reader: u32,
        key: u32,
        own: u32,
        found: Option<u32>,
        value: &'a Value,
    ) {
        let kind = match found {
            Some(found) if found > own && self.versions[found as usize].operation == reader => {
                "future-read"
            }
            _ => "internal",
        };
        if let Some(found) = found {
            self.seen[self.versions[found as usize].operation as usize] = true;
        }
        let wrote = self.versions[own as usize].value;
        let words = format!(
            "read {} after it had {} {wrote} itself",
            self.named(key, value),
            if self.style == Style::ListAppend { "appended" } else { "written" },
        );
        self.find(kind, Breaks::Everything, &[reader], key, words);
    }

    /// Keeps the longest list of each key; all others must be its beginning.
    fn compare_with_longest(&mut self, reader: u32, key: u32, list: &'a [Value]) {
        let (longest_reader, longest) = self.longest[key as usize];
        let common = list.len().min(longest.len());
        if list.as_ptr() == longest.as_ptr() || list[..common] == longest[..common] {
            if list.len() > longest.len() {
                self.longest[key as usize] = (reader, list);
            }
            return;
        }
        if !self.agree_but_for_failures(key, list, longest) {
            let words = format!(
                "read {}, but {} read {}: no order of elements begins with both",
                self.named(key, &Value::list(list.iter().cloned())),
                super::words::name(&self.operations[longest_reader as usize]),
                Value::list(longest.iter().cloned())
            );
            let operations = [longest_reader, reader];
            self.find("incompatible-order", Breaks::Everything, &operations, key, words);
        }
        for (reader, list) in [(reader, list), (longest_reader, longest)] {
            if let Some((element, writer)) = self.failed_in(key, list) {
                let words = self.of_a_failure(key, element, writer);
                self.find("G1a", Breaks::Committed, &[writer, reader], key, words);
            }
        }
        let counting = |list: &[Value]| list.iter().filter(|one| self.counts(key, one)).count();
        if counting(list) > counting(longest) {
            self.longest[key as usize] = (reader, list);
        }
    }

    /// The first element of a list that is of a failed transaction, and that.
    fn failed_in(&self, key: u32, list: &'a [Value]) -> Option<(&'a Value, u32)> {
        let failed = list.iter().find(|element| !self.counts(key, element))?;
        let number = self.number(key, Name::of(failed)).expect("it is of somebody");
        Some((failed, self.versions[number as usize].operation))
    }

    /// Whether an element is not of a failed transaction.
    fn counts(&self, key: u32, element: &Value) -> bool {
        self.number(key, Name::of(element)).is_none_or(|number| {
            let operation = self.versions[number as usize].operation as usize;
            self.operations[operation].outcome != Outcome::Fail
        })
    }

    /// Whether two lists agree once the elements of failed transactions are left out.
    fn agree_but_for_failures(&self, key: u32, one: &[Value], other: &[Value]) -> bool {
        let counts = |element: &&Value| self.counts(key, element);
        one.iter().filter(counts).zip(other.iter().filter(counts)).all(|(one, other)| one == other)
    }

    /// Known orders of versions, by key.
    fn chains(&mut self) -> Vec<Vec<u32>> {
        (0..self.keys.len() as u32).map(|key| self.chain(key)).collect()
    }

    fn chain(&mut self, key: u32) -> Vec<u32> {
        let (reader, list) = self.longest[key as usize];
        let mut chain = Vec::with_capacity(list.len());
        let mut failed: Option<u32> = None;
        for element in list {
            let Some(number) = self.number(key, Name::of(element)) else {
                if list.last() != Some(element) {
                    let words =
                        format!("read {}, which was never written", self.named(key, element));
                    self.find("garbage-read", Breaks::Everything, &[reader], key, words);
                }
                continue;
            };
            let version = self.versions[number as usize];
            if version.twice {
                self.doubt(key, element, "was written twice");
            }
            if version.place != NONE {
                let words = format!("read {} twice in one list", self.named(key, element));
                let operations = [version.operation, reader];
                self.find("duplicate-elements", Breaks::Everything, &operations, key, words);
                continue;
            }
            self.seen[version.operation as usize] = true;
            if self.operations[version.operation as usize].outcome == Outcome::Fail {
                if list.last() != Some(element) {
                    let words = self.of_a_failure(key, element, version.operation);
                    self.find("G1a", Breaks::Committed, &[version.operation, reader], key, words);
                }
                failed = Some(version.operation);
                continue;
            }
            if let Some(failed) = failed.take().filter(|_| version.operation != reader) {
                let words = format!(
                    "appended {} to what {} had left, which failed",
                    self.named(key, element),
                    super::words::name(&self.operations[failed as usize])
                );
                self.find(
                    "dirty-update",
                    Breaks::Committed,
                    &[failed, version.operation],
                    key,
                    words,
                );
            }
            self.versions[number as usize].place = chain.len() as u32;
            chain.push(number);
        }
        chain
    }

    fn finish(mut self, reads: Vec<Resolved>, chains: Vec<Vec<u32>>) -> Observed<'a> {
        let mut numbers = vec![NONE; self.operations.len()];
        let mut members = Vec::with_capacity(self.operations.len());
        for (place, operation) in self.operations.iter().enumerate() {
            let counts = match operation.outcome {
                Outcome::Ok => true,
                Outcome::Info => self.seen[place],
                Outcome::Fail => false,
            };
            if counts {
                numbers[place] = members.len() as u32;
                members.push(place as u32);
            }
        }
        let mut loose = vec![Vec::new(); self.keys.len()];
        let mut writes = Vec::with_capacity(self.versions.len());
        for (number, version) in self.versions.iter_mut().enumerate() {
            version.writer = numbers[version.operation as usize];
            if version.writer == NONE || !version.last {
                continue;
            }
            writes.push((version.writer, Access { key: version.key, version: number as u32 }));
            if version.place == NONE {
                loose[version.key as usize].push(number as u32);
            }
        }
        let reads = reads.into_iter().map(|(reader, read)| (numbers[reader as usize], read));
        let count = members.len();
        let (previous, lanes, lane_count) = sessions(self.operations, &members);
        Observed {
            transactions: Transactions {
                style: self.style,
                operations: self.operations,
                keys: self.keys,
                versions: self.versions,
                reads: Rows::new(count, reads.collect()),
                writes: Rows::new(count, writes),
                chains,
                loose,
                previous,
                lanes,
                lane_count,
                members,
                real_time: true,
            },
            findings: self.findings,
            doubt: self.doubt,
        }
    }

    fn named(&self, key: u32, value: &Value) -> String {
        format!("{value} of {}", super::words::key(self.keys[key as usize]))
    }

    fn of_a_failure(&self, key: u32, value: &Value, writer: u32) -> String {
        let writer = super::words::name(&self.operations[writer as usize]);
        format!("read {} of {writer}, which failed", self.named(key, value))
    }

    fn doubt(&mut self, key: u32, value: &Value, why: &str) {
        if self.doubt.is_none() {
            self.doubt = Some(format!("{} {why}", self.named(key, value)));
        }
    }

    fn find(
        &mut self,
        kind: &'static str,
        breaks: Breaks,
        operations: &[u32],
        key: u32,
        words: String,
    ) {
        let reader = *operations.last().expect("somebody is to blame");
        let finding = Finding {
            kind: kind.into(),
            breaks,
            operations: operations.to_vec(),
            key: Some(super::words::key(self.keys[key as usize])),
            words: super::words::observed(&self.operations[reader as usize], kind, &words),
            steps: Vec::new(),
        };
        self.findings.push(finding);
    }
}

/// The transaction before each one in its session, its lane, and how many lanes there are.
///
/// One in doubt may take effect after what its session does next: nothing follows it, and it has a lane
/// of its own.
fn sessions(operations: &[Operation], members: &[u32]) -> (Vec<u32>, Vec<u32>, usize) {
    let mut last = FxHashMap::<u32, (u32, u32)>::default();
    let mut previous = Vec::with_capacity(members.len());
    let mut lanes = Vec::with_capacity(members.len());
    let mut lane_count = 0;
    for (number, place) in members.iter().enumerate() {
        let operation = &operations[*place as usize];
        let before = last.get(&operation.session).copied();
        previous.push(before.map_or(NONE, |(before, _)| before));
        let lane = before.map(|(_, lane)| lane).filter(|_| operation.is_ok());
        let lane = lane.unwrap_or_else(|| {
            lane_count += 1;
            lane_count - 1
        });
        lanes.push(lane);
        if operation.is_ok() {
            last.insert(operation.session, (number as u32, lane));
        }
    }
    (previous, lanes, lane_count as usize)
}
