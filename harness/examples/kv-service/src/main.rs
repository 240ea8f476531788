//! `kv-service store ADDRESS FOLDER` or `kv-service front ADDRESS STORE`.

use std::path::Path;
use std::process::ExitCode;

use kv_service::{Expiry, front, store};
use wrack_io::net::TcpListener;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [kind @ ("store" | "front"), address, target] = words[..] else {
        eprintln!("kv-service store ADDRESS FOLDER, or kv-service front ADDRESS STORE");
        return ExitCode::from(64);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.and_then(|runtime| runtime.block_on(serve(kind, address, target)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kv-service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(kind: &str, address: &str, target: &str) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    match kind {
        "store" => store::serve(listener, Path::new(target), Expiry::Relative).await,
        _ => front::serve(listener, target.into(), Expiry::Relative).await,
    }
}
