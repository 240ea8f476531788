//! Secrets: texts of a file that nobody may see again.
//!
//! A text is marked where it stands: `owner = { secret = "…" }`. Before anything else looks at the file,
//! it is replaced by a stand-in, the same one wherever the same secret stands. What is hashed, run,
//! judged, recorded, excerpted and reported never had it: a run does not depend on what a text says.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::Span;
use crate::mistake::Mistake;

/// The key that marks a text.
pub(crate) const KEY: &str = "secret";
const STAND_IN: &str = "secret-";
/// A shorter text may stand elsewhere by chance.
const TELLING_MIN: usize = 4;

/// A file without its secrets.
pub(crate) struct Redacted {
    pub text: String,
    /// Secrets that stand unmarked elsewhere, masked there, too.
    pub mistakes: Vec<Mistake>,
}

/// Replaces every marked text by its stand-in.
///
/// In a file that is no TOML, what follows the mark is masked to the end of its line, or of its
/// quotes, whatever it is.
pub(crate) fn redact(text: &str) -> Redacted {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut marked = Vec::new();
    of_table(document.get_ref(), text, &mut marked);
    marked.sort_by_key(|(span, _)| span.start);
    let mut names = StandIns::beside(text);
    let mut masks: Vec<(Span, String)> = Vec::new();
    if !errors.is_empty() {
        let whole = |start: usize| {
            let literal = marked.iter().find(|(span, _)| span.start == start);
            literal.is_some_and(|(span, _)| is_whole(&text[span.clone()]))
        };
        let broken = unreadable(text).filter(|span| !whole(span.start));
        masks.extend(broken.map(|span| (span, format!("\"{STAND_IN}0\""))));
    }
    for (span, secret) in &marked {
        let stand_in = format!("\"{}\"", names.of(secret));
        let covered = masks.iter().any(|(mask, _)| mask.start < span.end && span.start < mask.end);
        if !covered {
            masks.push((span.clone(), stand_in));
        }
    }
    masks.sort_by_key(|(span, _)| span.start);
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (span, stand_in) in masks {
        if span.start >= end {
            out.push_str(&text[end..span.start]);
            out.push_str(&stand_in);
            end = span.end;
        }
    }
    out.push_str(&text[end..]);
    names.mask_what_is_left(out)
}

/// The stand-in of each secret.
struct StandIns {
    names: BTreeMap<String, String>,
    taken: String,
    next: usize,
}

impl StandIns {
    fn beside(text: &str) -> Self {
        Self { names: BTreeMap::new(), taken: text.into(), next: 1 }
    }

    /// A stand-in stands for itself, so that a redacted file reads as it did.
    fn of(&mut self, secret: &str) -> String {
        if is_stand_in(secret) {
            return secret.into();
        }
        if let Some(name) = self.names.get(secret) {
            return name.clone();
        }
        let mut name = format!("{STAND_IN}{}", self.next);
        while self.taken.contains(&name) {
            self.next += 1;
            name = format!("{STAND_IN}{}", self.next);
        }
        self.next += 1;
        self.names.insert(secret.into(), name.clone());
        name
    }

    /// Looks for secrets that stand elsewhere, in a comment or another text.
    fn mask_what_is_left(&self, mut text: String) -> Redacted {
        let mut mistakes = Vec::new();
        // Longest first: one secret may be part of another.
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        for (secret, name) in names {
            if secret.trim().chars().count() < TELLING_MIN {
                continue;
            }
            let mut from = 0;
            while let Some(found) = text[from..].find(secret.trim()) {
                let start = from + found;
                text.replace_range(start..start + secret.trim().len(), name);
                from = start + name.len();
                let title = format!("what stands marked as `{name}` stands here unmarked");
                let help = "leave it out here, or mark it: { secret = \"…\" }";
                mistakes.push(Mistake::new(start..from, title, "not to be shown").help(help));
            }
        }
        Redacted { text, mistakes }
    }
}

