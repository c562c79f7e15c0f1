//! The lists: weights and names of training pictures, and nothing copied.

use super::{lists::write_lists, *};
use crate::store::schema::Fold;

fn lists(bench: &Bench, folds: &BTreeMap<BlobId, Fold>) -> (usize, usize) {
    bench.with(|dataset| write_lists(dataset, folds, &bench.path("lists"))).unwrap()
}

#[test]
fn classes_are_evened_out_by_weights_and_names_and_in_train_only() {
    let bench = Bench::new();
    let folds = BTreeMap::from([(bench.pictures[0].blob, Fold(3))]);

    let counts = lists(&bench, &folds);

    // Two cats and one dog are learned from.
    assert_eq!(counts, (4, 2));
    let tree = tree(&bench.path("lists"));
    let path = |at: usize| {
        let it: &Picture = &bench.pictures[at];
        format!("{}/{}/{}", it.split, it.label, it.file_name())
    };
    let table = text(&tree, "pictures.csv");
    let row = |at: usize| {
        let row = table.lines().find_map(|line| line.strip_prefix(&path(at)));
        row.unwrap().to_owned()
    };
    let header = "path,label,split,fold,sample_weight,times_over,times_under";
    assert_eq!(table.lines().next(), Some(header));
    assert!(row(0).starts_with(",cats,train,3,0.750000,1,"), "{}", row(0));
    assert!(row(1).starts_with(",cats,train,,0.750000,1,"), "{}", row(1));
    assert_eq!(row(2), ",cats,val,,,,");
    assert_eq!(row(3), ",dogs,train,,1.500000,2,1");
    let lines = |name: &str| text(&tree, name).lines().map(str::to_owned).collect::<Vec<_>>();
    let n_of = |name: &str, at: usize| lines(name).iter().filter(|it| **it == path(at)).count();
    assert_eq!([0, 1, 3].map(|at| n_of("train-over.txt", at)), [1, 1, 2]);
    assert_eq!(n_of("train-under.txt", 0) + n_of("train-under.txt", 1), 1);
    assert_eq!((lines("val.txt"), lines("test.txt")), (vec![path(2)], Vec::new()));
    let all =
        ["pictures.csv", "test.txt", "train-over.txt", "train-under.txt", "train.txt", "val.txt"];
    assert_eq!(tree.keys().map(String::as_str).collect::<Vec<_>>(), all);
}

#[test]
fn lists_are_the_same_bytes_every_time() {
    let bench = Bench::new();
    lists(&bench, &BTreeMap::new());
    let first = tree(&bench.path("lists"));

    lists(&bench, &BTreeMap::new());

    assert_eq!(tree(&bench.path("lists")), first);
}

#[test]
fn a_foreign_folder_is_refused() {
    let bench = Bench::new();
    fs::create_dir(bench.path("lists")).unwrap();
    fs::write(bench.path("lists/notes.txt"), "mine").unwrap();

    let refused =
        bench.with(|dataset| write_lists(dataset, &BTreeMap::new(), &bench.path("lists")));

    assert!(matches!(refused, Err(ExportError::NotOurs { .. })));
}
