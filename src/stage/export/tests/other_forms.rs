//! The other exports: the same bytes everywhere, nothing lost, nothing of others' overwritten.

use std::io::Read as _;

use ::parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::{Field, Row as Record},
};

use super::*;
use crate::domain::{
    exports::{CroissantRecipe, HuggingFaceRecipe, WebDatasetRecipe},
    manifest::Changes as Difference,
};

const FORMS: [&str; 7] =
    ["kaggle-dirs", "folder", "huggingface", "webdataset", "hydrate", "csv", "lists"];

impl Bench {
    fn form(&self, form: &str, to: &str) -> Result<Written, ExportError> {
        let dir = self.path(to);
        let croissant = CroissantRecipe::default();
        let written = self.with(|dataset| match form {
            "kaggle-dirs" => kaggle::write_kaggle_dirs(dataset, &recipe(), COVER, &dir),
            "folder" => class_folders::write_class_folders(dataset, &dir),
            "huggingface" => {
                let recipe = HuggingFaceRecipe::default();
                huggingface::write_huggingface(dataset, &recipe, Some(&croissant), &dir)
            }
            "webdataset" => {
                webdataset::write_webdataset(dataset, &WebDatasetRecipe::default(), &dir)
            }
            "hydrate" => hydrate::write_hydrate(dataset, &dir),
            "csv" => tabular::write_csv(dataset, &dir),
            "lists" => lists::write_lists(dataset, &BTreeMap::new(), &dir),
            other => panic!("{other}"),
        })?;
        swap::settle(&dir).map(|()| written)
    }
}

#[test]
fn two_exports_of_any_form_are_the_same_bytes_whatever_the_order_and_the_threads() {
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for form in FORMS {
        let bench = Bench::new();
        let mut other = Bench::new();
        other.pictures.reverse();

        let first = bench.form(form, "a/export").unwrap();
        let second = one_thread.install(|| other.form(form, "b/c/elsewhere")).unwrap();

        let files = tree(&bench.path("a/export"));
        assert_eq!(files, tree(&other.path("b/c/elsewhere")), "{form}");
        assert_eq!(first, second, "{form}");
        let machine = bench.temp.path().to_str().unwrap().as_bytes();
        for (name, bytes) in &files {
            assert!(!bytes.windows(machine.len()).any(|window| window == machine), "{form} {name}");
        }
    }
}

#[test]
fn all_forms_of_one_dataset_have_one_version_whatever_licence_one_states() {
    let bench = Bench::new();
    let kaggle = bench.kaggle("kaggle").unwrap().version;
    for form in FORMS {
        assert_eq!(bench.form(form, form).unwrap().version, kaggle, "{form}");
    }
    let licensed = KaggleRecipe { license: Some("CC0-1.0".to_owned()), ..recipe() };
    let other =
        bench.with(|it| write_kaggle(it, &licensed, COVER, None, &bench.path("other"))).unwrap();
    assert_eq!(other.version, kaggle);
    assert!(text(&tree(&bench.path("other")), "manifest.csv").contains(",CC0-1.0,"));
}

#[test]
fn the_checksums_of_any_form_are_those_of_all_other_files() {
    for form in FORMS {
        let bench = Bench::new();

        let written = bench.form(form, "export").unwrap();

        let mut files = tree(&bench.path("export"));
        files.retain(|name, _| !name.ends_with('/'));
        assert_eq!(written.files, files.len(), "{form}");
        let said = text(&files, "CHECKSUMS.sha256");
        files.remove("CHECKSUMS.sha256");
        let line = |(name, bytes): (&String, &Vec<u8>)| {
            format!("{}  {name}\n", hex(&Sha256::digest(bytes)))
        };
        assert_eq!(said, files.iter().map(line).collect::<Vec<_>>().concat(), "{form}");
        for paper in ["ATTRIBUTION.csv", "DATASHEET.md", "LICENSE.md", "README.md"] {
            assert!(files.contains_key(paper), "{form} {paper}");
        }
    }
}

