//! Guided search: which seeds of a swarm come next, given what those before them reached.
//!
//! A run is worth as much as what it reached is rare. Where checkers measure something, a promise has a bound
//! that a run can come near to, and *extremes* count: how large it became, in powers of two. Elsewhere
//! *situations* count, alone and together with a kind of fault that did something. The first rounds are new
//! seeds in their order, which show what is rare. Of a round after these
//!
//! - half are *hopeful*: what a seed draws ([`crate::swarm::draws`]) is known before it runs, and what runs
//!   with the same draws were worth says what it promises. Those of the next few hundred seeds that promise
//!   most are taken; the others come later.
//! - a quarter are *relatives*: seeds of one family draw the same settings and mix, and most of the same faults
//!   ([`wrack_history::swarm::family`]), so where one member reached what few runs did, others are likelier to
//!   reach it again, and what lies beyond. They are of the families with the highest *rarity*: how often a
//!   member reached each thing, divided by how often all runs reached it, and by how many members ran.
//! - the rest are new, in their order: whatever the guide believes, it may be wrong.
//!
//! What comes next depends on the runs of whole rounds alone, so it is the same for any number of jobs, and
//! for a search that was interrupted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wrack_history::SmolStr;
use wrack_history::swarm::{FAMILIES, family};

use crate::swarm::kind_of;
use crate::sweep::Record;

/// Runs of a round.
const ROUND: u64 = 32;
/// The first runs are new seeds in their order alone.
const FIRST: u64 = 64;
/// For each hopeful seed so many are looked at.
const LOOKAHEAD: usize = 16;
/// What runs with a draw were worth counts as if so many more had been worth as much as all are.
const DOUBT: f64 = 5.0;
/// Families that are remembered, those with the highest rarity.
const KEPT_MAX: usize = 1_024;

/// A search that is under way.
pub struct Guide<'a> {
    /// First members of families that were never tried …
    fresh: Box<dyn Iterator<Item = u64>>,
    /// … and the next of them, which are looked at before they come, with what they draw.
    ahead: VecDeque<(u64, Vec<SmolStr>)>,
    /// Names what a seed draws, before it is run: [`crate::swarm::draws`].
    draws: Box<dyn Fn(u64) -> Vec<SmolStr> + 'a>,
    /// Runs that are planned, and that are still to be.
    runs: u64,
    left: u64,
    /// Runs of this round: not handed out yet, handed out, and known.
    planned: VecDeque<u64>,
    awaited: BTreeSet<u64>,
    known: Vec<(u64, Things)>,
    /// In how many runs each thing was reached.
    reached: BTreeMap<SmolStr, u64>,
    families: BTreeMap<u64, Family>,
    worth: Worth,
}

/// What a run reached.
enum Things {
    /// Each contains the smaller ones of its name.
    Extremes(BTreeSet<SmolStr>),
    Situations(BTreeSet<SmolStr>),
}

#[derive(Default)]
struct Family {
    members: u64,
    /// In how many of them each thing was reached.
    reached: BTreeMap<SmolStr, u64>,
}

/// What runs were worth.
#[derive(Default)]
struct Worth {
    all: Sum,
    /// Those with each draw.
    by_draw: BTreeMap<SmolStr, Sum>,
}

#[derive(Default)]
struct Sum {
    worth: f64,
    runs: f64,
}

impl Sum {
    fn add(&mut self, worth: f64) {
        self.worth += worth;
        self.runs += 1.0;
    }
}

impl Worth {
    fn learn(&mut self, draws: Vec<SmolStr>, worth: f64) {
        self.all.add(worth);
        draws.into_iter().for_each(|draw| self.by_draw.entry(draw).or_default().add(worth));
    }

    /// How much more than others a run with these draws promises to be worth.
    fn promise(&self, draws: &[SmolStr]) -> f64 {
        let mean = self.all.worth / self.all.runs;
        let known = draws.iter().filter_map(|draw| self.by_draw.get(draw));
        known.map(|sum| (sum.worth - mean * sum.runs) / (sum.runs + DOUBT)).sum()
    }
}

