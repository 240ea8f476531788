//! Takes texts apart into what was written and appended.

use smallvec::SmallVec;
use wrack_history::Value;

/// How a piece gets into a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::linearizability) enum Kind {
    /// It replaces the text.
    Write,
    /// It is put behind the text.
    Append,
}

/// A text that operations write or append, and which ones do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::linearizability) struct Piece<'a> {
    pub text: &'a str,
    /// Who writes it.
    pub writes: SmallVec<[u32; 1]>,
    /// Who appends it.
    pub appends: SmallVec<[u32; 2]>,
}

/// Pieces of which none is empty or the beginning of another: a text is put together from them in one
/// way at most.
pub(in crate::linearizability) struct Pieces<'a> {
    initial: &'a str,
    sorted: Vec<Piece<'a>>,
}

/// How a text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::linearizability) struct Start {
    /// The piece that was written; `None` for the initial text.
    pub written: Option<u32>,
    /// Length of its own text, without what was appended.
    pub length: usize,
}

impl<'a> Pieces<'a> {
    /// `None` if one is no text, is empty, or is the beginning of another one.
    pub fn new(
        initial: &'a Value,
        operations: impl Iterator<Item = (&'a Value, Kind, u32)>,
    ) -> Option<Self> {
        let text = |value: &'a Value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        };
        let initial = text(initial)?;
        let all = operations.map(|(value, kind, owner)| Some((text(value)?, kind, owner)));
        let mut all = all.collect::<Option<Vec<_>>>()?;
        all.sort_by_key(|(text, ..)| *text);
        let mut sorted = Vec::<Piece<'a>>::with_capacity(all.len());
        for (text, kind, owner) in all {
            if sorted.last().is_none_or(|last| last.text != text) {
                sorted.push(Piece { text, ..Piece::default() });
            }
            let piece = sorted.last_mut().expect("one was just put there");
            match kind {
                Kind::Write => piece.writes.push(owner),
                Kind::Append => piece.appends.push(owner),
            }
        }
        let clashes = |piece: &Piece<'_>| {
            !initial.is_empty()
                && (piece.text.starts_with(initial) || initial.starts_with(piece.text))
        };
        let first = sorted.first().is_none_or(|piece| !piece.text.is_empty());
        let apart = sorted.windows(2).all(|pair| !pair[1].text.starts_with(pair[0].text));
        let fits = first && apart && !sorted.iter().any(clashes);
        fits.then_some(Self { initial, sorted })
    }

    /// All of them, sorted by text.
    pub fn all(&self) -> &[Piece<'a>] {
        &self.sorted
    }

    /// Whether the text is empty at first, so that it may begin with an append.
    pub fn begin_with_appends(&self) -> bool {
        self.initial.is_empty()
    }

    /// Length of the initial text.
    pub fn initial_length(&self) -> usize {
        self.initial.len()
    }

    /// The piece with which a text begins. As none is the beginning of another, it is the last that
    /// stands no later than the text in the order of texts.
    fn first(&self, text: &str) -> Option<u32> {
        let behind = self.sorted.partition_point(|piece| piece.text <= text);
        let index = behind.checked_sub(1)?;
        text.starts_with(self.sorted[index].text).then_some(index as u32)
    }

    /// How a text begins, with a write wherever it can be one; `None` if no text that is put together
    /// so begins like this.
    pub fn start(&self, text: &str) -> Option<Start> {
        let first = self.first(text);
        if let Some(index) = first {
            let piece = &self.sorted[index as usize];
            if !piece.writes.is_empty() {
                return Some(Start { written: first, length: piece.text.len() });
            }
        }
        let continues = first.is_some() || text.len() == self.initial.len();
        let initial = Start { written: None, length: self.initial.len() };
        match self.initial.is_empty() {
            true => continues.then_some(initial),
            false => text.starts_with(self.initial).then_some(initial),
        }
    }

    /// The appended pieces of which the rest of a text consists, each with the length at which it
    /// ends; `None` if it consists of something else.
    pub fn appended(&self, text: &str, start: Start) -> Option<Vec<(u32, usize)>> {
        let mut appended = Vec::new();
        let mut end = start.length;
        while end < text.len() {
            let index = self.first(&text[end..])?;
            let piece = &self.sorted[index as usize];
            if piece.appends.is_empty() {
                return None;
            }
            end += piece.text.len();
            appended.push((index, end));
        }
        Some(appended)
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::{Kind, Pieces, Start};

    #[test]
    fn a_text_is_taken_apart_in_one_way() {
        let [empty, a, b, c] = ["", "a1", "b1", "c2"].map(Value::from);
        let all = [(&a, Kind::Write, 7), (&b, Kind::Append, 8), (&c, Kind::Append, 9)];
        let pieces = Pieces::new(&empty, all.into_iter()).unwrap();
        let written = Start { written: Some(0), length: 2 };
        assert_eq!(pieces.start("a1c2b1"), Some(written));
        assert_eq!(pieces.appended("a1c2b1", written), Some(vec![(2, 4), (1, 6)]));
        assert_eq!(pieces.appended("a1c2a1", written), None);
        assert_eq!(pieces.start("c2"), Some(Start { written: None, length: 0 }));
        assert_eq!(pieces.start(""), Some(Start { written: None, length: 0 }));
        assert_eq!(pieces.start("a"), None);
        assert_eq!(pieces.start("a2"), None);

        let initial = "i".into();
        let pieces = Pieces::new(&initial, all.into_iter()).unwrap();
        assert_eq!(pieces.start("ib1"), Some(Start { written: None, length: 1 }));
        assert_eq!(pieces.start("b1"), None);
    }

    #[test]
    fn pieces_that_do_not_come_apart_are_refused() {
        let texts = ["", "a", "ab", "b"].map(Value::from);
        let none = |initial: usize, others: &[usize]| {
            let others = others.iter().map(|other| (&texts[*other], Kind::Append, 0));
            Pieces::new(&texts[initial], others).is_none()
        };
        assert!(none(0, &[1, 2]) && none(0, &[0]) && none(1, &[1]) && none(1, &[2]));
        assert!(!none(0, &[1, 3]) && !none(1, &[3]) && !none(0, &[3, 3]));
        assert!(Pieces::new(&7.into(), std::iter::empty()).is_none());
    }
}
