//! A twin of every level that tries all orders, straight from the definitions.
//!
//! It shares nothing with the checkers: it reads the operations itself, tries every subset of the
//! transactions in doubt, every order of commits, and for the levels of dependency graphs every order of
//! versions, and looks for forbidden cycles in matrices. Good for up to six transactions.

use wrack_history::{Operation, Outcome, Value};

use super::super::level::Level;

/// A transaction as the definitions see it.
struct Txn {
    session: u32,
    /// Where it was invoked, and where its effect must stand at the latest.
    invoke: u64,
    complete: u64,
    is_ok: bool,
    /// Key and value of each micro-operation; whether it is a read; a list is read as its elements.
    micros: Vec<Micro>,
}

#[derive(Clone)]
enum Micro {
    Write(i64, i64),
    Read(i64, Vec<i64>),
}

/// A read of another transaction's version: its key, the writer (none: initial), and after which of
/// the reader's reads it comes.
#[derive(Clone, Copy)]
struct Read {
    key: i64,
    from: Option<usize>,
}

/// Whether a history keeps a level. `is_list` says which model it is of.
pub fn keeps(operations: &[Operation], is_list: bool, level: Level) -> bool {
    let all: Vec<Txn> = operations
        .iter()
        .filter(|operation| operation.outcome != Outcome::Fail)
        .map(|operation| txn(operation, is_list))
        .collect();
    let doubtful: Vec<usize> = (0..all.len()).filter(|place| !all[*place].is_ok).collect();
    let failed: Vec<(i64, i64)> = operations
        .iter()
        .filter(|operation| operation.outcome == Outcome::Fail)
        .flat_map(|operation| txn(operation, is_list).micros)
        .filter_map(|micro| match micro {
            Micro::Write(key, value) => Some((key, value)),
            Micro::Read(..) => None,
        })
        .collect();
    let seen = |place: usize| {
        let written = writes(&all[place]);
        let sees = |micro: &Micro| match micro {
            Micro::Read(key, found) => {
                written.iter().any(|(of, value)| of == key && found.contains(value))
            }
            Micro::Write(..) => false,
        };
        all.iter().any(|txn| txn.micros.iter().any(sees))
    };
    (0..1u32 << doubtful.len()).any(|subset| {
        // Where what failed may be read, one in doubt counts if somebody saw it.
        let counted = (0..doubtful.len()).all(|bit| subset >> bit & 1 == 1 || !seen(doubtful[bit]));
        if level == Level::ReadUncommitted && !counted {
            return false;
        }
        let out = |place: &usize| {
            doubtful.iter().position(|one| one == place).is_some_and(|bit| subset >> bit & 1 == 0)
        };
        let kept: Vec<&Txn> =
            (0..all.len()).filter(|place| !out(place)).map(|place| &all[place]).collect();
        let dropped = (0..all.len()).filter(out).flat_map(|place| writes(&all[place]));
        let gone: Vec<(i64, i64)> = failed.iter().copied().chain(dropped).collect();
        History { txns: kept, is_list, gone }.keeps(level)
    })
}

fn writes(txn: &Txn) -> Vec<(i64, i64)> {
    let write = |micro: &Micro| match micro {
        Micro::Write(key, value) => Some((*key, *value)),
        Micro::Read(..) => None,
    };
    txn.micros.iter().filter_map(write).collect()
}

fn txn(operation: &Operation, is_list: bool) -> Txn {
    let list = if operation.is_ok() { &operation.result } else { &operation.argument };
    let micro = |entry: &Value| {
        let Some([Value::Text(function), key, value]) = entry.as_list() else { panic!("a micro") };
        let key = key.as_integer().unwrap();
        match function.as_str() {
            "r" if !operation.is_ok() => None,
            "r" if is_list => {
                let elements = value.as_list().unwrap_or(&[]).iter();
                Some(Micro::Read(key, elements.map(|e| e.as_integer().unwrap()).collect()))
            }
            "r" => Some(Micro::Read(key, value.as_integer().into_iter().collect())),
            _ => Some(Micro::Write(key, value.as_integer().unwrap())),
        }
    };
    Txn {
        session: operation.session,
        invoke: operation.invoke.index,
        complete: operation.complete.index,
        is_ok: operation.is_ok(),
        micros: list.as_list().unwrap().iter().filter_map(micro).collect(),
    }
}

struct History<'a> {
    txns: Vec<&'a Txn>,
    is_list: bool,
    /// What transactions wrote that took no effect.
    gone: Vec<(i64, i64)>,
}

