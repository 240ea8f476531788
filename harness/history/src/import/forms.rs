//! Where one operation's text ends and the next begins, in EDN and in JSON.
//!
//! Operations stand one behind the other, or in one vector, list or array around all of them. Between
//! them stand blanks, commas, and in EDN comments, tags (read through) and discarded forms (`#_`).
//! Only brackets and strings are looked at here; what stands inside is for those who read it.

use super::Stop;
use super::source::{Place, Source};

/// A longer operation is refused.
pub const FORM_BYTES_MAX: usize = 1 << 24;

/// Which notation a text is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    Edn,
    Json,
}

/// The text of one operation, brackets included.
#[derive(Clone, Copy, Debug)]
pub struct Form<'f> {
    /// Where it begins.
    pub place: Place,
    /// What stands there.
    pub text: &'f str,
}

impl Form<'_> {
    /// An error at this byte of the text.
    pub fn wrong(&self, at: usize, reason: impl Into<String>) -> Stop {
        Stop::at(self.place.after(&self.text.as_bytes()[..at]), reason)
    }
}

/// Splits a text into operations.
pub struct Forms<'s, 'a> {
    source: &'s mut Source<'a>,
    notation: Notation,
    /// What closes the vector around all operations, and where that was opened.
    around: Option<(u8, Place)>,
    text: Vec<u8>,
}

/// What gathering is in the middle of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    Text,
    Escape,
    Character,
    Comment,
}

impl<'s, 'a> Forms<'s, 'a> {
    pub fn new(source: &'s mut Source<'a>, notation: Notation) -> Self {
        Self { source, notation, around: None, text: Vec::new() }
    }

    /// The next operation's text, or `None` at the end.
    pub fn next_form(&mut self) -> Result<Option<Form<'_>>, Stop> {
        let mut discards = 0_u64;
        loop {
            let Some(byte) = self.next_byte()? else {
                return self.end().map(|()| None);
            };
            let place = self.source.place();
            match byte {
                b'[' | b'(' if self.around.is_none() && discards == 0 => {
                    let close = if byte == b'[' { b']' } else { b')' };
                    self.around = Some((close, place));
                    self.skip(1);
                }
                b']' | b')' | b'}' => self.close(byte)?,
                b'#' if self.notation == Notation::Edn => {
                    if self.tag()? {
                        discards += 1;
                    }
                }
                _ if discards > 0 => {
                    self.gather(byte)?;
                    discards -= 1;
                }
                b'{' => {
                    self.gather(byte)?;
                    let text = utf8(&self.text, place)?;
                    return Ok(Some(Form { place, text }));
                }
                _ => return Err(not_an_operation(place)),
            }
        }
    }

    fn skip(&mut self, count: usize) {
        std::io::BufRead::consume(self.source, count);
    }

    /// The next byte that is neither blank nor comment.
    fn next_byte(&mut self) -> Result<Option<u8>, Stop> {
        let mut comment = false;
        loop {
            let chunk = self.source.chunk()?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let mut found = None;
            for (index, byte) in chunk.iter().enumerate() {
                match byte {
                    b'\n' => comment = false,
                    _ if comment || byte.is_ascii_whitespace() || *byte == b',' => {}
                    b';' if self.notation == Notation::Edn => comment = true,
                    byte => {
                        found = Some((index, *byte));
                        break;
                    }
                }
            }
            let count = found.map_or(chunk.len(), |(index, _)| index);
            self.skip(count);
            if let Some((_, byte)) = found {
                return Ok(Some(byte));
            }
        }
    }

    fn end(&self) -> Result<(), Stop> {
        let Some((_, opened)) = self.around else {
            return Ok(());
        };
        let reason = format!(
            "the file ends inside the bracket of line {}, column {}: it was cut off",
            opened.line, opened.column
        );
        Err(Stop::at(self.source.place(), reason))
    }

    fn close(&mut self, byte: u8) -> Result<(), Stop> {
        if self.around.is_none_or(|(close, _)| close != byte) {
            let reason = format!("`{}` closes nothing", char::from(byte));
            return Err(Stop::at(self.source.place(), reason));
        }
        self.around = None;
        self.skip(1);
        Ok(())
    }

    /// Reads a tag; whether it says that what follows is discarded.
    fn tag(&mut self) -> Result<bool, Stop> {
        let place = self.source.place();
        self.skip(1);
        self.text.clear();
        loop {
            let chunk = self.source.chunk()?;
            let end = chunk.iter().position(|byte| is_boundary(*byte));
            let count = end.unwrap_or(chunk.len());
            let discards = self.text.is_empty() && chunk.starts_with(b"_");
            let count = if discards { 1 } else { count };
            let done = end.is_some() || chunk.is_empty() || discards;
            self.text.extend_from_slice(&chunk[..count]);
            self.skip(count);
            if discards {
                return Ok(true);
            }
            if self.text.len() > FORM_BYTES_MAX {
                return Err(too_long(place));
            }
            if done && self.text.is_empty() {
                return Err(not_an_operation(place));
            }
            if done {
                return Ok(false);
            }
        }
    }

    /// Takes the form that begins with this byte into `text`.
    fn gather(&mut self, first: u8) -> Result<(), Stop> {
        self.text.clear();
        let start = self.source.place();
        if !matches!(first, b'{' | b'[' | b'(' | b'"') {
            return self.gather_atom(start);
        }
        let edn = self.notation == Notation::Edn;
        let (mut state, mut depth) = (State::Plain, 0_usize);
        loop {
            let chunk = self.source.chunk()?;
            if chunk.is_empty() {
                let reason = format!(
                    "the file ends inside the operation of line {}, column {}: it was cut off",
                    start.line, start.column
                );
                return Err(Stop::at(self.source.place(), reason));
            }
            let mut done = false;
            let mut count = 0;
            for byte in chunk {
                count += 1;
                state = match (state, *byte) {
                    (State::Plain, b'"') => State::Text,
                    (State::Plain, b'{' | b'[' | b'(') => {
                        depth += 1;
                        State::Plain
                    }
                    (State::Plain, b'}' | b']' | b')') => {
                        depth = depth.saturating_sub(1);
                        done = depth == 0;
                        State::Plain
                    }
                    (State::Plain, b';') if edn => State::Comment,
                    (State::Plain, b'\\') if edn => State::Character,
                    (State::Plain, _) | (State::Character, _) => State::Plain,
                    (State::Text, b'\\') => State::Escape,
                    (State::Text, b'"') => {
                        done = depth == 0;
                        State::Plain
                    }
                    (State::Text, _) | (State::Escape, _) => State::Text,
                    (State::Comment, b'\n') => State::Plain,
                    (State::Comment, _) => State::Comment,
                };
                if done {
                    break;
                }
            }
            self.text.extend_from_slice(&chunk[..count]);
            self.skip(count);
            if self.text.len() > FORM_BYTES_MAX {
                return Err(too_long(start));
            }
            if done {
                return Ok(());
            }
        }
    }

    fn gather_atom(&mut self, start: Place) -> Result<(), Stop> {
        loop {
            let chunk = self.source.chunk()?;
            let end = chunk.iter().position(|byte| is_boundary(*byte));
            let count = end.unwrap_or(chunk.len());
            let done = end.is_some() || chunk.is_empty();
            self.text.extend_from_slice(&chunk[..count]);
            self.skip(count);
            if self.text.len() > FORM_BYTES_MAX {
                return Err(too_long(start));
            }
            if done {
                return Ok(());
            }
        }
    }
}

