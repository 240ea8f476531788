//! A catalogue for the tests: a few entries of every kind, whatever the real one holds.

use wrack_history::SmolStr;
use wrack_history::catalogue::{
    Catalogue, DefaultSetting, DesignInfo, Extent, FaultInfo, GuaranteeInfo, Lasting, MetricInfo,
    NamedDoc, Needs, ParameterInfo, ParameterKind, Tolerance, VariantInfo, WorkloadInfo,
};
use wrack_history::setting::Settings;

const SHARE: ParameterKind = ParameterKind::PerMillion;

/// Everything that the tests may name.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue {
        designs: vec![&CACHE, &RAFT],
        workloads: vec![&QUEUE, &REGISTER],
        faults: vec![
            &CLOCK_DRIFT,
            &CLOCK_STEP,
            &CRASH,
            &CRASH_AT_FAILPOINT,
            &DISK_LOSS,
            &EVICTION,
            &LATENCY,
            &LOSS,
            &LOST_INVALIDATION,
            &PARTITION,
        ],
        guarantees: vec![&LIN, &LOST, &RAFT_PROPERTIES, &STALE],
        models: Vec::new(),
        engine: None,
        services: Vec::new(),
        metrics: vec![&M3, &M5, &M10, &AVAILABILITY, &LATENCY_METRIC],
        anomalies: &[],
    }
}

static RAFT: DesignInfo = DesignInfo {
    name: "raft",
    codes: &["P19"],
    title: "Raft",
    doc: "",
    variants: &[
        VariantInfo { name: "reference", doc: "", broken: false },
        VariantInfo { name: "stale_local_read", doc: "", broken: true },
        VariantInfo { name: "vote_volatile", doc: "", broken: true },
    ],
    roles: &["leader", "follower", "candidate"],
    failpoints: &[NamedDoc { name: "raft.vote_sent", doc: "" }],
    messages: &[NamedDoc { name: "append", doc: "" }],
    controls: &[],
    facts: &[NamedDoc { name: "raft.snapshot", doc: "" }, NamedDoc { name: "voted", doc: "" }],
    situations: &[],
    functions: &["read", "write", "cas"],
    parameters: &[
        ParameterInfo::new(
            "nodes",
            ParameterKind::Integer { min: 1, max: 25 },
            DefaultSetting::Integer(5),
            "How many nodes.",
        ),
        ParameterInfo::new(
            "heartbeat",
            ParameterKind::Duration,
            DefaultSetting::Duration(50_000_000),
            "How often the leader is heard.",
        ),
        ParameterInfo::optional("lease", ParameterKind::Duration, "How long a lease is."),
    ],
    guarantees: &["LIN", "RAFT"],
    tolerates: &[
        Tolerance { fault: "clock_drift", nodes: Extent::Any },
        Tolerance { fault: "clock_step", nodes: Extent::AtMost(1) },
        Tolerance { fault: "crash", nodes: Extent::Minority },
        Tolerance { fault: "crash_at_failpoint", nodes: Extent::Minority },
        Tolerance { fault: "latency", nodes: Extent::Any },
        Tolerance { fault: "loss", nodes: Extent::Any },
        Tolerance { fault: "partition", nodes: Extent::Any },
    ],
    nodes: |settings: &Settings| {
        let count = settings.integer("nodes").expect("it has a default");
        (1..=count).map(|n| SmolStr::from(format!("n{n}"))).collect()
    },
    sources: &[],
};

static CACHE: DesignInfo = DesignInfo {
    name: "cache",
    codes: &["P06"],
    title: "Cache-aside",
    doc: "",
    variants: &[VariantInfo { name: "reference", doc: "", broken: false }],
    roles: &[],
    failpoints: &[],
    messages: &[],
    controls: &[],
    facts: &[],
    situations: &[],
    functions: &["read", "write"],
    parameters: &[ParameterInfo::required("ttl", ParameterKind::Duration, "Time to live.")],
    guarantees: &["STALE"],
    tolerates: &[],
    nodes: |_| vec!["cache".into(), "store".into()],
    sources: &[],
};

static REGISTER: WorkloadInfo = WorkloadInfo {
    name: "register",
    doc: "",
    functions: &["read", "write", "cas"],
    model: "cas-register",
    parameters: &[],
};

