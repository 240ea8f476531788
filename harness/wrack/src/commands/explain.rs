//! `wrack explain`: a code or name in a page of words.

use std::fmt::Write as _;

use wrack_history::Catalogue as Names;
use wrack_history::catalogue::{DesignInfo, FaultInfo, ParameterInfo, ParameterKind};
use wrack_history::setting::Setting;

use crate::Catalogue;
use crate::exit::{self, Exit, Failure};
use crate::output::print;

/// Prints the page of whatever has this code or name.
pub fn explain(designs: &Catalogue, name: &str) -> Result<Exit, Failure> {
    let catalogue = designs.names();
    let page = page(&catalogue, name).ok_or_else(|| unknown(&catalogue, name))?;
    print(page).map(|()| Exit::AsExpected)
}

fn page(catalogue: &Names, name: &str) -> Option<String> {
    let exactly = |candidate: &str| candidate == name;
    let roughly = |candidate: &str| candidate.eq_ignore_ascii_case(name);
    // `drift` is a fault and `DRIFT` a guarantee.
    page_of(catalogue, &exactly).or_else(|| page_of(catalogue, &roughly))
}

/// The page of what `is` meant.
fn page_of(catalogue: &Names, is: &dyn Fn(&str) -> bool) -> Option<String> {
    if is("exit-codes") {
        let line = |(code, meaning): &(u8, &str)| format!("{code:>3}  {meaning}\n");
        return Some(exit::TABLE.iter().map(line).collect());
    }
    let designs = catalogue.designs.iter();
    if let Some(info) = designs.clone().find(|d| is(d.name) || d.codes.iter().any(|c| is(c))) {
        return Some(design(info));
    }
    if let Some(info) = catalogue.faults.iter().find(|f| is(f.name) || is(f.code)) {
        return Some(fault(info));
    }
    if let Some(info) = catalogue.guarantees.iter().find(|g| is(g.code) || is(g.name)) {
        let title = format!("{}: {}", info.code, info.name);
        return Some(with_parameters(&title, info.doc, info.parameters));
    }
    if let Some(info) = catalogue.workloads.iter().find(|workload| is(workload.name)) {
        let title = format!("{} (workload; judged by the model {})", info.name, info.model);
        return Some(with_parameters(&title, info.doc, info.parameters));
    }
    if let Some(info) = catalogue.models.iter().find(|model| is(model.name)) {
        return Some(format!("{} (sequential model)\n\n{}\n", info.name, wrap(info.doc)));
    }
    if let Some(info) = catalogue.metrics.iter().find(|metric| is(metric.name)) {
        return Some(format!("{} (metric)\n\n{}\n", info.name, wrap(info.doc)));
    }
    if let Some(info) = catalogue.anomalies.iter().find(|anomaly| is(anomaly.name)) {
        return Some(format!("{} (anomaly of transactions)\n\n{}\n", info.name, wrap(info.doc)));
    }
    designs
        .flat_map(|info| info.variants.iter().map(move |variant| (info, variant)))
        .find(|(_, variant)| is(variant.name))
        .map(|(info, variant)| {
            format!("{} (variant of {})\n\n{}\n", variant.name, info.name, wrap(variant.doc))
        })
}

fn unknown(catalogue: &Names, name: &str) -> Failure {
    let mut names: Vec<&str> = vec!["exit-codes"];
    names.extend(catalogue.designs.iter().flat_map(|design| {
        let variants = design.variants.iter().map(|variant| variant.name);
        variants.chain(design.codes.iter().copied()).chain([design.name])
    }));
    names.extend(catalogue.faults.iter().flat_map(|fault| [fault.name, fault.code]));
    names.extend(catalogue.guarantees.iter().map(|guarantee| guarantee.code));
    names.extend(catalogue.workloads.iter().map(|workload| workload.name));
    names.extend(catalogue.models.iter().map(|model| model.name));
    names.extend(catalogue.metrics.iter().map(|metric| metric.name));
    names.extend(catalogue.anomalies.iter().map(|anomaly| anomaly.name));
    let near = names.iter().max_by(|a, b| {
        let likeness =
            |other: &str| strsim::jaro_winkler(&other.to_lowercase(), &name.to_lowercase());
        likeness(a).total_cmp(&likeness(b))
    });
    let near = near.expect("there is at least one name");
    Failure::usage(format!(
        "nothing is called \"{name}\": did you mean \"{near}\"? `wrack list` shows what there is"
    ))
}

