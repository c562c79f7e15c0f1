//! What a picture of each class counts for, as the pipeline file writes it: a word, `"balanced"` or
//! `"none"`, or a table of the classes, `{ ok = 1.0, ng = 5.0 }`.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::Range;

/// Whether pictures of rare classes count for more in the loss.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// Every class has the same say, whatever its number of pictures: n / (k · `n_c`).
    Balanced,
    None,
    /// A weight for each class, by its name.
    Of(BTreeMap<String, f64>),
}

impl ClassWeights {
    /// Lists every number with its key and the lowest and highest value that can be followed.
    pub(super) fn ranges(&self) -> Vec<Range> {
        match self {
            Self::Balanced | Self::None => Vec::new(),
            Self::Of(weights) => {
                weights.values().map(|weight| ("class_weights", *weight, 1e-3, 1e3)).collect()
            }
        }
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Balanced => serializer.serialize_str("balanced"),
            Self::None => serializer.serialize_str("none"),
            Self::Of(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrTable)
    }
}

struct WordOrTable;

impl<'de> Visitor<'de> for WordOrTable {
    type Value = ClassWeights;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`balanced`, `none` or a table with a weight for each class")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<ClassWeights, E> {
        match word {
            "balanced" => Ok(ClassWeights::Balanced),
            "none" => Ok(ClassWeights::None),
            _ => Err(E::unknown_variant(word, &["balanced", "none"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ClassWeights, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(ClassWeights::Of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ClassWeights, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn weights_are_a_word_or_a_table() {
        let of = BTreeMap::from([("ng".to_owned(), 5.0), ("ok".to_owned(), 1.0)]);
        let all = [ClassWeights::Balanced, ClassWeights::None, ClassWeights::Of(of)];
        let texts = ["\"balanced\"", "\"none\"", r#"{"ng":5.0,"ok":1.0}"#];

        for (text, weights) in texts.into_iter().zip(all) {
            assert_eq!(read(text).as_ref(), Ok(&weights));
            assert_eq!(serde_json::to_string(&weights).unwrap(), text);
        }
        let error = read("\"balance\"").unwrap_err();
        assert!(error.contains("unknown variant `balance`, expected `balanced` or `none`"));
        assert!(read("[1.0]").unwrap_err().contains("a table with a weight for each class"));
    }
}
