//! Reading a table key by key, so that every mistake of a file is found at once.
//!
//! A reader asks a [`Fields`] for the keys it knows; what nobody asked for is an unknown key. A
//! mistake is put down in the [`Findings`] and reading goes on.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::Span;
use crate::findings::Findings;
use crate::mistake::Mistake;
use crate::sections;
use crate::suggestion::{nearest, quoted};
use crate::value;

/// A value of the file, with its place.
pub(crate) type Item<'a> = Spanned<DeValue<'a>>;

/// A table that is being read.
pub(crate) struct Fields<'a> {
    /// Where mistakes go.
    pub findings: &'a Findings,
    /// What to underline if the table as a whole is wrong: its header.
    pub span: Span,
    path: String,
    table: Option<&'a DeTable<'a>>,
    /// Whether a mistake was reported in place of the table, so that its keys are not missed.
    broken: bool,
    asked: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// The whole file.
    pub fn root(findings: &'a Findings, document: &'a Spanned<DeTable<'a>>) -> Self {
        let table = Some(document.get_ref());
        let (span, path, asked) = (document.span(), String::new(), Vec::new());
        Self { findings, span, path, table, broken: false, asked }
    }

    /// The table that `item` should be; without keys, and a mistake put down, if it is not.
    pub fn of(item: &'a Item<'a>, path: String, findings: &'a Findings) -> Self {
        let table = item.get_ref().as_table();
        if table.is_none() {
            let mistake = value::mismatch(item, "a table").of_key(&spoken(&path));
            findings.report(mistake);
        }
        let broken = table.is_none();
        Self { findings, span: item.span(), path, table, broken, asked: Vec::new() }
    }

    /// The table under `key`; without keys if the file does not have it.
    pub fn section(&mut self, key: &'static str) -> Self {
        match self.get(key) {
            Some(item) => Self::of(item, self.path_of(key), self.findings),
            None => Self {
                findings: self.findings,
                span: self.span.clone(),
                path: self.path_of(key),
                table: None,
                broken: self.broken,
                asked: Vec::new(),
            },
        }
    }

    /// The table under `key`, which must be there.
    pub fn required_section(&mut self, key: &'static str) -> Self {
        let mut section = self.section(key);
        if section.table.is_none() && !section.broken {
            let title = format!("missing section `[{key}]`");
            let label = format!("`[{key}]` is required");
            self.report(Mistake::new(self.span.clone(), title, label).of_absence());
            section.broken = true;
        }
        section
    }

    /// The tables of the array under `key`; none if the file does not have it.
    pub fn list(&mut self, key: &'static str) -> Vec<Self> {
        let Some(item) = self.get(key) else {
            return Vec::new();
        };
        let path = self.path_of(key);
        let Some(array) = item.get_ref().as_array() else {
            let mistake = value::mismatch(item, "an array of tables").of_key(&spoken(&path));
            self.report(mistake.help(format!("write `[[{key}]]` above each of them")));
            return Vec::new();
        };
        let one = |(i, item)| Self::of(item, format!("{path}.{i}"), self.findings);
        array.iter().enumerate().map(one).collect()
    }

    /// What stands under `key`, which from now on is known.
    pub fn get(&mut self, key: &'static str) -> Option<&'a Item<'a>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.table?.get(key)
    }

    /// What stands under `key`, which must be there.
    pub fn need(&mut self, key: &'static str) -> Option<&'a Item<'a>> {
        let found = self.get(key);
        if found.is_none() {
            self.miss(key);
        }
        found
    }

    /// Reads what stands under `key`, if it is there.
    pub fn read<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&'a Item<'a>) -> Result<T, Mistake>,
    ) -> Option<T> {
        let item = self.get(key)?;
        self.keep(key, read(item))
    }

    /// Reads what stands under `key`, which must be there.
    pub fn read_required<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&'a Item<'a>) -> Result<T, Mistake>,
    ) -> Option<T> {
        let item = self.need(key)?;
        self.keep(key, read(item))
    }

    /// What stands under exactly one of `keys`, in a table that says nothing else; if it holds
    /// another key instead, that one is the mistake.
    pub fn form(&mut self, keys: &'static [&'static str]) -> Option<(&'static str, &'a Item<'a>)> {
        let is_empty = self.table.is_none_or(|table| table.is_empty());
        let known = keys.iter().any(|key| self.get(key).is_some());
        (is_empty || known).then(|| self.one_of(keys)).flatten()
    }

    /// Reads what stands under exactly one of `keys`; anything else is a mistake.
    pub fn one_of(
        &mut self,
        keys: &'static [&'static str],
    ) -> Option<(&'static str, &'a Item<'a>)> {
        let found = keys.iter().filter_map(|key| Some((*key, self.get(key)?)));
        let found = found.collect::<Vec<_>>();
        match found[..] {
            [] if self.broken => None,
            [] => {
                let title = format!("`{}` needs one of {}", spoken(&self.path), quoted(keys));
                self.report(Mistake::new(self.span.clone(), title, "none is here").of_absence());
                None
            }
            [one] => Some(one),
            [(first, _), (second, item), ..] => {
                let title = format!("`{first}` and `{second}` exclude each other");
                self.report(Mistake::new(item.span(), title, "give only one of them"));
                None
            }
        }
    }

    /// The entries in the order of the file, all of which from now on are known.
    pub fn entries(&mut self) -> Vec<(&'a str, Span, &'a Item<'a>)> {
        let entry = |(key, item): (&'a Spanned<_>, _)| {
            let name: &std::borrow::Cow<'a, str> = key.get_ref();
            (name.as_ref(), key.span(), item)
        };
        let mut entries = self.table.into_iter().flatten().map(entry).collect::<Vec<_>>();
        entries.sort_by_key(|(_, span, _)| span.start);
        self.asked.extend(entries.iter().map(|(name, ..)| *name));
        entries
    }

    /// Puts down a mistake.
    pub fn report(&self, mistake: Mistake) {
        self.findings.report(mistake);
    }

    /// The value, or its mistake put down with the key in front.
    pub fn keep<T>(&self, key: &str, result: Result<T, Mistake>) -> Option<T> {
        result.map_err(|mistake| self.report(mistake.of_key(&spoken(&self.path_of(key))))).ok()
    }

    /// Puts down that `key` is missing.
    pub fn miss(&self, key: &str) {
        if self.broken {
            return;
        }
        let place = spoken(&self.path);
        let place = if place.is_empty() { String::new() } else { format!(" in `{place}`") };
        let (title, label) =
            (format!("missing key `{key}`{place}"), format!("`{key}` is required"));
        self.report(Mistake::new(self.span.clone(), title, label).of_absence());
    }

    /// Puts down which default was filled in.
    pub fn default(&self, key: &str, text: impl ToString) {
        self.findings.fill_in(self.path_of(key), text.to_string());
    }

    /// The dotted path of `key`.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }

    /// Where the value of `key` stands, else the table itself.
    pub fn place_of(&self, key: &str) -> Span {
        let item = self.table.and_then(|table| table.get(key));
        item.map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// Whether it is the table that it should be.
    pub fn is_sound(&self) -> bool {
        !self.broken
    }

    /// Puts down every key that nobody asked for.
    pub fn finish(mut self) {
        let asked = std::mem::take(&mut self.asked);
        for (key, span, _) in self.entries() {
            if !asked.contains(&key) {
                self.report(unknown_key(key, span, &self.path, &asked));
            }
        }
    }
}

