//! The metrics that are exported: one list, from which text, dashboard and objectives take names.

/// A family of metrics.
pub(crate) struct Metric {
    /// Its name, without the suffix of its samples.
    pub name: &'static str,
    /// Its type in OpenMetrics.
    pub kind: &'static str,
    /// Its unit, which its name ends with; or nothing.
    pub unit: &'static str,
    /// What it is, in one sentence.
    pub help: &'static str,
}

const fn metric(name: &'static str, kind: &'static str, help: &'static str) -> Metric {
    Metric { name, kind, unit: "", help }
}

pub(crate) const RUN: Metric = metric("wrack_run", "info", "What was run.");
pub(crate) const VERDICT: Metric = metric("wrack_verdict", "stateset", "What the checkers say.");
pub(crate) const AS_EXPECTED: Metric =
    metric("wrack_as_expected", "gauge", "Whether nothing contradicts what the scenario expects.");
pub(crate) const ANOMALIES: Metric =
    metric("wrack_anomalies", "counter", "Anomalies by when they became visible.");
pub(crate) const OPERATIONS: Metric =
    metric("wrack_operations", "counter", "Operations by when their client learned the outcome.");
pub(crate) const OPEN: Metric =
    metric("wrack_operations_open", "gauge", "Operations that were invoked and not complete.");
pub(crate) const DURATION: Metric = Metric {
    name: "wrack_operation_duration_seconds",
    kind: "histogram",
    unit: "seconds",
    help: "How long operations took that ended ok.",
};
pub(crate) const FAULT: Metric =
    metric("wrack_fault_active", "gauge", "Whether a fault is injected and not healed yet.");
pub(crate) const FAULT_EFFECT: Metric =
    metric("wrack_fault_effect", "gauge", "How much a fault touched while operations were open.");
pub(crate) const NODE_UP: Metric =
    metric("wrack_node_up", "gauge", "Whether a node runs: neither crashed nor paused.");
pub(crate) const NODE_ROLE: Metric =
    metric("wrack_node_role", "gauge", "Whether a node believes to hold the role.");
pub(crate) const NODE_EPOCH: Metric =
    metric("wrack_node_epoch", "gauge", "The term or epoch in which a node holds its role.");
pub(crate) const NODE_CRASHES: Metric =
    metric("wrack_node_crashes", "counter", "How often a node crashed.");
pub(crate) const SLO_MET: Metric =
    metric("wrack_slo_met", "gauge", "Whether an objective was met over the whole run.");
pub(crate) const SLO_OBSERVED: Metric = metric(
    "wrack_slo_observed",
    "gauge",
    "What was measured against an objective, in seconds, as a ratio or as a count.",
);
pub(crate) const ALERT: Metric =
    metric("wrack_alert_firing", "gauge", "Whether a pair of burn-rate windows would be firing.");
