//! Faults as bands over time.

use wrack_history::Run;
use wrack_history::fault::ResolvedFault;

use crate::text;

/// So many faults are drawn and listed; the others are counted.
pub(crate) const FAULTS_MAX: usize = 200;

/// So much is told of what a fault does.
const DETAIL_CHARS_MAX: usize = 160;

/// One fault, as every drawing shows it.
#[derive(Clone, Debug)]
pub(crate) struct Band {
    /// `F1`: the number under which the table of faults lists it.
    pub(crate) label: String,
    /// Its name in the catalogue.
    pub(crate) kind: String,
    /// What it does.
    pub(crate) detail: String,
    /// What it touched.
    pub(crate) effect: String,
    /// What it is, in words, for a tooltip.
    pub(crate) words: String,
    /// When it was injected.
    pub(crate) from_ns: u64,
    /// When it was healed, or touched something last.
    pub(crate) to_ns: u64,
    /// Whether it touched anything.
    pub(crate) bit: bool,
}

/// The label of a fault by its position in the run.
pub(crate) fn label(position: usize) -> String {
    format!("F{}", position + 1)
}

/// The faults that were injected.
pub(crate) fn bands(run: &Run) -> Vec<Band> {
    run.faults
        .iter()
        .enumerate()
        .take(FAULTS_MAX)
        .filter_map(|(position, fault)| band(position, fault))
        .collect()
}

/// A fault without a heal is over at once, or with its last effect.
fn band(position: usize, fault: &ResolvedFault) -> Option<Band> {
    let from_ns = fault.injected_ns?;
    let last_effect = fault.effect_span_ns.map(|(_, last)| last);
    let to_ns = fault.healed_ns.or(last_effect).unwrap_or(from_ns);
    let (label, kind) = (label(position), text::label(&fault.kind));
    Some(Band {
        words: format!("{label} {kind}: {}", text::label(&fault.detail)),
        effect: text::effect(fault.effect, &text::label(&fault.unit)),
        detail: text::clip(&fault.detail, DETAIL_CHARS_MAX),
        label,
        kind,
        from_ns,
        to_ns: to_ns.max(from_ns),
        bit: fault.effect > 0,
    })
}
