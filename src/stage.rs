//! The rooms a picture walks through, in order. No room knows another; what one leaves in the
//! store is all the next one knows.

pub mod collect;
pub mod resolve;
pub mod fetch;
pub mod fingerprint;
pub mod dedupe;
pub mod prepare;
pub mod split;
pub mod export;
pub mod train;
pub mod predict;
pub mod augment;
pub mod audit;
