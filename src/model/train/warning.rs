//! What makes the result of a training doubtful without making it impossible.

use super::Sets;

/// A doubt, with the class it is about and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error(
        "class `{class}` has a single training picture, which can only be learned by heart; collect \
         more for it"
    )]
    SinglePicture { class: String },
    #[error(
        "class `{class}` has no validation picture, so the best epoch is chosen without it; collect \
         more for it, or give `val` a larger share in [split]"
    )]
    NotValidated { class: String },
    #[error(
        "class `{class}` has no test picture, so nothing tells how well it is known; collect more \
         for it, or give `test` a larger share in [split]"
    )]
    NotTested { class: String },
}

impl Warning {
    /// Lists the classes of which `tested`, the class numbers of the test pictures, has none.
    pub fn not_tested(classes: &[String], tested: &[usize]) -> Vec<Self> {
        missing(classes, tested).map(|class| Self::NotTested { class }).collect()
    }
}

/// Lists all doubts about training pictures, of which there are `counts`, and validation pictures.
pub(super) fn of(sets: &Sets, counts: &[usize]) -> Vec<Warning> {
    let classes = &sets.classes;
    let validated: Vec<usize> = sets.val.iter().map(|example| example.class).collect();
    let single = counts.iter().zip(classes).filter(|(count, _)| **count == 1);
    let single = single.map(|(_, class)| Warning::SinglePicture { class: class.clone() });
    let not_validated = missing(classes, &validated).map(|class| Warning::NotValidated { class });
    single.chain(not_validated).collect()
}

fn missing(classes: &[String], seen: &[usize]) -> impl Iterator<Item = String> {
    let is_missing = |(class, _): &(usize, &String)| !seen.contains(class);
    classes.iter().enumerate().filter(is_missing).map(|(_, name)| name.clone())
}
