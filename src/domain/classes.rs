//! The classes of a dataset and the places each draws from.

use std::collections::BTreeMap;

use super::id::{Label, Place};

/// Every class with its places, in the order of the labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classes {
    places: BTreeMap<Label, Vec<Place>>,
    label_of: BTreeMap<Place, Label>,
}

/// The classes contradict each other.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassesError {
    #[error("`{place}` is listed under `{first}` and under `{second}`: a place can fill one class")]
    SharedPlace { place: Place, first: Label, second: Label },
    #[error("class `{label}` lists no place")]
    NoPlace { label: Label },
    #[error("no class is listed: a dataset needs at least one")]
    NoClass,
}

impl Classes {
    pub fn new(places: BTreeMap<Label, Vec<Place>>) -> Result<Self, ClassesError> {
        let mut label_of: BTreeMap<Place, Label> = BTreeMap::new();
        for (label, listed) in &places {
            if listed.is_empty() {
                return Err(ClassesError::NoPlace { label: label.clone() });
            }
            for place in listed {
                let first = label_of.insert(place.clone(), label.clone());
                if let Some(first) = first.filter(|first| first != label) {
                    let (place, second) = (place.clone(), label.clone());
                    return Err(ClassesError::SharedPlace { place, first, second });
                }
            }
        }
        if places.is_empty() {
            return Err(ClassesError::NoClass);
        }
        Ok(Self { places, label_of })
    }

    /// Returns the class a place fills; `None` for a place that is no longer listed.
    pub fn label_of(&self, place: &Place) -> Option<&Label> {
        self.label_of.get(place)
    }

    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.places.keys()
    }

    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.label_of.keys()
    }

    /// Returns the same dataset narrowed to one class; `None` if there is no such class.
    pub fn only(&self, label: &Label) -> Option<Self> {
        let listed = self.places.get(label)?.clone();
        let label_of = listed.iter().map(|place| (place.clone(), label.clone())).collect();
        Some(Self { places: BTreeMap::from([(label.clone(), listed)]), label_of })
    }
}