static QUEUE: WorkloadInfo = WorkloadInfo {
    name: "queue",
    doc: "",
    functions: &["enqueue", "dequeue"],
    model: "queue",
    parameters: &[],
};

const TARGET: ParameterInfo =
    ParameterInfo::required("target", ParameterKind::Target, "Whom it is for.");

const fn fault(
    name: &'static str,
    lasts: Lasting,
    parameters: &'static [ParameterInfo],
) -> FaultInfo {
    FaultInfo { name, code: "X", doc: "", parameters, effect: "", lasts, needs: Needs::Nothing }
}

static PARTITION: FaultInfo = fault(
    "partition",
    Lasting::For,
    &[
        ParameterInfo::new(
            "shape",
            ParameterKind::Choice(&["isolate", "groups", "halves"]),
            DefaultSetting::Choice("isolate"),
            "Who is cut off from whom.",
        ),
        ParameterInfo::optional("target", ParameterKind::Target, "Who is isolated."),
        ParameterInfo::optional("groups", ParameterKind::Groups, "The sides."),
    ],
);
static CRASH: FaultInfo = fault("crash", Lasting::For, &[TARGET]);
static DISK_LOSS: FaultInfo = fault("disk_loss", Lasting::Instant, &[TARGET]);
static EVICTION: FaultInfo =
    FaultInfo { needs: Needs::Control("evict"), ..fault("eviction", Lasting::For, &[]) };
static LOSS: FaultInfo = fault(
    "loss",
    Lasting::For,
    &[ParameterInfo::required("messages", ParameterKind::Messages, "Which messages.")],
);
static LOST_INVALIDATION: FaultInfo = FaultInfo {
    needs: Needs::Messages("invalidation"),
    ..fault("lost_invalidation", Lasting::For, &[])
};
static CLOCK_STEP: FaultInfo = fault(
    "clock_step",
    Lasting::Instant,
    &[TARGET, ParameterInfo::required("offset", ParameterKind::Offset, "By how much.")],
);
static CLOCK_DRIFT: FaultInfo = fault(
    "clock_drift",
    Lasting::For,
    &[
        TARGET,
        ParameterInfo::required(
            "ppm",
            ParameterKind::Integer { min: -100_000, max: 100_000 },
            "How fast.",
        ),
    ],
);
static CRASH_AT_FAILPOINT: FaultInfo = fault(
    "crash_at_failpoint",
    Lasting::For,
    &[TARGET, ParameterInfo::required("failpoint", ParameterKind::Failpoint, "Where.")],
);
static LATENCY: FaultInfo = fault(
    "latency",
    Lasting::For,
    &[
        ParameterInfo::new("from", ParameterKind::Target, DefaultSetting::All, "The sender."),
        ParameterInfo::new("to", ParameterKind::Target, DefaultSetting::All, "The receiver."),
        ParameterInfo::required("delay", ParameterKind::Delay, "How late."),
        ParameterInfo::new("share", SHARE, DefaultSetting::PerMillion(1_000_000), "How many."),
    ],
);

const fn guarantee(code: &'static str, parameters: &'static [ParameterInfo]) -> GuaranteeInfo {
    GuaranteeInfo { code, name: "", doc: "", parameters }
}

static LIN: GuaranteeInfo = guarantee("LIN", &[]);
static LOST: GuaranteeInfo = guarantee("LOST", &[]);
static RAFT_PROPERTIES: GuaranteeInfo = guarantee("RAFT", &[]);
static STALE: GuaranteeInfo = guarantee(
    "STALE",
    &[ParameterInfo::required("bound", ParameterKind::Duration, "How stale at most.")],
);

const fn metric(name: &'static str, higher_is_better: bool, kind: ParameterKind) -> MetricInfo {
    MetricInfo { name, doc: "", higher_is_better, kind }
}

static AVAILABILITY: MetricInfo = metric("availability", true, SHARE);
static LATENCY_METRIC: MetricInfo = metric("latency", false, ParameterKind::Duration);
static M5: MetricInfo = metric("M5", false, SHARE);
static M3: MetricInfo = metric("M3", true, ParameterKind::PerMillion);
static M10: MetricInfo = metric("M10", false, ParameterKind::Integer { min: 0, max: i64::MAX });
