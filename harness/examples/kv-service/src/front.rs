//! A front: HTTP for clients, lines for the store.

use std::io;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use wrack_io::net::{TcpListener, TcpStream};

use crate::store::wall_ms;
use crate::{Expiry, LIVES};

/// Serves until something fails; the store listens at `store`.
pub async fn serve(listener: TcpListener, store: String, expiry: Expiry) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let store = store.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(request, store.clone(), expiry));
            // Whoever hangs up in the middle has his reasons.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

/// Answers one request: `503` if certainly nothing was done, `504` if nobody knows.
async fn answer(
    request: Request<Incoming>,
    store: String,
    expiry: Expiry,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let mut parts = request.uri().path().trim_start_matches('/').split('/');
    let line = match (request.method(), parts.next(), parts.next()) {
        (&Method::PUT, Some(key), Some(element)) => {
            let lives = LIVES.as_millis() as u64;
            let ms = match expiry {
                Expiry::Relative => lives,
                Expiry::Absolute => wall_ms() + lives,
            };
            format!("ADD {key} {element} {ms}\n")
        }
        (&Method::GET, Some(key), None) => format!("GET {key}\n"),
        _ => return Ok(reply(StatusCode::NOT_FOUND, String::new())),
    };
    let Ok(stream) = TcpStream::connect(store.as_str()).await else {
        return Ok(reply(StatusCode::SERVICE_UNAVAILABLE, "the store is away".into()));
    };
    Ok(match ask(stream, &line).await {
        Ok(answer) => reply(StatusCode::OK, answer),
        Err(error) => reply(StatusCode::GATEWAY_TIMEOUT, error.to_string()),
    })
}

fn reply(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}

/// Asks the store.
async fn ask(mut stream: TcpStream, line: &str) -> io::Result<String> {
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    if BufReader::new(stream).read_line(&mut answer).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(answer)
}
