//! A mistake, while the file is still being read: a place in bytes and words about it.

use crate::diagnostic::Span;

/// Something wrong in the file.
#[derive(Clone, Debug)]
pub(crate) struct Mistake {
    /// The offending bytes.
    pub span: Span,
    /// What is wrong, in one line.
    pub title: String,
    /// What stands beside the underlined text.
    pub label: String,
    /// What to do about it, one line each.
    pub help: Vec<String>,
    /// Other places that matter, each with what it has to do with the mistake.
    pub related: Vec<(Span, String)>,
    /// Whether it is about something that is not there: in a file that is no TOML it may well be.
    pub absence: bool,
}

impl Mistake {
    pub fn new(span: Span, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            span,
            title: title.into(),
            label: label.into(),
            help: Vec::new(),
            related: Vec::new(),
            absence: false,
        }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    pub fn of_absence(mut self) -> Self {
        self.absence = true;
        self
    }

    /// Says which key it is about, in front of the title.
    pub fn of_key(mut self, key: &str) -> Self {
        self.title = format!("`{key}`: {}", self.title);
        self
    }
}
