//! A pipeline → the tables a file needs that makes the same dataset of the same pictures, with every
//! setting spelt out, so that other usual values in a later version change nothing.

use serde::Serialize;

use super::{CleanTable, Pipeline};
use crate::stage::{
    prepare,
    split::{GroupBy, Table},
};

/// What becomes of a picture that was fetched.
#[derive(Serialize)]
struct Tables<'a> {
    fetch: Fetch,
    clean: &'a CleanTable,
    prepare: &'a prepare::Recipe,
    split: Split,
}

#[derive(Serialize)]
struct Fetch {
    max_megabytes: u64,
}

/// The lock puts every picture in its part, whatever the shares; but pictures bound together
/// that it has in two parts would push each other out.
#[derive(Serialize)]
struct Split {
    group: GroupBy,
}

impl Pipeline {
    /// Writes the tables `[fetch]`, `[clean]`, `[prepare]` and `[split]` as far as they decide what
    /// becomes of pictures that are known already.
    pub fn rebuilding(&self) -> String {
        let Table { group, .. } = self.split;
        let tables = Tables {
            fetch: Fetch { max_megabytes: self.fetch.max_megabytes },
            clean: &self.clean,
            prepare: &self.prepare,
            split: Split { group },
        };
        toml::to_string(&tables).expect("settings are numbers and words")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files;

    const CLASSES: &str = "[classes]\ncats = [\"r/cats\"]\n";

    fn read(tables: &str) -> Pipeline {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cats.toml");
        files::write_atomic(&path, format!("{CLASSES}{tables}").as_bytes()).unwrap();
        Pipeline::read(&path).unwrap()
    }

    #[test]
    fn a_file_of_the_tables_treats_pictures_as_the_first_one_did() {
        for tables in [
            "",
            "[fetch]\nmax_megabytes = 9\n[clean]\nmax_megapixels = 7\nmin_side = 33\nmax_aspect = 2.5\n\
             distance = 80\nsimilarity = 910\nmax_text = 650\n[split]\ngroup = \"twin\"\nfolds = 5\n\
             [prepare]\nsize = 99\nfit = \"letterbox\"\nbackground = \"#102030\"\nfilter = \"area\"\n\
             light = \"linear\"\nformat = \"webp\"\n",
            "[clean]\nhash = \"dhash\"\nhash_bits = 256\ndistance = 30\n",
            "[clean]\nhash = \"phash\"\n",
        ] {
            let first = read(tables);

            let again = read(&first.rebuilding());

            assert_eq!(again.clean, first.clean, "{tables}");
            assert_eq!(again.prepare, first.prepare, "{tables}");
            assert_eq!(again.fetch.max_megabytes, first.fetch.max_megabytes, "{tables}");
            assert_eq!(again.split.group, first.split.group, "{tables}");
        }
    }

    #[test]
    fn every_setting_that_counts_is_spelt_out() {
        let text = read("").rebuilding();
        for setting in [
            "max_megabytes = 50",
            "hash = \"views\"",
            "distance = 90",
            "similarity = 900",
            "min_side = 128",
            "max_aspect = 4.0",
            "size = 256",
            "fit = \"center-crop\"",
            "quality = 90",
            "group = \"post\"",
        ] {
            assert!(text.lines().any(|line| line == setting), "{setting} in {text}");
        }
    }
}
