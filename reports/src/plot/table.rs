//! The numbers behind a chart, for those who do not see it or want to copy them.

/// A table of texts.
pub(crate) struct Table {
    /// Its columns; the first one heads each row.
    pub(crate) head: Vec<&'static str>,
    /// Its rows, each as long as the head.
    pub(crate) rows: Vec<Vec<String>>,
    /// What was left out, if anything was.
    pub(crate) note: String,
}

impl Table {
    /// A table of at most `rows_max` rows, which says how many it leaves out.
    pub(crate) fn new(
        head: Vec<&'static str>,
        rows: impl IntoIterator<Item = Vec<String>>,
        rows_max: usize,
    ) -> Self {
        let mut rows = rows.into_iter();
        let kept: Vec<Vec<String>> = rows.by_ref().take(rows_max).collect();
        let note = match rows.count() {
            0 => String::new(),
            left_out => format!("and {} more", crate::text::count(left_out as u64)),
        };
        Self { head, rows: kept, note }
    }
}
