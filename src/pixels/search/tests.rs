use proptest::prelude::*;

use super::*;

/// A source of bits that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(n).unwrap()).unwrap()
    }

    fn hash(&mut self) -> Hash {
        std::array::from_fn(|_| self.roll())
    }

    /// Turns over just `n` bits.
    fn changed(&mut self, mut hash: Hash, n: usize) -> Hash {
        let mut turned = std::collections::BTreeSet::new();
        while turned.len() < n {
            let bit = self.below(256);
            if turned.insert(bit) {
                hash[bit / 64] ^= 1 << (bit % 64);
            }
        }
        hash
    }

    /// Makes hashes of which every third lies up to `reach` bits from an earlier one; now and
    /// then a picture has several.
    fn shelf(&mut self, n_pictures: usize, reach: usize) -> Shelf {
        let mut filled = Shelf::default();
        let mut earlier = vec![self.hash()];
        for picture in 0..n_pictures {
            for _ in 0..=self.below(3) / 2 {
                let hash = if self.below(3) == 0 {
                    let (at, n_bits) = (self.below(earlier.len()), self.below(reach + 1));
                    self.changed(earlier[at], n_bits)
                } else {
                    self.hash()
                };
                earlier.push(hash);
                filled.push(picture * 3, PerceptualHash(hash));
            }
        }
        filled
    }
}

/// Compares all with all, one after the other.
fn compare_all(rows: &Shelf, columns: &Shelf, within: Distance) -> Vec<Near> {
    let mut hits = Vec::new();
    for row in 0..rows.len() {
        for column in 0..columns.len() {
            let distance =
                PerceptualHash(rows.hash(row)).distance(PerceptualHash(columns.hash(column))).0;
            if rows.pictures[row] < columns.pictures[column] && distance <= within.0 {
                hits.push(Hit { row, column, distance });
            }
        }
    }
    nearest(rows, columns, &hits)
}

fn by_tiles(rows: &Shelf, columns: &Shelf, within: Distance) -> Vec<Near> {
    let join = |range| tiles::join(rows, range, columns, within, Level::detect());
    nearest(rows, columns, &tiles::cut(rows).into_iter().flat_map(join).collect::<Vec<_>>())
}

#[test]
fn every_level_of_instructions_finds_the_same() {
    let dice = &mut Dice(1);
    let queries: Vec<Hash> = (0..37).map(|_| dice.hash()).collect();
    let mut blocks = vec![Block::default(); 61];
    for (n, block) in blocks.iter_mut().enumerate() {
        for lane in 0..LANES {
            let query = queries[dice.below(queries.len())];
            // On the limit, one bit beyond it, and far away.
            let n_bits = [90, 91, 120, 3][(n + lane) % 4];
            block.set(lane, dice.changed(query, n_bits));
        }
    }
    for limit in [0, 3, 90, 130, 256] {
        let found = |level: Level| {
            let mut hits = Vec::new();
            level.scan(&queries, &blocks, limit, &mut hits);
            let mut found: Vec<_> =
                hits.into_iter().map(|hit| (hit.row, hit.column, hit.distance)).collect();
            found.sort_unstable();
            found
        };

        let mut expected = Vec::new();
        for (row, query) in queries.iter().enumerate() {
            for column in 0..blocks.len() * LANES {
                let hash = blocks[column / LANES].get(column % LANES);
                let distance = PerceptualHash(*query).distance(PerceptualHash(hash)).0;
                if distance <= limit {
                    expected.push((row, column, distance));
                }
            }
        }

        for level in Level::available() {
            assert_eq!(found(level), expected, "{level:?} within {limit}");
        }
    }
}

#[test]
fn bands_and_tiles_find_just_what_comparing_all_finds() {
    for (seed, within) in [(2, 0), (3, 1), (4, 15), (5, 31), (6, 32), (7, 47), (8, 63)] {
        let within = Distance(within);
        let shelf = Dice(seed).shelf(700, usize::try_from(within.0).unwrap() + 3);
        let expected = compare_all(&shelf, &shelf, within);
        assert!(50 < expected.len(), "the planted pairs are there");

        assert_eq!(by_tiles(&shelf, &shelf, within), expected, "tiles within {within}");
        for n in [16, 23, 32] {
            let hits = Bands::cut(n, within).join(&shelf, &shelf, Level::detect());
            assert_eq!(nearest(&shelf, &shelf, &hits), expected, "{n} bands within {within}");
        }
    }
}

#[test]
fn a_pair_found_by_many_bands_is_told_once() {
    let mut shelf = Shelf::default();
    shelf.extend((0..30).map(|picture| (picture, PerceptualHash([7; 4]))));

    let hits = Bands::cut(16, Distance(31)).join(&shelf, &shelf, Level::detect());

    assert_eq!(hits.len(), 30 * 29 / 2);
}

#[test]
fn wide_reaches_and_small_shelves_are_not_cut_into_bands() {
    assert!(Bands::worthwhile(1_000_000, 1_000_000, Distance(31)).is_some());
    assert!(Bands::worthwhile(1_000_000, 1_000_000, Distance(90)).is_none());
    assert!(Bands::worthwhile(500, 500, Distance(31)).is_none());
}

#[test]
fn the_answer_does_not_depend_on_threads() {
    let shelf = Dice(9).shelf(3000, 120);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| pairs(&shelf, &shelf, Distance(100)))
    };

    let (one, five) = (with(1), with(5));

    assert!(one.is_sorted() && 100 < one.len());
    assert_eq!(one, five);
}

proptest! {
    #[test]
    fn any_two_shelves_give_what_comparing_all_gives(
        seed in 1_u64..,
        sizes in (0_usize..90, 0_usize..90),
        within in 0_u32..140,
    ) {
        let dice = &mut Dice(seed);
        let shelves = (dice.shelf(sizes.0, 150), dice.shelf(sizes.1, 150));
        let within = Distance(within);

        let found = pairs(&shelves.0, &shelves.1, within);

        prop_assert_eq!(found, compare_all(&shelves.0, &shelves.1, within));
    }
}