#[test]
fn trouble_midway_leaves_the_old_export_of_any_form() {
    for form in FORMS.into_iter().filter(|form| !["hydrate", "csv", "lists"].contains(form)) {
        let bench = Bench::new();
        bench.form(form, "exports/x").unwrap();
        let before = tree(&bench.path("exports"));

        fs::write(bench.crop_of(2), b"other bytes").unwrap();
        let altered = bench.form(form, "exports/x").unwrap_err();

        assert!(matches!(altered, ExportError::Altered { .. }), "{form}: {altered}");
        assert_eq!(tree(&bench.path("exports")), before, "{form}");
    }
}

#[test]
fn somebodys_file_deep_in_an_export_is_not_lost() {
    let bench = Bench::new();
    bench.form("huggingface", "exports/huggingface").unwrap();
    let theirs = bench.path("exports/huggingface/data/notes.txt");
    fs::write(&theirs, "mine").unwrap();

    let refusal = bench.form("huggingface", "exports/huggingface").unwrap_err();

    assert!(matches!(refusal, ExportError::Foreign { path } if path == theirs));
    assert_eq!(fs::read(&theirs).unwrap(), b"mine");
}

#[test]
fn a_parquet_file_holds_pictures_numbers_of_classes_and_provenance() {
    let bench = Bench::new();

    bench.form("huggingface", "export").unwrap();

    let files = tree(&bench.path("export"));
    let names: Vec<&String> = files.keys().filter(|it| it.ends_with(".parquet")).collect();
    assert_eq!(names, ["data/train-00000-of-00001.parquet", "data/val-00000-of-00001.parquet"]);
    let path = bench.path("export").join(names[0]);
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let metadata = reader.metadata().file_metadata();
    assert_eq!(metadata.created_by(), Some("snapset version 1"));
    let info = metadata.key_value_metadata().unwrap()[0].value.clone().unwrap();
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!(
        info["info"]["features"]["label"],
        serde_json::json!({"_type": "ClassLabel", "names": ["cats", "dogs"]})
    );
    let rows: Vec<Record> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    let cell = |row: &Record, name: &str| {
        row.get_column_iter().find(|(column, _)| *column == name).unwrap().1.clone()
    };
    let dog = rows.iter().find(|row| cell(row, "label") == Field::Long(1)).unwrap();
    let Field::Group(image) = cell(dog, "image") else { panic!("no picture") };
    let Field::Bytes(bytes) = cell(&image, "bytes") else { panic!("no bytes") };
    assert_eq!(bytes.data(), fs::read(bench.crop_of(3)).unwrap());
    assert_eq!(cell(&image, "path"), Field::Str(bench.pictures[3].file_name()));
    assert_eq!(cell(dog, "title"), Field::Str("a dog".to_owned()));
    assert_eq!(cell(dog, "score"), Field::Long(-3));
    // Text is as people wrote it: no spreadsheet reads this.
    let title = |row: &Record| cell(row, "title");
    assert!(rows.iter().any(|it| title(it) == Field::Str("=HYPERLINK(\"https://x\")".to_owned())));
}

#[test]
fn a_part_that_is_too_large_for_one_file_is_cut_between_pictures() {
    let bench = Bench::new();
    bench.with(|dataset| {
        let rows = dataset.rows().unwrap();
        let rows: Vec<&Row<'_>> = rows.iter().collect();
        let of_first = |n| rows[..n].iter().map(|row| row.picture.crop.size_bytes).sum::<u64>();

        let lengths = |n_max, bytes_max| -> Vec<usize> {
            crops::cut(&rows, n_max, bytes_max).iter().map(|shard| shard.len()).collect()
        };

        assert_eq!(lengths(usize::MAX, u64::MAX), [4]);
        assert_eq!(lengths(3, u64::MAX), [3, 1]);
        assert_eq!(lengths(usize::MAX, 1), [1, 1, 1, 1]);
        assert_eq!(lengths(usize::MAX, of_first(3)), [3, 1]);
        assert_eq!(lengths(usize::MAX, of_first(3) - 1)[0], 2);
        assert!(crops::cut(&[], 1, 1).is_empty());
    });
}

