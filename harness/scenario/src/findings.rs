//! What reading a file brings to light: mistakes, and defaults that were filled in.

use std::cell::RefCell;

use crate::mistake::Mistake;

/// What reading a file has brought to light so far.
#[derive(Default)]
pub(crate) struct Findings {
    mistakes: RefCell<Vec<Mistake>>,
    defaults: RefCell<Vec<(String, String)>>,
}

impl Findings {
    /// Puts down a mistake.
    pub fn report(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Puts down which default was filled in for the key at `path`.
    pub fn fill_in(&self, path: String, text: String) {
        self.defaults.borrow_mut().push((path, text));
    }

    /// How many mistakes there are so far.
    pub fn count(&self) -> usize {
        self.mistakes.borrow().len()
    }

    /// The mistakes and the defaults, in the order in which they were found.
    pub fn into_parts(self) -> (Vec<Mistake>, Vec<(String, String)>) {
        (self.mistakes.into_inner(), self.defaults.into_inner())
    }
}