/// The bytes as text; an error at the first byte that is none.
pub fn utf8(bytes: &[u8], place: Place) -> Result<&str, Stop> {
    std::str::from_utf8(bytes).map_err(|error| {
        let place = place.after(&bytes[..error.valid_up_to()]);
        Stop::at(place, "this is not UTF-8")
    })
}

/// Whether a byte ends a word of EDN.
pub fn is_boundary(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b',' | b'"' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}')
}

fn not_an_operation(place: Place) -> Stop {
    Stop::at(place, "an operation is a map in curly brackets")
}

fn too_long(place: Place) -> Stop {
    Stop::at(place, "this operation is longer than 16 MiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, notation: Notation) -> Result<Vec<(u64, u64, String)>, String> {
        let mut from = text.as_bytes();
        let mut source = Source::open(&mut from).unwrap();
        let mut forms = Forms::new(&mut source, notation);
        let mut found = Vec::new();
        loop {
            match forms.next_form() {
                Ok(Some(form)) => {
                    found.push((form.place.line, form.place.column, form.text.to_owned()));
                }
                Ok(None) => return Ok(found),
                Err(stop) => return Err(stop.in_file("f").to_string()),
            }
        }
    }

    fn check(text: &str, expected: &[(u64, u64, &str)]) {
        let found = split(text, Notation::Edn).unwrap();
        let found = found.iter().map(|(l, c, text)| (*l, *c, text.as_str())).collect::<Vec<_>>();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn operations_stand_in_a_stream_or_in_one_bracket() {
        check("{:a 1}\n {:b {}}", &[(1, 1, "{:a 1}"), (2, 2, "{:b {}}")]);
        check("; a comment ]\n[{:a 1},{:b 2}]", &[(2, 2, "{:a 1}"), (2, 9, "{:b 2}")]);
        check("({:a \"}\\\"\"}{:b \\}})", &[(1, 2, "{:a \"}\\\"\"}"), (1, 12, "{:b \\}}")]);
        check("{:a ; }\n 1}", &[(1, 1, "{:a ; }\n 1}")]);
        check("[]", &[]);
        check("", &[]);
    }

    #[test]
    fn tags_are_read_through_and_discarded_forms_are_none() {
        check("#jepsen.history.Op{:a 1}", &[(1, 19, "{:a 1}")]);
        check("#a/b [#c {:a 1}]", &[(1, 10, "{:a 1}")]);
        check("#_{:a 1} #_ #_ [1] 2 {:b 2}", &[(1, 22, "{:b 2}")]);
        check("#_\"}\" {:b 2}", &[(1, 7, "{:b 2}")]);
    }

    #[test]
    fn what_is_no_operation_is_refused_at_its_place() {
        let check = |text: &str, expected: &str| {
            assert_eq!(split(text, Notation::Edn).unwrap_err(), expected);
        };
        check("{:a 1} nil", "f:1:8: an operation is a map in curly brackets");
        check("[[1]]", "f:1:2: an operation is a map in curly brackets");
        check("#{:a}", "f:1:1: an operation is a map in curly brackets");
        check("{:a 1}}", "f:1:7: `}` closes nothing");
        check("[{}", "f:1:4: the file ends inside the bracket of line 1, column 1: it was cut off");
        check(
            "{}\n{:a [1",
            "f:2:7: the file ends inside the operation of line 2, column 1: it was cut off",
        );
        assert_eq!(
            split("# 1", Notation::Json).unwrap_err(),
            "f:1:1: an operation is a map in curly brackets"
        );
    }
}
