//! The links of a run: what is kept of each ordered pair of nodes.

use rustc_hash::FxHashMap;

use crate::node::NodeId;

/// Link noise is numbered within buckets of a millisecond.
const BUCKET_NS: u64 = 1_000_000;
/// Up to so many nodes every link has its place in a table; that is half a megabyte.
const TABLE_NODES_MAX: usize = 128;
/// So many links of a large cluster are kept before those that are at rest are forgotten.
const RECENT_MIN: usize = 1_024;

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
    Recent { links: FxHashMap<(u16, u16), Link>, forget_at: usize },
}

impl Links {
    pub fn new(nodes: usize) -> Self {
        if nodes <= TABLE_NODES_MAX {
            return Self::Table { nodes, links: vec![Link::default(); nodes * nodes] };
        }
        Self::Recent { links: FxHashMap::default(), forget_at: RECENT_MIN }
    }

    /// The link from one node to another, at true time `now`.
    #[inline]
    pub fn get(&mut self, from: NodeId, to: NodeId, now: u64) -> &mut Link {
        match self {
            Self::Table { nodes, links } => &mut links[from.index() * *nodes + to.index()],
            Self::Recent { links, forget_at } => {
                if links.len() >= *forget_at {
                    links.retain(|_, link| !link.is_at_rest(now));
                    *forget_at = RECENT_MIN.max(2 * links.len());
                }
                links.entry((from.0, to.0)).or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Links, RECENT_MIN, TABLE_NODES_MAX};
    use crate::chance::{finish, scale};
    use crate::node::NodeId;

    #[test]
    fn forgetting_links_at_rest_changes_nothing() {
        let mut table = Links::new(TABLE_NODES_MAX);
        let mut recent = Links::new(TABLE_NODES_MAX + 1);
        let mut now = 0;
        for step in 0..20 * RECENT_MIN as u64 {
            let word = finish(step);
            now += scale(word, 5_000);
            let id = |shift| NodeId(((word >> shift) % TABLE_NODES_MAX as u64) as u16);
            let route = |links: &mut Links| {
                let link = links.get(id(0), id(8), now);
                (link.number(now), link.in_order(now + scale(finish(word), 9_000_000)))
            };
            assert_eq!(route(&mut table), route(&mut recent));
        }
        let Links::Recent { links, .. } = &recent else { unreachable!("it is a large cluster") };
        assert!(links.len() < 8 * RECENT_MIN);
    }
}