/// The path without the positions in arrays: `fault.for`.
pub(crate) fn spoken(path: &str) -> String {
    let words = path.split('.').filter(|part| part.parse::<usize>().is_err());
    words.collect::<Vec<_>>().join(".")
}

fn unknown_key(key: &str, span: Span, path: &str, known: &[&str]) -> Mistake {
    let (place, here) = match spoken(path) {
        place if place.is_empty() => ("at the top level".into(), "at the top level".into()),
        place => (format!("in `{place}`"), format!("of `{place}`")),
    };
    let mistake =
        Mistake::new(span, format!("unknown key `{key}` {place}"), format!("not a key {here}"));
    let mistake = match nearest(key, known) {
        Some(near) => mistake.help(format!("did you mean `{near}`?")),
        None => mistake,
    };
    let hint = sections::hint(key, &spoken(path));
    mistake.help(hint.unwrap_or_else(|| format!("the keys here are {}", quoted(known))))
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn an_unknown_key_is_located_and_the_nearest_one_suggested() {
        check(
            "[workload]\nname = \"register\"\n«clinets» = 5",
            "unknown key `clinets` in `workload`\ndid you mean `clients`?\nthe keys here are `name`",
        );
        check("[[«faults»]]", "unknown key `faults` at the top level\ndid you mean `fault`?");
    }

    #[test]
    fn a_key_that_belongs_elsewhere_is_sent_there() {
        check(
            "«clients» = 5",
            "unknown key `clients` at the top level\n`clients` is a key of `workload`",
        );
        check(
            "«beyond_model» = true",
            "unknown key `beyond_model` at the top level\n`beyond_model` is a key of `phases`",
        );
        check("«seeds» = 5", "unknown key `seeds` at the top level\nseeds are not in the file");
    }

    #[test]
    fn a_section_that_is_no_table_is_reported_once() {
        check("workload = «5» # [workload]", "`workload`: expected a table, found a whole number");
        check("variants = «[]»", "`variants`: expected a table, found an array");
        check(
            "«[fault]»\nkind = \"crash\"",
            "`fault`: expected an array of tables, found a table\nwrite `[[fault]]`",
        );
    }
}
