//! Rows of small things behind one another in one array.

/// So many rows.
#[derive(Clone, Debug, Default)]
pub struct Rows<T> {
    starts: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy> Rows<T> {
    /// Rows of these items, whose row numbers rise.
    pub fn new(rows: usize, items: Vec<(u32, T)>) -> Self {
        debug_assert!(items.is_sorted_by_key(|(row, _)| *row), "row by row");
        let mut starts = vec![0u32; rows + 1];
        for (row, _) in &items {
            starts[*row as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        Self { starts, items: items.into_iter().map(|(_, item)| item).collect() }
    }

    /// Rows of these items, in any order; within a row they keep theirs.
    pub fn sorted(rows: usize, items: &[(u32, T)]) -> Self {
        let mut starts = vec![0u32; rows + 1];
        for (row, _) in items {
            starts[*row as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut sorted: Vec<T> = items.iter().map(|(_, item)| *item).collect();
        let mut next = starts.clone();
        for (row, item) in items {
            sorted[next[*row as usize] as usize] = *item;
            next[*row as usize] += 1;
        }
        Self { starts, items: sorted }
    }

    /// The items of a row.
    pub fn row(&self, row: u32) -> &[T] {
        let row = row as usize;
        &self.items[self.starts[row] as usize..self.starts[row + 1] as usize]
    }

    /// All items, row by row.
    pub fn all(&self) -> &[T] {
        &self.items
    }
}
