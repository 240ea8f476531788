//! The log of one node, as far as its facts tell.

use std::num::NonZeroU64;

/// A digest of a log up to an entry: equal chains, equal logs.
pub(super) type Chain = NonZeroU64;

/// One entry, which its chain stands for, with all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub term: u64,
    /// `None` if something before is not known.
    pub chain: Option<Chain>,
}

/// An entry of which only the index is known.
const UNKNOWN: Entry = Entry { term: 0, chain: None };

/// Entries behind a base: index 0, or the last one that a snapshot stands for.
#[derive(Clone, Debug)]
struct Entries {
    base: u64,
    at_base: Entry,
    behind: Vec<Entry>,
}

impl Default for Entries {
    fn default() -> Self {
        Self { base: 0, at_base: UNKNOWN, behind: Vec::new() }
    }
}

impl Entries {
    fn len(&self) -> u64 {
        self.base + self.behind.len() as u64
    }

    fn get(&self, index: u64) -> Option<&Entry> {
        match index.checked_sub(self.base)? {
            0 => (self.base > 0).then_some(&self.at_base),
            place => self.behind.get(usize::try_from(place - 1).ok()?),
        }
    }

    /// Cuts before `from`, and gives what was there.
    fn split_off(&mut self, from: u64) -> Vec<Entry> {
        let place = from.saturating_sub(self.base + 1).min(self.behind.len() as u64);
        self.behind.split_off(place as usize)
    }

    /// The entries behind `base` and up to `length`, if they are all here.
    fn between(&self, base: u64, length: u64) -> Option<Vec<Entry>> {
        let from = base.checked_sub(self.base)?;
        let to = length.checked_sub(self.base)?;
        self.behind.get(from as usize..to as usize).map(<[Entry]>::to_vec)
    }
}

/// What a node's log lost, and a crash can bring back.
#[derive(Debug)]
enum Cut {
    /// Its end, from this index on.
    End(u64, Vec<Entry>),
    /// All of it, for another's snapshot.
    All(Entries),
}

/// Entries behind the last snapshot, and what was cut off since the last boot.
///
/// The disk is a log of its own: what a node cuts off is gone only when what replaced it is on disk.
/// So a crash can bring back what was cut off. If it then cannot be told which of several logs came
/// back, the entries in which they differ are taken as unknown: nothing is concluded from them.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Entries,
    /// Cuts since the last boot.
    cut: Vec<Cut>,
}

