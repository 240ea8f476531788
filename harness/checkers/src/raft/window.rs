//! Values by their index in a log, of which the oldest can be forgotten.

use std::collections::VecDeque;

/// Values at consecutive indices, from 1 on at first.
#[derive(Debug)]
pub(super) struct Window<T> {
    /// The index of the first value that is kept.
    start: u64,
    values: VecDeque<T>,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { start: 1, values: VecDeque::new() }
    }
}

impl<T> Window<T> {
    /// The index behind the last value.
    pub fn next(&self) -> u64 {
        self.start + self.values.len() as u64
    }

    /// The value at an index; `None` before and behind what is kept.
    #[inline]
    pub fn get(&self, index: u64) -> Option<&T> {
        self.values.get(usize::try_from(index.checked_sub(self.start)?).ok()?)
    }

    /// The same, to be changed.
    #[inline]
    pub fn get_mut(&mut self, index: u64) -> Option<&mut T> {
        self.values.get_mut(usize::try_from(index.checked_sub(self.start)?).ok()?)
    }

    /// Adds the value at [`Window::next`].
    pub fn push(&mut self, value: T) {
        self.values.push_back(value);
    }

    /// Forgets every value before `index`.
    pub fn forget_before(&mut self, index: u64) {
        let count = index.saturating_sub(self.start).min(self.values.len() as u64);
        self.values.drain(..count as usize);
        self.start += count;
    }
}
