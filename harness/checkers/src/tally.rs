//! What is broken where, and how large it was: counts for people, distributions for plots.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;
use rustc_hash::FxHashMap;
use wrack_history::{Distribution, Judgement, Operation, Share, SmolStr};

use crate::words::list;

/// Counts the keys, sessions and regions that were looked at and those that are broken.
#[derive(Default)]
pub(crate) struct Tally<'a> {
    keys: FxHashMap<&'a SmolStr, bool>,
    sessions: FxHashMap<u32, bool>,
    regions: FxHashMap<&'a SmolStr, bool>,
}

impl<'a> Tally<'a> {
    /// An operation was judged.
    pub fn look(&mut self, operation: &'a Operation, broken: bool) {
        *self.keys.entry(&operation.key).or_default() |= broken;
        *self.sessions.entry(operation.session).or_default() |= broken;
        if let Some(region) = region(operation) {
            *self.regions.entry(region).or_default() |= broken;
        }
    }

    /// Tells the judgement, whose observed value ends with what is broken.
    pub fn tell(self, judgement: &mut Judgement) {
        let Self { keys, sessions, regions } = self;
        let keys = keys.into_iter().filter(|(key, _)| !key.is_empty());
        let keys: BTreeMap<SmolStr, bool> = keys.map(|(key, b)| (key.clone(), b)).collect();
        let regions = regions.into_iter().map(|(region, b)| (region.clone(), b)).collect();
        let sessions: BTreeMap<u32, bool> = sessions.into_iter().collect();
        let all = [share("keys", keys), share("sessions", sessions), share("regions", regions)];
        judgement.shares = all.into_iter().filter(|share| share.total > 0).collect();
        let broken: Vec<String> = judgement.shares.iter().filter_map(words).collect();
        if let (Some(observed), [_, ..]) = (&mut judgement.observed, broken.as_slice()) {
            *observed += &format!("; broken: {}", list(&broken));
        }
    }
}

fn share<T: ToString>(of: &'static str, all: BTreeMap<T, bool>) -> Share {
    let broken: Vec<&T> = all.iter().filter(|(_, broken)| **broken).map(|(name, _)| name).collect();
    Share {
        of: SmolStr::new_static(of),
        total: all.len() as u64,
        broken: broken.len() as u64,
        named: broken.iter().take(Share::NAMED_MAX).map(|name| name.to_string().into()).collect(),
    }
}

/// `2 of 10 sessions (4 and 7)`.
fn words(share: &Share) -> Option<String> {
    let Share { of, total, broken, named } = share;
    let more = *broken as usize - named.len();
    let mut named: Vec<String> = named.iter().map(ToString::to_string).collect();
    named.extend((0..more).map(|_| "…".to_owned()).take(1));
    (*broken > 0).then(|| format!("{broken} of {total} {of} ({})", list(&named)))
}

/// The region of the client, if it is known.
pub(crate) fn region(operation: &Operation) -> Option<&SmolStr> {
    operation.details.as_ref()?.region.as_ref()
}

/// How large something was each time, of all clients and of each region.
pub(crate) struct Sizes<'a> {
    name: &'static str,
    unit: &'static str,
    all: Recorder,
    regions: BTreeMap<&'a SmolStr, Recorder>,
}

impl<'a> Sizes<'a> {
    pub fn new(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, all: Recorder::new(), regions: BTreeMap::new() }
    }

    /// It was so large, for no client in particular.
    pub fn record_alone(&mut self, size: u64) {
        self.all.record(size);
    }

    /// It was so large for the client of this operation.
    pub fn record(&mut self, operation: &'a Operation, size: u64) {
        self.all.record(size);
        if let Some(region) = region(operation) {
            self.regions.entry(region).or_insert_with(Recorder::new).record(size);
        }
    }

    /// The largest so far; 0 if there is none.
    pub fn max(&self) -> u64 {
        self.all.max
    }

    /// Tells the judgement, unless there was nothing.
    pub fn tell(self, judgement: &mut Judgement) {
        let Self { name, unit, all, regions } = self;
        let regions = regions.into_iter().map(|(region, sizes)| (Some(region.clone()), sizes));
        for (region, sizes) in [(None, all)].into_iter().chain(regions) {
            if !sizes.histogram.is_empty() {
                let bins = sizes.histogram.iter_recorded();
                judgement.distributions.push(Distribution {
                    name: SmolStr::new_static(name),
                    unit: SmolStr::new_static(unit),
                    region,
                    max: sizes.max,
                    bins: bins.map(|bin| (bin.value_iterated_to(), bin.count_at_value())).collect(),
                });
            }
        }
    }
}

struct Recorder {
    histogram: Histogram<u64>,
    max: u64,
}

impl Recorder {
    fn new() -> Self {
        Self { histogram: Histogram::new(2).expect("two digits are allowed"), max: 0 }
    }

    fn record(&mut self, size: u64) {
        self.histogram.record(size).expect("the histogram grows");
        self.max = self.max.max(size);
    }
}

/// The first few of something, by id: what an anomaly names of very many operations.
pub(crate) fn some_ids<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Vec<u64> {
    const NAMED_MAX: usize = 20;
    let ids: BTreeSet<u64> = operations.into_iter().map(|operation| operation.id).collect();
    ids.into_iter().take(NAMED_MAX).collect()
}

#[cfg(test)]
mod tests {
    use wrack_history::{Judgement, SmolStr};

    use super::{Sizes, Tally};
    use crate::story::history;

    #[test]
    fn what_is_broken_is_counted_and_named_by_key_session_and_region() {
        let mut history = history("p1@1 read a - 1..2\n p2@2 read b - 3..4\n p3@2 read b - 5..6");
        history.operations[2].details_mut().region = Some("eu".into());
        let mut tally = Tally::default();
        let mut sizes = Sizes::new("staleness", "ns");
        for (operation, size) in history.operations.iter().zip([0, 7, 1_000_003]) {
            tally.look(operation, size > 0);
            sizes.record(operation, size);
        }
        let mut judgement = Judgement { observed: Some("much".into()), ..Judgement::new("STALE") };
        tally.tell(&mut judgement);
        sizes.tell(&mut judgement);
        let words = "much; broken: 1 of 2 keys (b), 1 of 2 sessions (2) and 1 of 1 regions (eu)";
        assert_eq!(judgement.observed.as_deref(), Some(words));
        let all = judgement.distribution("staleness").unwrap();
        assert_eq!((all.max, all.count()), (1_000_003, 3));
        assert_eq!(all.bins[..2], [(0, 1), (7, 1)]);
        assert_eq!(judgement.distributions[1].region, Some(SmolStr::from("eu")));
        assert_eq!(judgement.distributions[1].count(), 1);
    }
}
