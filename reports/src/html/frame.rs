//! A page: panels in one frame, with a strict policy, a choice of view, and a table of contents.

use askama::Template;
use base64::Engine;
use sha2::Digest;

use super::panel::Panel;

const STYLE: &str = include_str!("../../templates/style.css");
const SCRIPT: &str = include_str!("../../templates/page.js");

/// Panels that share one axis of time: those of one run.
pub(crate) struct Group {
    /// Where a page has several runs, the id of the heading of this one and a space: with it, their panels
    /// have names of their own.
    pub(crate) heading: String,
    /// The end of the axis, in virtual nanoseconds; 0 if there is none.
    pub(crate) end_ns: u64,
    /// When the first anomaly became visible.
    pub(crate) anomaly_ns: Option<u64>,
    /// What the script unpacks: columns of operations, or nothing.
    pub(crate) columns: String,
    /// In the order of the page.
    pub(crate) panels: Vec<Panel>,
}

impl Group {
    /// Panels that belong to no run.
    pub(crate) fn apart(panels: Vec<Panel>) -> Self {
        Self { heading: String::new(), end_ns: 0, anomaly_ns: None, columns: String::new(), panels }
    }
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: &'a str,
    kind: &'a str,
    style: &'static str,
    style_hash: String,
    script: &'static str,
    script_hash: String,
    has_views: bool,
    groups: Vec<Group>,
}

/// Writes a page. `kind` says what it is about: `run`, `check`, `sweep`.
///
/// Shape: one file without external request; its style and script are allowed by hash.
pub(crate) fn page(title: &str, kind: &str, groups: Vec<Group>) -> String {
    let for_executives = |panel: &Panel| panel.classes.contains("executive");
    let page = Page {
        title,
        kind,
        style: STYLE,
        style_hash: hash(STYLE),
        script: SCRIPT,
        script_hash: hash(SCRIPT),
        has_views: groups.iter().any(|group| group.panels.iter().any(for_executives)),
        groups,
    };
    page.render().expect("a template renders into memory")
}

/// What the policy allows: SHA-256 in base64, of what stands between the tags.
fn hash(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, STYLE, hash};

    #[test]
    fn the_hash_is_the_one_that_a_browser_computes() {
        assert_eq!(hash("alert(1)"), "bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=");
    }

    #[test]
    fn style_and_script_end_where_their_tags_do() {
        assert!(!STYLE.contains("</") && !STYLE.contains("url(http") && !STYLE.contains('\r'));
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--") && !SCRIPT.contains('\r'));
        for word in ["eval(", "innerHTML", "outerHTML", "document.write", "fetch(", "import("] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }
}
