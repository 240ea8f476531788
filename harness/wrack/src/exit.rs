//! Exit codes, and how everything that can end a process is mapped to them.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// How a process ends. The order is that of `precedence`: of several, the first that occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was as expected.
    AsExpected = 0,
    /// An anomaly, a broken objective, or a must-fail variant that passed.
    NotAsExpected = 1,
    /// Unknown, vacuous, or not enough data.
    Unknown = 2,
    /// A regression against a baseline.
    Regression = 3,
    /// The command line is wrong.
    Usage = 64,
    /// A scenario or history is wrong.
    BadInput = 65,
    /// A bug in Wrack.
    Bug = 70,
    /// A file cannot be read or written.
    File = 74,
    /// Somebody wanted it to end.
    Interrupted = 130,
}

/// The table that `wrack explain exit-codes` prints.
pub const TABLE: &[(u8, &str)] = &[
    (0, "as expected"),
    (1, "not as expected: an anomaly, a broken objective, a must-fail variant that passed"),
    (2, "unknown: vacuous, or not enough data"),
    (3, "a regression against a baseline"),
    (64, "usage: the command line is wrong"),
    (65, "a bad scenario or history"),
    (70, "a bug in Wrack"),
    (74, "a file cannot be read or written"),
    (75, "transient: may be tried again"),
    (130, "interrupted"),
];

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Failure {
    /// A mistake on the command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// A bad scenario or result.
    pub fn input(message: impl Into<String>) -> Self {
        Self { exit: Exit::BadInput, message: message.into() }
    }

    /// A file that cannot be read or written.
    pub fn file(path: impl std::fmt::Display, error: impl std::fmt::Display) -> Self {
        Self { exit: Exit::File, message: format!("{path}: {error}") }
    }
}

/// What the last panic said, and where.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Runs a command and maps whatever happens to an exit code.
///
/// A panic inside a design is an anomaly, which the engine catches: nothing is printed for it. Any
/// other panic is a bug of Wrack, and says so.
pub fn guarded(command: impl FnOnce() -> Result<Exit, Failure>) -> ExitCode {
    panic::set_hook(Box::new(|info| {
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string();
    }));
    let exit = match panic::catch_unwind(AssertUnwindSafe(command)) {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            anstream::eprintln!("error: {}", failure.message);
            failure.exit
        }
        Err(_) => {
            let panic = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner);
            anstream::eprintln!("error: this is a bug in Wrack: {panic}");
            Exit::Bug
        }
    };
    ExitCode::from(exit as u8)
}
