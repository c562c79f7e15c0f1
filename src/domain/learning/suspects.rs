//! Which labels a model does not believe.
//!
//! Source: C. Northcutt, L. Jiang, I. Chuang, "Confident Learning: Estimating Uncertainty in
//! Dataset Labels", JAIR 70 (2021).

use serde::{Deserialize, Serialize};

use crate::domain::id::Label;

/// A label that models doubt which never saw the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// The class the picture is in.
    pub given: Label,
    /// The class it probably shows.
    pub likely: Label,
    /// Out-of-fold probabilities of the two.
    pub p_given: f64,
    pub p_likely: f64,
    /// 0 is the most doubtful of all.
    pub rank: u32,
}
