//! The `wrack` binary: the command line over the reference designs.

fn main() -> std::process::ExitCode {
    wrack::main()
}
