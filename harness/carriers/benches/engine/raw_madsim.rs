//! The cluster of `ping` as somebody would write it for madsim by hand: what a carrier costs is measured
//! against this.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::madsim::net::Endpoint;
use ::madsim::runtime::Runtime;
use ::madsim::{task, time};

use crate::ping::{LEADER, Message, SERVERS};

const OUTSTANDING: u32 = 16;
const QUORUM: u8 = 4;

/// One virtual second; gives the messages that were sent.
pub fn second() -> u64 {
    wrack_carriers::thread::alone(simulate)
}

fn simulate() -> u64 {
    let mut settings = ::madsim::Config::default();
    settings.net.send_latency = Duration::from_millis(1)..Duration::from_millis(5);
    let runtime = Runtime::with_seed_and_config(1, settings);
    let sent = Arc::new(AtomicU64::new(0));
    let start = |member: usize| {
        let sent = Arc::clone(&sent);
        let live = move || live(member, Arc::clone(&sent));
        runtime.create_node().ip(address(member).ip()).init(live).build()
    };
    let nodes: Vec<_> = (0..=SERVERS).map(start).collect();
    runtime.block_on(async { time::sleep(Duration::from_secs(1)).await });
    drop(nodes);
    sent.load(Ordering::Relaxed)
}

fn address(member: usize) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, member as u8 + 1)), 7_000)
}

async fn live(member: usize, sent: Arc<AtomicU64>) {
    let endpoint = Arc::new(Endpoint::bind(address(member)).await.expect("the address is free"));
    let send = |to: usize, message: Message| {
        sent.fetch_add(1, Ordering::Relaxed);
        let bytes = postcard::to_stdvec(&message).expect("a message can be serialised");
        let endpoint = Arc::clone(&endpoint);
        task::spawn(async move {
            let _ = endpoint.send_to(address(to), 0, &bytes).await;
        });
    };
    let (leader, client) = (usize::from(LEADER.0), SERVERS);
    let (mut copies, mut next) = ([0_u8; 64], OUTSTANDING);
    if member == client {
        // Whoever starts first waits until everybody listens.
        time::sleep(Duration::from_millis(2)).await;
        (0..OUTSTANDING).for_each(|number| send(leader, Message::Ask(number)));
    }
    let mut buffer = [0; 64];
    loop {
        let received = endpoint.recv_from(0, &mut buffer).await;
        let (length, _) = received.expect("the node runs");
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
