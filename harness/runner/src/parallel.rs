//! Parallel work, collected in input order: results never depend on who finished first.

use rayon::prelude::*;

/// Uses so many threads from now on, instead of one for each core.
///
/// Errors: work has begun already, or the threads cannot be made.
pub fn limit(threads: usize) -> Result<(), String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().map_err(|error| error.to_string())
}

/// How many threads there are.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Maps every item, on all cores, and gives the results in the order of the items.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    items.par_iter().map(work).collect()
}
