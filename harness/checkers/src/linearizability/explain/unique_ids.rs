//! What contradicts itself in a source of identifiers.

use super::{Story, Told, told};
use crate::words::done_at;

impl<'a> Story<'a> {
    pub(super) fn unique_ids(&self) -> Option<Told<'a>> {
        let (a, b) = self.pairs().find(|(a, b)| a.is_ok() && b.is_ok() && a.result == b.result)?;
        let text = format!(
            "process {} was given {} at {}, and process {} was given it too, at {}",
            a.process,
            a.result,
            done_at(self.full(a)),
            b.process,
            done_at(self.full(b)),
        );
        told(text, [a, b])
    }
}
