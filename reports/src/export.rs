//! What other tools read of a run: metrics, traces, dashboards, objectives, tables.
//!
//! Times are virtual: a run begins at the epoch, so that the same run gives the same bytes.

pub(crate) mod csv;
pub(crate) mod grafana;
mod messages;
pub(crate) mod metric;
pub(crate) mod openmetrics;
pub(crate) mod openslo;
pub(crate) mod otlp;
mod ticks;
