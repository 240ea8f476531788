//! Values in EDN, the notation of Clojure.
//!
//! Keywords and symbols become texts (a keyword without its colon), characters too; vectors and lists
//! become lists, sets sorted lists, maps lists of pairs sorted by key. Tags are read through. What
//! [`Value`] does not have (fractions, integers of more than 64 bits) is refused, but only where a
//! value is asked for: what is skipped may be anything.
//!
//! It is our own because it must give a million operations in three seconds: of the crates,
//! clojure-reader needs all of that for building its maps alone (see `harness/PERFORMANCE.md`); it is
//! the twin that the tests compare with.
//! Source: <https://github.com/edn-format/edn>.

use std::borrow::Cow;

use smol_str::SmolStr;

use super::Stop;
use super::forms::{Form, is_boundary};
use crate::value::Value;

/// Reads the text of one operation, or of one value.
///
/// Bounds: a value is at most [`DEPTH_MAX`] brackets deep; what is skipped may be deeper.
pub struct Reader<'f> {
    form: Form<'f>,
    bytes: &'f [u8],
    at: usize,
    /// Elements of the lists that are open.
    elements: Vec<Value>,
    /// How many of them are open.
    depth: usize,
}

/// A value with more brackets inside each other is refused.
pub const DEPTH_MAX: usize = 128;

