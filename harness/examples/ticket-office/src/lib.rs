//! A ticket office: nobody gets a number that somebody else has.
//!
//! None of Wrack's workloads asks for numbers, none of its models knows them, and none of its
//! guarantees is about them. So this design brings its own, and a role, `office`.

use std::collections::BTreeMap;

use wrack::{
    Anomaly, Argument, Catalogue, Cluster, Design, DesignInfo, Effect, Evidence, Fact, Flow,
    FlowContext, Guarantee, GuaranteeInfo, Judge, Judgement, Model, ModelError, ModelInfo, NodeId,
    Operation, Reply, Response, Settings, Tolerance, Value, VariantInfo, Wire, Workload,
    WorkloadInfo,
};

/// Everything that scenarios of the office may name.
pub fn catalogue() -> Catalogue {
    let catalogue = Catalogue::builtin().design::<TicketOffice>().model::<Tickets>();
    catalogue.workload(&TICKETS).guarantee(&ONCE)
}

/// The design.
pub struct TicketOffice;

const INFO: DesignInfo = DesignInfo {
    name: "ticket-office",
    title: "An office that numbers its tickets, and remembers the last number",
    doc: "Every `take` gets the next number. The office writes it to its disk, waits for the disk, \
          and only then hands the ticket out, so that it goes on behind it after a crash.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "volatile",
            doc: "The last number is in memory only: after a crash the office begins anew, as \
                  every sequence does that is cached before it is stored.",
            broken: true,
        },
    ],
    roles: &["office"],
    functions: &["take"],
    guarantees: &["LIN", "LIVE", "ONCE"],
    tolerates: &Tolerance::any(["crash", "loss", "partition", "pause"]),
    nodes: |_| vec!["counter".into()],
    ..DesignInfo::BLANK
};

impl Design for TicketOffice {
    type Peer = ();
    type Node = Flow<Wire<()>>;
    const INFO: &'static DesignInfo = &INFO;

    fn boot(cluster: &Cluster, _: NodeId) -> Self::Node {
        let remembers = cluster.variant != "volatile";
        Flow::new(move |cx| office(cx, remembers))
    }
}

async fn office(cx: FlowContext<Wire<()>>, remembers: bool) {
    cx.note(Fact::Role { role: "office".into(), epoch: 1 });
    let mut last: i64 = cx.cell("last").ok().flatten().unwrap_or(0);
    loop {
        let (client, message) = cx.recv().await;
        let Wire::Request(request) = message else { continue };
        last += 1;
        if remembers {
            cx.put("last", &last);
            if cx.sync().await.is_err() {
                continue;
            }
        }
        let reply = Reply::Ok(last.into());
        cx.send(client, Wire::Response(Response { number: request.number, reply }));
    }
}

/// What clients ask: a ticket.
pub const TICKETS: Workload = Workload::new(
    &WorkloadInfo {
        name: "tickets",
        doc: "`take` asks for a ticket and gets its number.",
        functions: &["take"],
        model: "tickets",
        parameters: &[],
    },
    |_, _| Argument::Value(Value::Nil),
);

/// What one client at a time would see: numbers that rise. Numbers may be missing, because a client
/// that hears nothing asks again.
#[derive(Default)]
pub struct Tickets;

impl Model for Tickets {
    type State = i64;
    /// The number that was learned; `None` if the client never learned it.
    type Step = Option<i64>;
    const INFO: &'static ModelInfo =
        &ModelInfo { name: "tickets", doc: "Numbers, each higher than the last one." };

    fn initial(&self) -> i64 {
        0
    }

    fn compile(&mut self, operation: &Operation) -> Result<Option<i64>, ModelError> {
        match operation.function.as_str() {
            "take" => Ok(operation.is_ok().then(|| operation.result.as_integer()).flatten()),
            _ => Err(ModelError::unknown_function::<Self>(operation)),
        }
    }

    fn step(&self, last: &i64, learned: &Option<i64>) -> Option<i64> {
        match learned {
            Some(number) => (number > last).then_some(*number),
            None => Some(*last),
        }
    }

    /// Of numbers that nobody learned nothing is known: they need not be tried in every order.
    fn effect(&self, learned: &Option<i64>) -> Effect {
        learned.map_or(Effect::None, |_| Effect::Any)
    }

    /// Whoever holds a number must have come before all higher ones: no need to try the other orders.
    fn out_of_reach(&self, last: &i64, learned: &Option<i64>) -> bool {
        learned.is_some_and(|number| number <= *last)
    }
}

/// The promise of the office.
pub const ONCE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "ONCE",
        name: "no ticket twice",
        doc: "No two clients hold tickets of one office with the same number.",
        parameters: &[],
    },
    judge: Judge::Evidence(once),
};

fn once(evidence: &Evidence<'_>, _: &Settings) -> Judgement {
    let mut judgement = Judgement::new(ONCE.info.code);
    let mut holders = BTreeMap::new();
    for ticket in evidence.history.operations.iter().filter(|operation| operation.is_ok()) {
        let place = (&ticket.key, &ticket.result);
        let Some(first) = holders.insert(place, ticket) else { continue };
        judgement.contradict(Anomaly {
            explanation: format!(
                "processes {} and {} both hold ticket {} of {}",
                first.process, ticket.process, ticket.result, ticket.key
            ),
            operations: vec![first.id, ticket.id],
            key: Some(ticket.key.clone()),
            at_ns: Some(ticket.complete.ns),
            ..Anomaly::default()
        });
    }
    judgement.examine("tickets", holders.len() as u64);
    judgement
}
