//! Licences a dataset can be published under: the name Kaggle has for each, the one Hugging Face
//! has, and where its text can be read.

/// A licence and what the platforms call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct License {
    /// The name in our files, which is Kaggle's.
    pub name: &'static str,
    /// The name in the card of Hugging Face; a licence it has no name for is `other` there.
    pub hugging_face: &'static str,
    /// Where the text can be read; some names say only that there is no general licence.
    pub url: Option<&'static str>,
}

/// Every licence Kaggle has a name for, by name. (Kaggle's tool 2.2.4; the identifiers of the
/// Hugging Face Hub of 2026.)
#[rustfmt::skip]
pub const LICENSES: [License; 28] = [
    known("AGPL-3.0", "agpl-3.0", "https://www.gnu.org/licenses/agpl-3.0.html"),
    known("CC-BY-3.0", "cc-by-3.0", "https://creativecommons.org/licenses/by/3.0/"),
    known("CC-BY-3.0-IGO", OTHER, "https://creativecommons.org/licenses/by/3.0/igo/"),
    known("CC-BY-4.0", "cc-by-4.0", "https://creativecommons.org/licenses/by/4.0/"),
    known("CC-BY-NC-4.0", "cc-by-nc-4.0", "https://creativecommons.org/licenses/by-nc/4.0/"),
    known("CC-BY-NC-ND-4.0", "cc-by-nc-nd-4.0", "https://creativecommons.org/licenses/by-nc-nd/4.0/"),
    known("CC-BY-NC-SA-3.0-IGO", OTHER, "https://creativecommons.org/licenses/by-nc-sa/3.0/igo/"),
    known("CC-BY-NC-SA-4.0", "cc-by-nc-sa-4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
    known("CC-BY-ND-4.0", "cc-by-nd-4.0", "https://creativecommons.org/licenses/by-nd/4.0/"),
    known("CC-BY-SA-3.0", "cc-by-sa-3.0", "https://creativecommons.org/licenses/by-sa/3.0/"),
    known("CC-BY-SA-4.0", "cc-by-sa-4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    known("CC0-1.0", "cc0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    known("CDLA-Permissive-1.0", "cdla-permissive-1.0", "https://cdla.dev/permissive-1-0/"),
    known("CDLA-Sharing-1.0", "cdla-sharing-1.0", "https://cdla.dev/sharing-1-0/"),
    known("DbCL-1.0", OTHER, "https://opendatacommons.org/licenses/dbcl/1-0/"),
    known("EU-ODP-Legal-Notice", OTHER, "https://commission.europa.eu/legal-notice_en"),
    known("FDL-1.3", "gfdl", "https://www.gnu.org/licenses/fdl-1.3.html"),
    known("GPL-2.0", "gpl-2.0", "https://www.gnu.org/licenses/old-licenses/gpl-2.0.html"),
    known("GPL-3.0", "gpl-3.0", "https://www.gnu.org/licenses/gpl-3.0.html"),
    known("LGPL-3.0", "lgpl-3.0", "https://www.gnu.org/licenses/lgpl-3.0.html"),
    known("ODC-BY-1.0", "odc-by", "https://opendatacommons.org/licenses/by/1-0/"),
    known("ODbL-1.0", "odbl", "https://opendatacommons.org/licenses/odbl/1-0/"),
    known("PDDL", "pddl", "https://opendatacommons.org/licenses/pddl/1-0/"),
    known("US-Government-Works", OTHER, "https://www.usa.gov/government-copyright"),
    known("apache-2.0", "apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    License { name: "copyright-authors", hugging_face: OTHER, url: None },
    License { name: OTHER, hugging_face: OTHER, url: None },
    License { name: "unknown", hugging_face: "unknown", url: None },
];

/// The name of a licence that has none: what it allows is told in words.
pub const OTHER: &str = "other";

const fn known(name: &'static str, hugging_face: &'static str, url: &'static str) -> License {
    License { name, hugging_face, url: Some(url) }
}

/// Finds the licence of that name.
pub fn find(name: &str) -> Option<&'static License> {
    LICENSES.iter().find(|it| it.name == name)
}

/// Finds the licence that somebody who wrote `name` may have meant.
pub fn nearest(name: &str) -> Option<&'static License> {
    let asked = name.to_ascii_lowercase().replace([' ', '_'], "-");
    let likeness = |it: &License| strsim::jaro_winkler(&asked, &it.name.to_ascii_lowercase());
    LICENSES
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|it| 0.8 <= likeness(it))
}

/// Returns all names, for messages.
pub fn names() -> String {
    LICENSES.map(|it| it.name).join(", ")
}
