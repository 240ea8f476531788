//! What is judged of a file as a whole, when every section has been read.

pub(crate) mod contradiction;
pub(crate) mod tolerance;
mod window;
