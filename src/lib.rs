//! A picture's way through the program, in reading order.

pub mod domain;
pub mod store;
pub mod engine;
