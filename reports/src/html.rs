//! The report of one run as one page: a frame, and one panel a file.

mod anomalies;
mod banner;
mod charts;
mod faults;
mod mark;
mod origin;
mod promises;
mod slos;

use askama::Template;
use wrack_history::Run;

use crate::plot::band::bands;
use crate::text;
use anomalies::Anomalies;
use banner::Banner;
use charts::Charts;
use faults::Faults;
use origin::Origin;
use promises::Promises;
use slos::Slos;

const STYLE: &str = include_str!("../templates/style.css");
/// What the policy allows as style: SHA-256 of [`STYLE`], in base64. A test tells the new one.
const STYLE_HASH: &str = "M7WVmrhfj1cYn3zsiWq4qShoehrpF7CTDhcQT4qNMbI=";

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    style: &'static str,
    style_hash: &'static str,
    banner: Banner<'a>,
    promises: Promises<'a>,
    anomalies: Anomalies<'a>,
    faults: Faults,
    charts: Charts,
    slos: Slos<'a>,
    origin: Origin<'a>,
}

/// Writes the page.
pub(crate) fn page(run: &Run) -> String {
    let bands = bands(run);
    let page = Page {
        title: title(run),
        style: STYLE,
        style_hash: STYLE_HASH,
        banner: Banner::of(run),
        promises: Promises::of(run),
        anomalies: Anomalies::of(run, &bands),
        faults: Faults::of(run),
        charts: Charts::of(run, &bands),
        slos: Slos::of(run),
        origin: Origin::of(run),
    };
    page.render().expect("a template renders into memory")
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
