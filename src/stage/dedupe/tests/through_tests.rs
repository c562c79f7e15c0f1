//! A decision on its way through the rooms behind: what is prepared and written anew, and what
//! stays as it lies.

use std::{path::Path, time::SystemTime};

use super::*;
use crate::{
    domain::{exports::ExportTable, picture::FileFormat, review::Decision},
    engine::{self, memory::Memory},
    pixels::encode,
    stage::{
        export::{
            run::{Exporting, Recipe as ExportRecipe},
            settling::Settling,
        },
        prepare::Prepare,
        split::{Recipe as SplitRecipe, Splitting, Table},
    },
    store::{files, layout::Layout},
};

/// The files of the dataset by path, with when each was written.
type Tree = BTreeMap<String, SystemTime>;

/// Posts the drawings with their files, three of the five as cats, and returns their blobs.
fn posted(bench: &Bench, layout: &Layout) -> Vec<BlobId> {
    let mut blobs = Vec::new();
    for (name, picture) in drawings() {
        let bytes = encode::encode(&picture, FileFormat::Png, 1);
        files::write_atomic(&layout.blob(&BlobId::of(name.as_bytes())), &bytes).unwrap();
        let class = if *name < *"203" { "cats" } else { "dogs" };
        blobs.push(bench.post(&name, class, &print_of(picture)));
    }
    blobs
}

/// Runs every stage from dedupe to export, and returns how many crops were made.
fn run_all(bench: &Bench, layout: &Layout) -> u64 {
    bench.dedupe(&Recipe::default());
    let prepare = Prepare { recipe: crop_recipe(), layout, memory: Memory::of(1 << 28) };
    let splitting = Splitting {
        recipe: SplitRecipe { table: Table::default(), seed: 1 },
        classes: &bench.classes,
        lock: bench.dir.path().join("pets.lock"),
    };
    let exporting = Exporting {
        name: "pets",
        recipe: ExportRecipe {
            title: "Pets".to_owned(),
            seed: 1,
            transform: String::new(),
            export: ExportTable::default(),
            rebuilding: String::new(),
        },
        classes: &bench.classes,
        layout,
        reviews: bench.dir.path().join("pets.reviews.jsonl"),
        settling: &Settling::default(),
    };
    let (events, _heard) = Events::channel();
    let insistence = Insistence::default();
    let limits = Limits { network_width: 1, hosts_width: 1, cpu_width: 1, attempts_max: 1 };
    let stop = Stop::never();
    let work =
        Work { store: &bench.store, limits, insistence: &insistence, events: &events, stop: &stop };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let prepared = engine::run(&prepare, work).await.unwrap();
        run_set(&splitting, work).await.unwrap();
        run_set(&exporting, work).await.unwrap();
        prepared.made
    })
}

fn crop_recipe() -> crate::stage::prepare::Recipe {
    crate::stage::prepare::Recipe { size: 32, ..crate::stage::prepare::Recipe::default() }
}

fn tree(folder: &Path) -> Tree {
    let below = |folder: &PathBuf| files::entries(folder).unwrap();
    let folders = |folder: &PathBuf| below(folder).into_iter().filter(|it| it.is_dir());
    let classes = folders(&folder.to_owned()).flat_map(|split| folders(&split).collect::<Vec<_>>());
    let mut tree = Tree::new();
    for file in classes.flat_map(|class| below(&class)) {
        let written = file.metadata().unwrap().modified().unwrap();
        tree.insert(file.strip_prefix(folder).unwrap().display().to_string(), written);
    }
    tree
}

/// Names the file of a picture without its part of the dataset.
fn named(label: &str, blob: BlobId) -> String {
    format!("{label}/{label}-{}.jpg", blob.short())
}

/// Returns the paths of `one` that are not in `other`, without their parts of the dataset.
fn without(one: &Tree, other: &Tree) -> BTreeSet<String> {
    let gone = one.keys().filter(|path| !other.contains_key(*path));
    gone.map(|path| path.split_once('/').unwrap().1.to_owned()).collect()
}

#[test]
fn only_what_a_decision_touches_is_prepared_and_written_anew() {
    let bench = Bench::new();
    let layout = Layout::new(bench.dir.path(), "pets");
    let blobs = posted(&bench, &layout);

    let made = run_all(&bench, &layout);
    let before = tree(&layout.dataset());
    assert_eq!((made, before.len()), (5, 5));
    let kept = |blobs: &[BlobId]| *blobs.iter().find(|blob| bench.is_kept(**blob)).unwrap();
    let (blurred, mistaken) = (kept(&blobs[..3]), kept(&blobs[3..6]));

    bench.say(1, blurred, reviewed::reject("blurred"));
    bench.say(1, mistaken, Decision::Relabel { label: label("dogs") });
    let made = run_all(&bench, &layout);

    let after = tree(&layout.dataset());
    let instead = kept(&blobs[..3]);
    assert_ne!(instead, blurred);
    assert_eq!(made, 1, "the crop of the copy that takes the place");
    let gone = [named("cats", blurred), named("cats", mistaken)];
    let come = [named("cats", instead), named("dogs", mistaken)];
    assert_eq!(without(&before, &after), gone.into());
    assert_eq!(without(&after, &before), come.into());
    let untouched = after.iter().filter(|(path, _)| before.contains_key(*path));
    assert!(
        untouched.clone().count() == 3 && untouched.clone().all(|(path, at)| before[path] == *at)
    );

    bench.say(2, blurred, Decision::Undecide);
    bench.say(2, mistaken, Decision::Undecide);
    let made = run_all(&bench, &layout);

    assert_eq!(made, 0, "the crops of before are still there");
    let back: Vec<String> = tree(&layout.dataset()).into_keys().collect();
    assert_eq!(back, before.into_keys().collect::<Vec<_>>());
}
