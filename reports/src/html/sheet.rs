//! What every panel of a run looks at: the run, and what is measured of it once.

use wrack_history::Run;

use super::charts;
use super::panel::{Audience, Panel};
use crate::blast::Blast;
use crate::plot::band::{Band, bands};
use crate::plot::bins::Bins;
use crate::plot::time::TimeAxis;
use crate::plot::{Backdrop, Chart};

/// A run with its axis, faults and bins.
pub(crate) struct Sheet<'a> {
    /// What is reported.
    pub(crate) run: &'a Run,
    /// Before every id, so that several runs may share a page; empty where there is one.
    pub(crate) prefix: String,
    /// The axis of all its charts.
    pub(crate) axis: TimeAxis,
    /// Its faults.
    pub(crate) bands: Vec<Band>,
    /// Its operations over time.
    pub(crate) bins: Bins,
    /// Whom it hurt, over time.
    pub(crate) blast: Blast,
}

impl<'a> Sheet<'a> {
    /// Measures a run; ids begin with `prefix`.
    pub(crate) fn of(run: &'a Run, prefix: &str) -> Self {
        let axis = TimeAxis::of(run);
        let bins = Bins::gather(&axis, &run.history.operations);
        let blast = Blast::measure(run, &bins);
        Self { run, prefix: prefix.into(), axis, bands: bands(run), bins, blast }
    }

    /// The id of something on this sheet.
    pub(crate) fn id(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A panel of this sheet.
    pub(crate) fn panel(
        &self,
        name: &str,
        title: &str,
        audience: Audience,
        body: impl askama::Template,
    ) -> Panel {
        Panel::new(self.id(name), title, audience, body)
    }

    /// A panel of charts, if there are any.
    pub(crate) fn charts(
        &self,
        name: &str,
        title: &str,
        audience: Audience,
        lead: &str,
        charts: impl IntoIterator<Item = Option<Chart>>,
    ) -> Option<Panel> {
        let charts: Vec<Chart> = charts.into_iter().flatten().collect();
        if charts.is_empty() {
            return None;
        }
        Some(self.panel(name, title, audience, charts::Charts { lead, charts }))
    }

    /// What stands behind its charts.
    pub(crate) fn backdrop(&self) -> Backdrop<'_> {
        Backdrop { axis: &self.axis, bands: &self.bands, prefix: &self.prefix }
    }
}
