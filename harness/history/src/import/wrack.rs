//! Wrack's own JSON Lines: see [`codec`]. They say themselves what everything means.

use super::source::{Place, Source};
use super::{Format, Read, Stop, begins_with, contains};
use crate::codec;
use crate::history::History;
use crate::value::Value;

pub const FORMAT: Format = Format {
    name: "wrack",
    doc: "Wrack's own histories: JSON Lines that begin with {\"format\":\"wrack-history\"}.",
    recognises,
    read: Read::Plain(read),
    failed_cas: None,
    initial: Value::Nil,
};

fn recognises(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    begins_with(line, "{") && contains(line, "\"wrack-history\"")
}

fn read(source: &mut Source<'_>) -> Result<History, Stop> {
    let recorded = codec::read(&mut *source)?;
    if !recorded.finished {
        let Place { line, .. } = source.place();
        return Err(Stop::at(Place { line, column: 1 }, "the last line, which counts the operations, is missing")
            .suggest("the history was cut off; to judge what there is, add the line {\"event\":\"end\",\"operations\":N}"));
    }
    Ok(recorded.history)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, refused};

    const START: &str = "{\"format\":\"wrack-history\",\"version\":1}\n\
        {\"event\":\"invoke\",\"ns\":1,\"id\":0,\"process\":0,\"key\":\"k\",\"function\":\"cas\",\"argument\":[1,2]}\n";

    #[test]
    fn a_history_of_our_own_is_taken_as_it_is() {
        let end = "{\"event\":\"ok\",\"ns\":2,\"id\":0,\"result\":false}\n{\"event\":\"end\",\"operations\":1}\n";
        check("cas-register", &format!("{START}{end}"), &["0 k.cas([1, 2]) ok false [0, 1]"]);
    }

    #[test]
    fn a_history_that_was_cut_off_is_refused() {
        refused(
            "cas-register",
            START,
            "f:3:1: the last line, which counts the operations, is missing: the history was cut off; \
             to judge what there is, add the line {\"event\":\"end\",\"operations\":N}",
        );
        refused(
            "cas-register",
            &START[..START.len() - 1],
            "f:2:89: the history ends in the middle of a line: it was cut off",
        );
    }
}
