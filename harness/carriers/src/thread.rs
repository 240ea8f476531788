//! One fresh thread per run.

use std::panic::resume_unwind;

/// Does the work on a thread of its own, and waits for it.
///
/// The carriers keep state in thread-locals (tokio's random seed, madsim's hash keys, whichever
/// world is current); on a fresh thread no run can see what an earlier one left behind. Nothing
/// runs beside it, so no order depends on this.
pub(crate) fn alone<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(result) => result,
        Err(panic) => resume_unwind(panic),
    })
}
