//! What Wrack needs to know of the service: how its hosts start, and how an operation becomes a call.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use kv_service::{Expiry, front, store};
use wrack::net::{TcpListener, TcpStream};
use wrack::{
    Catalogue, Cluster, DesignInfo, Host, NodeId, Reply, Request, Service, SmolStr, Tolerance,
    Value, VariantInfo,
};

/// Every host listens here.
const PORT: u16 = 7_000;

/// What scenarios may name.
pub fn catalogue() -> Catalogue {
    // The service asks the system what time it is: let it be the host's.
    wrack_clock::install(wrack::host_clock);
    Catalogue::builtin().service::<KvService>()
}

/// The service under test.
pub struct KvService;

const INFO: DesignInfo = DesignInfo {
    name: "kv-service",
    title: "A store of sets with its log on disk, and two fronts that speak HTTP",
    doc: "A front takes requests and hands them to the store, which answers when its log is synced. \
          Elements live for 20 seconds.",
    variants: &[
        VariantInfo { name: "reference", doc: "As described.", broken: false },
        VariantInfo {
            name: "absolute_expiry",
            doc: "The front says until when an element lives, by its own clock, and the store looks \
                  at another one.",
            broken: true,
        },
    ],
    functions: &["add", "read"],
    guarantees: &["ASSERT", "LIN", "LOST"],
    tolerates: &Tolerance::any(["clock-step", "crash", "partition"]),
    nodes: |_| vec!["store".into(), "front-1".into(), "front-2".into()],
    ..DesignInfo::BLANK
};

impl Service for KvService {
    const INFO: &'static DesignInfo = &INFO;

    async fn start(host: Host) -> Result<(), Box<dyn Error>> {
        let expiry = match host.cluster.variant.as_str() {
            "absolute_expiry" => Expiry::Absolute,
            _ => Expiry::Relative,
        };
        let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
        match host.name.as_str() {
            "store" => store::serve(listener, Path::new("/"), expiry).await?,
            _ => front::serve(listener, format!("store:{PORT}"), expiry).await?,
        }
        Ok(())
    }

    async fn call(host: SmolStr, request: Arc<Request>) -> io::Result<Reply> {
        let (method, path) = match request.function.as_str() {
            "add" => ("PUT", format!("/{}/{}", request.key, request.argument)),
            _ => ("GET", format!("/{}", request.key)),
        };
        let stream = TcpStream::connect((host.as_str(), PORT)).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        tokio::spawn(connection);
        let request = hyper::Request::builder().method(method).uri(&path);
        let request = request.header(HOST, host.as_str()).body(Empty::<Bytes>::new());
        let request = request.expect("a key and a number make a path");
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok(match (status, method) {
            (200, "PUT") => Reply::Ok(Value::Nil),
            (200, _) => {
                let elements = text.split_whitespace().filter_map(|word| word.parse::<i64>().ok());
                Reply::Ok(Value::list(elements.map(Value::from)))
            }
            (503, _) => Reply::Redirect(None),
            _ => Reply::Unknown(text.into()),
        })
    }

    /// Clients know the fronts alone.
    fn entries(cluster: &Cluster) -> Vec<NodeId> {
        cluster.servers().skip(1).collect()
    }
}
