//! The catalogue: what a scenario file may name.
//!
//! Every design, workload, fault and guarantee describes itself in one of these structs, beside its
//! code. The reader of scenario files, the JSON Schema, `wrack list` and `wrack explain` are all
//! made from them, so a new entry appears everywhere by itself.

use smol_str::SmolStr;

use crate::setting::{Setting, Settings};

/// Everything that can be named, sorted by name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Reference designs and people's own.
    pub designs: Vec<&'static DesignInfo>,
    /// Operations to generate.
    pub workloads: Vec<&'static WorkloadInfo>,
    /// What can be injected.
    pub faults: Vec<&'static FaultInfo>,
    /// What can be promised.
    pub guarantees: Vec<&'static GuaranteeInfo>,
    /// Sequential specifications.
    pub models: Vec<&'static ModelInfo>,
    /// What can be measured.
    pub metrics: Vec<&'static MetricInfo>,
    /// What carries the nodes; the simulator, which refuses nothing, if it is absent.
    pub engine: Option<&'static EngineInfo>,
    /// Designs that are people's own services, and what carries them: nothing else can.
    pub services: Vec<(&'static str, &'static EngineInfo)>,
    /// Anomalies of transactions that have a name.
    pub anomalies: &'static [NamedDoc],
}

/// A parameter of a design, workload, fault or guarantee.
#[derive(Clone, Copy, Debug)]
pub struct ParameterInfo {
    /// Its key in a scenario file.
    pub name: &'static str,
    /// What it may be.
    pub kind: ParameterKind,
    /// What it is if the file does not say; `None` makes it required, unless it is optional.
    pub default: Option<DefaultSetting>,
    /// Whether it may be absent without a default.
    pub optional: bool,
    /// Whole numbers that a swarm draws from, from the first to the last; without them it leaves a whole
    /// number as it is.
    pub drawn: Option<(i64, i64)>,
    /// One sentence.
    pub doc: &'static str,
}

impl ParameterInfo {
    /// A parameter with a default.
    pub const fn new(
        name: &'static str,
        kind: ParameterKind,
        default: DefaultSetting,
        doc: &'static str,
    ) -> Self {
        Self { name, kind, default: Some(default), optional: false, drawn: None, doc }
    }

    /// A parameter that must be given.
    pub const fn required(name: &'static str, kind: ParameterKind, doc: &'static str) -> Self {
        Self { name, kind, default: None, optional: false, drawn: None, doc }
    }

    /// A parameter that may be absent.
    pub const fn optional(name: &'static str, kind: ParameterKind, doc: &'static str) -> Self {
        Self { name, kind, default: None, optional: true, drawn: None, doc }
    }

    /// The same, for a swarm to draw a whole number from `min` to `max`.
    pub const fn drawn_from(self, min: i64, max: i64) -> Self {
        Self { drawn: Some((min, max)), ..self }
    }
}

/// What kind of setting a parameter takes, and its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// `"150ms"`.
    Duration,
    /// `"-2s"`.
    Offset,
    /// A whole number from `min` to `max`, both included.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// `"2%"`.
    PerMillion,
    /// `true`.
    Flag,
    /// One of these names.
    Choice(&'static [&'static str]),
    /// `"5ms"`, `"1ms..5ms"`, `{ exponential = "5ms" }`, `{ lognormal = "5ms", sigma = 0.5 }`.
    Delay,
    /// `"n1"`, `{ role = "leader" }` …
    Target,
    /// `[["n1", "n2"], ["n3"]]`.
    Groups,
    /// The name of a failpoint of the design.
    Failpoint,
    /// Which messages: one of [`MESSAGES`], or a kind that the design declares.
    Messages,
}

/// Which messages a fault may be about in every design.
pub const MESSAGES: &[&str] = &["all", "peers", "requests", "responses"];

/// A default, in a form that a constant can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultSetting {
    /// Nanoseconds.
    Duration(u64),
    /// Signed nanoseconds.
    Offset(i64),
    /// A whole number.
    Integer(i64),
    /// Millionths.
    PerMillion(u32),
    /// Yes or no.
    Flag(bool),
    /// A name.
    Choice(&'static str),
    /// Uniform from the first to the second, in nanoseconds.
    Delay(u64, u64),
    /// All nodes.
    All,
    /// All clients.
    Clients,
}

impl From<DefaultSetting> for Setting {
    fn from(default: DefaultSetting) -> Self {
        match default {
            DefaultSetting::Duration(ns) => Self::Duration(ns),
            DefaultSetting::Offset(ns) => Self::Offset(ns),
            DefaultSetting::Integer(integer) => Self::Integer(integer),
            DefaultSetting::PerMillion(share) => Self::PerMillion(share),
            DefaultSetting::Flag(flag) => Self::Flag(flag),
            DefaultSetting::Choice(name) => Self::Choice(SmolStr::new_static(name)),
            DefaultSetting::Delay(min, max) => {
                Self::Delay(crate::setting::Delay::uniform(min, max))
            }
            DefaultSetting::All => Self::Target(crate::Target::All),
            DefaultSetting::Clients => Self::Target(crate::Target::Clients),
        }
    }
}