#[test]
fn an_archive_to_stream_pairs_every_picture_with_class_and_provenance_undated() {
    let bench = Bench::new();

    bench.form("webdataset", "export").unwrap();

    let files = tree(&bench.path("export"));
    assert_eq!(text(&files, "classes.txt"), "cats\ndogs\n");
    let mut archive = tar::Archive::new(files["train-000000.tar"].as_slice());
    let mut held = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let header = entry.header();
        assert_eq!((header.mtime().unwrap(), header.uid().unwrap()), (0, 0));
        assert_eq!(header.mode().unwrap(), 0o644);
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        held.insert(name, bytes);
    }
    assert_eq!(held.len(), 9);
    let dog = bench.pictures[3].file_name();
    let key = dog.strip_suffix(".jpg").unwrap();
    assert_eq!(held[&dog], fs::read(bench.crop_of(3)).unwrap());
    assert_eq!(held[&format!("{key}.cls")], b"1");
    let told: serde_json::Value = serde_json::from_slice(&held[&format!("{key}.json")]).unwrap();
    assert_eq!((&told["label"], &told["created_utc"]), (&"dogs".into(), &1_700_000_000.into()));
}

#[test]
fn an_archive_to_stream_mixes_the_classes() {
    let mut bench = Bench::new();
    for _ in 0..5 {
        bench.add("cats", Split::Train, "a cat");
        bench.add("dogs", Split::Train, "a dog");
    }

    bench.form("webdataset", "export").unwrap();

    let files = tree(&bench.path("export"));
    let mut archive = tar::Archive::new(files["train-000000.tar"].as_slice());
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name.contains(".cls"))
        .collect();
    let n_turns = names.windows(2).filter(|pair| pair[0][..4] != pair[1][..4]).count();
    assert_eq!(names.len(), 13);
    assert!(3 < n_turns, "{names:?}");
}

#[test]
fn a_list_to_fetch_from_tells_the_digests_of_what_was_fetched_and_leaves_out_local_files() {
    let mut bench = Bench::new();
    bench.pictures[0].provenance.url = MediaUrl("file:/home/me/cat.jpg".to_owned());

    bench.form("hydrate", "export").unwrap();

    let files = tree(&bench.path("export"));
    let mut csv = csv::Reader::from_reader(files["hydrate.csv"].as_slice());
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    let dog = rows.iter().find(|row| &row[1] == "dogs").unwrap();
    let picture = &bench.pictures[3];
    assert_eq!(
        dog.iter().take(6).collect::<Vec<_>>(),
        [
            "https://i.redd.it/3.jpg",
            "dogs",
            "train",
            &hex(&Sha256::digest([3_u8])),
            &picture.blob.to_string(),
            &format!("train/dogs/{}", picture.file_name()),
        ]
    );
    assert!(text(&files, "README.md").contains("1 pictures of the dataset have no web address"));
    assert!(text(&files, "README.md").contains("cp hydrate.csv pets.toml pets.lock ~/pets"));
    assert!(text(&files, "pets.toml").ends_with(
        "title = \"Cats and Dogs\"\nseed = 7\n\n[classes]\n\
         cats = [\"urls:hydrate.csv#cats\"]\ndogs = [\"urls:hydrate.csv#dogs\"]\n\n\
         [prepare]\nsize = 16\n"
    ));
    assert!(text(&files, "pets.lock").contains(&format!("{} train\n", picture.blob)));
    assert!(!files.keys().any(|name| name.contains(".jpg")));

    for picture in &mut bench.pictures {
        picture.provenance.url = MediaUrl("file:/home/me/cat.jpg".to_owned());
    }
    assert!(matches!(bench.form("hydrate", "other"), Err(ExportError::NoAddress)));
}