type Matrix = Vec<Vec<bool>>;

impl History<'_> {
    fn keeps(&self, level: Level) -> bool {
        let Some(reads) = self.reads(level) else {
            return false;
        };
        match level {
            Level::ReadCommittedAxiomatic
            | Level::ReadAtomic
            | Level::Causal
            | Level::Prefix
            | Level::StrongSessionSnapshotIsolation
            | Level::StrongSessionSerializable => self.some_commit_order(&reads, level),
            _ => self.some_version_order(&reads, level),
        }
    }

    fn writer(&self, key: i64, value: i64) -> Option<usize> {
        (0..self.txns.len()).find(|place| writes(self.txns[*place]).contains(&(key, value)))
    }

    fn is_last(&self, writer: usize, key: i64, value: i64) -> bool {
        writes(self.txns[writer]).iter().rev().find(|(of, _)| *of == key) == Some(&(key, value))
    }

    /// What each transaction read of others; `None` if a read alone contradicts the level.
    fn reads(&self, level: Level) -> Option<Vec<Vec<Read>>> {
        let committed = level != Level::ReadUncommitted;
        let mut all = Vec::new();
        for (place, txn) in self.txns.iter().enumerate() {
            let mut reads = Vec::new();
            let mut own: Vec<(i64, i64)> = Vec::new();
            for micro in &txn.micros {
                match micro {
                    Micro::Write(key, value) => own.push((*key, *value)),
                    Micro::Read(key, found) => {
                        let last = own.iter().rev().find(|(of, _)| of == key);
                        if let Some((_, value)) = last {
                            if found.last() != Some(value) {
                                return None;
                            }
                            continue;
                        }
                        let read = self.read(place, *key, found, committed)?;
                        reads.extend(read);
                    }
                }
            }
            all.push(reads);
        }
        if self.is_list && !self.lists_agree(committed) {
            return None;
        }
        Some(all)
    }

    /// A read of what others wrote; the outer `None` if it cannot be, the inner one if it is not used.
    fn read(
        &self,
        reader: usize,
        key: i64,
        found: &[i64],
        committed: bool,
    ) -> Option<Option<Read>> {
        let Some(&value) = found.last() else {
            return Some(Some(Read { key, from: None }));
        };
        let Some(writer) = self.writer(key, value) else {
            return (!committed && self.gone.contains(&(key, value))).then_some(None);
        };
        if writer == reader || (committed && !self.is_last(writer, key, value)) {
            return None;
        }
        Some(Some(Read { key, from: Some(writer) }))
    }

    /// Lists that were read, without what took no effect where that may be read.
    fn lists(&self) -> Vec<(i64, Vec<i64>)> {
        let read = |micro: &Micro| match micro {
            Micro::Read(key, found) => Some((*key, found.clone())),
            Micro::Write(..) => None,
        };
        self.txns.iter().flat_map(|txn| txn.micros.iter().filter_map(read)).collect()
    }

    fn lists_agree(&self, committed: bool) -> bool {
        let mut lists = self.lists();
        for (key, list) in &mut lists {
            let gone = list.iter().any(|value| self.gone.contains(&(*key, *value)));
            let nowhere = |value: &i64| {
                self.writer(*key, *value).is_none() && !self.gone.contains(&(*key, *value))
            };
            if list.iter().any(nowhere) || (gone && committed) {
                return false;
            }
            list.retain(|value| !self.gone.contains(&(*key, *value)));
            let mut sorted = list.clone();
            sorted.sort();
            if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
                return false;
            }
        }
        lists.iter().all(|(key, list)| {
            let same = lists.iter().filter(|(other, _)| other == key);
            same.into_iter().all(|(_, other)| list.iter().zip(other).all(|(one, two)| one == two))
        })
    }

    fn keys(&self) -> Vec<i64> {
        let mut keys: Vec<i64> =
            self.txns.iter().flat_map(|txn| writes(txn)).map(|(key, _)| key).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    fn writers(&self, key: i64) -> Vec<usize> {
        let writes_it = |place: &usize| writes(self.txns[*place]).iter().any(|(of, _)| *of == key);
        (0..self.txns.len()).filter(writes_it).collect()
    }

    /// Pairs of writers whose order is known from lists. A circle of them is kept as it is.
    fn known(&self, key: i64) -> Vec<(usize, usize)> {
        if !self.is_list {
            return Vec::new();
        }
        let lists = self.lists();
        let of_key = lists.into_iter().filter(|(of, _)| *of == key).map(|(_, mut list)| {
            list.retain(|value| self.writer(key, *value).is_some());
            list
        });
        let longest = of_key.max_by_key(Vec::len).unwrap_or_default();
        let order: Vec<usize> =
            longest.iter().map(|value| self.writer(key, *value).unwrap()).collect();
        let mut known = Vec::new();
        for (place, one) in order.iter().enumerate() {
            known.extend(order[place + 1..].iter().map(|other| (*one, *other)));
            let rest = self.writers(key).into_iter().filter(|writer| {
                let last = writes(self.txns[*writer]);
                let last = last.iter().rev().find(|(of, _)| *of == key).unwrap();
                !longest.contains(&last.1)
            });
            known.extend(rest.map(|writer| (*one, writer)));
        }
        known.retain(|(one, other)| one != other);
        known
    }

    fn session(&self) -> Vec<(usize, usize)> {
        self.pairs(|one, other| {
            one.session == other.session && one.invoke < other.invoke && one.is_ok
        })
    }

    fn real_time(&self) -> Vec<(usize, usize)> {
        self.pairs(|one, other| one.is_ok && one.complete < other.invoke)
    }

    fn pairs(&self, holds: impl Fn(&Txn, &Txn) -> bool) -> Vec<(usize, usize)> {
        let count = self.txns.len();
        let all = (0..count).flat_map(|one| (0..count).map(move |other| (one, other)));
        all.filter(|(one, other)| holds(self.txns[*one], self.txns[*other])).collect()
    }

    /// Biswas and Enea: some total order of commits, with sessions, reads and known versions, keeps the
    /// axiom.
    fn some_commit_order(&self, reads: &[Vec<Read>], level: Level) -> bool {
        let count = self.txns.len();
        let mut past = vec![vec![false; count]; count];
        self.session().into_iter().for_each(|(one, other)| past[one][other] = true);
        for (reader, reads) in reads.iter().enumerate() {
            reads.iter().filter_map(|read| read.from).for_each(|from| past[from][reader] = true);
        }
        let mut before = past.clone();
        for key in self.keys() {
            self.known(key).into_iter().for_each(|(one, other)| before[one][other] = true);
        }
        let causal = closure(&past);
        permutations(count).into_iter().any(|order| {
            let mut at = vec![0; count];
            order.iter().enumerate().for_each(|(place, txn)| at[*txn] = place);
            let commit = |one: usize, other: usize| at[one] < at[other];
            let keeps = (0..count)
                .all(|one| (0..count).all(|other| !before[one][other] || commit(one, other)));
            keeps && self.axiom(reads, level, &past, &causal, &commit)
        })
    }

    fn axiom(
        &self,
        reads: &[Vec<Read>],
        level: Level,
        past: &Matrix,
        causal: &Matrix,
        commit: &dyn Fn(usize, usize) -> bool,
    ) -> bool {
        let count = self.txns.len();
        for (t3, of_t3) in reads.iter().enumerate() {
            for (place, read) in of_t3.iter().enumerate() {
                for t2 in self.writers(read.key) {
                    if Some(t2) == read.from || t2 == t3 {
                        continue;
                    }
                    let commit_or_same =
                        |one: usize, other: usize| one == other || commit(one, other);
                    let visible = match level {
                        Level::ReadCommittedAxiomatic => {
                            of_t3[..place].iter().any(|earlier| earlier.from == Some(t2))
                        }
                        Level::ReadAtomic => {
                            past[t2][t3] || session_reaches(&self.session(), t2, t3)
                        }
                        Level::Causal => causal[t2][t3],
                        Level::StrongSessionSerializable => commit(t2, t3),
                        _ => {
                            let prefix =
                                (0..count).any(|t4| commit_or_same(t2, t4) && past[t4][t3]);
                            let conflict = level == Level::StrongSessionSnapshotIsolation
                                && (0..count).any(|t4| {
                                    commit_or_same(t2, t4)
                                        && commit(t4, t3)
                                        && self.conflict(t4, t3)
                                });
                            prefix || conflict
                        }
                    };
                    if visible && !read.from.is_some_and(|t1| commit(t2, t1)) {
                        return false;
                    }
                }
            }
        }
        true
    }

    fn conflict(&self, one: usize, other: usize) -> bool {
        self.keys().iter().any(|key| {
            let writers = self.writers(*key);
            writers.contains(&one) && writers.contains(&other)
        })
    }

    /// Adya: some order of the versions of each key leaves no forbidden cycle.
    fn some_version_order(&self, reads: &[Vec<Read>], level: Level) -> bool {
        let keys = self.keys();
        self.try_keys(&keys, reads, level, &mut Vec::new())
    }

    fn try_keys(
        &self,
        keys: &[i64],
        reads: &[Vec<Read>],
        level: Level,
        chosen: &mut Vec<(i64, Vec<usize>)>,
    ) -> bool {
        let Some((key, rest)) = keys.split_first() else {
            return self.graph_keeps(chosen, reads, level);
        };
        let writers = self.writers(*key);
        let known = self.known(*key);
        permutations(writers.len()).into_iter().any(|order| {
            let order: Vec<usize> = order.into_iter().map(|place| writers[place]).collect();
            let at = |txn: usize| order.iter().position(|one| *one == txn).unwrap();
            if known.iter().any(|(one, other)| at(*one) > at(*other)) {
                return false;
            }
            chosen.push((*key, order));
            let found = self.try_keys(rest, reads, level, chosen);
            chosen.pop();
            found
        })
    }

    fn graph_keeps(&self, chosen: &[(i64, Vec<usize>)], reads: &[Vec<Read>], level: Level) -> bool {
        let count = self.txns.len();
        let empty = || vec![vec![false; count]; count];
        let (mut ww, mut wr, mut rw, mut time) = (empty(), empty(), empty(), empty());
        for (_, order) in chosen {
            order.windows(2).for_each(|pair| ww[pair[0]][pair[1]] = true);
        }
        for (reader, reads) in reads.iter().enumerate() {
            for read in reads {
                if let Some(from) = read.from {
                    wr[from][reader] = true;
                }
                let order = chosen.iter().find(|(key, _)| *key == read.key);
                let order = order.map_or(&[][..], |(_, order)| order);
                let next = match read.from {
                    None => order.first(),
                    Some(from) => {
                        let place = order.iter().position(|one| *one == from).unwrap();
                        order.get(place + 1)
                    }
                };
                if let Some(next) = next.filter(|next| **next != reader) {
                    rw[reader][*next] = true;
                }
            }
        }
        if level == Level::StrictSerializable {
            let known = self.session().into_iter().chain(self.real_time());
            known.for_each(|(one, other)| time[one][other] = true);
        }
        let none = empty();
        match level {
            Level::ReadUncommitted => is_acyclic(&ww),
            Level::ReadCommitted => is_acyclic(&either(&ww, &wr)),
            Level::ParallelSnapshotIsolation => {
                let seen = closure(&either(&ww, &wr));
                is_acyclic(&either(&ww, &wr)) && is_acyclic_once(&then(&seen, &rw))
            }
            Level::SnapshotIsolation => {
                let seen = either(&ww, &wr);
                is_acyclic(&either(&seen, &then(&seen, &rw)))
            }
            _ => is_acyclic(&either(&either(&ww, &wr), &either(&rw, &either(&time, &none)))),
        }
    }
}