/// A word, a bracket or a mark.
#[derive(Clone, Debug, PartialEq)]
pub enum Token<'f> {
    Open(Bracket),
    Close(u8),
    Keyword(&'f str),
    Symbol(&'f str),
    Text(Cow<'f, str>),
    Character(char),
    Number(&'f str),
    Tag,
    Discard,
}

/// What a bracket opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bracket {
    List(u8),
    Map,
    Set,
}

impl Bracket {
    fn close(self) -> u8 {
        match self {
            Self::List(close) => close,
            Self::Map | Self::Set => b'}',
        }
    }
}

impl<'f> Reader<'f> {
    pub fn new(form: Form<'f>) -> Self {
        Self { form, bytes: form.text.as_bytes(), at: 0, elements: Vec::new(), depth: 0 }
    }

    /// Reads a map, and asks `each` to read or skip the value behind every key. `each` learns where
    /// the key stands.
    pub fn map(
        &mut self,
        mut each: impl FnMut(&mut Self, usize, Token<'f>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let start = self.at;
        if self.token()? != Some(Token::Open(Bracket::Map)) {
            return Err(self.wrong(start, "a map in curly brackets is expected here"));
        }
        loop {
            let at = self.next_word();
            match self.required_token()? {
                Token::Close(b'}') => return Ok(()),
                Token::Close(other) => return Err(self.mismatch(at, other, b'}')),
                Token::Discard => self.skip()?,
                Token::Tag => {}
                key @ (Token::Keyword(_) | Token::Symbol(_) | Token::Text(_)) => {
                    each(self, at, key)?;
                }
                // No key of an operation looks like this.
                Token::Open(_) => {
                    self.at = at;
                    self.skip()?;
                    self.skip()?;
                }
                Token::Character(_) | Token::Number(_) => self.skip()?,
            }
        }
    }

    /// Whether nothing but blanks and comments is left.
    pub fn is_done(&mut self) -> bool {
        self.next_word() == self.bytes.len()
    }

    /// Where the next word begins.
    pub fn next_word(&mut self) -> usize {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b',' | b'\n' | b'\t' | b'\r' | b'\x0c' => self.at += 1,
                b';' => {
                    let rest = &self.bytes[self.at..];
                    self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                }
                _ => break,
            }
        }
        self.at
    }

    /// The next value.
    pub fn value(&mut self) -> Result<Value, Stop> {
        loop {
            let at = self.next_word();
            return match self.required_token()? {
                Token::Open(bracket) => self.collection(bracket),
                Token::Close(byte) => Err(self.missing_before(at, byte)),
                Token::Keyword(name) => Ok(Value::Text(name.into())),
                Token::Symbol("nil") => Ok(Value::Nil),
                Token::Symbol("true") => Ok(Value::Bool(true)),
                Token::Symbol("false") => Ok(Value::Bool(false)),
                Token::Symbol(name) => Ok(Value::Text(name.into())),
                Token::Text(text) => Ok(Value::Text(text.into())),
                Token::Character(character) => Ok(Value::Text(SmolStr::from_iter([character]))),
                Token::Number(text) => integer(text).map(Value::Integer).ok_or_else(|| {
                    self.wrong(at, format!("{text} is no integer of 64 bits signed"))
                        .suggest("write it as a text")
                }),
                Token::Tag => continue,
                Token::Discard => {
                    self.skip()?;
                    continue;
                }
            };
        }
    }

    fn collection(&mut self, bracket: Bracket) -> Result<Value, Stop> {
        let start = self.elements.len();
        if self.depth == DEPTH_MAX {
            let reason = format!("more than {DEPTH_MAX} brackets are open here");
            return Err(self.wrong(self.at - 1, reason));
        }
        self.depth += 1;
        loop {
            let at = self.next_word();
            match self.bytes.get(at) {
                Some(byte @ (b']' | b')' | b'}')) if *byte == bracket.close() => {
                    self.at += 1;
                    break;
                }
                Some(b'#') if self.bytes.get(at + 1) == Some(&b'_') => {
                    self.at += 2;
                    self.skip()?;
                }
                Some(byte @ (b']' | b')' | b'}')) => {
                    return Err(self.mismatch(at, *byte, bracket.close()));
                }
                _ => {
                    let value = self.value()?;
                    self.elements.push(value);
                }
            }
        }
        self.depth -= 1;
        let elements = self.elements.drain(start..);
        match bracket {
            Bracket::List(_) => Ok(Value::List(elements.collect())),
            Bracket::Set => {
                let mut elements = elements.collect::<Vec<_>>();
                elements.sort_unstable();
                Ok(Value::list(elements))
            }
            Bracket::Map => {
                let elements = elements.collect::<Vec<_>>();
                let at = self.at - 1;
                pairs(elements)
                    .ok_or_else(|| self.wrong(at, "the last key of this map has no value"))
            }
        }
    }

    /// Skips the next value, whatever it is.
    pub fn skip(&mut self) -> Result<(), Stop> {
        let (mut depth, mut values) = (0_usize, 1_usize);
        while values > 0 {
            let at = self.next_word();
            match self.required_token()? {
                Token::Open(_) => depth += 1,
                Token::Close(byte) if depth == 0 => return Err(self.missing_before(at, byte)),
                Token::Close(_) => depth -= 1,
                Token::Tag => continue,
                Token::Discard => {
                    // Inside of a bracket that is skipped, all is skipped anyhow.
                    values += usize::from(depth == 0);
                    continue;
                }
                _ => {}
            }
            values -= usize::from(depth == 0);
        }
        Ok(())
    }

    /// Skips the next value and returns its text.
    pub fn skipped(&mut self) -> Result<&'f str, Stop> {
        let start = self.next_word();
        self.skip()?;
        Ok(&self.form.text[start..self.at])
    }

    /// A part of the text, which begins at this byte.
    pub fn part(&self, at: usize, text: &'f str) -> Form<'f> {
        Form { place: self.form.place.after(&self.bytes[..at]), text }
    }

    /// An error at this byte.
    pub fn wrong(&self, at: usize, reason: impl Into<String>) -> Stop {
        self.form.wrong(at, reason)
    }

    fn missing_before(&self, at: usize, close: u8) -> Stop {
        self.wrong(at, format!("a value is missing before this `{}`", char::from(close)))
    }

    fn mismatch(&self, at: usize, found: u8, expected: u8) -> Stop {
        let (found, expected) = (char::from(found), char::from(expected));
        self.wrong(at, format!("`{expected}` is expected here, not `{found}`"))
    }

    /// The next token; an error at the end.
    pub fn required_token(&mut self) -> Result<Token<'f>, Stop> {
        match self.token()? {
            Some(token) => Ok(token),
            None => Err(self.wrong(self.at, "the text ends here, in the middle of a value")),
        }
    }

    fn token(&mut self) -> Result<Option<Token<'f>>, Stop> {
        let at = self.next_word();
        let Some(first) = self.bytes.get(at) else {
            return Ok(None);
        };
        let single = |token| Ok(Some(token));
        self.at += 1;
        match first {
            b'{' => single(Token::Open(Bracket::Map)),
            b'[' => single(Token::Open(Bracket::List(b']'))),
            b'(' => single(Token::Open(Bracket::List(b')'))),
            b'}' | b']' | b')' => single(Token::Close(*first)),
            b'"' => self.text(at).map(|text| Some(Token::Text(text))),
            b'\\' => self.character(at).map(|character| Some(Token::Character(character))),
            b'#' => self.marked().map(Some),
            b':' => single(Token::Keyword(&self.word(at)[1..])),
            b'0'..=b'9' => single(Token::Number(self.word(at))),
            b'-' | b'+' if self.bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => {
                single(Token::Number(self.word(at)))
            }
            _ => single(Token::Symbol(self.word(at))),
        }
    }

    /// The word that begins at `start` and goes on where we are.
    fn word(&mut self, start: usize) -> &'f str {
        while self.bytes.get(self.at).is_some_and(|byte| !is_boundary(*byte)) {
            self.at += 1;
        }
        &self.form.text[start..self.at]
    }

    /// What stands behind `#`.
    fn marked(&mut self) -> Result<Token<'f>, Stop> {
        let at = self.at;
        match self.bytes.get(at) {
            Some(b'{') => {
                self.at += 1;
                Ok(Token::Open(Bracket::Set))
            }
            Some(b'_') => {
                self.at += 1;
                Ok(Token::Discard)
            }
            Some(b'"') => {
                self.at += 1;
                self.text(at).map(Token::Text)
            }
            Some(b'#') => Ok(Token::Symbol(self.word(at - 1))),
            Some(byte) if !is_boundary(*byte) => {
                self.word(at);
                Ok(Token::Tag)
            }
            _ => Err(self.wrong(at, "a tag is missing behind this `#`")),
        }
    }

    /// The text whose quote opens at `start`.
    fn text(&mut self, start: usize) -> Result<Cow<'f, str>, Stop> {
        let begin = self.at;
        let mut plain = true;
        loop {
            match self.bytes.get(self.at) {
                None => return Err(self.wrong(start, "this text has no closing quote")),
                Some(b'"') => break,
                Some(b'\\') => {
                    plain = false;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
            }
        }
        let text = &self.form.text[begin..self.at];
        self.at += 1;
        if plain {
            return Ok(Cow::Borrowed(text));
        }
        unescape(text).map(Cow::Owned).map_err(|at| {
            self.wrong(
                begin + at,
                "this escape is not known: write \\t, \\r, \\n, \\\\, \\\" or \\uXXXX",
            )
        })
    }

    fn character(&mut self, start: usize) -> Result<char, Stop> {
        // The first character belongs to the word even if it is a bracket.
        let first = self.form.text[self.at..].chars().next();
        self.at += first.map_or(0, char::len_utf8);
        let word = self.word(start);
        let named = match &word[1..] {
            "newline" => Some('\n'),
            "return" => Some('\r'),
            "space" => Some(' '),
            "tab" => Some('\t'),
            "formfeed" => Some('\x0c'),
            "backspace" => Some('\x08'),
            one if one.chars().count() == 1 => first,
            code => code.strip_prefix('u').and_then(unicode),
        };
        named.ok_or_else(|| self.wrong(start, format!("the character {word} is not known")))
    }
}