fn design(info: &DesignInfo) -> String {
    let codes = match info.codes {
        [] => String::new(),
        codes => format!(" ({})", codes.join(", ")),
    };
    let mut page = format!("{}{codes}: {}\n\n{}\n", info.name, info.title, wrap(info.doc));
    let mut section = |title: &str, rows: Vec<(String, String)>| {
        if rows.is_empty() {
            return;
        }
        writeln!(page, "\n{title}").expect("writing to a string succeeds");
        for (name, doc) in rows {
            page.push_str(&entry(&name, &doc));
        }
    };
    let variant = |v: &wrack_history::catalogue::VariantInfo| (v.name.into(), v.doc.into());
    section("Variants", info.variants.iter().map(variant).collect());
    let promised = info.guarantees.iter().map(|code| ((*code).into(), String::new()));
    section("Promises", promised.collect());
    let tolerated = info.tolerates.iter().map(|t| (t.fault.into(), format!("{:?} nodes", t.nodes)));
    section("Tolerates", tolerated.collect());
    section("Parameters", info.parameters.iter().map(parameter).collect());
    let roles = info.roles.iter().map(|role| ((*role).into(), String::new()));
    section("Roles that its nodes report", roles.collect());
    let named = |n: &wrack_history::catalogue::NamedDoc| (n.name.into(), n.doc.into());
    section("Failpoints", info.failpoints.iter().map(named).collect());
    section("Kinds of messages", info.messages.iter().map(named).collect());
    section("Controls", info.controls.iter().map(named).collect());
    section("Facts that a fault can wait for", info.facts.iter().map(named).collect());
    section("Situations worth reaching", info.situations.iter().map(named).collect());
    section("Sources", info.sources.iter().map(|s| ((*s).into(), String::new())).collect());
    page
}

fn fault(info: &FaultInfo) -> String {
    let title = format!("{} ({}); its effect counts {}", info.name, info.code, info.effect);
    with_parameters(&title, info.doc, info.parameters)
}

fn with_parameters(title: &str, doc: &str, parameters: &[ParameterInfo]) -> String {
    let mut page = format!("{title}\n\n{}\n", wrap(doc));
    if !parameters.is_empty() {
        page.push_str("\nParameters\n");
        for (name, doc) in parameters.iter().map(parameter) {
            page.push_str(&entry(&name, &doc));
        }
    }
    page
}

fn parameter(info: &ParameterInfo) -> (String, String) {
    let default = match info.default {
        Some(default) => format!("default {}", Setting::from(default)),
        None if info.optional => "optional".into(),
        None => "required".into(),
    };
    let kind = match info.kind {
        ParameterKind::Duration => "duration".into(),
        ParameterKind::Offset => "duration with a sign".into(),
        ParameterKind::Integer { min, max } => format!("{min} to {max}"),
        ParameterKind::PerMillion => "share".into(),
        ParameterKind::Flag => "true or false".into(),
        ParameterKind::Choice(names) => names.join(" | "),
        ParameterKind::Delay => "delay".into(),
        ParameterKind::Target => "target".into(),
        ParameterKind::Groups => "groups of targets".into(),
        ParameterKind::Failpoint => "failpoint of the design".into(),
        ParameterKind::Messages => "all | requests | responses | peers | kind of the design".into(),
    };
    (info.name.into(), format!("{} ({kind}; {default})", info.doc))
}

/// A name, and what it means indented under it.
fn entry(name: &str, doc: &str) -> String {
    if doc.is_empty() {
        return format!("  {name}\n");
    }
    let doc = wrap(doc).replace('\n', "\n      ");
    format!("  {name}\n      {doc}\n")
}

/// Breaks a text into lines of at most 88 characters; paragraphs stay apart.
fn wrap(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let drawn = paragraph.lines().any(|line| line.starts_with("  ") || line.contains("──"));
        if drawn { paragraph.to_owned() } else { fill(paragraph) }
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn fill(paragraph: &str) -> String {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        let line = lines.last_mut().expect("there is a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 88 {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.join("\n")
}
