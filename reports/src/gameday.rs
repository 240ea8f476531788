//! Pages around a game day: before it, of it, and after it.

pub(crate) mod brief;
mod overview;
pub(crate) mod postmortem;
pub(crate) mod report;

use wrack_history::gameday::Standing;

use crate::html::mark::Mark;

/// How something stands, as a mark.
fn mark(standing: Standing) -> Mark {
    match standing {
        Standing::AsExpected => Mark::good("as expected"),
        Standing::NotAsExpected => Mark::bad("not as expected"),
        Standing::Unknown => Mark::doubt("unknown"),
        Standing::Open => Mark { kind: "none", word: "open" },
    }
}
