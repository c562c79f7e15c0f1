use super::*;

fn recipe() -> KaggleRecipe {
    KaggleRecipe {
        id: "someone/cars-vs-tanks".to_owned(),
        title: "Cars and Tanks".to_owned(),
        subtitle: Some("Two classes of vehicles from Reddit".to_owned()),
        keywords: vec!["image".to_owned(), "cars & trucks".to_owned()],
        expected_update_frequency: Some("weekly".to_owned()),
        ..KaggleRecipe::default()
    }
}

/// The faults of a good recipe after one change.
fn faults(change: impl FnOnce(&mut KaggleRecipe)) -> Vec<KaggleFault> {
    let mut recipe = recipe();
    change(&mut recipe);
    recipe.check().err().unwrap_or_default()
}

fn text(value: &str) -> String {
    value.to_owned()
}

#[test]
fn a_good_recipe_has_no_fault_up_to_the_limits_in_characters() {
    assert_eq!(faults(|_| ()), []);
    assert_eq!(faults(|r| r.title = "\u{fc}".repeat(50)), []);
    assert_eq!(faults(|r| r.title = "\u{fc}".repeat(6)), []);
    assert_eq!(faults(|r| r.subtitle = None), []);
    assert_eq!(faults(|r| r.id = format!("o/{}", "x".repeat(50))), []);
    for license in license::LICENSES {
        assert_eq!(faults(|r| r.license = Some(text(license.name))), []);
    }
}

#[test]
fn an_empty_recipe_is_told_both_things_it_lacks() {
    let expected = vec![
        KaggleFault::IdShape { value: String::new() },
        KaggleFault::TitleLength { value: String::new(), length: 0 },
    ];

    assert_eq!(KaggleRecipe::default().check(), Err(expected));
}

#[test]
fn an_id_is_an_owner_and_a_slug() {
    for value in ["cars-vs-tanks", "/cars-vs-tanks", "someone/", "a/cars-vs-tanks/3"] {
        assert_eq!(
            faults(|r| r.id = text(value)),
            [KaggleFault::IdShape { value: text(value) }],
            "{value}"
        );
    }
    for value in ["YOU/cars-vs-tanks", "-a/cars-vs-tanks", "a b/cars-vs-tanks"] {
        assert_eq!(
            faults(|r| r.id = text(value)),
            [KaggleFault::Owner { value: text(value) }],
            "{value}"
        );
    }
    for value in ["a/cars_vs_tanks", "a/Cars-vs-tanks", "a/cars--tanks", "a/cars-tanks-"] {
        assert_eq!(
            faults(|r| r.id = text(value)),
            [KaggleFault::SlugCharacters { value: text(value) }],
            "{value}"
        );
    }
    let long = format!("a/{}", "x".repeat(51));
    for (value, length) in [("a/tanks", 5), (long.as_str(), 51)] {
        assert_eq!(
            faults(|r| r.id = text(value)),
            [KaggleFault::SlugLength { value: text(value), length }],
        );
    }
}

#[test]
fn title_and_subtitle_have_their_lengths_and_one_line() {
    assert_eq!(
        faults(|r| r.title = text("Tanks")),
        [KaggleFault::TitleLength { value: text("Tanks"), length: 5 }]
    );
    assert_eq!(
        faults(|r| r.title = text("INSERT_TITLE_HERE")),
        [KaggleFault::TitlePlaceholder { value: text("INSERT_TITLE_HERE") }]
    );
    assert_eq!(
        faults(|r| r.title = text("Cars and\nTanks")),
        [KaggleFault::NotOneLine { key: "title", value: text("Cars and\nTanks") }]
    );
    assert_eq!(
        faults(|r| r.subtitle = Some(text("too short"))),
        [KaggleFault::SubtitleLength { value: text("too short"), length: 9 }]
    );
    assert_eq!(
        faults(|r| r.subtitle = Some("x".repeat(81))),
        [KaggleFault::SubtitleLength { value: "x".repeat(81), length: 81 }]
    );
    let padded = text("  twenty characters and blanks");
    assert_eq!(
        faults(|r| r.subtitle = Some(padded.clone())),
        [KaggleFault::NotOneLine { key: "subtitle", value: padded }]
    );
}

#[test]
fn an_unknown_licence_is_refused_with_the_nearest_name() {
    for (value, nearest) in [
        ("CC0", Some("CC0-1.0")),
        ("cc by 4.0", Some("CC-BY-4.0")),
        ("Apache-2.0", Some("apache-2.0")),
        ("zzz", None),
    ] {
        assert_eq!(
            faults(|r| r.license = Some(text(value))),
            [KaggleFault::License { value: text(value), nearest }]
        );
    }
}

#[test]
fn keywords_are_plain_and_each_there_once() {
    for value in ["", "Image", "a,b", " image", "image ", "caf\u{e9}"] {
        assert_eq!(
            faults(|r| r.keywords = vec![text(value)]),
            [KaggleFault::Keyword { value: text(value) }],
            "{value}"
        );
    }
    assert_eq!(
        faults(|r| r.keywords = vec![text("image"), text("image")]),
        [KaggleFault::KeywordTwice { value: text("image") }]
    );
}

#[test]
fn an_update_frequency_is_one_of_the_list() {
    assert_eq!(
        faults(|r| r.expected_update_frequency = Some(text("sometimes"))),
        [KaggleFault::UpdateFrequency { value: text("sometimes") }]
    );
}

#[test]
fn a_fault_names_key_and_value_and_says_what_to_do() {
    let said: Vec<String> = faults(|r| (r.license, r.title) = (Some(text("CC0")), text("Tanks")))
        .iter()
        .map(ToString::to_string)
        .collect();

    assert_eq!(
        said,
        [
            "title = `Tanks`: it has 5 characters; make it 6 to 50",
            "license = `CC0`: Kaggle has no licence of that name; did you mean `CC0-1.0`?",
        ]
    );
}

const TWICE: [Column; 2] =
    [Column { name: "label", kind: ColumnType::Text, description: "The class." }; 2];

fn resource(path: &str) -> Resource {
    let name = path.to_lowercase().replace(['/', '\\'], "-");
    Resource { path: text(path), name, description: text("Something."), columns: &[] }
}

#[test]
fn a_resource_is_a_file_at_the_top_that_is_uploaded_and_described_once() {
    let files: BTreeSet<String> =
        ["a.csv", "a/b.csv", METADATA_FILE, COVER_FILE].map(text).into_iter().collect();
    let check =
        |resources: &[Resource]| check_resources(resources, &files).err().unwrap_or_default();
    let a = resource("a.csv");

    assert_eq!(check(std::slice::from_ref(&a)), []);
    assert_eq!(
        check(&[resource("a/b.csv")]),
        [KaggleFault::ResourceNested { path: text("a/b.csv") }]
    );
    assert_eq!(check(&[resource("b.csv")]), [KaggleFault::ResourceMissing { path: text("b.csv") }]);
    assert_eq!(
        check(&[resource(COVER_FILE)]),
        [KaggleFault::ResourceNotUploaded { path: text(COVER_FILE) }]
    );
    assert_eq!(
        check(&[a.clone(), Resource { name: text("other"), ..a.clone() }]),
        [KaggleFault::ResourceTwice { path: text("a.csv") }]
    );
    assert_eq!(
        check(&[Resource { name: text("A name"), ..a.clone() }]),
        [KaggleFault::ResourceName { path: text("a.csv"), name: text("A name") }]
    );
    assert_eq!(
        check(&[Resource { columns: &TWICE, ..a }]),
        [KaggleFault::ColumnName { path: text("a.csv"), column: "label" }]
    );
}
