//! Configurations of a search: how far one of the possible orders has come.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

/// As many bits as `W` words have, one for each slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bits<const W: usize>(pub [u64; W]);

impl<const W: usize> Bits<W> {
    pub const NONE: Self = Self([0; W]);

    pub fn has(&self, slot: usize) -> bool {
        self.0[slot / 64] & (1 << (slot % 64)) != 0
    }

    pub fn set(&mut self, slot: usize) {
        self.0[slot / 64] |= 1 << (slot % 64);
    }

    pub fn clear(&mut self, slot: usize) {
        self.0[slot / 64] &= !(1 << (slot % 64));
    }
}

/// How each open required call is to be compared, by slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kinds<const W: usize> {
    /// Calls that change nothing.
    pub reads: Bits<W>,
    /// Calls that overwrite and can be absorbed.
    pub overwrites: Bits<W>,
    /// All others.
    pub others: Bits<W>,
    /// Whether calls may take effect more than once.
    pub reusing: bool,
}

impl<const W: usize> Kinds<W> {
    /// No call is open.
    pub fn new(reusing: bool) -> Self {
        Self { reads: Bits::NONE, overwrites: Bits::NONE, others: Bits::NONE, reusing }
    }
}

/// One of the states that the object may be in, and which of the open calls have led to it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Configuration<S, const W: usize> {
    /// The state.
    pub state: S,
    /// Open required calls that have taken effect, by slot.
    pub done: Bits<W>,
    /// Open overwriting calls that are not done, but may be held to have taken effect just before
    /// another overwriting call that is: whether or not they are used once more, they owe nothing.
    pub absorbed: Bits<W>,
    /// How many of the doubtful calls of each class have taken effect; trailing zeros are left out.
    pub used: SmallVec<[u32; 8]>,
}

/// By hand because a list of plain numbers is copied faster as a whole.
impl<S: Clone, const W: usize> Clone for Configuration<S, W> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            done: self.done,
            absorbed: self.absorbed,
            used: SmallVec::from_slice(&self.used),
        }
    }
}

impl<S: Eq, const W: usize> Configuration<S, W> {
    /// Whether the call in this slot owes nothing any more.
    pub fn satisfies(&self, slot: usize) -> bool {
        self.done.has(slot) || self.absorbed.has(slot)
    }

    /// The same when the call in this slot, which owes nothing, has left it.
    pub fn without(mut self, slot: usize) -> Self {
        self.done.clear(slot);
        self.absorbed.clear(slot);
        self
    }

    /// How many of a class of doubtful calls have taken effect.
    pub fn used(&self, class: usize) -> u32 {
        self.used.get(class).copied().unwrap_or(0)
    }

    /// Counts one more doubtful call of the class.
    pub fn use_one(&mut self, class: usize) {
        if self.used.len() <= class {
            self.used.resize(class + 1, 0);
        }
        self.used[class] += 1;
    }

    /// Forgets how many doubtful calls of the class have taken effect.
    pub fn forget(&mut self, class: usize) {
        if let Some(used) = self.used.get_mut(class) {
            *used = 0;
        }
        while self.used.last() == Some(&0) {
            self.used.pop();
        }
    }

    /// Whether everything that can follow `other` can follow `self`.
    ///
    /// Why: let the states be equal. A read that is done is one obligation less, and reads change
    /// nothing, so more reads done is better. A doubtful call that is still unused may be used or
    /// not, so fewer used is better. An overwriting call that is absorbed and not done may still be
    /// used or left, which is better than done (it can do nothing more) and better than neither (it
    /// must still be done). Other calls must agree. Where calls may take effect more than once, done
    /// is one obligation less for every kind.
    pub fn dominates(&self, other: &Self, kinds: &Kinds<W>) -> bool {
        // What is compared in one step goes first; a state of many accounts goes last.
        if size_of::<S>() <= size_of::<u64>() && self.state != other.state {
            return false;
        }
        (0..W).all(|word| {
            let (mine, theirs) = (self.done.0[word], other.done.0[word]);
            let (free, their_free) = (self.absorbed.0[word], other.absorbed.0[word]);
            let owed_alike = !mine & !theirs & !their_free;
            let fits = free | (mine & theirs) | owed_alike;
            if kinds.reusing {
                return theirs & !mine == 0;
            }
            theirs & !mine & kinds.reads.0[word] == 0
                && (mine ^ theirs) & kinds.others.0[word] == 0
                && !fits & kinds.overwrites.0[word] == 0
        }) && self.used.len() <= other.used.len()
            && self.used.iter().zip(&other.used).all(|(a, b)| a <= b)
            && self.state == other.state
    }
}

/// Configurations none of which dominates another, as far as looking is cheap.
///
/// Bounds: beyond [`Self::COMPARED_MAX`] only equal ones are recognised.
#[derive(Debug)]
pub(super) struct Frontier<S, const W: usize> {
    pub configurations: Vec<Configuration<S, W>>,
    equal: FxHashSet<Configuration<S, W>>,
}

impl<S: Clone + Eq + std::hash::Hash, const W: usize> Frontier<S, W> {
    const COMPARED_MAX: usize = 512;

    pub fn new() -> Self {
        Self { configurations: Vec::new(), equal: FxHashSet::default() }
    }

    pub fn clear(&mut self) {
        self.configurations.clear();
        self.equal.clear();
    }

    /// Keeps at most so many, those that have spent least, and gives back the others.
    pub fn split_off<Spent: Ord>(
        &mut self,
        kept_max: usize,
        spent: impl FnMut(&Configuration<S, W>) -> Spent,
    ) -> Vec<Configuration<S, W>> {
        if self.configurations.len() <= kept_max {
            return Vec::new();
        }
        self.equal.clear();
        self.configurations.sort_by_cached_key(spent);
        self.configurations.split_off(kept_max)
    }

    /// Adds a configuration unless one that is there dominates it.
    pub fn offer(&mut self, new: Configuration<S, W>, kinds: &Kinds<W>) {
        let compared = self.configurations.len().min(Self::COMPARED_MAX);
        let known = &self.configurations[..compared];
        if known.iter().any(|old| old.dominates(&new, kinds)) {
            return;
        }
        if self.configurations.len() < Self::COMPARED_MAX {
            self.configurations.retain(|old| !new.dominates(old, kinds));
            self.configurations.push(new);
        } else if self.equal.insert(new.clone()) {
            self.configurations.push(new);
        }
    }
}
