//! The cluster of `ping` as somebody would write it for turmoil by hand: what a carrier costs is measured
//! against this.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use ::turmoil::net::UdpSocket;
use ::turmoil::{Builder, Sim};

use crate::ping::{LEADER, Message, SERVERS};

const PORT: u16 = 7_000;
const OUTSTANDING: u32 = 16;
const QUORUM: u8 = 4;
/// turmoil has no even distribution from 1 to 5 ms. With this one, about as many messages are sent in
/// a second as on the carrier, so that each has its share of what a tick costs.
const LATENCY: Duration = Duration::from_millis(4);

/// One virtual second; gives the messages that were sent.
pub fn second() -> u64 {
    wrack_carriers::thread::alone(simulate)
}

fn simulate() -> u64 {
    let mut sim: Sim<'_> = Builder::new()
        .rng_seed(1)
        .tick_duration(Duration::from_millis(1))
        .simulation_duration(Duration::from_secs(1))
        .udp_capacity(1 << 16)
        .min_message_latency(LATENCY)
        .max_message_latency(LATENCY)
        .build();
    let sent = Rc::new(Cell::new(0));
    for member in 0..=SERVERS {
        let sent = Rc::clone(&sent);
        sim.host(name(member), move || live(member, Rc::clone(&sent)));
    }
    while sim.elapsed() < Duration::from_secs(1) {
        sim.step().expect("no host fails");
    }
    sent.get()
}

fn name(member: usize) -> String {
    format!("n{member}")
}

async fn live(member: usize, sent: Rc<Cell<u64>>) -> ::turmoil::Result {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    let addresses: Vec<_> =
        (0..=SERVERS).map(|member| (::turmoil::lookup(name(member)), PORT)).collect();
    let send = |to: usize, message: Message| {
        sent.set(sent.get() + 1);
        let bytes = postcard::to_stdvec(&message).expect("a message can be serialised");
        let _ = socket.try_send_to(&bytes, addresses[to]);
    };
    let (leader, client) = (usize::from(LEADER.0), SERVERS);
    let (mut copies, mut next) = ([0_u8; 64], OUTSTANDING);
    if member == client {
        // Whoever starts first waits until everybody listens.
        tokio::time::sleep(Duration::from_millis(2)).await;
        (0..OUTSTANDING).for_each(|number| send(leader, Message::Ask(number)));
    }
    let mut buffer = [0; 64];
    loop {
        let (length, _) = socket.recv_from(&mut buffer).await?;
        match postcard::from_bytes(&buffer[..length]).expect("only members send here") {
            Message::Ask(number) => {
                copies[number as usize % 64] = 0;
                (1..SERVERS).for_each(|follower| send(follower, Message::Copy(number)));
            }
            Message::Copy(number) => send(leader, Message::Copied(number)),
            Message::Copied(number) => {
                let copied = &mut copies[number as usize % 64];
                *copied += 1;
                if *copied == QUORUM {
                    send(client, Message::Answer(number));
                }
            }
            Message::Answer(_) => {
                send(leader, Message::Ask(next));
                next += 1;
            }
        }
    }
}
