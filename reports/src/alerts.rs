//! Alerts that would have called somebody.

use wrack_history::Run;

use crate::text;

/// An alert that would have fired.
pub(crate) struct Fired {
    /// What it does: `pages` or `files a ticket`.
    pub(crate) verb: &'static str,
    /// The long and the short window: `1h/5m`.
    pub(crate) windows: String,
    /// When it fires.
    pub(crate) at_ns: u64,
    /// When it would not fire any more, if the run is long enough to tell.
    pub(crate) over_ns: Option<u64>,
}

/// Those of the budget that is drawn, else those that the scenario asks for.
pub(crate) fn fired(run: &Run) -> Vec<Fired> {
    let fired = |severity: &str, windows: &str, at_ns: Option<u64>, after_ns: Option<u64>| {
        let at_ns = at_ns?;
        Some(Fired {
            verb: if severity == "page" { "pages" } else { "files a ticket" },
            windows: text::label(windows),
            at_ns,
            over_ns: after_ns.map(|after| at_ns.saturating_add(after)),
        })
    };
    match &run.picture.budget {
        Some(budget) => budget
            .burns
            .iter()
            .filter_map(|b| fired(&b.severity, &b.windows, b.fired_ns, b.recovered_after_ns))
            .collect(),
        None => run
            .alerts
            .iter()
            .filter_map(|a| fired(&a.severity, &a.windows, a.fired_ns, a.recovered_after_ns))
            .collect(),
    }
}
