use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::{events::Events, stop::Stop, *};
use crate::domain::{
    id::BlobId,
    outcome::Reject,
    picture::{Crop, FileFormat},
};

/// A stage over numbers: adds the recipe to the input, rejects 13, fails for good on 98,
/// always for now on 99, once for now on 97, and ends the run on 100.
struct Adding {
    recipe: u64,
    inputs: Vec<u64>,
    n_listed: AtomicU32,
    n_applied: AtomicU32,
}

impl Adding {
    fn new(recipe: u64, inputs: &[u64]) -> Self {
        let inputs = inputs.to_vec();
        Self { recipe, inputs, n_listed: AtomicU32::new(0), n_applied: AtomicU32::new(0) }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the line went dead")]
struct DeadLine {
    transient: bool,
    fatal: bool,
}

impl Transient for DeadLine {
    fn is_transient(&self) -> bool {
        self.transient
    }

    fn retry_after(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    fn is_fatal(&self) -> bool {
        self.fatal
    }
}

fn crop(size_bytes: u64) -> Crop {
    let format = FileFormat::Png;
    Crop {
        file: BlobId::of(b"x"),
        sha256: String::new(),
        crc32: None,
        size_bytes,
        width_px: 1,
        height_px: 1,
        format,
    }
}

impl ItemStage for Adding {
    const NAME: StageName = StageName::Prepare;
    const REVISION: u32 = 1;
    const LANE: Lane = Lane::Cpu;
    type Recipe = u64;
    type Input = u64;
    type Output = Crop;
    type Error = DeadLine;

    fn recipe(&self) -> &u64 {
        &self.recipe
    }

    fn inputs<'a>(&'a self, _store: &'a Store) -> Result<Inputs<'a, Self>, StoreError> {
        self.n_listed.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(self.inputs.iter().map(|&n| Ok((BlobId::of(&n.to_le_bytes()), n)))))
    }

    async fn apply(
        &self,
        _key: &BlobId,
        input: &u64,
        before: &[DeadLine],
    ) -> Result<Outcome<Crop>, DeadLine> {
        self.n_applied.fetch_add(1, Ordering::Relaxed);
        match input {
            13 => Ok(Outcome::Rejected(Reject::Empty)),
            97 if before.is_empty() => Err(DeadLine { transient: true, fatal: false }),
            98 => Err(DeadLine { transient: false, fatal: false }),
            99 => Err(DeadLine { transient: true, fatal: false }),
            100 => Err(DeadLine { transient: false, fatal: true }),
            _ => Ok(Outcome::Made(crop(input + self.recipe))),
        }
    }
}

/// A store in a folder of its own, and all the engine needs.
struct Bench {
    store: Store,
    events: Events,
    _dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Self { store: Store::open(dir.path()).unwrap(), events: Events::channel().0, _dir: dir }
    }

    async fn run(&self, recipe: u64, inputs: &[u64]) -> Tally {
        self.insist(recipe, inputs, &Insistence::default()).await.unwrap()
    }

    async fn insist(
        &self,
        recipe: u64,
        inputs: &[u64],
        insistence: &Insistence,
    ) -> Result<Tally, RunError> {
        let (_brake, stop) = Stop::channel();
        let stage = Adding::new(recipe, inputs);
        run(&stage, self.work(insistence, &stop)).await
    }

    fn work<'a>(&'a self, insistence: &'a Insistence, stop: &'a Stop) -> Work<'a> {
        let limits = Limits { network_width: 2, hosts_width: 2, cpu_width: 2, attempts_max: 3 };
        Work { store: &self.store, limits, insistence, events: &self.events, stop }
    }
}

fn made(made: u64) -> Tally {
    Tally { made, ..Tally::default() }
}

#[tokio::test]
async fn a_second_run_finds_nothing_to_do() {
    let bench = Bench::new();
    let first = bench.run(1, &[1, 2, 13]).await;
    let rejects = BTreeMap::from([("empty file", 1)]);
    assert_eq!(first, Tally { rejected: 1, rejects, ..made(2) });

    let second = bench.run(1, &[1, 2, 13]).await;

    assert_eq!(second, Tally { unchanged: 3, ..Tally::default() });
}

