//! Which changes an operation of a register can have seen, by their intervals alone.
//!
//! In a legal order, what a read, a cas or a refused cas `r` finds was left by the last change before
//! it. Let `c` be a required change that completed before `r` was invoked. Then no change that had
//! completed before `c` was invoked is that last one, because `c` stands between. So of all those `c`
//! take the one that was invoked last: `r` finds nothing of what had completed before that invocation.
//!
//! # What this allows
//! *Sources.* If no change that leaves what `r` found can be seen by it, and the initial value
//! cannot either, there is no legal order.
//!
//! *Parts.* Take changes away, and with each change whatever can have seen it: a read or a refused
//! cas goes, a cas becomes the write of its new value. If there is a legal order of the whole, what is
//! left of it is a legal order of the part: whatever stays finds what the last change before it left,
//! and that change stays too, for it was seen. So if the part has no legal order, nor has the
//! whole. The same holds of a part of the part: the last change before an operation is always the one
//! it was in the order of the whole, so what can be seen is asked of the whole once and for all.

/// The interval of an operation that may have taken effect; ends are indices of events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Its invocation.
    pub invoke: u64,
    /// The event by which it took effect; `u64::MAX` unless it is required.
    pub complete: u64,
    /// Whether it leaves a value.
    pub changes: bool,
}

/// Where what an operation can have seen begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since {
    /// A change that completed before this event cannot have been seen; 0 if every one can, and the
    /// initial value, too.
    pub index: u64,
    /// The position of the change that hides them.
    pub by: usize,
}

impl Since {
    /// Nothing is hidden.
    pub const EVER: Self = Self { index: 0, by: usize::MAX };

    /// Whether the initial value can have been seen.
    pub fn sees_initial(self) -> bool {
        self.index == 0
    }

    /// Whether a change that was invoked before the operation completed can have been seen.
    pub fn sees(self, complete: u64) -> bool {
        complete >= self.index
    }
}

/// For each of these operations, in order of invocation, since when it can have seen changes.
pub(super) fn since(spans: &[Span]) -> Vec<Since> {
    let changes = spans.iter().enumerate().filter(|(_, span)| span.changes);
    let mut ends: Vec<(u64, usize)> = changes
        .filter(|(_, span)| span.complete < u64::MAX)
        .map(|(by, s)| (s.complete, by))
        .collect();
    ends.sort_unstable();
    let mut ends = ends.into_iter().peekable();
    let mut latest = Since::EVER;
    let mut all = Vec::with_capacity(spans.len());
    for span in spans {
        while let Some((_, by)) = ends.next_if(|(complete, _)| *complete < span.invoke) {
            let index = spans[by].invoke + 1;
            if index > latest.index {
                latest = Since { index, by };
            }
        }
        all.push(latest);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{Since, Span, since};

    #[test]
    fn the_change_that_was_invoked_last_hides_what_had_completed_before_it() {
        let change = |invoke, complete| Span { invoke, complete, changes: true };
        let read = |invoke, complete| Span { invoke, complete, changes: false };
        let spans =
            [change(0, 2), change(1, 9), change(3, 6), read(4, 5), read(7, u64::MAX), read(10, 11)];
        let all = since(&spans);
        assert_eq!(all[2], Since { index: 1, by: 0 });
        assert_eq!(all[3], Since { index: 1, by: 0 });
        assert_eq!(all[4], Since { index: 4, by: 2 });
        assert_eq!(all[5], Since { index: 4, by: 2 });
        assert!(!all[4].sees(2) && all[4].sees(9) && !all[4].sees_initial());
        assert!(all[0].sees_initial() && all[0].sees(0));
    }
}