impl<'a> Guide<'a> {
    /// A search with as many runs as there are seeds, which are of families of their own: below
    /// [`FAMILIES`].
    pub fn new(
        seeds: impl Iterator<Item = u64> + 'static,
        runs: u64,
        draws: impl Fn(u64) -> Vec<SmolStr> + 'a,
    ) -> Self {
        Self {
            fresh: Box::new(seeds),
            ahead: VecDeque::new(),
            draws: Box::new(draws),
            runs: 0,
            left: runs,
            planned: VecDeque::new(),
            awaited: BTreeSet::new(),
            known: Vec::new(),
            reached: BTreeMap::new(),
            families: BTreeMap::new(),
            worth: Worth::default(),
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
        self.known.push((record.seed, Things::of(record)));
        if self.planned.is_empty() && self.awaited.is_empty() {
            self.close();
        }
        true
    }

    /// Plans a round.
    fn plan(&mut self) {
        let runs = ROUND.min(self.left) as usize;
        self.left -= runs as u64;
        let (hopeful, relatives) = if self.runs < FIRST { (0, 0) } else { (runs / 2, runs / 4) };
        self.runs += runs as u64;
        let mut promising = self.ranking();
        promising.truncate(relatives);
        self.planned.extend(promising.iter().map(|of| of + self.families[of].members * FAMILIES));
        self.plan_hopeful(hopeful);
        let rest = runs - self.planned.len();
        self.look_ahead(rest);
        let rest = rest.min(self.ahead.len());
        self.planned.extend(self.ahead.drain(..rest).map(|(seed, _)| seed));
    }

    /// Plans those of the next seeds that promise most.
    fn plan_hopeful(&mut self, count: usize) {
        self.look_ahead(count * LOOKAHEAD);
        let promise = |(_, draws): &(u64, Vec<SmolStr>)| self.worth.promise(draws);
        let mut places: Vec<(f64, usize)> =
            self.ahead.iter().map(promise).zip(0..).take(count * LOOKAHEAD).collect();
        places.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        places.truncate(count);
        // From behind, so that no place moves before its turn.
        places.sort_unstable_by_key(|(_, place)| std::cmp::Reverse(*place));
        let hopeful = places.iter().filter_map(|(_, place)| self.ahead.remove(*place));
        self.planned.extend(hopeful.map(|(seed, _)| seed));
    }

    /// So many of the next seeds are looked at, if there are so many.
    fn look_ahead(&mut self, count: usize) {
        let wanted = count.saturating_sub(self.ahead.len());
        let draws = &self.draws;
        self.ahead.extend(self.fresh.by_ref().take(wanted).map(|seed| (seed, draws(seed))));
    }

    /// A round is known. What runs were worth is summed up in the order of their seeds, whichever was known
    /// first: sums of such numbers depend on their order.
    fn close(&mut self) {
        self.known.sort_unstable_by_key(|(seed, _)| *seed);
        for (seed, things) in &self.known {
            let family = self.families.entry(family(*seed)).or_default();
            family.members += 1;
            for thing in things.names() {
                *self.reached.entry(thing.clone()).or_default() += 1;
                *family.reached.entry(thing.clone()).or_default() += 1;
            }
        }
        for (seed, things) in std::mem::take(&mut self.known) {
            let surprise =
                |thing: &SmolStr| libm::log2(self.runs as f64 / self.reached[thing] as f64);
            let surprises = things.names().iter().map(surprise);
            let worth = match things {
                Things::Extremes(_) => surprises.fold(0.0, f64::max),
                Things::Situations(_) => surprises.sum(),
            };
            self.worth.learn((self.draws)(family(seed)), worth);
        }
        if self.families.len() > KEPT_MAX {
            let others = self.ranking().split_off(KEPT_MAX);
            others.iter().for_each(|of| drop(self.families.remove(of)));
        }
    }

    /// Families, the highest rarity first.
    fn ranking(&self) -> Vec<u64> {
        let rarity = |family: &Family| {
            let members = family.members as f64;
            let rarities = family
                .reached
                .iter()
                .map(|(thing, times)| *times as f64 / (members * self.reached[thing] as f64));
            rarities.sum::<f64>() / members
        };
        let families = self.families.iter().map(|(of, family)| (rarity(family), *of));
        let mut ranking: Vec<(f64, u64)> = families.collect();
        ranking.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        ranking.into_iter().map(|(_, of)| of).collect()
    }
}

impl Things {
    fn of(record: &Record) -> Self {
        if !record.largest.is_empty() {
            let extremes = record.largest.iter().flat_map(|(name, largest)| {
                let powers = largest.checked_ilog2().map_or(0, |power| power + 1);
                (0..powers).map(move |power| format!("{name} of 2^{power}").into())
            });
            return Self::Extremes(extremes.collect());
        }
        let kinds: BTreeSet<&str> = record.cells.iter().map(|cell| kind_of(cell)).collect();
        let beside = record.sometimes.iter().flat_map(|situation| {
            kinds.iter().map(move |kind| format!("{situation} beside {kind}").into())
        });
        Self::Situations(beside.chain(record.sometimes.iter().cloned()).collect())
    }

