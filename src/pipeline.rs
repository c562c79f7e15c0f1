//! The pipeline file, and the order of the stages it sets in motion.

pub mod ask;
pub mod augment;
pub mod check;
mod crops;
mod growth;
pub mod deletions;
pub mod doubt;
pub mod exports;
pub mod file;
pub mod fault;
pub mod publish;
pub mod run;
mod secrets;
pub mod starter;
pub mod weights;
pub mod workshop;

pub use fault::PipelineError;
pub use file::Pipeline;
