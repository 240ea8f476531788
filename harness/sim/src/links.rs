//! The links of a run: what is kept of each ordered pair of nodes.

use crate::node::NodeId;

/// Link noise is numbered within buckets of a millisecond.
const BUCKET_NS: u64 = 1_000_000;
/// Up to so many nodes every link has its place in a table; that is half a megabyte.
const TABLE_NODES_MAX: usize = 128;
/// A link of a large cluster has the choice of so many places.
const PLACES_PER_SET: usize = 4;
/// A large cluster begins with as many sets of places as two to the power of this.
const SETS_LOG2_MIN: u32 = 10;

/// What is kept of a link.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Link {
    last_delivery: u64,
    bucket: u32,
    index: u32,
}

impl Link {
    /// A delivery never before the pair's previous one.
    #[inline]
    pub fn in_order(&mut self, at: u64) -> u64 {
        self.last_delivery = at.max(self.last_delivery + 1);
        self.last_delivery
    }

    /// The 1 ms bucket of a message that is sent now, and its number in it.
    #[inline]
    pub fn number(&mut self, now: u64) -> (u64, u32) {
        let bucket = now / BUCKET_NS;
        if self.bucket != bucket as u32 {
            self.bucket = bucket as u32;
            self.index = 0;
        }
        self.index += 1;
        (bucket, self.index - 1)
    }

    /// Whether it is as good as new: nothing is under way, nothing was sent in this bucket.
    fn is_at_rest(&self, now: u64) -> bool {
        self.last_delivery < now && self.bucket != (now / BUCKET_NS) as u32
    }
}

/// All links. Those of a large cluster would not fit into the cache (a thousand nodes have a
/// million), so only the busy ones are kept.
pub(crate) enum Links {
    Table { nodes: usize, links: Vec<Link> },
    Busy(Busy),
}

impl Links {
    pub fn new(nodes: usize) -> Self {
        if nodes <= TABLE_NODES_MAX {
            return Self::Table { nodes, links: vec![Link::default(); nodes * nodes] };
        }
        Self::Busy(Busy::new(SETS_LOG2_MIN))
    }

    /// The link from one node to another, at true time `now`.
    #[inline(always)]
    pub fn get(&mut self, from: NodeId, to: NodeId, now: u64) -> &mut Link {
        match self {
            Self::Table { nodes, links } => &mut links[from.index() * *nodes + to.index()],
            Self::Busy(busy) => busy.get(u32::from(from.0) << 16 | u32::from(to.0), now),
        }
    }
}

/// The links that are not at rest, as a cache: a link takes over a place of its set from one that
/// is at rest, and if there is none the cache doubles.
pub(crate) struct Busy {
    sets_log2: u32,
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    pair: u32,
    link: Link,
}

/// No pair: a cluster has at most 65,534 members.
const NOBODY: u32 = u32::MAX;

impl Busy {
    fn new(sets_log2: u32) -> Self {
        let free = Place { pair: NOBODY, link: Link::default() };
        Self { sets_log2, places: vec![free; PLACES_PER_SET << sets_log2] }
    }

    #[inline(never)]
    fn get(&mut self, pair: u32, now: u64) -> &mut Link {
        let place = loop {
            match self.place(pair, now) {
                Some(place) => break place,
                None => self.double(now),
            }
        };
        let place = &mut self.places[place];
        if place.pair != pair {
            *place = Place { pair, link: Link::default() };
        }
        &mut place.link
    }

    /// Where the link stands, or may stand.
    #[inline]
    fn place(&self, pair: u32, now: u64) -> Option<usize> {
        // Fibonacci hashing (Knuth, volume 3, 6.4): the upper bits are the spread ones.
        let set = pair.wrapping_mul(0x9e37_79b1) >> (u32::BITS - self.sets_log2);
        let begin = set as usize * PLACES_PER_SET;
        let set = &self.places[begin..begin + PLACES_PER_SET];
        let own = set.iter().position(|place| place.pair == pair);
        let free = |place: &Place| place.pair == NOBODY || place.link.is_at_rest(now);
        own.or_else(|| set.iter().position(free)).map(|place| begin + place)
    }

    /// Splits every set in two.
    #[cold]
    fn double(&mut self, now: u64) {
        let larger = Self::new(self.sets_log2 + 1);
        for Place { pair, link } in std::mem::replace(self, larger).places {
            if pair != NOBODY && !link.is_at_rest(now) {
                *self.get(pair, now) = link;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Links, PLACES_PER_SET, SETS_LOG2_MIN, TABLE_NODES_MAX};
    use crate::chance::{finish, scale};
    use crate::node::NodeId;

    #[test]
    fn forgetting_links_at_rest_changes_nothing() {
        let mut table = Links::new(TABLE_NODES_MAX);
        let mut busy = Links::new(TABLE_NODES_MAX + 1);
        let mut now = 0;
        for step in 0..100_000 {
            let word = finish(step);
            now += scale(word, 5_000);
            let id = |shift| NodeId(((word >> shift) % TABLE_NODES_MAX as u64) as u16);
            let route = |links: &mut Links| {
                let link = links.get(id(0), id(8), now);
                (link.number(now), link.in_order(now + scale(finish(word), 9_000_000)))
            };
            assert_eq!(route(&mut table), route(&mut busy));
        }
        // Some 2,000 messages are under way at once.
        let Links::Busy(busy) = busy else { unreachable!("it is a large cluster") };
        assert!(busy.sets_log2 > SETS_LOG2_MIN, "it has doubled");
        assert!(busy.places.len() <= PLACES_PER_SET << (SETS_LOG2_MIN + 4));
    }
}
