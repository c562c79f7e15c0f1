//! Prepared pictures: what may be used of them, and what nobody will ask for again.

use std::collections::BTreeSet;

use super::{Ending, Stamp, Store, StoreError, files, layout::Layout, takedown::TakedownError};
use crate::domain::{
    id::BlobId,
    outcome::Outcome,
    picture::Crop,
    verdict::{Ruling, Verdict},
};

/// Lists the pictures that stay.
pub fn kept(store: &Store) -> Result<BTreeSet<BlobId>, StoreError> {
    let mut kept = BTreeSet::new();
    for entry in store.walk_notes::<Verdict>()? {
        let (blob, verdict) = entry?;
        if matches!(verdict.ruling, Ruling::Keep { .. }) {
            kept.insert(blob);
        }
    }
    Ok(kept)
}

/// Counts the crops of pictures that stay, by how they ended; others wait for the day they are
/// wanted.
pub fn endings(store: &Store) -> Result<Vec<(Ending, u64)>, StoreError> {
    let mut counts = Ending::ALL.map(|ending| (ending, 0));
    for blob in kept(store)? {
        if let Some(head) = store.head::<Crop>(&blob)? {
            for (ending, n) in &mut counts {
                *n += u64::from(*ending == head.ending);
            }
        }
    }
    Ok(counts.to_vec())
}

/// Removes crops that no setting leads to any more: those of dropped pictures that were made to
/// an earlier recipe, and files no record names. Returns how many files went.
pub fn sweep(
    store: &Store,
    layout: &Layout,
    stamp_of_today: impl Fn(&BlobId) -> Stamp,
) -> Result<u64, TakedownError> {
    let kept = kept(store)?;
    let (mut named, mut outdated) = (BTreeSet::new(), Vec::new());
    for entry in store.walk_settled::<Crop>()? {
        let (blob, settled) = entry?;
        if !kept.contains(&blob) && settled.stamp != stamp_of_today(&blob) {
            outdated.push(blob);
        } else if let Outcome::Made(crop) = settled.outcome {
            named.insert(layout.crop(&crop));
        }
    }
    store.remove_records::<Crop>(&outdated)?;
    let mut n_files = 0;
    for path in files::two_levels_below(&layout.crops())? {
        if !named.contains(&path) {
            n_files += 1;
            files::remove_if_any(&path)?;
        }
    }
    Ok(n_files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{id::Label, picture::FileFormat, verdict::DropReason},
        store::{Digest, Settled},
    };

    const TODAY: &str = "today";

    struct Bench {
        store: Store,
        layout: Layout,
        _dir: tempfile::TempDir,
    }

    fn stamp(recipe: &str) -> Stamp {
        Stamp { revision: 1, recipe: Digest::of(&recipe), input: Digest::of(&()) }
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let layout = Layout::new(dir.path(), "x");
            let store = Store::open(&layout.store()).unwrap();
            Self { store, layout, _dir: dir }
        }

        fn put(&self, name: &str, ruling: Ruling, recipe: &str) -> BlobId {
            let blob = BlobId::of(name.as_bytes());
            let bytes = [name, recipe].concat();
            let crop = Crop::of(bytes.as_bytes(), (1, 1), FileFormat::Jpeg);
            self.layout.keep_crop(&crop, bytes.as_bytes()).unwrap();
            let settled = Settled { stamp: stamp(recipe), outcome: Outcome::Made(crop) };
            self.store.put_all(&[(blob, settled)]).unwrap();
            self.store.put_notes(&[(blob, Verdict { ruling, leak_group: blob })]).unwrap();
            blob
        }

        fn n_files(&self) -> usize {
            files::two_levels_below(&self.layout.crops()).unwrap().len()
        }
    }

    fn keep() -> Ruling {
        Ruling::Keep { label: Label::new("cats").unwrap() }
    }

    fn dropped() -> Ruling {
        Ruling::Drop(DropReason::TakenBack { of: BlobId::of(b"gone") })
    }

    #[test]
    fn what_a_setting_still_leads_to_survives_the_sweep_and_nothing_else_does() {
        let bench = Bench::new();
        let current = bench.put("kept", keep(), TODAY);
        let waiting = bench.put("kept, not redone yet", keep(), "yesterday");
        let aside = bench.put("dropped, of today's recipe", dropped(), TODAY);
        let outdated = bench.put("dropped, of an earlier recipe", dropped(), "yesterday");
        bench.put("kept", keep(), TODAY); // Once more, which changes nothing.
        files::write_atomic(&bench.layout.crops().join("ab/left-over.jpg"), b"x").unwrap();

        let n_gone = sweep(&bench.store, &bench.layout, |_| stamp(TODAY)).unwrap();

        let is_known = |blob| bench.store.head::<Crop>(&blob).unwrap().is_some();
        assert_eq!([current, waiting, aside, outdated].map(is_known), [true, true, true, false]);
        assert_eq!((n_gone, bench.n_files()), (2, 3));
        assert_eq!(sweep(&bench.store, &bench.layout, |_| stamp(TODAY)).unwrap(), 0);
    }

    #[test]
    fn crops_kept_aside_are_not_counted() {
        let bench = Bench::new();
        bench.put("kept", keep(), TODAY);
        bench.put("dropped", dropped(), TODAY);

        let n_made: u64 = endings(&bench.store).unwrap().into_iter().map(|(_, n)| n).sum();

        assert_eq!(n_made, 1);
    }
}
