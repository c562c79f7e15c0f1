//! The Kaggle export: the same bytes everywhere, and every file as Kaggle wants it.

use std::io::Read as _;

use super::*;

#[test]
fn two_exports_in_different_folders_are_the_same_bytes() {
    let bench = Bench::new();
    let mut other = Bench::new();
    other.pictures.reverse();

    let first = bench.kaggle("a/kaggle").unwrap();
    let second = other.kaggle("b/c/elsewhere").unwrap();

    let files = tree(&bench.path("a/kaggle"));
    assert_eq!(files, tree(&other.path("b/c/elsewhere")));
    assert_eq!(first, second);
    let bytes = files.values().map(|file| u64::try_from(file.len()).unwrap()).sum();
    let version = hex(&Sha256::digest(&files["manifest.csv"]))[..12].to_owned();
    assert_eq!(first, Written { files: 10, bytes, version });
    let machine = bench.temp.path().to_str().unwrap().as_bytes();
    for (name, bytes) in &files {
        assert!(!bytes.windows(machine.len()).any(|window| window == machine), "{name}");
    }
}

#[test]
fn the_checksums_are_those_of_all_other_files() {
    let bench = Bench::new();

    bench.kaggle("exports/kaggle").unwrap();

    let mut files = tree(&bench.path("exports/kaggle"));
    let said = text(&files, "CHECKSUMS.sha256");
    files.remove("CHECKSUMS.sha256");
    let line =
        |(name, bytes): (&String, &Vec<u8>)| format!("{}  {name}\n", hex(&Sha256::digest(bytes)));
    let found = files.iter().map(line).collect::<Vec<_>>().concat();
    assert_eq!(said, found);
    assert_eq!(
        files.into_keys().collect::<Vec<_>>(),
        [
            "ATTRIBUTION.csv",
            "DATASHEET.md",
            "LICENSE.md",
            "README.md",
            "dataset-cover-image.jpg",
            "dataset-metadata.json",
            "manifest.csv",
            "train.zip",
            "val.zip",
        ]
    );
}

#[test]
fn an_archive_holds_the_pictures_sorted_stored_and_undated() {
    let bench = Bench::new();

    bench.kaggle("exports/kaggle").unwrap();

    let file = fs::File::open(bench.path("exports/kaggle/val.zip")).unwrap();
    let mut zip = zip::ZipArchive::new(file).unwrap();
    let held: Vec<_> = (0..zip.len())
        .map(|at| {
            let mut entry = zip.by_index(at).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
            assert_eq!(entry.last_modified(), Some(zip::DateTime::DEFAULT));
            assert_eq!(entry.extra_data().unwrap_or_default(), b"");
            (entry.name().unwrap().into_owned(), entry.unix_mode().unwrap() & 0o777, bytes)
        })
        .collect();
    let cat = &bench.pictures[2];
    assert_eq!(
        held,
        [
            ("dogs/".to_owned(), 0o755, Vec::new()),
            (format!("cats/{}", cat.file_name()), 0o644, fs::read(bench.crop_of(2)).unwrap()),
        ]
    );
}

#[test]
fn the_manifest_tells_where_every_picture_comes_from() {
    let bench = Bench::new();

    bench.kaggle("exports/kaggle").unwrap();

    let files = tree(&bench.path("exports/kaggle"));
    let mut csv = csv::Reader::from_reader(files["manifest.csv"].as_slice());
    let names: Vec<&str> = tables::MANIFEST.iter().map(|column| column.name).collect();
    assert_eq!(csv.headers().unwrap(), names);
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let paths: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    assert_eq!(paths, sorted);
    assert_eq!(rows.len(), 4);
    let first = &bench.pictures[0];
    let found = rows.iter().find(|row| row[3] == first.crop.sha256).unwrap();
    assert_eq!(
        found,
        vec![
            format!("train/cats/{}", first.file_name()).as_str(),
            "cats",
            "train",
            &first.crop.sha256,
            &"0".repeat(64),
            "16",
            "16",
            &first.crop.size_bytes.to_string(),
            "640",
            "480",
            "reddit:t3_0",
            "https://www.reddit.com/r/cats/comments/0/",
            "https://i.redd.it/0.jpg",
            "0",
            "r/cats",
            "'=HYPERLINK(\"https://x\")",
            "'-someone-",
            "1700000000",
            "-3",
            &first.leak_group.short(),
            "other",
            "center-crop to 16\u{d7}16",
        ]
    );
}

#[test]
fn the_readme_counts_classes_and_losses() {
    let bench = Bench::new();

    bench.kaggle("exports/kaggle").unwrap();

    let readme = text(&tree(&bench.path("exports/kaggle")), "README.md");
    assert!(readme.starts_with("# Cats & Dogs \u{1f408}\n\nTwo classes of pets for tests\n"));
    assert!(readme.contains(
        "| class | train | val | test | all |\n\
         | --- | ---: | ---: | ---: | ---: |\n\
         | dogs | 1 | 0 | 0 | 1 |\n\
         | cats | 2 | 1 | 0 | 3 |\n\
         | **all** | 3 | 1 | 0 | 4 |\n"
    ));
    assert!(readme.contains("| posts | 9 | video \\| text: 5 |\n"));
}

#[test]
fn the_metadata_is_ascii_and_describes_every_file_but_itself_and_the_cover() {
    let bench = Bench::new();

    bench.kaggle("exports/kaggle").unwrap();

    let json = text(&tree(&bench.path("exports/kaggle")), "dataset-metadata.json");
    assert!(json.is_ascii());
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["id"], "someone/cats-and-dogs");
    assert_eq!(read["title"], "Cats & Dogs \u{1f408}");
    assert_eq!(read["licenses"], serde_json::json!([{"name": "other"}]));
    let paths: Vec<&str> = read["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "train.zip",
            "val.zip",
            "manifest.csv",
            "ATTRIBUTION.csv",
            "README.md",
            "DATASHEET.md",
            "LICENSE.md",
            "CHECKSUMS.sha256"
        ]
    );
    let fields = read["resources"][2]["schema"]["fields"].as_array().unwrap();
    assert_eq!(fields.len(), tables::MANIFEST.len());
    assert_eq!((&fields[5]["name"], &fields[5]["type"]), (&"width".into(), &"integer".into()));
}

#[test]
fn a_broken_rule_of_kaggle_stops_the_export_before_anything_is_written() {
    let bench = Bench::new();
    let recipe = KaggleRecipe { license: Some("CC0".to_owned()), ..recipe() };

    let error = bench
        .with(|dataset| write_kaggle(dataset, &recipe, COVER, None, &bench.path("exports/kaggle")))
        .unwrap_err();

    assert_eq!(
        error.to_string(),
        "Kaggle would refuse this: license = `CC0`: Kaggle has no licence of that name; \
         did you mean `CC0-1.0`?"
    );
    assert!(!bench.path("exports").exists());
}

#[test]
fn a_dataset_that_contradicts_itself_is_refused() {
    let mut empty = Bench::new();
    empty.pictures.clear();
    let mut unlisted = Bench::new();
    unlisted.classes.remove(0);
    let mut twice = Bench::new();
    twice.pictures.push(Picture { split: Split::Test, ..twice.pictures[0].clone() });

    assert!(matches!(empty.kaggle("k"), Err(ExportError::Empty)));
    assert!(matches!(unlisted.kaggle("k"), Err(ExportError::UnlistedClass { .. })));
    assert!(matches!(twice.kaggle("k"), Err(ExportError::Twice { .. })));
}
