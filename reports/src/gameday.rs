//! Pages around a game day: before it, of it, and after it.

pub(crate) mod brief;
mod overview;
pub(crate) mod postmortem;
pub(crate) mod report;

use wrack_history::gameday::Standing;

use crate::html::frame::Group;
use crate::html::mark::Mark;
use crate::html::panel::Panel;

/// Panels that belong to no run.
fn apart(panels: Vec<Panel>) -> Group {
    Group { end_ns: 0, anomaly_ns: None, columns: String::new(), panels }
}

/// How something stands, as a mark.
fn mark(standing: Standing) -> Mark {
    match standing {
        Standing::AsExpected => Mark::good("as expected"),
        Standing::NotAsExpected => Mark::bad("not as expected"),
        Standing::Unknown => Mark::doubt("unknown"),
        Standing::Open => Mark { kind: "none", word: "open" },
    }
}
