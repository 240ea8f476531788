//! Registers whose values are unique and that nobody cas'ed: valid ones, in one pass.
//!
//! What [`super::register`] proves of blocks, decided with next to nothing in memory: a block is the
//! write of a value and its reads, and of each block no more is kept than its first completion and its
//! last invocation. Where that finds no legal order, or does not apply, nothing is said: the longer
//! way knows which operations contradict each other.
//!
//! # Two blocks contradict each other
//! iff `first(X) < last(Y)` and `first(Y) < last(X)`. Call a block *long* if its first completion
//! stands before its last invocation, and *short* otherwise. Two short blocks never contradict each
//! other (`first(X) < last(Y) < first(Y) < last(X) < first(X)` is impossible), two long ones do iff
//! they overlap, and a short one does with a long one iff it lies within it:
//! `first(long) < last(short) < first(short) < last(long)`.
//!
//! Source: Gibbons and Korach, "Testing shared memories", 1997: forward and backward zones.

use wrack_history::{Operation, Outcome, Value};
use wrack_sequential::{INITIAL, Values};

/// Whether zones alone show that the operations of a key, in order of invocation, are linearizable.
/// `false` says nothing.
pub(super) fn is_evident(operations: &[&Operation], initial: &Value) -> bool {
    blocks(operations, initial).is_some_and(are_in_order)
}

/// A value: its write, and the reads of it. Events are counted from 1; 0 is where the initial value
/// was written.
#[derive(Clone, Copy)]
struct Block {
    /// Index of the first completion.
    first: u64,
    /// Index of the last invocation.
    last: u64,
    /// Index of the write's invocation.
    written: u64,
    read: bool,
}

impl Block {
    /// A value that nobody has written or read.
    const NEW: Self = Self { first: u64::MAX, last: 0, written: u64::MAX, read: false };
    /// The initial value.
    const INITIAL: Self = Self { first: 0, last: 0, written: 0, read: false };
}

/// The blocks; `None` if they do not decide, or if one is not in order by itself.
fn blocks(operations: &[&Operation], initial: &Value) -> Option<Vec<Block>> {
    let mut values = Values::default();
    values.start_at(initial);
    let mut blocks = vec![Block::INITIAL];
    // Writes of values that were written before: fine as long as nobody reads them.
    let mut again = Vec::new();
    let mut several = Vec::new();
    for operation in operations {
        let (outcome, invoke) = (operation.outcome, operation.invoke.index + 1);
        let complete = operation.effect_by().index.saturating_add(1);
        let (value, writes) = match operation.function.as_str() {
            "read" => (&operation.result, false),
            "write" => (&operation.argument, true),
            _ => return None,
        };
        if outcome == Outcome::Fail || (outcome == Outcome::Info && !writes) {
            continue;
        }
        let number = values.number(value) as usize;
        if number == blocks.len() {
            blocks.push(Block::NEW);
        }
        let block = &mut blocks[number];
        if writes && block.written != u64::MAX {
            several.push(number);
            again.push(Block { first: complete, last: invoke, ..Block::NEW });
            continue;
        }
        block.first = block.first.min(complete);
        block.last = block.last.max(invoke);
        match writes {
            true => block.written = invoke,
            false => block.read = true,
        }
    }
    let in_order = |block: &Block| block.written <= block.first;
    let unread = |number: &usize| !blocks[*number].read;
    if !blocks.iter().all(in_order) || !several.iter().all(unread) {
        return None;
    }
    if !blocks[INITIAL as usize].read {
        blocks.swap_remove(INITIAL as usize);
    }
    blocks.append(&mut again);
    // A doubtful write that nobody read is left out.
    blocks.retain(|block| block.first != u64::MAX);
    Some(blocks)
}

/// Whether no two blocks contradict each other.
fn are_in_order(blocks: Vec<Block>) -> bool {
    let long = blocks.iter().filter(|block| block.first < block.last);
    let mut long: Vec<(u64, u64)> = long.map(|block| (block.first, block.last)).collect();
    long.sort_unstable();
    if long.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        return false;
    }
    let mut short = blocks.iter().filter(|block| block.last < block.first);
    short.all(|block| {
        let before = long.partition_point(|(first, _)| *first < block.last);
        before.checked_sub(1).is_none_or(|one| long[one].1 < block.first)
    })
}