/// A list of pairs sorted by their keys, from keys and values in turn; `None` if one is missing.
pub fn pairs(elements: Vec<Value>) -> Option<Value> {
    if !elements.len().is_multiple_of(2) {
        return None;
    }
    let mut elements = elements.into_iter();
    let mut pairs = Vec::with_capacity(elements.len() / 2);
    while let (Some(key), Some(value)) = (elements.next(), elements.next()) {
        pairs.push(Value::pair(key, value));
    }
    pairs.sort_unstable();
    Some(Value::list(pairs))
}

/// The integer that is written like this, with or without Clojure's `N` behind it.
pub fn integer(text: &str) -> Option<i64> {
    text.strip_suffix('N').unwrap_or(text).parse().ok()
}

/// The character of this code, four hexadecimal digits.
fn unicode(code: &str) -> Option<char> {
    let code = (code.len() == 4).then(|| u32::from_str_radix(code, 16).ok())??;
    char::from_u32(code)
}

/// The text without its escapes, or where the first one stands that is not known.
fn unescape(text: &str) -> Result<String, usize> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let wrong = text.len() - rest.len() + at;
        let mut behind = rest[at + 1..].chars();
        plain.push(match behind.next().ok_or(wrong)? {
            't' => '\t',
            'r' => '\r',
            'n' => '\n',
            'b' => '\x08',
            'f' => '\x0c',
            'u' => {
                let code = behind.as_str().get(..4).ok_or(wrong)?;
                behind = behind.as_str()[4..].chars();
                unicode(code).ok_or(wrong)?
            }
            same @ ('\\' | '"') => same,
            _ => return Err(wrong),
        });
        rest = behind.as_str();
    }
    plain.push_str(rest);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use clojure_reader::edn::Edn;
    use proptest::prelude::*;

    use super::super::source::Place;
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        let mut reader = Reader::new(Form { place: Place::START, text });
        let value = reader.value().map_err(|stop| stop.in_file("f").to_string())?;
        assert!(reader.is_done(), "{text}");
        Ok(value)
    }

    fn skip(text: &str) -> bool {
        let mut reader = Reader::new(Form { place: Place::START, text });
        reader.skip().is_ok() && reader.is_done()
    }

    /// What the twin read, as a value of ours; `None` where ours has no such value.
    fn of_twin(edn: &Edn<'_>) -> Option<Value> {
        Some(match edn {
            Edn::Vector(list) | Edn::List(list) => {
                Value::list(list.iter().map(of_twin).collect::<Option<Vec<_>>>()?)
            }
            Edn::Set(set) => {
                let mut elements = set.iter().map(of_twin).collect::<Option<Vec<_>>>()?;
                elements.sort();
                Value::list(elements)
            }
            Edn::Map(map) => {
                let mut pairs = Vec::new();
                for (key, value) in map {
                    pairs.push(Value::pair(of_twin(key)?, of_twin(value)?));
                }
                pairs.sort();
                Value::list(pairs)
            }
            Edn::Key(text) | Edn::Symbol(text) | Edn::Str(text) => Value::from(text.as_ref()),
            Edn::Int(integer) => (*integer).into(),
            Edn::Tagged(_, value) => of_twin(value)?,
            Edn::Char(character) => Value::Text(SmolStr::from_iter([*character])),
            Edn::Bool(truth) => (*truth).into(),
            Edn::Nil => Value::Nil,
            _ => return None,
        })
    }

    fn arbitrary_edn() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("nil".to_owned()),
            any::<bool>().prop_map(|truth| truth.to_string()),
            any::<i64>().prop_map(|integer| integer.to_string()),
            "[a-z][a-z0-9*+!_?-]{0,8}",
            ":[a-z][a-z/.-]{0,6}[a-z]",
            r#""([ -!#-\[\]-~é]|\\[nrt"\\]){0,9}""#,
            r"\\[a-zA-Z0-9]",
            Just(r"\newline".to_owned()),
        ];
        let blank = prop_oneof![Just(" "), Just(", "), Just("\n"), Just(" ;c)\n")];
        leaf.prop_recursive(5, 60, 6, move |inner| {
            let list = proptest::collection::vec((inner.clone(), blank.clone()), 0..6);
            let joined = list.prop_map(|list| {
                list.into_iter().map(|(value, blank)| value + blank).collect::<String>()
            });
            let pairs = proptest::collection::btree_map("[a-z]{1,3}", inner.clone(), 0..4);
            let pairs = pairs.prop_map(|pairs| {
                pairs.into_iter().map(|(key, value)| format!(":{key} {value} ")).collect::<String>()
            });
            prop_oneof![
                joined.clone().prop_map(|list| format!("[{list}]")),
                joined.clone().prop_map(|list| format!("({list})")),
                pairs.prop_map(|pairs| format!("{{{pairs}}}")),
                inner.clone().prop_map(|value| format!("#{{{value}}}")),
                inner.clone().prop_map(|value| format!("#some.tag {value}")),
                (inner.clone(), inner).prop_map(|(one, two)| format!("[#_ {one} {two}]")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_value_is_what_clojure_reader_reads(text in arbitrary_edn()) {
            let twin = clojure_reader::edn::read_string(&text).expect("the twin reads EDN");
            prop_assert_eq!(read(&text).ok(), of_twin(&twin), "{}", text);
            prop_assert!(skip(&text), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in r#"[\[\](){}#_:a0 "\\;,^-]{0,40}"#) {
            let form = Form { place: Place::START, text: &text };
            let _ = Reader::new(form).value();
            let _ = Reader::new(form).skip();
            let _ = Reader::new(form).map(|reader, _, _| reader.skip());
        }
    }

    #[test]
    fn what_has_no_value_of_its_own_becomes_a_text_or_a_list() {
        let check =
            |text: &str, expected: &str| assert_eq!(read(text).unwrap().to_string(), expected);
        check("[:r :x/y nil]", r#"["r", "x/y", nil]"#);
        check("{:b 2 :a #{3 1 2}}", r#"[["a", [1, 2, 3]], ["b", 2]]"#);
        check("#inst \"2026\"", r#""2026""#);
        check("[#_ #_ 1 2 3 ##NaN 7N -0 +4]", "[3, \"##NaN\", 7, 0, 4]");
        check(r#""\u00e9\n""#, "\"é\n\"");
        check(r"[\{ \u0041]", r#"["{", "A"]"#);
    }

    #[test]
    fn a_mistake_is_refused_at_its_place() {
        let check = |text: &str, expected: &str| assert_eq!(read(text).unwrap_err(), expected);
        check("[1\n 2.5]", "f:2:2: 2.5 is no integer of 64 bits signed: write it as a text");
        check(
            "9223372036854775808",
            "f:1:1: 9223372036854775808 is no integer of 64 bits signed: write it as a text",
        );
        check("[1 }", "f:1:4: `]` is expected here, not `}`");
        check("{:a}", "f:1:4: the last key of this map has no value");
        check("[1 \"a", "f:1:4: this text has no closing quote");
        check("[#]", "f:1:3: a tag is missing behind this `#`");
        check(r"\nope", r"f:1:1: the character \nope is not known");
        check(r#""a\q""#, r#"f:1:3: this escape is not known: write \t, \r, \n, \\, \" or \uXXXX"#);
        check("[1", "f:1:3: the text ends here, in the middle of a value");
    }

    #[test]
    fn brackets_are_bounded_where_a_value_is_asked_for() {
        let deep = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read(&deep(DEPTH_MAX)).is_ok());
        let error = read(&deep(100_000)).unwrap_err();
        assert_eq!(error, "f:1:129: more than 128 brackets are open here");
        assert!(skip(&deep(100_000)));
    }

    #[test]
    fn marks_without_brackets_are_no_recursion() {
        let many = "#_ ".repeat(100_000) + &"1 ".repeat(100_001);
        assert_eq!(read(&many).unwrap(), Value::from(1));
        let many = "#a ".repeat(100_000) + "1";
        assert_eq!(read(&many).unwrap(), Value::from(1));
        let many = "#_ 0 ".repeat(100_000) + "1";
        assert_eq!(read(&many).unwrap(), Value::from(1));
    }
}
