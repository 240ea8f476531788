//! Keys are judged one by one, in parallel where that pays, and collected in their order.
//!
//! Each key has a budget of its own, so what is found out about it depends neither on the other keys
//! nor on the number of threads.

use rayon::prelude::*;

/// Fewer operations are judged on the thread that asks: most runs of Wrack's own are short, and many
/// of them are judged at once.
const PARALLEL_MIN: usize = 20_000;

/// Works on every item, and gives the results in the order of the items, which have so many
/// operations together.
pub(super) fn map<T: Sync, R: Send>(
    items: &[T],
    operations: usize,
    work: impl Fn(&T) -> R + Sync + Send,
) -> Vec<R> {
    match items.len() > 1 && operations >= PARALLEL_MIN {
        true => items.par_iter().map(work).collect(),
        false => items.iter().map(work).collect(),
    }
}