    fn names(&self) -> &BTreeSet<SmolStr> {
        let (Self::Extremes(names) | Self::Situations(names)) = self;
        names
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Verdict;

    use super::*;

    /// Every seventh family draws what reaches something, and every other member of it does.
    fn draws(seed: u64) -> Vec<SmolStr> {
        vec![format!("kind {}", family(seed) % 7).into()]
    }

    fn guide(runs: u64) -> Guide<'static> {
        Guide::new(0..runs, runs, draws)
    }

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
            largest: BTreeMap::new(),
            simulated_ns: 1,
            trace_hash: String::new(),
        }
    }

    /// The order of a search that hands out so many at once, and knows the last first.
    fn order(most: usize) -> Vec<u64> {
        let mut guide = guide(1_000);
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
        assert!(new.count() >= 750);
    }

    #[test]
    fn relatives_of_those_that_reached_what_is_rare_come_more_often() {
        let relatives: Vec<u64> = order(32).into_iter().filter(|seed| *seed >= FAMILIES).collect();
        let of_rare = relatives.iter().filter(|seed| family(**seed) % 7 == 3).count();
        assert!(of_rare * 10 > relatives.len() * 9, "{of_rare} of {}", relatives.len());
    }

    #[test]
    fn seeds_that_draw_what_reached_something_rare_come_first() {
        let new: Vec<u64> = order(32).into_iter().filter(|seed| *seed < FAMILIES).collect();
        let (first, then) = (FIRST as usize, (ROUND as usize / 2) * 2);
        let in_next_rounds = &new[first..first + then * 3 / 2];
        let hopeful = in_next_rounds.iter().filter(|seed| *seed % 7 == 3).count();
        assert!(hopeful >= then, "{hopeful} of {}", in_next_rounds.len());
    }

    #[test]
    fn what_is_larger_is_worth_more() {
        let largest = |seed: u64| BTreeMap::from([("staleness".into(), 1 << (seed % 10))]);
        let draws = |seed: u64| vec![SmolStr::from((seed % 10).to_string())];
        let mut guide = Guide::new(0..2_000, 2_000, draws);
        for _ in 0..FIRST / ROUND {
            let seeds = guide.next(ROUND as usize);
            for seed in seeds {
                assert!(guide.learn(&Record { largest: largest(family(seed)), ..record(seed) }));
            }
        }
        let promises = (0..10).map(|seed| guide.worth.promise(&draws(seed))).collect::<Vec<_>>();
        assert!(promises[0] < 0.0 && promises[9] > 0.0, "{promises:?}");
        assert!(promises[6..].is_sorted(), "{promises:?}");
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
            let mut guide = guide(1_000);
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
        let mut guide = guide(20_000);
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
