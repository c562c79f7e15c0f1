//! What a search inside a subreddit understands: flairs, and words of which a title must have all.

use super::{catalogue::Entry, words};

/// A search, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// `flair:"x"`: words the flair must have.
    flair_words: Vec<String>,
    /// `flair_name:"x"`: the whole flair, in any case.
    flair_names: Vec<String>,
    /// Plain words, and those after `title:`.
    title_words: Vec<String>,
}

impl Query {
    /// Reads what stands in the search box.
    pub(super) fn read(text: &str) -> Self {
        let mut query = Self::default();
        for term in terms(text) {
            let (field, value) = term.split_once(':').unwrap_or(("title", &term));
            let value = value.trim_matches('"');
            match field {
                "flair" => query.flair_words.extend(words::searchable(value)),
                "flair_name" => query.flair_names.push(value.to_lowercase()),
                "title" => query.title_words.extend(words::searchable(value)),
                // A colon that names no field is part of what is looked for.
                _ => query.title_words.extend(words::searchable(&term)),
            }
        }
        query
    }

    /// Tells whether a post is found; a search for nothing finds nothing.
    pub(super) fn finds(&self, entry: &Entry) -> bool {
        if *self == Self::default() {
            return false;
        }
        let flair = entry.flair.unwrap_or_default();
        let has_all = |text: &str, wanted: &[String]| {
            let has: Vec<String> = words::searchable(text).collect();
            wanted.iter().all(|word| has.contains(word))
        };
        self.flair_names.iter().all(|name| *name == flair.to_lowercase())
            && has_all(flair, &self.flair_words)
            && has_all(&entry.title, &self.title_words)
    }
}

/// Cuts at spaces outside quotation marks.
fn terms(text: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut is_quoted = false;
    for character in text.chars() {
        is_quoted ^= character == '"';
        if character.is_whitespace() && !is_quoted {
            terms.push(String::new());
        } else if let Some(last) = terms.last_mut() {
            last.push(character);
        }
    }
    terms.retain(|term| !term.is_empty());
    terms
}

#[cfg(test)]
mod tests {
    use super::{super::big, *};

    fn found(text: &str) -> Vec<(String, Option<&'static str>)> {
        let row = big::write(400, 0);
        let query = Query::read(text);
        let found = row.iter().filter(|entry| query.finds(entry));
        found.map(|entry| (entry.title.to_lowercase(), entry.flair)).collect()
    }

    #[test]
    fn all_words_must_be_in_the_title_in_any_order_and_case() {
        let found = found("RAIN blue");

        assert!(!found.is_empty());
        assert!(found.iter().all(|(title, _)| title.contains("rain") && title.contains("blue")));
    }

    #[test]
    fn a_flair_in_quotes_is_one_term() {
        let both = found("flair:\"Photo\" rain");
        let exact = found("flair_name:\"photo\" title:rain");

        assert!(!both.is_empty() && both == exact);
        assert!(
            both.iter().all(|(title, flair)| title.contains("rain") && *flair == Some("Photo"))
        );
    }

    #[test]
    fn a_search_without_a_word_finds_nothing() {
        assert_eq!([found("").len(), found("!!! \u{1f3a8}").len()], [0, 0]);
    }
}
