//! Takes texts apart into what was written and appended.

use wrack_history::Value;

/// A text that an operation writes or appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::linearizability) struct Piece<'a> {
    pub text: &'a str,
    pub kind: Kind,
    /// Whose it is; not looked at for the initial one.
    pub owner: u32,
}

/// How a piece gets into a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::linearizability) enum Kind {
    /// The text is there at first.
    Initial,
    /// It replaces the text.
    Write,
    /// It is put behind the text.
    Append,
}

/// Pieces of which none is empty or the beginning of another: a text is put together from them in one
/// way at most.
pub(in crate::linearizability) struct Pieces<'a> {
    /// Whether the initial text is empty.
    empty: bool,
    sorted: Vec<Piece<'a>>,
}

/// How a text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::linearizability) struct Start {
    /// Who wrote it; `None` for the initial text.
    pub write: Option<u32>,
    /// Length of its own text, without what was appended.
    pub length: usize,
}

impl<'a> Pieces<'a> {
    /// `None` if one is no text, is empty, or is the beginning of another one.
    pub fn new(
        initial: &'a Value,
        pieces: impl Iterator<Item = (&'a Value, Kind, u32)>,
    ) -> Option<Self> {
        let all = pieces.chain([(initial, Kind::Initial, 0)]);
        let all = all.map(|(text, kind, owner)| match text {
            Value::Text(text) => Some(Piece { text, kind, owner }),
            _ => None,
        });
        let mut sorted = all.collect::<Option<Vec<Piece<'a>>>>()?;
        sorted.sort_unstable_by_key(|piece| (piece.text, piece.owner));
        let initial = |piece: &Piece<'_>| piece.text.is_empty() && piece.kind == Kind::Initial;
        let empty = sorted.first().is_some_and(initial);
        if empty {
            sorted.remove(0);
        }
        let first = sorted.first().is_none_or(|piece| !piece.text.is_empty());
        let apart = sorted.windows(2).all(|pair| !pair[1].text.starts_with(pair[0].text));
        (first && apart).then_some(Self { empty, sorted })
    }

    /// The piece with which a text begins. As none is the beginning of another, it is the last that
    /// stands no later than the text in the order of texts.
    pub fn first(&self, text: &str) -> Option<Piece<'a>> {
        let behind = self.sorted.partition_point(|piece| piece.text <= text);
        let piece = *self.sorted.get(behind.checked_sub(1)?)?;
        text.starts_with(piece.text).then_some(piece)
    }

    /// How a text begins; `None` if no text that is put together so does.
    pub fn start(&self, text: &str) -> Option<Start> {
        let nothing = self.empty.then_some(Start { write: None, length: 0 });
        match self.first(text) {
            None if text.is_empty() => nothing,
            None => None,
            Some(Piece { kind: Kind::Append, .. }) => nothing,
            Some(Piece { text, kind: Kind::Initial, .. }) => {
                Some(Start { write: None, length: text.len() })
            }
            Some(Piece { text, kind: Kind::Write, owner }) => {
                Some(Start { write: Some(owner), length: text.len() })
            }
        }
    }

    /// The appends of which the rest of a text consists, each with the length at which it ends;
    /// `None` if it consists of something else.
    pub fn appends(&self, text: &str, start: Start) -> Option<Vec<(u32, usize)>> {
        let mut appends = Vec::new();
        let mut end = start.length;
        while end < text.len() {
            let piece = self.first(&text[end..]).filter(|piece| piece.kind == Kind::Append)?;
            end += piece.text.len();
            appends.push((piece.owner, end));
        }
        Some(appends)
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::{Kind, Pieces, Start};

    #[test]
    fn a_text_is_taken_apart_in_one_way() {
        let [empty, a, b, c] = ["", "a1", "b1", "c2"].map(Value::from);
        let all = [(&a, Kind::Write, 0), (&b, Kind::Append, 1), (&c, Kind::Append, 2)];
        let pieces = Pieces::new(&empty, all.into_iter()).unwrap();
        let written = Start { write: Some(0), length: 2 };
        assert_eq!(pieces.start("a1c2b1"), Some(written));
        assert_eq!(pieces.appends("a1c2b1", written), Some(vec![(2, 4), (1, 6)]));
        assert_eq!(pieces.appends("a1c2a1", written), None);
        assert_eq!(pieces.start("c2"), Some(Start { write: None, length: 0 }));
        assert_eq!(pieces.start(""), Some(Start { write: None, length: 0 }));
        assert_eq!(pieces.start("a"), None);
        assert_eq!(pieces.start("a2"), None);
    }

    #[test]
    fn pieces_that_do_not_come_apart_are_refused() {
        let texts = ["", "a", "ab", "b"].map(Value::from);
        let none = |initial: usize, others: &[usize]| {
            let others = others.iter().map(|other| (&texts[*other], Kind::Append, 0));
            Pieces::new(&texts[initial], others).is_none()
        };
        assert!(none(0, &[1, 2]) && none(0, &[3, 3]) && none(0, &[0]) && none(1, &[1]));
        assert!(!none(0, &[1, 3]) && !none(1, &[3]));
        assert!(Pieces::new(&7.into(), std::iter::empty()).is_none());
    }
}
