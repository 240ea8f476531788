//! What contradicts itself in a stack.

use wrack_history::duration::seconds;

use super::containers::{Stay, cover};
use super::{Story, Told, told};
use crate::words::{done_at, list};

impl<'a> Story<'a> {
    pub(super) fn stack(&self) -> Option<Told<'a>> {
        self.container().or_else(|| self.under_another()).or_else(|| self.no_bottom())
    }

    /// What came out lay under something else.
    fn under_another(&self) -> Option<Told<'a>> {
        let stays = self.stays();
        let pairs = stays.iter().flat_map(|below| stays.iter().map(move |above| (below, above)));
        let (below, above) = { pairs }.find(|(below, above)| is_crossing(below, above))?;
        let (pushed, popped) = (above.insertion?, below.removal?);
        let under = match below.insertion {
            Some(insertion) => format!("after {}", self.noun(insertion)),
            None => format!("and {} was inside at first", below.value),
        };
        let later = match above.removal {
            Some(removal) => format!(
                "{} was invoked only at {}, after that",
                self.noun(removal),
                seconds(self.full(removal).invoke.ns),
            ),
            None if self.small.iter().any(|one| one.is_info() && one.argument.is_nil()) => {
                return None;
            }
            None => format!("nobody had taken {} out", above.value),
        };
        let text = format!(
            "{}, but {} had completed at {}, {under} and before that began, and {later}: {} lay on \
             top",
            self.sentence(popped),
            self.noun(pushed),
            done_at(self.full(pushed)),
            above.value,
        );
        told(text, below.operations().chain(above.operations()))
    }

    /// Values that were inside one after the other without a gap, and none of which can have lain
    /// below the others.
    fn no_bottom(&self) -> Option<Told<'a>> {
        let stays = self.stays();
        let first = stays.iter().map(|stay| stay.presence().0).min()?;
        let last = stays.iter().map(|stay| stay.presence().1).max()?;
        cover(&stays, (first, last))?;
        let is_bottom = |stay: &Stay<'_>| {
            stay.insertion.is_none_or(|insertion| insertion.invoke.index < first)
                && stay.removal.is_none_or(|removal| last < removal.effect_by().index)
        };
        if stays.iter().any(is_bottom) || stays.iter().any(|stay| stay.removal.is_none()) {
            return None;
        }
        let spans: Vec<String> = stays.iter().map(|stay| self.presence(stay)).collect();
        let text = format!(
            "something was inside all the time: {}; but none of these was pushed before and popped \
             after all others, so none of them can have lain at the bottom",
            list(&spans),
        );
        told(text, stays.iter().flat_map(Stay::operations))
    }
}

/// Whether the one certainly went in before the other, and came out while that was inside.
fn is_crossing(below: &Stay<'_>, above: &Stay<'_>) -> bool {
    let (Some(pushed), Some(popped)) = (above.insertion, below.removal) else {
        return false;
    };
    below.insertion.is_none_or(|insertion| insertion.precedes(pushed))
        && pushed.precedes(popped)
        && above.removal.is_none_or(|removal| popped.precedes(removal))
        && below.value != above.value
}