/// The settings that hold where a file says nothing.
pub fn defaults(parameters: &[ParameterInfo]) -> Settings {
    let with_default =
        |p: &ParameterInfo| p.default.map(|default| (SmolStr::new_static(p.name), default.into()));
    Settings(parameters.iter().filter_map(with_default).collect())
}

/// A reference design, or somebody's own.
#[derive(Debug)]
pub struct DesignInfo {
    /// Its name in a scenario file: `raft`.
    pub name: &'static str,
    /// Codes of the catalogue: `P19`; empty for people's own.
    pub codes: &'static [&'static str],
    /// One line.
    pub title: &'static str,
    /// The idea and the promise, in a page of plain words.
    pub doc: &'static str,
    /// `reference` first, then the broken ones.
    pub variants: &'static [VariantInfo],
    /// Roles that its nodes report; the last resort of `{ role = … }`.
    pub roles: &'static [&'static str],
    /// Failpoints, in the order in which an operation meets them.
    pub failpoints: &'static [NamedDoc],
    /// Kinds of messages between its nodes that a fault can single out.
    pub messages: &'static [NamedDoc],
    /// What can be asked of its nodes from outside.
    pub controls: &'static [NamedDoc],
    /// Facts, beside those of every node, that a fault can wait for.
    pub facts: &'static [NamedDoc],
    /// Situations worth reaching: what its nodes tell by `cx.sometimes`.
    pub situations: &'static [NamedDoc],
    /// Functions that it serves: `read`, `write` …
    pub functions: &'static [&'static str],
    /// Its parameters.
    pub parameters: &'static [ParameterInfo],
    /// Codes of what it promises.
    pub guarantees: &'static [&'static str],
    /// Faults it is made to survive, by name; anything else is beyond its model.
    pub tolerates: &'static [Tolerance],
    /// Names of its nodes, from its parameters.
    pub nodes: fn(&Settings) -> Vec<SmolStr>,
    /// Papers, books, incidents.
    pub sources: &'static [&'static str],
}

/// A name and what it means.
#[derive(Clone, Copy, Debug)]
pub struct NamedDoc {
    /// The name.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
}

impl NamedDoc {
    /// A name and one sentence about it.
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Self { name, doc }
    }
}

/// One named edit of a design.
#[derive(Clone, Copy, Debug)]
pub struct VariantInfo {
    /// Its name in a scenario file.
    pub name: &'static str,
    /// The incident behind it, one or two sentences.
    pub doc: &'static str,
    /// Whether it is meant to break a promise.
    pub broken: bool,
}

/// A fault that a design survives.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// The fault's name.
    pub fault: &'static str,
    /// On how many nodes at once.
    pub nodes: Extent,
}

impl Tolerance {
    /// Each of these faults may hit any number of nodes at once.
    pub const fn any<const N: usize>(faults: [&'static str; N]) -> [Self; N] {
        let mut tolerances = [Self { fault: "", nodes: Extent::Any }; N];
        let mut place = 0;
        while place < N {
            tolerances[place].fault = faults[place];
            place += 1;
        }
        tolerances
    }
}

/// How many nodes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Any number.
    Any,
    /// Less than half.
    Minority,
    /// So many.
    AtMost(u32),
}

/// Operations to generate.
#[derive(Debug)]
pub struct WorkloadInfo {
    /// Its name in a scenario file.
    pub name: &'static str,
    /// What it asks, in a page of plain words.
    pub doc: &'static str,
    /// Functions that it may ask for, in the order of the mix.
    pub functions: &'static [&'static str],
    /// The model that judges it.
    pub model: &'static str,
    /// Its parameters, beside those of every workload.
    pub parameters: &'static [ParameterInfo],
}

/// A fault that can be injected.
#[derive(Debug)]
pub struct FaultInfo {
    /// Its name in a scenario file.
    pub name: &'static str,
    /// Its code in the catalogue: `X01`.
    pub code: &'static str,
    /// What it does to the world, and what healing does, in a page of plain words.
    pub doc: &'static str,
    /// Its parameters.
    pub parameters: &'static [ParameterInfo],
    /// What its effect counts: `messages dropped`.
    pub effect: &'static str,
    /// Whether it lasts: then a scenario says `for`, else it must not.
    pub lasts: Lasting,
    /// What a design must have for it.
    pub needs: Needs,
}

