//! A picture's way through the program, in reading order.

pub mod domain;
pub mod net;
pub mod store;
pub mod source;
pub mod pixels;
pub mod model;
pub mod engine;
pub mod stage;
pub mod pipeline;
pub mod report;
pub mod review;
pub mod serve;
pub mod cli;
