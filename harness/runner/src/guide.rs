//! Guided search: which seeds of a swarm come next, given what those before them reached.
//!
//! Seeds of one family draw the same settings and mix, and most of the same faults
//! ([`wrack_history::swarm::family`]). What a run reaches depends much on these, so where one member of a
//! family reached what few runs did, others of that family are likelier than a seed that nobody knows to
//! reach it again, and what lies beyond. But they find least of what many families show, being so alike: the
//! first rounds are new families alone, which also show what is rare. A round after these is half new
//! families, in the order of the seeds, and half relatives of the families with the highest *rarity*: how
//! often a member reached each thing, divided by how often all runs reached it, and by how many members ran.
//!
//! Things are situations, alone and together with a kind of fault that did something. What comes next
//! depends on the runs of whole rounds alone, so it is the same for any number of jobs, and for a search that
//! was interrupted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wrack_history::SmolStr;
use wrack_history::swarm::{FAMILIES, family};

use crate::swarm::kind_of;
use crate::sweep::Record;

/// Runs of a round; at least half of them are of new families.
const ROUND: u64 = 32;
/// The first runs are of new families alone.
const FIRST: u64 = 512;
/// Families that are remembered, those with the highest rarity.
const KEPT_MAX: usize = 1_024;

/// A search that is under way.
pub struct Guide {
    /// First members of families that were never tried.
    fresh: Box<dyn Iterator<Item = u64>>,
    /// Runs that are planned, and that are still to be.
    runs: u64,
    left: u64,
    /// Runs of this round: not handed out yet, handed out, and known.
    planned: VecDeque<u64>,
    awaited: BTreeSet<u64>,
    known: Vec<(u64, BTreeSet<SmolStr>)>,
    /// In how many runs each thing was reached.
    reached: BTreeMap<SmolStr, u64>,
    families: BTreeMap<u64, Family>,
}

#[derive(Default)]
struct Family {
    members: u64,
    /// In how many of them each thing was reached.
    reached: BTreeMap<SmolStr, u64>,
}

impl Guide {
    /// A search with as many runs as there are seeds, which are of families of their own: below
    /// [`FAMILIES`].
    pub fn new(seeds: impl Iterator<Item = u64> + 'static, runs: u64) -> Self {
        Self {
            fresh: Box::new(seeds),
            runs: 0,
            left: runs,
            planned: VecDeque::new(),
            awaited: BTreeSet::new(),
            known: Vec::new(),
            reached: BTreeMap::new(),
            families: BTreeMap::new(),
        }
    }

    /// The next seeds, at most so many. There are none when the search is over, or until all that were
    /// handed out are [known](Self::learn).
    pub fn next(&mut self, most: usize) -> Vec<u64> {
        if self.planned.is_empty() && self.awaited.is_empty() {
            self.plan();
        }
        let seeds: Vec<u64> = self.planned.drain(..most.min(self.planned.len())).collect();
        self.awaited.extend(&seeds);
        seeds
    }

    /// What a run reached, of a seed that was handed out or, in a search that goes on, would be; whether it is
    /// one and was not known.
    pub fn learn(&mut self, record: &Record) -> bool {
        if self.planned.is_empty() && self.awaited.is_empty() {
            self.plan();
        }
        let place = self.planned.iter().position(|seed| *seed == record.seed);
        let planned = place.and_then(|place| self.planned.remove(place)).is_some();
        if !planned && !self.awaited.remove(&record.seed) {
            return false;
        }
        self.known.push((record.seed, things(record)));
        if self.planned.is_empty() && self.awaited.is_empty() {
            self.close();
        }
        true
    }

    /// Plans a round.
    fn plan(&mut self) {
        let runs = ROUND.min(self.left);
        self.left -= runs;
        let mut promising = self.rarities();
        promising.truncate(if self.runs < FIRST { 0 } else { runs as usize / 2 });
        self.runs += runs;
        let relatives = promising.iter().map(|(_, of)| of + self.families[of].members * FAMILIES);
        self.planned.extend(relatives);
        let rest = runs as usize - self.planned.len();
        self.planned.extend(self.fresh.by_ref().take(rest));
    }