fn session_reaches(session: &[(usize, usize)], one: usize, other: usize) -> bool {
    session.contains(&(one, other))
}

fn either(one: &Matrix, other: &Matrix) -> Matrix {
    let row = |(one, other): (&Vec<bool>, &Vec<bool>)| {
        one.iter().zip(other).map(|(one, other)| *one || *other).collect()
    };
    one.iter().zip(other).map(row).collect()
}

fn then(one: &Matrix, other: &Matrix) -> Matrix {
    let count = one.len();
    let has = |from: usize, to: usize| (0..count).any(|by| one[from][by] && other[by][to]);
    (0..count).map(|from| (0..count).map(|to| has(from, to)).collect()).collect()
}

fn closure(matrix: &Matrix) -> Matrix {
    let mut closed = matrix.clone();
    for _ in 0..matrix.len() {
        closed = either(&closed, &then(&closed, &closed));
    }
    closed
}

fn is_acyclic(matrix: &Matrix) -> bool {
    let closed = closure(matrix);
    (0..matrix.len()).all(|place| !closed[place][place])
}

/// No step leads back to where it began.
fn is_acyclic_once(matrix: &Matrix) -> bool {
    (0..matrix.len()).all(|place| !matrix[place][place])
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in permutations(count - 1) {
        for place in 0..=shorter.len() {
            let mut longer = shorter.clone();
            longer.insert(place, count - 1);
            all.push(longer);
        }
    }
    all
}