#[tokio::test]
async fn a_changed_recipe_redoes_every_item_and_the_plan_says_what_changed() {
    let bench = Bench::new();
    bench.run(1, &[1, 2, 3]).await;
    let stage = Adding::new(5, &[1, 2, 3]);

    let plan = plan::plan(&stage, &bench.store, &Insistence::default()).unwrap();
    let again = bench.run(5, &[1, 2, 3]).await;

    assert_eq!(plan.why, BTreeMap::from([(plan::Why::RecipeChanged, 3)]));
    assert_eq!(plan.changed_settings, [": 1 \u{2192} 5"]);
    assert_eq!(again, made(3));
    let sizes = bench.store.made::<Crop>().unwrap().into_iter().map(|(_, crop)| crop.size_bytes);
    assert_eq!(sizes.sum::<u64>(), 1 + 2 + 3 + 3 * 5);
}

#[tokio::test]
async fn more_items_than_are_held_are_all_worked_on() {
    let bench = Bench::new();
    let n = items::HELD_MAX + 5;
    let inputs: Vec<u64> = (200..200 + n).collect();
    let insistence = Insistence::default();
    let (_brake, stop) = Stop::channel();
    let few = Adding::new(1, &inputs[3..5]);
    let many = Adding::new(1, &inputs);

    let of_few = run(&few, bench.work(&insistence, &stop)).await.unwrap();
    let of_many = run(&many, bench.work(&insistence, &stop)).await.unwrap();

    assert_eq!((of_few, few.n_listed.into_inner()), (made(2), 1));
    let all_others = Tally { unchanged: 2, ..made(n - 2) };
    assert_eq!((of_many, many.n_listed.into_inner()), (all_others, 2));
    assert_eq!(bench.run(1, &inputs).await, Tally { unchanged: n, ..Tally::default() });
}

#[tokio::test]
async fn only_a_new_item_is_worked_on() {
    let bench = Bench::new();
    bench.run(1, &[1, 2]).await;

    assert_eq!(bench.run(1, &[1, 2, 3]).await, Tally { unchanged: 2, ..made(1) });
}

#[tokio::test]
async fn a_passing_trouble_is_healed_within_the_run() {
    assert_eq!(Bench::new().run(1, &[97]).await, made(1));
}

#[tokio::test]
async fn a_trouble_that_does_not_pass_is_tried_again_in_three_runs_and_then_no_more() {
    let bench = Bench::new();
    for _ in 0..3 {
        let tally = bench.run(1, &[1, 99]).await;
        assert_eq!(tally.failures, BTreeMap::from([("the line went dead".to_owned(), 1)]));
    }

    assert_eq!(bench.run(1, &[1, 99]).await, Tally { unchanged: 2, ..Tally::default() });
}

#[tokio::test]
async fn a_failure_for_good_is_retried_only_when_asked_for() {
    let bench = Bench::new();
    assert_eq!(bench.run(1, &[98]).await.failed, 1);
    assert_eq!(bench.run(1, &[98]).await, Tally { unchanged: 1, ..Tally::default() });

    let insistence = Insistence { retry: Retry::AllFailed, ..Insistence::default() };

    assert_eq!(bench.insist(1, &[98], &insistence).await.unwrap().failed, 1);
}

#[tokio::test]
async fn a_fatal_trouble_ends_the_run_and_is_not_blamed_on_the_item() {
    let bench = Bench::new();

    let end = bench.insist(1, &[100], &Insistence::default()).await;

    assert!(matches!(end, Err(RunError::Fatal { .. })));
    assert_eq!(bench.store.settled::<Crop>().unwrap(), []);
}

#[tokio::test]
async fn a_stop_before_the_start_leaves_every_item_due() {
    let bench = Bench::new();
    let (brake, stop) = Stop::channel();
    brake.pull();
    let stage = Adding::new(1, &[1, 2, 3]);

    let stopped = run(&stage, bench.work(&Insistence::default(), &stop)).await.unwrap();

    assert_eq!(stopped, Tally::default());
    assert_eq!(stage.n_applied.load(Ordering::Relaxed), 0);
    assert_eq!(bench.run(1, &[1, 2, 3]).await.made, 3);
}
