//! One fresh thread per run.

use std::panic::resume_unwind;

/// A run needs no more; checkers that judge on the same thread may recurse.
const STACK_BYTES: usize = 8 << 20;

/// Does the work on a thread of its own, and waits for it.
///
/// The carriers keep state in thread-locals (tokio's random seed, madsim's hash keys, whichever
/// world is current); on a fresh thread no run can see what an earlier one left behind. Nothing
/// runs beside it, so no order depends on this.
///
/// # Panics
/// If the work panics, or the system has no thread to give.
pub fn alone<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, work).expect("the system has a thread to give");
        match thread.join() {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        }
    })
}
