//! The `wrack` binary: the command line over the reference designs.

/// Runs allocate many small values: this saves a tenth of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    wrack::main(wrack::Catalogue::builtin())
}
