//! What names mean in this file: the catalogue, the chosen design and workload, nodes and clients.
//!
//! A part is absent if the file does not say it correctly; what depends on it is then not judged,
//! because one mistake should be reported once.

use wrack_history::SmolStr;
use wrack_history::catalogue::{
    Catalogue, DesignInfo, EngineInfo, FaultInfo, MESSAGES, NamedDoc, Needs, WorkloadInfo,
};

use crate::diagnostic::Span;
use crate::mistake::Mistake;
use crate::suggestion::unknown;

/// Facts that every node can note, beside roles: `Fact::kind` says the same.
pub(crate) const FACTS: &[&str] = &[
    "accepted",
    "acknowledged",
    "appended",
    "applied",
    "assertion_failed",
    "booted",
    "committed",
    "crashed",
    "effect",
    "paused",
    "recovered",
    "resumed",
    "truncated",
    "voted",
];

const OTHER_ENGINE: &str = "choose another engine: see `wrack list engines`";

/// What names mean.
pub(crate) struct Scope<'a> {
    /// What exists at all.
    pub catalogue: &'a Catalogue,
    /// The design that the file names.
    pub design: Option<&'static DesignInfo>,
    /// The names of its nodes.
    pub nodes: Option<Vec<SmolStr>>,
    /// Variants whose parameters change the nodes.
    pub resized: Vec<Resized>,
    /// What the file promises beside what the design does.
    pub promised: Vec<SmolStr>,
    /// The workload that the file names.
    pub workload: Option<&'static WorkloadInfo>,
    /// How many clients there are.
    pub clients: Option<u32>,
    /// How long the fault phase lasts, in nanoseconds.
    pub faults_ns: Option<u64>,
    /// When clients stop asking, in nanoseconds.
    pub end_ns: Option<u64>,
    /// Whether the file says that its faults are beyond the model.
    pub beyond_model: bool,
}

/// A variant with nodes of its own.
pub(crate) struct Resized {
    /// Its name.
    pub variant: SmolStr,
    /// Where the file says so.
    pub span: Span,
    /// The names of its nodes.
    pub nodes: Vec<SmolStr>,
}

