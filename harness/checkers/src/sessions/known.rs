//! Obligations where the order of versions is known: the newest version counts.

use super::timeline::{Order, Timeline};
use crate::versions::Version;

/// The authority's order.
pub(super) struct Known<'t, 'a> {
    timeline: &'t Timeline<'a>,
    /// Of each access that is older than it may be, the newest version that it should have.
    pub broken: Vec<Option<Newest>>,
}

/// The newest version that is known of, and whence.
#[derive(Clone, Copy)]
pub(super) struct Newest {
    version: Version,
    /// The access that taught it.
    pub teacher: u32,
    /// The read of a write that followed it, if it was learned that way.
    pub read: Option<u32>,
}

impl<'t, 'a> Known<'t, 'a> {
    pub fn new(timeline: &'t Timeline<'a>) -> Self {
        Self { timeline, broken: vec![None; timeline.accesses.len()] }
    }
}

impl Order for Known<'_, '_> {
    type Floor = Newest;

    fn raise(&mut self, floor: Option<Newest>, access: u32) -> Newest {
        let version = self.timeline.accesses[access as usize].learned;
        let other = Newest { version, teacher: access, read: None };
        floor.filter(|floor| floor.version >= version).unwrap_or(other)
    }

    fn join(&mut self, floor: Option<Newest>, other: Newest, read: u32) -> Newest {
        let other = Newest { read: Some(read), ..other };
        floor.filter(|floor| floor.version >= other.version).unwrap_or(other)
    }

    fn oblige(&mut self, floor: Newest, access: u32) {
        if self.timeline.accesses[access as usize].owing < floor.version {
            self.broken[access as usize].get_or_insert(floor);
        }
    }
}
