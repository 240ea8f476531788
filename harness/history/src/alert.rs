//! Alerts: whether what happened would have called somebody, how soon, and when it was over.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Whether a pair of windows would have fired during a run.
///
/// Source: Beyer and others, "The Site Reliability Workbook", 2018, chapter 5: multiwindow,
/// multi-burn-rate alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The long and the short window: `1h/5m`.
    pub windows: SmolStr,
    /// `page` or `ticket`.
    pub severity: SmolStr,
    /// The burn rate that both windows must exceed, in tenths.
    pub burn_rate_tenths: u32,
    /// When it would have fired, in virtual nanoseconds since the run began.
    pub fired_ns: Option<u64>,
    /// From the first fault, or from the first error where there was no fault, until then.
    pub detected_after_ns: Option<u64>,
    /// From then until it would not have fired any more, the baseline going on after the run.
    pub recovered_after_ns: Option<u64>,
}
