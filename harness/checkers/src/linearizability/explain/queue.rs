//! What contradicts itself in a queue.

use super::containers::Stay;
use super::{Story, Told, told};
use crate::words::done_at;

impl<'a> Story<'a> {
    pub(super) fn queue(&self) -> Option<Told<'a>> {
        self.container().or_else(|| self.out_of_turn())
    }

    /// What went in first came out last.
    fn out_of_turn(&self) -> Option<Told<'a>> {
        let stays = self.stays();
        let pairs = stays.iter().flat_map(|first| stays.iter().map(move |last| (first, last)));
        let (first, last) = { pairs }.find(|(first, last)| is_inversion(first, last))?;
        let (removal, inserted) = (last.removal?, last.insertion?);
        let went_in = match first.insertion {
            Some(insertion) => format!(
                "{} had completed at {}, before {} began",
                self.noun(insertion),
                done_at(self.full(insertion)),
                self.noun(inserted),
            ),
            None => format!("{} was inside at first", first.value),
        };
        let came_out = match first.removal {
            Some(later) => format!("before {} began", self.noun(later)),
            None if self.small.iter().any(|one| one.is_info() && one.argument.is_nil()) => {
                return None;
            }
            None => format!("and nobody ever took {} out", first.value),
        };
        let text = format!("{went_in}, but {}, {came_out}", self.sentence(removal));
        told(text, first.operations().chain(last.operations()))
    }
}

/// Whether the one certainly went in before the other, and came out after it.
fn is_inversion(first: &Stay<'_>, last: &Stay<'_>) -> bool {
    let (Some(inserted), Some(removal)) = (last.insertion, last.removal) else {
        return false;
    };
    first.insertion.is_none_or(|insertion| insertion.precedes(inserted))
        && first.removal.is_none_or(|later| removal.precedes(later))
        && first.value != last.value
}