fn is_stand_in(text: &str) -> bool {
    let number = text.strip_prefix(STAND_IN);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Whatever stands under the mark below a table: its place, and what it says. It is masked even where it
/// is no text, or something else stands beside it: that is for the reader to refuse.
fn of_table(table: &DeTable<'_>, source: &str, marked: &mut Vec<(Span, String)>) {
    for (key, value) in table.iter() {
        let key: &str = key.get_ref();
        if key != KEY {
            of_value(value, source, marked);
            continue;
        }
        all_of(value, source, marked);
    }
}

fn all_of(value: &Spanned<DeValue<'_>>, source: &str, marked: &mut Vec<(Span, String)>) {
    match value.get_ref() {
        DeValue::Table(table) => table.iter().for_each(|(_, one)| all_of(one, source, marked)),
        DeValue::Array(array) => array.iter().for_each(|one| all_of(one, source, marked)),
        one => {
            let said = source.get(value.span()).unwrap_or_default();
            marked.push((value.span(), one.as_str().unwrap_or(said).into()));
        }
    }
}

fn of_value(value: &Spanned<DeValue<'_>>, source: &str, marked: &mut Vec<(Span, String)>) {
    match value.get_ref() {
        DeValue::Table(table) => of_table(table, source, marked),
        DeValue::Array(array) => array.iter().for_each(|value| of_value(value, source, marked)),
        _ => (),
    }
}

/// Whether a literal of a file that is no TOML ends where its quotes do.
fn is_whole(literal: &str) -> bool {
    let quote = literal.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    quote.is_some_and(|quote| literal.len() > 1 && literal.ends_with(quote))
}

/// What follows each mark in a file that is no TOML.
fn unreadable(text: &str) -> impl Iterator<Item = Span> + '_ {
    let marks = text.match_indices(KEY).map(|(start, key)| start + key.len());
    marks.filter_map(|after| {
        let rest = &text[after..];
        let value = rest.trim_start_matches([' ', '\t', '"', '\'']).strip_prefix('=')?.trim_start();
        let start = text.len() - value.len();
        let quotes = ["\"\"\"", "'''"].into_iter().find(|quotes| value.starts_with(quotes));
        let end = match quotes {
            Some(quotes) => value[3..].find(quotes).map(|end| end + 6),
            None => value.find('\n'),
        };
        Some(start..start + end.unwrap_or(value.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::redact;
    use crate::testing::{catalogue, mangled, whole};

    fn check(text: &str, expected: &str) {
        let redacted = redact(text);
        assert!(redacted.mistakes.is_empty(), "{:?}", redacted.mistakes);
        assert_eq!(redacted.text, expected);
        assert_eq!(redact(expected).text, expected, "once more");
    }

    #[test]
    fn the_same_secret_has_the_same_stand_in_and_another_has_another() {
        check(
            "a = { secret = \"rose\" }\nb = [{ k = { secret = 'rose' } }, { secret = \"\"\"ivy\n\"\"\" }]\n[c]\nsecret = \"oak\"",
            "a = { secret = \"secret-1\" }\nb = [{ k = { secret = \"secret-1\" } }, { secret = \"secret-2\" }]\n[c]\nsecret = \"secret-3\"",
        );
        check("a = { secret = \"rose\" } # secret-1", "a = { secret = \"secret-2\" } # secret-1");
        check("a = { secret = 42, b = 1 }", "a = { secret = \"secret-1\", b = 1 }");
        check("[a.secret]\nb = [7, 'x']", "[a.secret]\nb = [\"secret-1\", \"secret-2\"]");
    }

    #[test]
    fn a_secret_that_stands_elsewhere_too_is_a_mistake_that_does_not_show_it() {
        let text = whole("owner = { secret = \"rosebud\" }\nstory = \"rosebud calls\" # rosebud");
        let wrong = crate::read("a.toml", &text, &catalogue()).unwrap_err();
        assert_eq!(wrong.len(), 2, "{wrong}");
        assert!(!wrong.to_string().contains("rosebud"), "{wrong}");
        assert!(wrong.to_string().contains("stands here unmarked"), "{wrong}");
    }

    #[test]
    fn what_is_read_never_had_it() {
        let text = whole("owner = { secret = \"rosebud\" }\ntitle = { secret = \"ivy league\" }");
        let scenario = crate::read("a.toml", &text, &catalogue()).unwrap();
        let shown = format!("{scenario:?}");
        assert!(!shown.contains("rosebud") && !shown.contains("ivy"), "{shown}");
        assert_eq!(scenario.owner, "secret-1");
        let again = crate::read("a.toml", &scenario.source, &catalogue()).unwrap();
        assert_eq!((again.hash, again.source), (scenario.hash, scenario.source));
    }

    #[test]
    fn a_mistake_beside_a_secret_does_not_show_it() {
        let text =
            whole("owner = { secret = \"rosebud\", tire = 1 }\ntitle = { secret = \"rosebud }");
        let wrong = crate::read("a.toml", &text, &catalogue()).unwrap_err();
        assert!(!wrong.to_string().contains("rosebud"), "{wrong}");
    }

    #[test]
    fn no_slip_in_a_file_shows_a_secret() {
        let text = whole(
            "owner = { secret = \"CANARY\" }\ntitle = { secret = '''CANARY''' }\n[[fault]]\nkind = \"crash\"\ntarget = \"n1\"\nat = \"1s\"",
        );
        for text in mangled(&text, 3_000).filter(|text| text.contains("secret = ")) {
            // A slip inside the secret, or in the mark itself, makes it another text.
            let whole = text.matches("secret = \"CANARY\"").count() == 1
                && text.matches("secret = '''CANARY'''").count() == 1;
            if let (true, Err(wrong)) = (whole, crate::read("a.toml", &text, &catalogue())) {
                assert!(!wrong.to_string().contains("CANARY"), "{text}\n{wrong}");
            }
        }
    }
}
