//! What is wrong with a scenario file, where, and what to write instead.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::mistake::Mistake;

/// A range of bytes of the file.
pub type Span = Range<usize>;

/// Everything that is wrong with one scenario file, in the order of its place.
///
/// Shape: at least one diagnostic. `Display` is [`render`](Self::render) without colour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render(false))]
pub struct Diagnostics {
    path: String,
    text: String,
    list: Vec<Diagnostic>,
}

/// One mistake in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The line where it begins, from 1.
    pub line: usize,
    /// The column where it begins, in characters, from 1.
    pub column: usize,
    /// The offending bytes.
    pub span: Span,
    /// What is wrong, in one line: lower case, no full stop.
    pub title: String,
    /// What stands beside the underlined text.
    pub label: String,
    /// What to do about it: "did you mean `partition`?"
    pub help: Vec<String>,
    /// Other places that matter.
    pub related: Vec<Related>,
}

/// Another place that has to do with a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Its bytes.
    pub span: Span,
    /// What it has to do with the mistake.
    pub label: String,
}

impl Diagnostics {
    /// Finds the lines and columns of `mistakes`, and puts them in the order of their place.
    pub(crate) fn new(path: &str, source: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| (mistake.span.start, mistake.span.end));
        Self {
            path: path.into(),
            text: source.into(),
            list: mistakes.into_iter().map(|mistake| locate(source, mistake)).collect(),
        }
    }

    /// The path of the file, as it was given.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The diagnostics, in the order of their place.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none, which never happens to what [`read`](crate::read) gives.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Renders every diagnostic as rustc does: the excerpt, the place, what to do.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let one = |diagnostic| renderer.render(&[self.report(diagnostic)]);
        self.list.iter().map(one).collect::<Vec<_>>().join("\n\n") + "\n"
    }

    fn report<'a>(&'a self, diagnostic: &'a Diagnostic) -> Group<'a> {
        let primary = AnnotationKind::Primary.span(diagnostic.span.clone());
        let context = diagnostic.related.iter().map(|related| {
            AnnotationKind::Context.span(related.span.clone()).label(related.label.as_str())
        });
        let snippet = Snippet::source(self.text.as_str())
            .path(self.path.as_str())
            .annotation(primary.label(diagnostic.label.as_str()))
            .annotations(context);
        let help = diagnostic.help.iter().map(|help| Level::HELP.message(help.as_str()));
        Level::ERROR.primary_title(diagnostic.title.as_str()).element(snippet).elements(help)
    }
}

fn locate(source: &str, mistake: Mistake) -> Diagnostic {
    let span = within(source, mistake.span);
    let before = &source[..span.start];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let related = |(span, label)| Related { span: within(source, span), label };
    Diagnostic {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        span,
        title: mistake.title,
        label: mistake.label,
        help: mistake.help,
        related: mistake.related.into_iter().map(related).collect(),
    }
}

/// The nearest span that lies inside `source` and cuts no character; the end of the file is the
/// end of its last line that says something.
fn within(source: &str, span: Span) -> Span {
    let said = source.trim_end().len();
    let start = source.floor_char_boundary(span.start.min(said));
    let end = source.ceil_char_boundary(span.end.min(source.len()));
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::Diagnostics;
    use crate::mistake::Mistake;

    fn check(source: &str, span: std::ops::Range<usize>, place: (usize, usize)) {
        let mistake = Mistake::new(span, "title", "label");
        let diagnostics = Diagnostics::new("a.toml", source, vec![mistake]);
        let first = &diagnostics.list()[0];
        assert_eq!((first.line, first.column), place);
        let arrow = format!("--> a.toml:{}:{}\n", place.0, place.1);
        assert!(diagnostics.to_string().contains(&arrow), "{diagnostics}");
    }

    #[test]
    fn a_column_counts_characters_from_one() {
        check("äö = 1\n", 2..4, (1, 2));
        check("a = 1\nb = 2\n", 10..11, (2, 5));
    }

    #[test]
    fn colour_is_there_only_if_it_is_asked_for() {
        let mistake = Mistake::new(0..1, "title", "label");
        let diagnostics = Diagnostics::new("a.toml", "a = 1", vec![mistake]);
        assert!(diagnostics.render(true).contains('\u{1b}'));
        assert!(!diagnostics.render(false).contains('\u{1b}'));
    }

    #[test]
    fn a_span_that_cuts_a_character_or_leaves_the_file_is_moved_inside() {
        check("äö = 1\n", 1..3, (1, 1));
        check("a = 1\n\n", 7..7, (1, 6));
        check("", 0..0, (1, 1));
    }
}