impl<'a> Scope<'a> {
    pub fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            design: None,
            nodes: None,
            resized: Vec::new(),
            promised: Vec::new(),
            workload: None,
            clients: None,
            faults_ns: None,
            end_ns: None,
            beyond_model: false,
        }
    }

    /// Judges the name of a node.
    pub fn node(&self, name: &str, span: Span) -> Result<(), Mistake> {
        let Some(nodes) = &self.nodes else {
            return Ok(());
        };
        if !nodes.iter().any(|node| node == name) {
            return Err(hint_at_form(self.unknown_node(name, span, nodes), name, self.roles()));
        }
        let lacks = |resized: &&Resized| !resized.nodes.iter().any(|node| node == name);
        self.resized.iter().find(lacks).map_or(Ok(()), |resized| {
            let title = format!("variant `{}` has no node `{name}`", resized.variant);
            let mistake = Mistake::new(span, title, "can never match in that variant");
            Err(mistake.related(resized.span.clone(), "its nodes are chosen here"))
        })
    }

    /// Judges the name of a node or client.
    pub fn member(&self, name: &str, span: Span) -> Result<(), Mistake> {
        match client_number(name) {
            Some(_) => self.client(name, span).map(drop),
            None => self.node(name, span),
        }
    }

    /// Judges the name of a client, and gives its place among them, from 0.
    pub fn client(&self, name: &str, span: Span) -> Result<u32, Mistake> {
        let number = client_number(name);
        let clients = self.clients.unwrap_or(u32::MAX);
        if let Some(number) = number.filter(|number| (1..=clients).contains(number)) {
            return Ok(number - 1);
        }
        let title = match number {
            Some(_) => format!("there is no client `{name}`"),
            None => format!("`{name}` is not a client"),
        };
        let help = format!("the clients are `client-1` to `client-{clients}`");
        Err(Mistake::new(span, title, "can never match").help(help))
    }

    /// Judges the name of a role.
    pub fn role(&self, name: &str, span: Span) -> Result<(), Mistake> {
        match self.design {
            Some(design) if !design.roles.contains(&name) => {
                let what = format!("role of `{}`", design.name);
                Err(unknown(&what, name, span, design.roles))
            }
            _ => Ok(()),
        }
    }

    /// Judges the name of a failpoint.
    pub fn failpoint(&self, name: &str, span: Span) -> Result<(), Mistake> {
        let Some(design) = self.design else {
            return Ok(());
        };
        let known = names(design.failpoints);
        if known.contains(&name) {
            return Ok(());
        }
        Err(unknown(&format!("failpoint of `{}`", design.name), name, span, &known))
    }

    /// Judges the name of a kind of messages.
    pub fn messages(&self, name: &str, span: Span) -> Result<(), Mistake> {
        let own = self.design.map_or(&[][..], |design| design.messages);
        let known = MESSAGES.iter().copied().chain(names(own)).collect::<Vec<_>>();
        if self.design.is_none() || known.contains(&name) {
            return Ok(());
        }
        Err(unknown("kind of messages", name, span, &known))
    }

    /// Judges whether the design has what a fault needs.
    pub fn fault(&self, fault: &FaultInfo, span: Span) -> Result<(), Mistake> {
        let Some(design) = self.design else {
            return Ok(());
        };
        let (what, wanted, known) = match fault.needs {
            Needs::Nothing => return Ok(()),
            Needs::Messages(kind) => ("messages of the kind", kind, names(design.messages)),
            Needs::Control(name) => ("control", name, names(design.controls)),
            Needs::Role(role) => ("role", role, design.roles.to_vec()),
        };
        if known.contains(&wanted) {
            return Ok(());
        }
        let title = format!(
            "`{}` has no {what} `{wanted}`, so `{}` cannot do anything to it",
            design.name, fault.name
        );
        let help = match known[..] {
            [] => "it has none at all".to_owned(),
            _ => format!("it has {}", known.join(", ")),
        };
        Err(Mistake::new(span, title, "can never match").help(help))
    }

    /// What carries the design.
    fn engine(&self) -> Option<&'static EngineInfo> {
        match self.design {
            Some(design) => self.catalogue.engine_of(design),
            None => self.catalogue.engine,
        }
    }

    /// Judges whether the engine injects the fault.
    pub fn injected(&self, fault: &FaultInfo, span: Span) -> Result<(), Mistake> {
        match self.engine() {
            Some(engine) if engine.faults_refused.contains(&fault.name) => {
                let title = format!("`{}` cannot be injected on {}", fault.name, engine.name);
                Err(Mistake::new(span, title, "the engine lacks it").help(OTHER_ENGINE))
            }
            _ => Ok(()),
        }
    }

    /// Judges whether the engine carries so many nodes.
    pub fn crowd(&self, nodes: &[SmolStr], span: Span) -> Result<(), Mistake> {
        let (asked, engine) = (self.catalogue.engine, self.engine());
        if let (Some(asked), Some(engine), Some(design)) = (asked, engine, self.design)
            && asked.name != engine.name
            && asked.name != "sim"
        {
            let title =
                format!("`{}` is a service, and does not run on {}", design.name, asked.name);
            let help = format!("leave --engine out, or say {}", engine.name);
            return Err(Mistake::new(span, title, "no node that an engine could carry").help(help));
        }
        let limit = engine.and_then(|engine| Some((engine, engine.nodes_max?)));
        match limit {
            Some((engine, most)) if nodes.len() > most as usize => {
                let title = format!("{} nodes are too many for {}", nodes.len(), engine.name);
                let label = format!("it carries {most} at most");
                Err(Mistake::new(span, title, label).help(OTHER_ENGINE))
            }
            _ => Ok(()),
        }
    }

    /// Judges the name of a fact that a fault waits for.
    pub fn fact(&self, name: &str, span: Span) -> Result<(), Mistake> {
        let Some(design) = self.design else {
            return Ok(());
        };
        let known = facts(design);
        if known.iter().any(|fact| fact == name) {
            return Ok(());
        }
        let known = known.iter().map(String::as_str).collect::<Vec<_>>();
        Err(unknown("fact", name, span, &known))
    }

    fn roles(&self) -> &'static [&'static str] {
        self.design.map_or(&[], |design| design.roles)
    }

    fn unknown_node(&self, name: &str, span: Span, nodes: &[SmolStr]) -> Mistake {
        unknown("node", name, span, &nodes.iter().map(SmolStr::as_str).collect::<Vec<_>>())
    }
}

fn client_number(name: &str) -> Option<u32> {
    name.strip_prefix("client-")?.parse().ok()
}

/// Every fact that a fault can wait for in this design, each once: its own, its roles, those of every
/// node.
pub(crate) fn facts(design: &DesignInfo) -> Vec<String> {
    let own = names(design.facts);
    let roles = design.roles.iter().map(|role| format!("role.{role}"));
    let every_node = FACTS.iter().filter(|fact| !own.contains(fact));
    let named = |fact: &&str| (*fact).to_owned();
    own.iter().map(named).chain(roles).chain(every_node.map(named)).collect()
}

/// The names alone.
pub(crate) fn names(docs: &[NamedDoc]) -> Vec<&'static str> {
    docs.iter().map(|doc| doc.name).collect()
}

/// Says how a role or a group is written, where the file has it as if it were a node.
fn hint_at_form(mistake: Mistake, name: &str, roles: &[&str]) -> Mistake {
    match name {
        "minority" | "majority" | "all" | "clients" => {
            mistake.help(format!("for a group write {{ some = \"{name}\" }}"))
        }
        role if roles.contains(&role) => {
            mistake.help(format!("for a role write {{ role = \"{role}\" }}"))
        }
        _ => mistake,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::facts;
    use crate::testing::catalogue;

    #[test]
    fn a_fact_that_a_design_shares_with_every_node_is_listed_once() {
        let catalogue = catalogue();
        let facts = facts(catalogue.design("raft").unwrap());
        assert_eq!(facts.iter().collect::<BTreeSet<_>>().len(), facts.len(), "{facts:?}");
        assert_eq!(facts[..3], ["raft.snapshot", "voted", "role.leader"]);
        assert!(facts.iter().any(|fact| fact == "booted"));
    }
}