#[test]
fn a_description_for_machines_names_every_data_file_with_its_digest() {
    let bench = Bench::new();
    let croissant = CroissantRecipe::default();

    bench
        .with(|it| write_kaggle(it, &recipe(), COVER, Some(&croissant), &bench.path("k")))
        .unwrap();
    bench.form("huggingface", "h").unwrap();

    for (folder, expected) in [
        ("k", ["manifest.csv", "train.zip", "val.zip"]),
        (
            "h",
            [
                "manifest.csv",
                "data/train-00000-of-00001.parquet",
                "data/val-00000-of-00001.parquet",
            ],
        ),
    ] {
        let files = tree(&bench.path(folder));
        let about: serde_json::Value =
            serde_json::from_str(&text(&files, "croissant.json")).unwrap();
        let objects: Vec<&serde_json::Value> = about["distribution"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["@type"] == "cr:FileObject")
            .collect();
        let names: Vec<&str> = objects.iter().map(|it| it["@id"].as_str().unwrap()).collect();
        assert_eq!(names, expected);
        for object in objects {
            let name = object["contentUrl"].as_str().unwrap();
            assert_eq!(object["sha256"], hex(&Sha256::digest(&files[name])), "{name}");
        }
    }
    let json = text(&tree(&bench.path("k")), "dataset-metadata.json");
    assert!(json.contains("\"path\": \"croissant.json\""));
}

#[test]
fn a_datasheet_has_seven_sections_answers_and_open_questions() {
    let mut bench = Bench::new();
    bench.answers = serde_json::from_str(r#"{"purpose": "To tell pets apart."}"#).unwrap();

    bench.form("csv", "export").unwrap();

    let sheet = text(&tree(&bench.path("export")), "DATASHEET.md");
    assert_eq!(sheet.lines().filter(|line| line.starts_with("## ")).count(), 7);
    assert!(
        sheet.contains("**For what purpose was the dataset created?**\n\nTo tell pets apart.\n")
    );
    assert!(sheet.contains("> **TODO, a person must answer this:** `funding = \"…\"`"));
    assert!(sheet.contains("**19 questions are open.**"));
    assert!(sheet.contains("4 pictures.\n\n| class | train"));
    assert!(sheet.contains("They were posted from 2023-11-14 to 2023-11-14 (UTC)."));
}

#[test]
fn open_questions_are_refused_by_name_where_that_is_wanted() {
    let mut bench = Bench::new();
    let all: BTreeMap<&str, &str> =
        Question::ALL.iter().map(|it| (it.key(), "Answered.")).collect();
    let without = |key: &str| {
        let mut some = all.clone();
        some.remove(key);
        serde_json::from_value(serde_json::json!(some)).unwrap()
    };

    bench.answers = without("funding");
    let refusal = bench.with(|it| it.check_answers().map_err(|error| error.to_string()));
    bench.answers = without("none of them");
    let taken = bench.with(|it| it.check_answers().map_err(|error| error.to_string()));

    let told = "the datasheet has 1 open questions; answer them below [export.datasheet]: funding";
    assert_eq!((refusal, taken), (Err(told.to_owned()), Ok(())));
}

#[test]
fn two_exports_are_compared_by_their_manifests() {
    let mut bench = Bench::new();
    bench.kaggle("before").unwrap();
    bench.pictures[1].split = Split::Test;
    let gone = bench.pictures.remove(0).file_name();
    bench.form("csv", "after").unwrap();

    let changes =
        compare::compare(&bench.path("before"), &bench.path("after/manifest.csv")).unwrap();

    let names = |it: &Difference| {
        (it.added.len(), it.removed[0].picture.clone(), it.moved.len(), it.n_same)
    };
    let expected = gone.rsplit_once('-').unwrap().1.trim_end_matches(".jpg").to_owned();
    assert_eq!(names(&changes), (0, expected, 1, 2));
    let refusal = compare::compare(&bench.path("nowhere"), &bench.path("after")).unwrap_err();
    assert!(refusal.to_string().contains("is neither a manifest nor a folder with manifest.csv"));
}
