//! What contradicts itself in a priority queue.

use super::containers::Stay;
use super::{Story, Told};

impl<'a> Story<'a> {
    pub(super) fn priority_queue(&self) -> Option<Told<'a>> {
        self.container().or_else(|| self.smaller_inside())
    }

    /// What came out was not the smallest.
    fn smaller_inside(&self) -> Option<Told<'a>> {
        let stays = self.stays();
        stays.iter().find_map(|stay| {
            let smaller = |other: &&Stay<'a>| other.value < stay.value;
            let smaller: Vec<Stay<'a>> = stays.iter().filter(smaller).copied().collect();
            self.inside_throughout(stay.removal?, &smaller, "something smaller")
        })
    }
}
