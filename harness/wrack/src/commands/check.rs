//! `wrack check`: a history that somebody else recorded, judged.

use std::path::Path;

use serde_json::{Map, Value as Json, json};
use wrack_history::certificate::{Certificate, FORMAT};
use wrack_history::check::Check;
use wrack_history::import::{self, Reading};
use wrack_history::{Judgement, Value, Verdict};
use wrack_runner::{Asked, Question};

use crate::Catalogue;
use crate::cli::{self, Format};
use crate::commands::parts::{self, Source};
use crate::exit::{Exit, Failure};
use crate::output::{print, write_file};

/// Reads all histories, judges them one by one, and tells the outcome.
pub fn check(designs: &Catalogue, options: &cli::Check) -> Result<Exit, Failure> {
    let sources = parts::sources(&options.histories, options.parts)?;
    if options.report.is_some() && sources.len() > 1 {
        return Err(Failure::usage(
            "a report is about one history: name one, or leave --report out",
        ));
    }
    if options.certificate.is_some() && sources.len() > 1 {
        return Err(Failure::usage(
            "a certificate is of one history: name one, or leave --certificate out",
        ));
    }
    let model = options.model.as_str();
    let (initial, guarantees) = asked(designs, options)?;
    let consistency = options.consistency.as_deref();
    if consistency.is_some() && !wrack_runner::is_transactional(model) {
        return Err(Failure::usage(format!(
            "--consistency is about transactions, and the model {model} has none: ask with --model \
             list-append or rw-register"
        )));
    }
    let states_max = options.max_states;
    let certify = options.certificate.is_some();
    let (guarantees, own) = (guarantees.as_slice(), designs.own());
    let question = Question { model, guarantees, consistency, states_max, certify, own };
    let mut outcome = Outcome::default();
    for source in &sources {
        match read(source, initial.clone(), options) {
            Ok(imported) => {
                let check = wrack_runner::check(&source.name, imported, &question);
                outcome.add(&check, options)?;
            }
            Err(failure) => outcome.refuse(failure),
        }
    }
    outcome.tell(options, sources.len())
}

/// Where objects start, and the guarantees that were named.
///
/// Errors: a model that there is not or that cannot start there, or a guarantee that there is not.
pub fn asked(
    designs: &Catalogue,
    options: &cli::Check,
) -> Result<(Option<Value>, Vec<Asked>), Failure> {
    let (initial, own) = (initial(options.initial.as_deref())?, designs.own());
    wrack_runner::verify_model(&options.model, initial.as_ref(), own)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let guarantees = options.guarantees.iter().map(|text| wrack_runner::asked(text, own));
    Ok((initial, guarantees.collect::<Result<_, _>>().map_err(Failure::usage)?))
}

/// Reads what stands at `--initial`.
pub fn initial(text: Option<&str>) -> Result<Option<Value>, Failure> {
    let read = text.map(|text| import::value("--initial", text));
    read.transpose().map_err(|error| Failure::usage(error.to_string()))
}

fn read(
    source: &Source,
    initial: Option<Value>,
    options: &cli::Check,
) -> Result<import::Imported, Failure> {
    let from = options.from.as_deref().map(format).transpose()?;
    let failed_cas = options.failed_cas.map(Into::into);
    source.read(&Reading { model: &options.model, initial, failed_cas, from })
}

/// Reads a history that somebody recorded.
pub fn read_history(path: &Path, reading: &Reading<'_>) -> Result<import::Imported, Failure> {
    let mut sources = parts::sources(&[path.to_owned()], false)?;
    sources.pop().expect("one path is one history").read(reading)
}

/// The format of this name.
pub fn format(name: &str) -> Result<&'static import::Format, Failure> {
    import::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = import::ALL.iter().map(|format| format.name).collect();
        Failure::usage(format!("there is no format \"{name}\": there are {}", names.join(", ")))
    })
}

/// What came of all histories.
#[derive(Default)]
struct Outcome {
    verdict: Verdict,
    refused: Option<Exit>,
    documents: Vec<Json>,
}

impl Outcome {
    fn add(&mut self, check: &Check, options: &cli::Check) -> Result<(), Failure> {
        self.verdict = self.verdict.max(check.run.verdict);
        if let Some(path) = &options.report {
            let html = wrack_reports::check_html(check);
            write_file(path, |to| to.write_all(html.as_bytes()))?;
        }
        if let Some(path) = &options.certificate {
            let certificate = Certificate {
                format: FORMAT.into(),
                model: options.model.as_str().into(),
                orders: check.orders.clone(),
                linearizations: check.linearizations.clone(),
            };
            write_file(path, |to| Ok(serde_json::to_writer(to, &certificate)?))?;
            for missing in &check.uncertified {
                anstream::eprintln!("warning: the certificate is without {missing}");
            }
        }
        match options.format {
            Format::Json => self.documents.push(document(check)),
            Format::Human => print(wrack_reports::check_human(check, options.explain))?,
        }
        Ok(())
    }

    /// The others are judged all the same.
    fn refuse(&mut self, failure: Failure) {
        anstream::eprintln!("error: {}", failure.message);
        let outranks = self.refused.is_none() || failure.exit == Exit::File;
        if outranks {
            self.refused = Some(failure.exit);
        }
    }

    fn tell(mut self, options: &cli::Check, histories: usize) -> Result<Exit, Failure> {
        if options.format == Format::Json && !self.documents.is_empty() {
            let document = match histories {
                1 => self.documents.remove(0),
                _ => json!({"verdict": self.verdict, "histories": self.documents}),
            };
            print(format!("{document:#}\n"))?;
        }
        Ok(self.refused.unwrap_or(match self.verdict {
            Verdict::Valid => Exit::AsExpected,
            Verdict::Unknown => Exit::Unknown,
            Verdict::Invalid => Exit::NotAsExpected,
        }))
    }
}

/// One history as the contract of the command line says.
fn document(check: &Check) -> Json {
    let run = &check.run;
    let key = |(key, verdict)| json!({"key": key, "verdict": verdict});
    let keys: Vec<Json> = run.judgements.iter().flat_map(Judgement::keys).map(key).collect();
    let assumed = check.assumed.iter().map(|one| (one.name.to_string(), plain(&one.value)));
    let mut document = json!({
        "history": check.path,
        "verdict": run.verdict,
        "anomalies": run.anomalies().collect::<Vec<_>>(),
        "keys": keys,
        "assumed": assumed.collect::<Map<_, _>>(),
        "algorithm": run.judgements.iter().find_map(|judgement| judgement.algorithm.as_deref()),
        "operations": run.counts,
        "judgements": run.judgements.iter().map(judgement).collect::<Vec<_>>(),
    });
    if !check.levels.is_empty() {
        let level = |(name, holds): &(&str, Option<bool>)| ((*name).to_owned(), json!(holds));
        document["levels"] = check.levels.iter().map(level).collect::<Map<_, _>>().into();
    }
    document
}

/// A judgement without what stands elsewhere in the document.
fn judgement(judgement: &Judgement) -> Json {
    json!({
        "code": judgement.code,
        "verdict": judgement.verdict,
        "examined": judgement.examined,
        "bound": judgement.bound,
        "observed": judgement.observed,
        "reason": judgement.reason,
        "algorithm": judgement.algorithm,
    })
}

/// A value as plain JSON.
fn plain(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Integer(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::List(list) => list.iter().map(plain).collect(),
    }
}
