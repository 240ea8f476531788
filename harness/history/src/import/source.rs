//! The bytes of a file: decompressed, buffered, and counted in lines and columns.

use std::io::{self, BufRead, Read};

use super::Stop;
use super::forms::FORM_BYTES_MAX;

/// As much as is looked at to recognise a format, and at least as much as is held at once.
const HEAD_BYTES: usize = 1 << 13;
const BUFFER_BYTES: usize = 1 << 16;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: u64,
    /// From 1, in bytes.
    pub column: u64,
}

impl Place {
    pub const START: Self = Self { line: 1, column: 1 };

    /// Where one stands after this text.
    pub fn after(self, text: &[u8]) -> Self {
        match text.iter().rposition(|byte| *byte == b'\n') {
            None => Self { column: self.column + text.len() as u64, ..self },
            Some(last) => Self {
                line: self.line + text.iter().filter(|byte| **byte == b'\n').count() as u64,
                column: (text.len() - last) as u64,
            },
        }
    }
}

/// A text that is read once, front to back.
pub struct Source<'a> {
    from: Box<dyn Read + 'a>,
    compression: Option<&'static str>,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Where `buffer[at]` stands.
    place: Place,
}

impl<'a> Source<'a> {
    /// Recognises compression by its first bytes.
    pub fn open(from: &'a mut dyn BufRead) -> Result<Self, Stop> {
        let mut magic = Vec::new();
        from.take(ZSTD.len() as u64).read_to_end(&mut magic).map_err(Stop::Io)?;
        let compression = match &magic {
            magic if magic.starts_with(&GZIP) => Some("gzip"),
            magic if magic.starts_with(&ZSTD) => Some("zstd"),
            _ => None,
        };
        let whole = io::Cursor::new(magic).chain(from);
        let from: Box<dyn Read + 'a> = match compression {
            Some("gzip") => Box::new(flate2::bufread::MultiGzDecoder::new(whole)),
            Some(_) => Box::new(zstd::Decoder::with_buffer(whole).map_err(Stop::Io)?),
            None => Box::new(whole),
        };
        let buffer = vec![0; BUFFER_BYTES];
        Ok(Self { from, compression, buffer, at: 0, end: 0, place: Place::START })
    }

    /// Where the next byte stands.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The first bytes, before anything is read.
    pub fn head(&mut self) -> Result<&[u8], Stop> {
        while self.end < HEAD_BYTES && self.fill_more().map_err(Stop::Io)? {}
        Ok(&self.buffer[..self.end])
    }

    /// The next bytes, as many as are at hand; none at the end.
    pub fn chunk(&mut self) -> Result<&[u8], Stop> {
        self.fill_buf().map_err(Stop::Io)
    }

    /// Reads the next line, its end included, and says where it begins; `None` at the end.
    pub fn line(&mut self, line: &mut Vec<u8>) -> Result<Option<Place>, Stop> {
        let place = self.place;
        line.clear();
        let mut limited = Read::take(&mut *self, FORM_BYTES_MAX as u64);
        if limited.read_until(b'\n', line).map_err(Stop::Io)? == 0 {
            return Ok(None);
        }
        match line.len() {
            FORM_BYTES_MAX => Err(Stop::at(place, "this line is longer than 16 MiB")),
            _ => Ok(Some(place)),
        }
    }

    /// What an error of reading means: of compressed data, that the file is damaged.
    pub fn damage(&self, error: io::Error) -> Stop {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match self.compression {
            Some(name)
                if matches!(error.kind(), InvalidData | InvalidInput | Other | UnexpectedEof) =>
            {
                Stop::at(
                    self.place,
                    format!("the {name} data behind this place is damaged: {error}"),
                )
            }
            _ => Stop::Io(error),
        }
    }

    /// Reads behind what is held; `false` at the end.
    fn fill_more(&mut self) -> io::Result<bool> {
        loop {
            match self.from.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.end {
            (self.at, self.end) = (0, 0);
            self.fill_more()?;
        }
        Ok(&self.buffer[self.at..self.end])
    }

    fn consume(&mut self, count: usize) {
        self.place = self.place.after(&self.buffer[self.at..self.at + count]);
        self.at += count;
    }
}

impl Read for Source<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let chunk = self.fill_buf()?;
        let count = chunk.len().min(to.len());
        to[..count].copy_from_slice(&chunk[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: &[u8]) -> Result<String, Stop> {
        let mut from = bytes;
        let mut source = Source::open(&mut from)?;
        let mut text = String::new();
        match source.read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(source.damage(error)),
        }
    }

    #[test]
    fn compressed_text_is_read_as_if_it_were_plain() {
        let text = "one\ntwo\n".repeat(20_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
        for bytes in [text.as_bytes(), &gzip, &zstd] {
            assert!(read(bytes).unwrap() == text);
        }
        assert_eq!(read(b"").unwrap(), "");
    }

    #[test]
    fn compressed_data_that_was_cut_off_is_a_mistake_at_the_place_where_it_ends() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"one\ntwo").unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(&b"one\ntwo"[..], 1).unwrap();
        for bytes in [gzip, zstd] {
            let cut = &bytes[..bytes.len() - 3];
            assert!(matches!(read(cut), Err(Stop::Malformed { .. })), "{:?}", read(cut));
        }
    }

    #[test]
    fn places_are_counted_in_lines_and_bytes() {
        assert_eq!(Place::START.after(b"ab"), Place { line: 1, column: 3 });
        assert_eq!(Place::START.after(b"ab\n\nc"), Place { line: 3, column: 2 });
    }
}
