//! Huffman tables that were built before → the same again. Building one takes as long as reading
//! a few hundred blocks, and most files are spelled with the tables of the standard.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::huffman::Spelling;

/// So many are kept of a kind, of some 25 KB each.
const N_KEPT: usize = 16;

/// The tables of one kind that were asked for last, the latest first.
pub(super) struct Known<T>(Mutex<VecDeque<(Spelling, Arc<T>)>>);

impl<T> Known<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    /// Returns the table of a spelling; other threads do not wait while it is built.
    pub(super) fn get(&self, spelling: &Spelling, build: impl Fn(&Spelling) -> T) -> Arc<T> {
        if let Some(table) = self.find(spelling) {
            return table;
        }
        let table = Arc::new(build(spelling));
        let mut kept = self.kept();
        kept.truncate(N_KEPT - 1);
        kept.push_front((spelling.clone(), Arc::clone(&table)));
        table
    }

    fn find(&self, spelling: &Spelling) -> Option<Arc<T>> {
        let mut kept = self.kept();
        let at = kept.iter().position(|(it, _)| it == spelling)?;
        let latest = kept.remove(at)?;
        let table = Arc::clone(&latest.1);
        kept.push_front(latest);
        Some(table)
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(Spelling, Arc<T>)>> {
        // Whatever a thread was doing when it died, each entry is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn spelling(symbol: u8) -> Spelling {
        let mut body = [0; 17];
        (body[0], body[16]) = (1, symbol);
        Spelling::read(&body).expect("one code of one bit").0
    }

    #[test]
    fn a_table_is_built_once_until_too_many_others_were_asked_for() {
        let known = Known::new();
        let n_built = Cell::new(0);
        let build = |_: &Spelling| {
            n_built.set(n_built.get() + 1);
            n_built.get()
        };
        let others = || (1_u8..).take(N_KEPT - 1).map(spelling);

        let first = known.get(&spelling(0), build);
        others().for_each(|it| drop(known.get(&it, build)));
        assert_eq!((*first, *known.get(&spelling(0), build)), (1, 1));

        others().for_each(|it| drop(known.get(&it, build)));
        drop(known.get(&spelling(200), build));
        assert_eq!(n_built.get(), N_KEPT + 1, "of those asked for again none was built again");
        drop(known.get(&spelling(201), build));
        assert_eq!(*known.get(&spelling(0), build), N_KEPT + 3);
    }
}
