//! The questions of a datasheet that only a person can answer, and their answers.
//!
//! After T. Gebru et al., "Datasheets for Datasets", Communications of the ACM 64 (12), 2021;
//! arXiv:1803.09010. What the records tell is filled in by the export.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The sections of a datasheet, in the order of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    Motivation,
    Composition,
    Collection,
    Preparation,
    Uses,
    Distribution,
    Maintenance,
}

impl Section {
    pub const ALL: [Self; 7] = [
        Self::Motivation,
        Self::Composition,
        Self::Collection,
        Self::Preparation,
        Self::Uses,
        Self::Distribution,
        Self::Maintenance,
    ];

    /// Returns the heading of the section.
    pub fn title(self) -> &'static str {
        match self {
            Self::Motivation => "Motivation",
            Self::Composition => "Composition",
            Self::Collection => "Collection process",
            Self::Preparation => "Preprocessing, cleaning, labelling",
            Self::Uses => "Uses",
            Self::Distribution => "Distribution",
            Self::Maintenance => "Maintenance",
        }
    }
}

/// A question no record answers. Its name is a key of `[export.datasheet]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    Purpose,
    Creators,
    Funding,
    Missing,
    LabelErrors,
    People,
    Sensitive,
    Offensive,
    Consent,
    EthicalReview,
    LabelMeaning,
    UsedFor,
    OtherUses,
    Harms,
    NotFor,
    Recipients,
    ThirdParties,
    Maintainer,
    Updates,
    Contributions,
}

impl Question {
    pub const ALL: [Self; 20] = [
        Self::Purpose,
        Self::Creators,
        Self::Funding,
        Self::Missing,
        Self::LabelErrors,
        Self::People,
        Self::Sensitive,
        Self::Offensive,
        Self::Consent,
        Self::EthicalReview,
        Self::LabelMeaning,
        Self::UsedFor,
        Self::OtherUses,
        Self::Harms,
        Self::NotFor,
        Self::Recipients,
        Self::ThirdParties,
        Self::Maintainer,
        Self::Updates,
        Self::Contributions,
    ];

    /// Returns the key of the pipeline file and the section.
    fn place(self) -> (&'static str, Section) {
        use Section::{
            Collection, Composition, Distribution, Maintenance, Motivation, Preparation, Uses,
        };
        match self {
            Self::Purpose => ("purpose", Motivation),
            Self::Creators => ("creators", Motivation),
            Self::Funding => ("funding", Motivation),
            Self::Missing => ("missing", Composition),
            Self::LabelErrors => ("label_errors", Composition),
            Self::People => ("people", Composition),
            Self::Sensitive => ("sensitive", Composition),
            Self::Offensive => ("offensive", Composition),
            Self::Consent => ("consent", Collection),
            Self::EthicalReview => ("ethical_review", Collection),
            Self::LabelMeaning => ("label_meaning", Preparation),
            Self::UsedFor => ("used_for", Uses),
            Self::OtherUses => ("other_uses", Uses),
            Self::Harms => ("harms", Uses),
            Self::NotFor => ("not_for", Uses),
            Self::Recipients => ("recipients", Distribution),
            Self::ThirdParties => ("third_parties", Distribution),
            Self::Maintainer => ("maintainer", Maintenance),
            Self::Updates => ("updates", Maintenance),
            Self::Contributions => ("contributions", Maintenance),
        }
    }

    /// Returns the key of `[export.datasheet]` that holds the answer.
    pub fn key(self) -> &'static str {
        self.place().0
    }

    pub fn section(self) -> Section {
        self.place().1
    }

    /// Returns the question itself.
    pub fn text(self) -> &'static str {
        match self {
            Self::Purpose => "For what purpose was the dataset created?",
            Self::Creators => "Who created the dataset, and on whose behalf?",
            Self::Funding => "Who funded it?",
            Self::Missing => {
                "Of what larger set is this a sample, and what is missing or under-represented?"
            }
            Self::LabelErrors => {
                "Which errors, noise or redundancies are known, above all among the labels?"
            }
            Self::People => "Do pictures show people, and can anybody be identified from them?",
            Self::Sensitive => {
                "Is anything confidential or sensitive in it, such as origin, health, place or belief?"
            }
            Self::Offensive => {
                "Is anything in it that may offend, insult or frighten those who look at it?"
            }
            Self::Consent => {
                "Were the people concerned told of it, did they consent, and how can they withdraw?"
            }
            Self::EthicalReview => {
                "Was there an ethical review, or an analysis of its effect on those concerned?"
            }
            Self::LabelMeaning => {
                "What exactly does each label mean, and who checked that the pictures show it?"
            }
            Self::UsedFor => "What has the dataset been used for already?",
            Self::OtherUses => "What else could it be used for?",
            Self::Harms => {
                "What in its making could lead to unfair treatment or other harm, and how is that avoided?"
            }
            Self::NotFor => "What should it not be used for?",
            Self::Recipients => "To whom is it given, in what way and when?",
            Self::ThirdParties => {
                "Do others hold rights in the pictures, and do export controls or other rules apply?"
            }
            Self::Maintainer => "Who looks after it, and how can they be reached?",
            Self::Updates => {
                "Will it be corrected and extended, how often, and are old versions kept?"
            }
            Self::Contributions => "How can others add to it or report an error?",
        }
    }
}

/// The table `[export.datasheet]` of the pipeline file: what people have answered so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(BTreeMap<Question, String>);

impl Answers {
    /// Returns the answer; an empty text is none.
    pub fn of(&self, question: Question) -> Option<&str> {
        self.0.get(&question).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// Lists what nobody has answered yet, in the order of the datasheet.
    pub fn open(&self) -> Vec<Question> {
        Question::ALL.into_iter().filter(|question| self.of(*question).is_none()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_closes_its_question_unless_it_is_blank() {
        let answers: Answers =
            serde_json::from_str(r#"{"purpose": " To tell them apart. ", "funding": " "}"#)
                .unwrap();

        assert_eq!(answers.of(Question::Purpose), Some("To tell them apart."));
        assert_eq!(answers.open().len(), Question::ALL.len() - 1);
        assert_eq!(answers.open()[..2], [Question::Creators, Question::Funding]);
    }

    #[test]
    fn a_key_that_is_no_question_is_refused() {
        let refusal = serde_json::from_str::<Answers>(r#"{"purpoes": "x"}"#).unwrap_err();
        assert!(
            refusal.to_string().starts_with("unknown variant `purpoes`, expected one of `purpose`")
        );
    }

    #[test]
    fn keys_are_what_the_pipeline_file_reads_and_every_section_but_none_is_asked() {
        for question in Question::ALL {
            let json = serde_json::to_string(&question).unwrap();
            assert_eq!(json, format!("\"{}\"", question.key()));
        }
        for section in Section::ALL {
            assert!(Question::ALL.iter().any(|it| it.section() == section), "{section:?}");
        }
        assert!(Question::ALL.is_sorted_by_key(|it| it.section()));
    }
}
