//! What was forgotten lately, so that an anomaly can still say by whom it was overwritten.
//!
//! Nothing is decided by it.

use std::collections::VecDeque;

use wrack_history::{SmolStr, Value};

use super::Note;

/// So many are kept.
const GRAVES_MAX: usize = 1_024;

/// A value that can no longer be read.
pub(super) struct Grave {
    pub key: SmolStr,
    pub value: Value,
    /// Who was over with it first; nobody with the initial value.
    pub first_by: Option<Note>,
    /// The value that is known to have come after it, and who was there with that first and last.
    pub after: (Value, Note, Note),
}

/// The last that were forgotten.
#[derive(Default)]
pub(super) struct Graves(VecDeque<Grave>);

impl Graves {
    pub fn bury(&mut self, grave: Grave) {
        if self.0.len() == GRAVES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(grave);
    }

    /// The last one of this value, if it was forgotten lately.
    pub fn find(&self, key: &SmolStr, value: &Value) -> Option<&Grave> {
        self.0.iter().rev().find(|grave| grave.key == *key && grave.value == *value)
    }
}
