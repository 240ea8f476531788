//! Parallel work, collected in input order: results never depend on who finished first.

use rayon::prelude::*;

/// Maps every item, on all cores, and gives the results in the order of the items.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    items.par_iter().map(work).collect()
}
