//! `wrack check --follow`: a history that is judged as it comes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::json;
use wrack_checkers::online::{Online, online};
use wrack_history::codec::{CodecError, Completion, Event, Reader};
use wrack_history::history::Counts;
use wrack_history::{Anomaly, Operation, Settings, SmolStr, Value, Verdict};
use wrack_runner::Asked;

use super::check::asked;
use crate::Catalogue;
use crate::cli::{self, Format};
use crate::exit::{Exit, Failure};
use crate::output::print;

/// Standard input, as a history is named.
const STANDARD_INPUT: &str = "-";

/// Judges one history event by event, until the first anomaly or its end.
pub fn follow(designs: &Catalogue, options: &cli::Check) -> Result<Exit, Failure> {
    let [path] = options.histories.as_slice() else {
        return Err(Failure::usage(
            "one history is followed at a time: name one, or leave --follow out",
        ));
    };
    if options.from.as_deref().is_some_and(|from| from != "wrack") {
        return Err(Failure::usage(
            "Wrack JSON Lines are followed, and no other format: leave --from out",
        ));
    }
    let (initial, asked) = asked(designs, options)?;
    let judges = judges(&options.model, &initial.unwrap_or_default(), asked)?;
    let name = path.display().to_string();
    let from: Box<dyn BufRead> = match name.as_str() {
        STANDARD_INPUT => Box::new(std::io::stdin().lock()),
        _ => Box::new(BufReader::new(
            File::open(path).map_err(|error| Failure::file(path.display(), error))?,
        )),
    };
    let mut following = Following::new(judges);
    let finished = following.all(from).map_err(|error| failure(path, error))?;
    following.tell(&name, finished, options.format)
}

fn failure(path: &Path, error: CodecError) -> Failure {
    match error {
        CodecError::Io(error) => Failure::file(path.display(), error),
        error => Failure::input(format!("{}: {error}", path.display())),
    }
}

/// Who judges what was asked for.
fn judges(model: &str, initial: &Value, mut asked: Vec<Asked>) -> Result<Vec<Judge>, Failure> {
    if asked.is_empty() {
        let code = if model == "log" { "LOG" } else { "LIN" };
        let guarantee = wrack_checkers::by_code(code).expect("it is in the catalogue");
        asked.push((guarantee, Settings::default()));
    }
    let judge = |(guarantee, settings): &Asked| {
        let code = guarantee.info.code;
        let checker = online(code, model, initial, settings).ok_or_else(|| {
            Failure::usage(format!(
                "{code} of the model {model} needs the whole history: leave --follow out"
            ))
        })?;
        Ok(Judge { code, checker })
    };
    asked.iter().map(judge).collect()
}

struct Judge {
    code: &'static str,
    checker: Box<dyn Online + Send>,
}

/// What came so far.
struct Following {
    judges: Vec<Judge>,
    /// Operations in flight.
    open: BTreeMap<u64, Operation>,
    counts: Counts,
    events: u64,
    held_max: usize,
    anomaly: Option<Anomaly>,
}

/// So often it is looked how much is held, in events.
const LOOK_EVERY: u64 = 1_024;

impl Following {
    fn new(judges: Vec<Judge>) -> Self {
        let (open, counts, events, held_max, anomaly) = Default::default();
        Self { judges, open, counts, events, held_max, anomaly }
    }

    /// Takes events until the first anomaly or the end; whether the recorder said that it finished.
    fn all(&mut self, from: impl BufRead) -> Result<bool, CodecError> {
        let mut reader = Reader::new(from)?;
        while let Some(event) = reader.next_event()? {
            self.events += 1;
            match event {
                Event::Invoke(operation) => {
                    self.judges.iter_mut().for_each(|judge| judge.checker.invoke(&operation));
                    self.open.insert(operation.id, operation);
                }
                Event::Complete(completion) => self.complete(completion),
                Event::Nemesis(_) => (),
            }
            if self.events.is_multiple_of(LOOK_EVERY) || self.anomaly.is_some() {
                self.look();
            }
            if self.anomaly.is_some() {
                return Ok(true);
            }
        }
        self.look();
        self.anomaly = self.judges.iter_mut().find_map(|judge| judge.checker.finish());
        Ok(reader.finished())
    }

    fn complete(&mut self, completion: Completion) {
        let Completion { id, at, outcome, result, details } = completion;
        let open = self.open.remove(&id).expect("the reader knows it as open");
        let details = details.or(open.details);
        let operation = Operation { outcome, result, complete: at, details, ..open };
        self.counts.add(outcome);
        self.anomaly = self.judges.iter_mut().find_map(|judge| judge.checker.complete(&operation));
    }

    fn look(&mut self) {
        let held: usize = self.judges.iter().map(|judge| judge.checker.held()).sum();
        self.held_max = self.held_max.max(held + self.open.len());
    }

    fn tell(mut self, name: &str, finished: bool, format: Format) -> Result<Exit, Failure> {
        self.counts.info += self.open.len() as u64;
        let doubts: Vec<(&str, &str)> = self
            .judges
            .iter()
            .filter_map(|judge| Some((judge.code, judge.checker.doubt()?)))
            .collect();
        let verdict = match (&self.anomaly, doubts.is_empty()) {
            (Some(_), _) => Verdict::Invalid,
            (None, false) => Verdict::Unknown,
            (None, true) => Verdict::Valid,
        };
        let Self { judges, counts, events, held_max, anomaly, .. } = &self;
        if format == Format::Json {
            let judgement = |judge: &Judge| {
                let verdict = match anomaly {
                    Some(anomaly) if anomaly.code == judge.code => Verdict::Invalid,
                    Some(_) => Verdict::Unknown,
                    None if judge.checker.doubt().is_some() => Verdict::Unknown,
                    None => Verdict::Valid,
                };
                json!({"code": judge.code, "verdict": verdict, "reason": judge.checker.doubt()})
            };
            let document = json!({
                "history": name,
                "verdict": verdict,
                "anomalies": anomaly.iter().collect::<Vec<_>>(),
                "operations": counts,
                "events": events,
                "held_max": held_max,
                "finished": finished,
                "judgements": judges.iter().map(judgement).collect::<Vec<_>>(),
            });
            print(format!("{document:#}\n"))?;
        } else {
            let mut text = match anomaly {
                Some(Anomaly { code, explanation, .. }) => {
                    format!("{name}: INVALID, {code}: {explanation}\n")
                }
                None => format!("{name}: {verdict}\n"),
            };
            for (code, doubt) in doubts.iter().filter(|_| anomaly.is_none()) {
                text += &format!("  {code}: {doubt}; the whole history may tell more\n");
            }
            let Counts { ok, fail, info } = counts;
            let codes: Vec<SmolStr> = judges.iter().map(|judge| judge.code.into()).collect();
            text += &format!(
                "  {events} events of {} operations ({ok} ok, {fail} fail, {info} info); {} followed, at \
                 most {held_max} things held\n",
                counts.total(),
                codes.join(", "),
            );
            if !finished {
                text += "  the history has no end event: what was open is in doubt\n";
            }
            print(text)?;
        }
        Ok(match verdict {
            Verdict::Valid => Exit::AsExpected,
            Verdict::Unknown => Exit::Unknown,
            Verdict::Invalid => Exit::NotAsExpected,
        })
    }
}
