//! One panel of a page: what it is called, who needs it, and what it shows.

/// Who reads a page, and so sees a panel. Everything is shown to who debugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Did the promise hold, whom did it hurt, what now: one sheet of paper.
    Executive,
    /// And what broke, when, and what would have been seen.
    OnCall,
    /// And everything else.
    Debug,
}

impl Audience {
    /// The classes of a panel that is for these and all who see more.
    fn classes(self) -> &'static str {
        match self {
            Self::Executive => "for-executive for-on-call",
            Self::OnCall => "for-on-call",
            Self::Debug => "for-debug",
        }
    }
}

/// A panel. A page is a list of them: see [`super::frame`].
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// Unique in the page.
    pub(crate) id: String,
    /// What it is called; a panel without one brings its own heading and is not in the contents.
    pub(crate) title: String,
    /// A few words beside the title: `3 of 4 held`.
    pub(crate) count: String,
    /// The class of those who see it.
    pub(crate) classes: &'static str,
    /// HTML, escaped already.
    pub(crate) body: String,
}

impl Panel {
    /// A panel for those and everybody who sees more.
    pub(crate) fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        audience: Audience,
        body: impl askama::Template,
    ) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            count: String::new(),
            classes: audience.classes(),
            body: body.render().expect("a template renders into memory"),
        }
    }

    /// The same with a few words beside the title.
    pub(crate) fn counted(self, count: impl Into<String>) -> Self {
        Self { count: count.into(), ..self }
    }
}
