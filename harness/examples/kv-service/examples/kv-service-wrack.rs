//! The command line of Wrack over the service: `cargo run --example kv-service-wrack -- run scenarios`.

#[path = "../checks/service.rs"]
mod service;

fn main() -> std::process::ExitCode {
    wrack::main(service::catalogue())
}
