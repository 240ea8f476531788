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

/// Entries from index 1, and what was cut off since the last boot.
///
/// The disk is a log of its own: what a node cuts off is gone only when what replaced it is on disk.
/// So a crash can bring back what was cut off. If it then cannot be told which of several logs came
/// back, the entries in which they differ are taken as unknown: nothing is concluded from them.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Vec<Entry>,
    /// Cuts since the last boot: from which index, and what was there.
    cut: Vec<(u64, Vec<Entry>)>,
}

/// Mixes a word into a digest.
fn mix(digest: u64, word: u64) -> u64 {
    let mixed = (digest ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ (mixed >> 32)
}

impl Log {
    /// Index of the last entry; 0 if there is none.
    pub fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The entry at an index, from 1.
    pub fn entry(&self, index: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(index).ok()?.checked_sub(1)?)
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
        let place = index.saturating_sub(1) as usize;
        self.entries.resize(place, UNKNOWN);
        self.entries.push(entry);
    }

    /// Cuts the log before `from`.
    pub fn truncate(&mut self, from: u64) {
        let place = (from.saturating_sub(1) as usize).min(self.entries.len());
        let gone = self.entries.split_off(place);
        if !gone.is_empty() {
            self.cut.push((place as u64 + 1, gone));
        }
    }

    /// After a boot the log has `length` entries.
    pub fn restore(&mut self, length: u64) {
        let wanted = length as usize;
        let mut older = std::mem::take(&mut self.entries);
        let mut restored = (older.len() >= wanted).then(|| older[..wanted].to_vec());
        for (from, gone) in std::mem::take(&mut self.cut).into_iter().rev() {
            older.truncate(from as usize - 1);
            older.extend(gone);
            if older.len() >= wanted {
                let candidate = &older[..wanted];
                restored = Some(match restored {
                    None => candidate.to_vec(),
                    Some(known) => agreed(known, candidate),
                });
            }
        }
        // Longer than anything that was noted: the rest is unknown.
        self.entries = restored.unwrap_or(older);
        self.entries.resize(wanted, UNKNOWN);
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
        log.entries.iter().map(|entry| entry.term).collect()
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
        log.restore(2);
        assert_eq!(terms(&log), [1, 1]);
    }

    #[test]
    fn a_crash_brings_back_what_was_cut_off() {
        let mut log = log(&[1, 1, 1]);
        log.truncate(2);
        push(&mut log, 2);
        log.restore(3);
        assert_eq!(terms(&log), [1, 1, 1]);
    }

    #[test]
    fn where_two_logs_may_have_come_back_nothing_is_known() {
        let mut log = log(&[1, 1]);
        log.truncate(2);
        push(&mut log, 2);
        log.restore(2);
        assert_eq!(terms(&log), [1, 0]);
        assert!(log.entry(2).unwrap().chain.is_none());
        assert!(log.chain_after(3, 2, 2).is_none());
    }
}
