//! What the TOML parser says, made into mistakes of ours.
//!
//! The parser goes on after an error, so a file with a slip in one line is still judged as a
//! whole. What follows from a slip is held back: further errors of the same line or value, and
//! keys that seem to be missing.

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use crate::diagnostic::Span;
use crate::mistake::Mistake;

/// What stands in the way of reading a file.
pub(crate) struct Syntax {
    mistakes: Vec<Mistake>,
    /// The lines and values that are not to be trusted.
    broken: Vec<Span>,
}

/// Reads `text` as far as it can be read.
pub(crate) fn parse(text: &str) -> (Spanned<DeTable<'_>>, Syntax) {
    let (document, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| place(error).start);
    let mut mistakes = errors.iter().map(|error| mistake(error, text)).collect::<Vec<_>>();
    let mut broken = Vec::new();
    for value in long_values(document.get_ref()) {
        let value = to_its_end(value, text, &errors);
        let inside = |span: &Span| value.contains(&span.start) || span.start == value.end;
        let Some(first) = mistakes.iter().position(|mistake| inside(&mistake.span)) else {
            continue;
        };
        let unclosed = errors.iter().find(|error| inside(&place(error)) && is_unclosed(error));
        let kept = match unclosed {
            Some(error) => never_closed(error, &value),
            None => mistakes[first].clone(),
        };
        mistakes.retain(|mistake| !inside(&mistake.span));
        mistakes.insert(first, kept);
        broken.push(value);
    }
    let bytes = text.as_bytes();
    mistakes.dedup_by(|next, kept| {
        let (first, second) = (kept.span.start, next.span.start);
        !bytes[first.min(second)..second].contains(&b'\n')
    });
    broken.extend(mistakes.iter().map(|mistake| lines_of(text, &mistake.span)));
    (document, Syntax { mistakes, broken })
}

impl Syntax {
    /// Joins what is wrong with the TOML and what is wrong with its meaning.
    pub fn join(mut self, meaning: Vec<Mistake>) -> Vec<Mistake> {
        if self.mistakes.is_empty() {
            return meaning;
        }
        let trusted = |mistake: &Mistake| {
            let (start, end) = (mistake.span.start, mistake.span.end);
            let mut broken = self.broken.iter();
            !broken.any(|broken| broken.start < end && start < broken.end)
        };
        let tells = |mistake: &Mistake| !mistake.absence && !mistake.span.is_empty();
        let apart = meaning.into_iter().filter(|mistake| tells(mistake) && trusted(mistake));
        self.mistakes.extend(apart);
        self.mistakes
    }
}

fn place(error: &Error) -> Span {
    error.span().unwrap_or(0..0)
}

fn mistake(error: &Error, text: &str) -> Mistake {
    let (span, message) = (place(error), error.message());
    let (title, label) = message.split_once(", ").unwrap_or((message, "here"));
    let unquoted = title.contains("must be quoted");
    match text.get(span.clone()).map(str::trim) {
        Some("") if unquoted => Mistake::new(span, "invalid TOML: missing value", "write one here"),
        Some(bare) if unquoted && !bare.contains(['"', '\\']) => {
            let help = format!("write \"{bare}\"");
            Mistake::new(span, format!("invalid TOML: {title}"), "a string without quotes")
                .help(help)
        }
        _ => Mistake::new(span, format!("invalid TOML: {title}"), label),
    }
}

/// The parser lets a value that is not closed end early; it ends where the parser notices.
fn to_its_end(value: Span, text: &str, errors: &[Error]) -> Span {
    let written = text.get(value.clone()).unwrap_or_default();
    let is_closed = !written.starts_with('{') || written.ends_with('}');
    let notices = |error: &&Error| is_unclosed(error) && place(error).start >= value.end;
    match errors.iter().find(notices) {
        Some(error) if !is_closed => value.start..place(error).start,
        _ => value,
    }
}

fn is_unclosed(error: &Error) -> bool {
    let message = error.message();
    message.starts_with("unclosed") || message.starts_with("invalid multi-line")
}

/// The parser sees at the end of the file that a value is not closed; people look where it begins.
fn never_closed(error: &Error, value: &Span) -> Mistake {
    let what = match error.message() {
        message if message.starts_with("unclosed array") => "array",
        message if message.starts_with("unclosed") => "inline table",
        _ => "string",
    };
    let opening = value.start..value.start + if what == "string" { 3 } else { 1 };
    Mistake::new(opening, format!("invalid TOML: the {what} is never closed"), "opened here")
}

/// The line that `span` begins in, and those up to where it ends, as bytes.
fn lines_of(text: &str, span: &Span) -> Span {
    let newline = |byte: &u8| *byte == b'\n';
    let (before, after) = (&text.as_bytes()[..span.start], &text.as_bytes()[span.end..]);
    let start = before.iter().rposition(newline).map_or(0, |at| at + 1);
    let end = after.iter().position(newline).map_or(text.len() + 1, |at| span.end + at);
    start..end
}

/// Where arrays, inline tables and strings of several lines stand, the outermost alone.
fn long_values(table: &DeTable) -> Vec<Span> {
    let mut spans = Vec::new();
    for (key, item) in table {
        // What stands under a header has the header's place, which holds its key.
        let headed = item.span().start < key.span().end;
        match item.get_ref() {
            DeValue::Table(table) if headed => spans.extend(long_values(table)),
            DeValue::Array(array) if headed => {
                let tables = array.iter().filter_map(|item| item.get_ref().as_table());
                spans.extend(tables.flat_map(long_values));
            }
            DeValue::Array(_) | DeValue::Table(_) => spans.push(item.span()),
            DeValue::String(text) if text.contains('\n') => spans.push(item.span()),
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use crate::testing::{catalogue, check, whole};

    #[test]
    fn a_slip_in_the_syntax_is_located() {
        check(
            "owner = «storage team»\n",
            "invalid TOML: string values must be quoted\nwrite \"storage team\"",
        );
        check("owner = \"a\"\n«owner» = \"b\"\n", "invalid TOML: duplicate key");
    }

    #[test]
    fn what_follows_from_a_slip_is_held_back_and_the_rest_is_not() {
        let text = whole("tier = 7\n[client]\nattempts = [1,\ntimeout = \"x\"\njitter = \"y\"");
        let diagnostics = crate::read("a.toml", &text, &catalogue()).unwrap_err();
        let lines = diagnostics.list().iter().map(|diagnostic| diagnostic.line);
        assert_eq!(lines.collect::<Vec<_>>(), [4, 6], "{diagnostics}");
    }

    #[test]
    fn what_is_never_closed_is_located_where_it_begins() {
        let array = "[client]\nattempts = «[»1,\ntimeout = \"x\"";
        check(array, "invalid TOML: the array is never closed\nopened here");
        let table = "[network]\npeer_latency = «{» lognormal = \"1ms\"\n";
        check(table, "invalid TOML: the inline table is never closed");
        let string = "story = «\"\"\"»\nOnce upon a time\n";
        check(string, "invalid TOML: the string is never closed");
        check("owner = «»\n", "invalid TOML: missing value");
    }
}
