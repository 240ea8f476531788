//! A status by shape, word and colour, so that none of them is needed alone.

use askama::Template;
use wrack_history::Verdict;

/// A shape with a word beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Template)]
#[template(path = "mark.html")]
pub(crate) struct Mark {
    /// `good` is a circle, `bad` an octagon, `doubt` a triangle, `none` a ring.
    pub(crate) kind: &'static str,
    /// What it says.
    pub(crate) word: &'static str,
}

impl Mark {
    /// Something is as it should be.
    pub(crate) const fn good(word: &'static str) -> Self {
        Self { kind: "good", word }
    }

    /// Something is wrong.
    pub(crate) const fn bad(word: &'static str) -> Self {
        Self { kind: "bad", word }
    }

    /// Nobody can say.
    pub(crate) const fn doubt(word: &'static str) -> Self {
        Self { kind: "doubt", word }
    }

    /// The mark of a verdict.
    pub(crate) fn verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Valid => Self::good("valid"),
            Verdict::Unknown => Self::doubt("unknown"),
            Verdict::Invalid => Self::bad("invalid"),
        }
    }
}
