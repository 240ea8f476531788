//! Libraries that people use, behind the trait of the types: the same replicas carry them.

pub mod crdts;
pub mod yrs;
