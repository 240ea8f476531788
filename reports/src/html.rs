//! The report of one run as one page: a frame, and one panel a file.

mod anomalies;
mod banner;
mod charts;
mod checked;
mod faults;
mod keys;
mod mark;
mod origin;
mod promises;
mod slos;

use askama::Template;
use wrack_history::Run;
use wrack_history::check::Check;

use crate::plot::band::bands;
use crate::text;
use anomalies::Anomalies;
use banner::Banner;
use charts::Charts;
use checked::Checked;
use faults::Faults;
use keys::Keys;
use origin::Origin;
use promises::Promises;
use slos::Slos;

const STYLE: &str = include_str!("../templates/style.css");
/// What the policy allows as style: SHA-256 of [`STYLE`], in base64. A test tells the new one.
const STYLE_HASH: &str = "M7WVmrhfj1cYn3zsiWq4qShoehrpF7CTDhcQT4qNMbI=";

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    style: &'static str,
    style_hash: &'static str,
    panels: Vec<String>,
}

/// Writes the page of a run.
pub(crate) fn page(run: &Run) -> String {
    let bands = bands(run);
    let panels = [
        Banner::of(run).render(),
        Promises::of(run).render(),
        Anomalies::of(run, &bands).render(),
        Faults::of(run).render(),
        Charts::of(run, &bands).render(),
        Slos::of(run).render(),
        Origin::of(run).render(),
    ];
    frame(title(run), panels)
}

/// Writes the page of a history that somebody else recorded.
pub(crate) fn check_page(check: &Check) -> String {
    let bands = bands(&check.run);
    let panels = [
        Checked::of(check).render(),
        Promises::of(&check.run).render(),
        Anomalies::of(&check.run, &bands).render(),
        Charts::of(&check.run, &bands).render(),
        Keys::of(check).render(),
    ];
    frame(format!("{}: {}", check.run.verdict, text::label(&check.path)), panels)
}

fn frame<const N: usize>(title: String, panels: [askama::Result<String>; N]) -> String {
    let rendered = "a template renders into memory";
    let panels = panels.map(|panel| panel.expect(rendered)).into();
    Page { title, style: STYLE, style_hash: STYLE_HASH, panels }.render().expect(rendered)
}

fn title(run: &Run) -> String {
    format!(
        "{}: {} {}, seed {}",
        run.verdict,
        text::label(&run.scenario),
        text::label(&run.variant),
        run.seed
    )
}

#[cfg(test)]
mod tests {
    use super::{STYLE, STYLE_HASH};
    use base64::Engine;
    use sha2::Digest;

    #[test]
    fn the_policy_allows_the_style_that_the_page_has() {
        let digest = sha2::Sha256::digest(STYLE.replace("\r\n", "\n"));
        let hash = base64::engine::general_purpose::STANDARD.encode(digest);
        assert_eq!(STYLE_HASH, hash, "write the right-hand hash into STYLE_HASH");
        assert!(!STYLE.contains("</") && !STYLE.contains("url(http"));
    }
}
