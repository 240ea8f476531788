//! What apps and the database say to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wrack_sim::{Request, Wire};

use crate::authority::{Change, Row};

/// Every message of the design.
pub type Message = Wire<Peer>;

/// A message between an app and the database. Times are on the app's monotonic clock: they come back
/// as they went out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// App to database: commit this.
    Commit(Arc<Request>),
    /// It is durable, as this version.
    Committed(Arc<Request>, u64),
    /// App to database: it was asked this, and does not know.
    Fetch {
        /// The read.
        request: Arc<Request>,
        /// When the app asked.
        asked_ns: u64,
    },
    /// What the database holds under the key.
    Fetched {
        /// The read.
        request: Arc<Request>,
        /// When the app asked.
        asked_ns: u64,
        /// The row.
        row: Row,
        /// The newest version of any key that the database had committed.
        as_of: u64,
    },
    /// App to database: what was announced after this number?
    Watch {
        /// The last one without a gap; none after a boot, when nothing is cached.
        after: Option<u64>,
        /// When the app asked.
        asked_ns: u64,
    },
    /// The answer.
    News(News),
    /// Database to apps, once: announcement of this number.
    Invalidation(u64, Change),
}

/// All that was announced after a number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct News {
    /// The number.
    pub after: Option<u64>,
    /// When the app asked.
    pub asked_ns: u64,
    /// The number of the last announcement.
    pub upto: u64,
    /// The newest version of any key that the database had committed.
    pub as_of: u64,
    /// What was announced.
    pub changes: Vec<Change>,
}

impl Peer {
    /// The kind of message, for faults that single one out.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fetched { .. } => "row",
            Self::Invalidation(..) | Self::News(_) => "invalidation",
            _ => "",
        }
    }
}