/// Mixes a word into a digest.
fn mix(digest: u64, word: u64) -> u64 {
    let mixed = (digest ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ (mixed >> 32)
}

impl Log {
    /// Index of the last entry; 0 if there is none.
    pub fn len(&self) -> u64 {
        self.entries.len()
    }

    /// Index of the last entry that the log's snapshot stands for; 0 if there is none.
    pub fn base(&self) -> u64 {
        self.entries.base
    }

    /// The entry at an index, from the base on.
    pub fn entry(&self, index: u64) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// The chain of an entry that would stand at `index`.
    pub fn chain_after(&self, index: u64, term: u64, digest: u64) -> Option<Chain> {
        let before = match index {
            0 | 1 => 0,
            _ => self.entry(index - 1)?.chain?.get(),
        };
        let chain = mix(mix(before.rotate_left(17), term), digest);
        Some(Chain::new(chain).unwrap_or(Chain::MIN))
    }

    /// Puts an entry at `index`; what lies between it and the end so far is unknown.
    pub fn push(&mut self, index: u64, entry: Entry) {
        if let Some(place) = index.checked_sub(self.entries.base + 1) {
            self.entries.behind.resize(place as usize, UNKNOWN);
            self.entries.behind.push(entry);
        }
    }

    /// Cuts the log before `from`.
    pub fn truncate(&mut self, from: u64) {
        let gone = self.entries.split_off(from);
        if !gone.is_empty() {
            self.cut.push(Cut::End(self.entries.len() + 1, gone));
        }
    }

    /// A snapshot stands for everything up to `index` now.
    pub fn compact(&mut self, index: u64) {
        if index > self.entries.base {
            let behind = self.entries.split_off(index + 1);
            let at_base = self.entries.get(index).copied().unwrap_or(UNKNOWN);
            self.entries = Entries { base: index, at_base, behind };
        }
    }

    /// Another's snapshot stands for everything, and its last entry is this.
    pub fn install(&mut self, index: u64, entry: Entry) {
        let fresh = Entries { base: index, at_base: entry, behind: Vec::new() };
        self.cut.push(Cut::All(std::mem::replace(&mut self.entries, fresh)));
    }

    /// After a boot the log ends at `length`, and begins with a snapshot of its first entries up to
    /// this one, if there is one.
    pub fn restore(&mut self, snapshot: Option<(u64, Entry)>, length: u64) {
        let (base, at_base) = snapshot.unwrap_or((0, UNKNOWN));
        let length = length.max(base);
        let mut older = std::mem::take(&mut self.entries);
        let mut restored = older.between(base, length);
        for cut in std::mem::take(&mut self.cut).into_iter().rev() {
            match cut {
                Cut::All(entries) => older = entries,
                Cut::End(from, gone) => {
                    older.split_off(from);
                    let known = (older.len() + 1).saturating_sub(from) as usize;
                    older.behind.extend(gone.into_iter().skip(known));
                }
            }
            if let Some(candidate) = older.between(base, length) {
                restored = Some(match restored {
                    None => candidate,
                    Some(known) => agreed(known, &candidate),
                });
            }
        }
        // Longer than anything that was noted: the rest is unknown.
        let mut behind = restored.or_else(|| older.between(base, older.len())).unwrap_or_default();
        behind.resize((length - base) as usize, UNKNOWN);
        self.entries = Entries { base, at_base, behind };
    }
}

/// What two candidates agree on; from where they differ, nothing is known.
fn agreed(mut one: Vec<Entry>, other: &[Entry]) -> Vec<Entry> {
    let differ = one.iter().zip(other).position(|(a, b)| a != b);
    one[differ.unwrap_or(other.len())..].fill(UNKNOWN);
    one
}

#[cfg(test)]
mod tests {
    use super::{Entry, Log};

    fn log(terms: &[u64]) -> Log {
        let mut log = Log::default();
        terms.iter().for_each(|term| push(&mut log, *term));
        log
    }

    fn push(log: &mut Log, term: u64) {
        let index = log.len() + 1;
        let chain = log.chain_after(index, term, term);
        let entry = Entry { term, chain };
        log.push(index, entry);
    }

    fn terms(log: &Log) -> Vec<u64> {
        log.entries.behind.iter().map(|entry| entry.term).collect()
    }

    #[test]
    fn equal_chains_mean_equal_prefixes() {
        let (a, b, c) = (log(&[1, 1, 2]), log(&[1, 1, 2]), log(&[1, 2, 2]));
        assert_eq!(a.entry(3), b.entry(3));
        assert_ne!(a.entry(3), c.entry(3));
    }

    #[test]
    fn a_crash_loses_the_end_of_the_log() {
        let mut log = log(&[1, 1, 2]);
        log.restore(None, 2);
        assert_eq!(terms(&log), [1, 1]);
    }

    #[test]
    fn a_crash_brings_back_what_was_cut_off() {
        let mut log = log(&[1, 1, 1]);
        log.truncate(2);
        push(&mut log, 2);
        log.restore(None, 3);
        assert_eq!(terms(&log), [1, 1, 1]);
    }

    #[test]
    fn where_two_logs_may_have_come_back_nothing_is_known() {
        let mut log = log(&[1, 1]);
        log.truncate(2);
        push(&mut log, 2);
        log.restore(None, 2);
        assert_eq!(terms(&log), [1, 0]);
        assert!(log.entry(2).unwrap().chain.is_none());
        assert!(log.chain_after(3, 2, 2).is_none());
    }

    #[test]
    fn a_snapshot_stands_for_what_was_before_it() {
        let mut log = log(&[1, 1, 2, 2]);
        let (third, fourth) = (*log.entry(3).unwrap(), *log.entry(4).unwrap());
        log.compact(3);
        assert_eq!((log.base(), log.len()), (3, 4));
        assert_eq!(log.entry(2), None);
        assert_eq!(log.entry(4), Some(&fourth));
        log.restore(Some((3, third)), 4);
        assert_eq!(log.entry(4), Some(&fourth));
    }

    #[test]
    fn a_crash_brings_back_what_a_snapshot_of_another_replaced() {
        let mut log = log(&[1, 1]);
        log.install(5, Entry { term: 2, chain: None });
        push(&mut log, 2);
        assert_eq!((log.base(), log.len()), (5, 6));
        log.restore(None, 2);
        assert_eq!(terms(&log), [1, 1]);
        log.install(5, Entry { term: 2, chain: None });
        log.restore(Some((5, Entry { term: 2, chain: None })), 5);
        assert_eq!((log.base(), log.len()), (5, 5));
    }
}
