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
        let possible = self.small.iter().filter(|one| {
            one.function == other && one.outcome != Outcome::Fail && one.invoke.index < end.index
        });
        let held = *self.initial == true.into();
        let (done, possible) = (certain().count(), possible.count());
        if done <= possible + usize::from(held == (kind == "release")) {
            return None;
        }
        let text = format!(
            "from {} on, when the mutex{} was {}, {} had completed by {}, but only {} had been \
             invoked, so {so}",
            seconds(self.small[0].invoke.ns),
            of(last),
            if held { "held" } else { "free" },
            count(done, kind),
            seconds(end.ns),
            count(possible, other),
        );
        told(text, certain())
    }
}
