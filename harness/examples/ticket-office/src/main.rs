//! The command line of Wrack over the ticket office.

fn main() -> std::process::ExitCode {
    wrack::main(ticket_office::catalogue())
}
