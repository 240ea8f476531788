//! What contradicts itself in a mutex.

use wrack_history::Outcome;
use wrack_history::duration::seconds;

use super::{Story, Told, told};
use crate::words::{count, of};

impl<'a> Story<'a> {
    pub(super) fn mutex(&self) -> Option<Told<'a>> {
        self.too_many("acquire", "release", "it was held twice at once")
            .or_else(|| self.too_many("release", "acquire", "one of them released what was free"))
            .or_else(|| Some(self.certain_only("operation")))
    }

    /// More of one kind had completed than the other kind can have made possible.
    fn too_many(&self, kind: &str, other: &str, so: &str) -> Option<Told<'a>> {
        let certain = || self.small.iter().filter(|one| one.is_ok() && one.function == kind);
        let last = certain().max_by_key(|operation| operation.complete)?;
        let end = self.full(last).complete;
        let others = self.whole.iter().filter(|one| {
            one.function == other && one.outcome != Outcome::Fail && one.invoke.index < end.index
        });
        let held = *self.initial == true.into();
        let first = usize::from(held == (kind == "release"));
        let (done, possible) = (certain().count(), others.count() + first);
        if done <= possible {
            return None;
        }
        let text = format!(
            "{}{} had completed at {}, but only {} had been invoked by then, so {so}",
            count(done, kind),
            of(last),
            seconds(end.ns),
            count(possible - first, other),
        );
        told(text, certain())
    }
}
