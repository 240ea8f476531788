//! What happened over time: all charts over one axis, in one frame that scrolls as a whole.

use askama::Template;
use wrack_history::Run;

use crate::plot::band::Band;
use crate::plot::bins::Bins;
use crate::plot::time::TimeAxis;
use crate::plot::{Backdrop, Chart, latency, nodes, strip, throughput};

#[derive(Template)]
#[template(path = "charts.html")]
pub(crate) struct Charts {
    charts: Vec<Chart>,
}

impl Charts {
    pub(crate) fn of(run: &Run, bands: &[Band]) -> Self {
        let axis = TimeAxis::of(run);
        let bins = Bins::gather(&axis, &run.history.operations);
        let backdrop = Backdrop { axis: &axis, bands };
        let charts = [
            strip::chart(&backdrop),
            latency::chart(&backdrop, &bins),
            throughput::chart(&backdrop, &bins),
            nodes::chart(run, &backdrop),
        ];
        Self { charts: charts.into_iter().flatten().collect() }
    }
}
