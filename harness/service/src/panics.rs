//! Panics in tasks that nobody joins: tokio swallows them, and here they are anomalies.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

use crate::clock;

/// The host, and what its task said.
pub(crate) type Panicked = (Option<usize>, String);

thread_local! {
    static SEEN: RefCell<Option<Vec<Panicked>>> = const { RefCell::new(None) };
}

/// From now on panics on this thread are kept, and not printed.
pub(crate) fn keep() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let kept = SEEN.with(|seen| match &mut *seen.borrow_mut() {
                Some(seen) => {
                    seen.push((clock::current(), info.to_string().replace('\n', " ")));
                    true
                }
                None => false,
            });
            if !kept {
                before(info);
            }
        }));
    });
    SEEN.with(|seen| *seen.borrow_mut() = Some(Vec::new()));
}

/// Those that were kept since this was asked.
pub(crate) fn take() -> Vec<Panicked> {
    SEEN.with(|seen| seen.borrow_mut().as_mut().map(std::mem::take).unwrap_or_default())
}
