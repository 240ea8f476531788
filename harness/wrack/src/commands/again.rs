//! A result or a scenario file, to be run again.

use std::path::Path;

use wrack_history::{Anomaly, Run};
use wrack_runner::catalogue::DesignEntry;
use wrack_runner::shrink::Goal;
use wrack_runner::{engines, swarm};
use wrack_scenario::{Expectation, Scenario};

use super::{carried_by, files};
use crate::Catalogue;
use crate::cli::OnAgain;
use crate::exit::Failure;
use crate::results;

/// A result with the scenario that it came of.
pub struct Again {
    /// What was found then.
    pub result: Run,
    /// The scenario, as its file says it now, or as the result has it if the file is gone; with what a
    /// swarm drew for its seed.
    pub scenario: Scenario,
    /// The designs, carried by what carried them then, or by what is asked for.
    pub designs: Catalogue,
}

impl Again {
    /// Reads a result and its scenario.
    ///
    /// Errors: the scenario has changed since then, and nobody wants that (`force`).
    pub fn read(
        folder: &Path,
        designs: &Catalogue,
        force: bool,
        on: OnAgain,
    ) -> Result<Self, Failure> {
        let folder = match folder.file_name() {
            Some(name) if name == "result.json" => folder.parent().unwrap_or(Path::new("")),
            _ => folder,
        };
        let result = results::read(folder)?;
        if result.scenario_source.is_empty() {
            let message = "it was not made by running a scenario: there is nothing to run again";
            return Err(Failure::input(format!("{}: {message}", folder.display())));
        }
        let engine = on.engine.or_else(|| engines::find(&result.engine)).ok_or_else(|| {
            let (folder, engine) = (folder.display(), &result.engine);
            Failure::input(format!("{folder}: there is no engine \"{engine}\""))
        })?;
        let designs = carried_by(designs, engine)?;
        let path = Path::new(&result.scenario_path);
        let source = match path.exists() {
            true => files::scenario_text(path, &designs.names())?,
            false => result.scenario_source.clone(),
        };
        let scenario = read_scenario(&result.scenario_path, &source, &designs)?;
        if scenario.hash != result.scenario_hash && !force {
            return Err(Failure::input(format!(
                "{}: the scenario has changed since this result was made: run it again, or add --force to \
                 take it as it is now",
                path.display()
            )));
        }
        let design = designs.of(&scenario);
        let mut scenario = swarm::draw(&scenario, design.info, result.seed).into_owned();
        // What was drawn and did nothing is left out; what bit must bite again.
        let bit = |id| result.faults.iter().any(|fault| fault.id == id && fault.effect > 0);
        scenario.faults.retain(|fault| fault.min_effect > 0 || bit(fault.id));
        scenario.faults.iter_mut().for_each(|fault| fault.min_effect = fault.min_effect.max(1));
        let again = Self { result, scenario, designs };
        again.variant()?;
        Ok(again)
    }

    /// The variant that was run.
    pub fn variant(&self) -> Result<&Expectation, Failure> {
        variant(&self.scenario, &self.result.variant)
    }

    /// The design, on its engine.
    pub fn design(&self) -> &DesignEntry {
        self.designs.of(&self.scenario)
    }

    /// The anomaly that the result is about: one that nobody expected, or the expected one, or any.
    pub fn goal(&self) -> Option<Goal> {
        let result = &self.result;
        let of = |wanted: &dyn Fn(&Anomaly) -> bool| result.anomalies().find(|one| wanted(one));
        let anomaly = of(&|one| result.foreign.contains(&one.code))
            .or_else(|| of(&|one| one.code == result.expected))
            .or_else(|| of(&|_| true))?;
        let (variant, seed) = (result.variant.as_str().into(), result.seed);
        Some(Goal { variant, seed, code: anomaly.code.clone() })
    }
}

/// What to say when the run does not show its anomaly any more.
pub fn not_reproduced(Goal { code, variant, seed }: &Goal) -> String {
    format!("{code} was not reproduced: variant {variant}, seed {seed}")
}

/// The variant of this name.
pub fn variant<'a>(scenario: &'a Scenario, name: &str) -> Result<&'a Expectation, Failure> {
    let found = scenario.variants.iter().find(|variant| variant.variant == name);
    found.ok_or_else(|| {
        let names: Vec<_> = scenario.variants.iter().map(|v| v.variant.as_str()).collect();
        let names = names.join(", ");
        Failure::usage(format!("{} has no variant \"{name}\": it has {names}", scenario.path))
    })
}

/// Reads a scenario, and shows all mistakes of it.
pub fn read_scenario(path: &str, text: &str, designs: &Catalogue) -> Result<Scenario, Failure> {
    wrack_scenario::read(path, text, &designs.names()).map_err(|diagnostics| {
        anstream::eprintln!("{}", diagnostics.render(true));
        Failure::input(format!("{path}: not a scenario that can be run"))
    })
}
