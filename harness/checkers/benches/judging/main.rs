//! How long judging takes, by what is judged.

mod containers;
mod guarantees;
mod objects;
mod registers;
mod transactions;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

criterion::criterion_main!(
    registers::benches,
    containers::benches,
    objects::benches,
    guarantees::benches,
    transactions::benches
);