/// What a design must have for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: every design can be hit by it.
    Nothing,
    /// Messages of this kind between its nodes.
    Messages(&'static str),
    /// A control of this name.
    Control(&'static str),
    /// A role of this name.
    Role(&'static str),
}

/// How a fault ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// After `for`, or at the end of the fault phase.
    For,
    /// At once: there is nothing to heal.
    Instant,
}

/// A guarantee that can be promised and is judged.
#[derive(Debug)]
pub struct GuaranteeInfo {
    /// Its code: `LIN`.
    pub code: &'static str,
    /// Its name in words: `linearizability`.
    pub name: &'static str,
    /// What it promises, in a page of plain words.
    pub doc: &'static str,
    /// Its bounds.
    pub parameters: &'static [ParameterInfo],
}

/// A sequential specification.
#[derive(Debug)]
pub struct ModelInfo {
    /// Its name.
    pub name: &'static str,
    /// What one client at a time may see.
    pub doc: &'static str,
}

/// A metric that an objective can be declared over.
#[derive(Debug)]
pub struct MetricInfo {
    /// Its code or name in a scenario file: `M1`, `latency`.
    pub name: &'static str,
    /// What it measures, and how.
    pub doc: &'static str,
    /// Whether more is better (a share) or less (a time).
    pub higher_is_better: bool,
    /// Whether its objective is a share or a duration.
    pub kind: ParameterKind,
}

/// `n1`, `n2` …: as many as the parameter `nodes` says, and three if there is no such parameter.
pub fn numbered_nodes(settings: &Settings) -> Vec<SmolStr> {
    let nodes = settings.integer("nodes").unwrap_or(3);
    (1..=nodes).map(|number| format!("n{number}").into()).collect()
}

/// How an engine describes itself: what carries nodes.
#[derive(Clone, Copy, Debug)]
pub struct EngineInfo {
    /// Its name, as in `--engine`.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Whether a seed gives the same run twice.
    pub deterministic: bool,
    /// So many nodes at most, in any variant.
    pub nodes_max: Option<u32>,
    /// Names of faults that it cannot inject.
    pub faults_refused: &'static [&'static str],
    /// Why this program does not have it, and how to get one that does.
    pub missing: Option<&'static str>,
}

impl Catalogue {
    /// The design of this name.
    pub fn design(&self, name: &str) -> Option<&'static DesignInfo> {
        self.designs.iter().copied().find(|info| info.name == name)
    }

    /// What carries the nodes of this design.
    pub fn engine_of(&self, design: &DesignInfo) -> Option<&'static EngineInfo> {
        let service = self.services.iter().find(|(name, _)| *name == design.name);
        service.map(|(_, engine)| *engine).or(self.engine)
    }

    /// The workload of this name.
    pub fn workload(&self, name: &str) -> Option<&'static WorkloadInfo> {
        self.workloads.iter().copied().find(|info| info.name == name)
    }

    /// The fault of this name.
    pub fn fault(&self, name: &str) -> Option<&'static FaultInfo> {
        self.faults.iter().copied().find(|info| info.name == name)
    }

    /// The guarantee of this code.
    pub fn guarantee(&self, code: &str) -> Option<&'static GuaranteeInfo> {
        self.guarantees.iter().copied().find(|info| info.code == code)
    }

    /// The metric of this name.
    pub fn metric(&self, name: &str) -> Option<&'static MetricInfo> {
        self.metrics.iter().copied().find(|info| info.name == name)
    }
}

impl DesignInfo {
    /// Nothing yet: a design names what it has, and leaves the rest as it is here.
    ///
    /// Its nodes are those of [`numbered_nodes`]. There is one variant, the `reference`.
    ///
    /// ```
    /// use wrack_history::catalogue::DesignInfo;
    ///
    /// const INFO: DesignInfo = DesignInfo {
    ///     name: "my-store",
    ///     title: "Three nodes that hold everything",
    ///     functions: &["read", "write"],
    ///     guarantees: &["LIN"],
    ///     ..DesignInfo::BLANK
    /// };
    /// assert_eq!((INFO.nodes)(&Default::default()), ["n1", "n2", "n3"]);
    /// ```
    pub const BLANK: Self = Self {
        name: "",
        codes: &[],
        title: "",
        doc: "",
        variants: &[VariantInfo { name: "reference", doc: "As described.", broken: false }],
        roles: &[],
        failpoints: &[],
        messages: &[],
        controls: &[],
        facts: &[],
        situations: &[],
        functions: &[],
        parameters: &[],
        guarantees: &[],
        tolerates: &[],
        nodes: numbered_nodes,
        sources: &[],
    };

    /// The variant of this name.
    pub fn variant(&self, name: &str) -> Option<&'static VariantInfo> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    /// The situation of this name.
    pub fn situation(&self, name: &str) -> Option<&'static NamedDoc> {
        self.situations.iter().find(|situation| situation.name == name)
    }
}