    /// A round is known.
    fn close(&mut self) {
        for (seed, things) in std::mem::take(&mut self.known) {
            let family = self.families.entry(family(seed)).or_default();
            family.members += 1;
            for thing in things {
                *self.reached.entry(thing.clone()).or_default() += 1;
                *family.reached.entry(thing).or_default() += 1;
            }
        }
        if self.families.len() > KEPT_MAX {
            let others: Vec<u64> =
                self.rarities().split_off(KEPT_MAX).into_iter().map(|(_, of)| of).collect();
            others.iter().for_each(|of| drop(self.families.remove(of)));
        }
    }

    /// Families with their rarities, the highest first.
    fn rarities(&self) -> Vec<(f64, u64)> {
        let rarity = |family: &Family| {
            let rarities = family.reached.iter().map(|(thing, times)| {
                *times as f64 / (family.members as f64 * self.reached[thing] as f64)
            });
            rarities.sum::<f64>() / family.members as f64
        };
        let families = self.families.iter().map(|(of, family)| (rarity(family), *of));
        let mut rarities: Vec<(f64, u64)> = families.collect();
        rarities.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        rarities
    }
}

/// What a run reached.
fn things(record: &Record) -> BTreeSet<SmolStr> {
    let kinds: BTreeSet<&str> = record.cells.iter().map(|cell| kind_of(cell)).collect();
    let beside = record.sometimes.iter().flat_map(|situation| {
        kinds.iter().map(move |kind| format!("{situation} beside {kind}").into())
    });
    beside.chain(record.sometimes.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use wrack_history::Verdict;

    use super::*;

    /// Every seventh family reaches something, every other member of it.
    fn record(seed: u64) -> Record {
        let rare = family(seed) % 7 == 3 && (seed / FAMILIES).is_multiple_of(2);
        let names = ["often"].into_iter().chain(rare.then_some("rare"));
        Record {
            group: 0,
            seed,
            verdict: Verdict::Valid,
            as_expected: true,
            found: false,
            signatures: BTreeSet::new(),
            foreign: Vec::new(),
            doubts: Vec::new(),
            pooled: None,
            sometimes: names.map(SmolStr::from).collect(),
            cells: BTreeSet::new(),
            simulated_ns: 1,
            trace_hash: String::new(),
        }
    }

    /// The order of a search that hands out so many at once, and knows the last first.
    fn order(most: usize) -> Vec<u64> {
        let mut guide = Guide::new(0..1_000, 1_000);
        let mut order = Vec::new();
        loop {
            let seeds = guide.next(most);
            if seeds.is_empty() {
                return order;
            }
            assert!(seeds.iter().rev().all(|seed| guide.learn(&record(*seed))));
            order.extend(seeds);
        }
    }

    #[test]
    fn each_seed_comes_once_and_the_budget_is_kept() {
        let order = order(5);
        assert_eq!(order.len(), 1_000);
        assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 1_000);
        let new = order.iter().filter(|seed| **seed < FAMILIES);
        assert!(new.count() >= 500);
    }

    #[test]
    fn relatives_of_those_that_reached_what_is_rare_come_more_often() {
        let relatives: Vec<u64> = order(32).into_iter().filter(|seed| *seed >= FAMILIES).collect();
        let of_rare = relatives.iter().filter(|seed| family(**seed) % 7 == 3).count();
        assert!(of_rare * 10 > relatives.len() * 9, "{of_rare} of {}", relatives.len());
    }

    #[test]
    fn the_order_does_not_depend_on_how_many_are_handed_out_at_once() {
        assert_eq!(order(1), order(7));
        assert_eq!(order(7), order(1_000));
    }

    #[test]
    fn a_search_goes_on_where_it_was() {
        let whole = order(7);
        for cut in [0, 1, 31, 32, 33, 500, 999, 1_000] {
            let mut guide = Guide::new(0..1_000, 1_000);
            assert!(whole[..cut].iter().all(|seed| guide.learn(&record(*seed))));
            let mut rest = Vec::new();
            loop {
                let seeds = guide.next(7);
                if seeds.is_empty() {
                    break;
                }
                assert!(seeds.iter().all(|seed| guide.learn(&record(*seed))));
                rest.extend(seeds);
            }
            assert_eq!(rest, whole[cut..], "cut at {cut}");
        }
    }

    #[test]
    fn what_is_remembered_does_not_grow_with_the_runs() {
        let mut guide = Guide::new(0..20_000, 20_000);
        loop {
            let seeds = guide.next(64);
            if seeds.is_empty() {
                break;
            }
            assert!(seeds.iter().all(|seed| guide.learn(&record(*seed))));
        }
        assert!(guide.families.len() <= KEPT_MAX + ROUND as usize);
    }
}
