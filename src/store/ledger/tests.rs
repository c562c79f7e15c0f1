use tempfile::TempDir;

use super::*;
use crate::store::funnel::tests::{classes, downloads, pictures, posts};

fn counts<const N: usize>(of: [(&'static str, u64); N]) -> Counts {
    of.map(|(kind, n)| (Cow::Borrowed(kind), n)).into()
}

#[test]
fn every_post_and_link_is_counted_once_where_it_belongs() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    posts(&store);
    downloads(&store);
    pictures(&store);

    let counted = accounts(&store, &classes()).unwrap();

    let account = |class: &str| Account {
        class: Label::new(class).ok(),
        place: format!("r/{class}"),
        ..Account::default()
    };
    let cats = Account {
        posts: 5,
        links: 3,
        fetched: 3,
        kept: 1,
        duplicates: Duplicates { same_address: 1, ..Duplicates::default() },
        rejected: counts([
            ("broken file", 1),
            ("gallery item without a picture", 1),
            ("not an address", 1),
            ("video", 2),
        ]),
        pending: 1,
        ..account("cats")
    };
    let dogs = Account {
        posts: 2,
        links: 10,
        fetched: 6,
        kept: 3,
        duplicates: Duplicates { same_bytes: 1, twins: 1, ..Duplicates::default() },
        rejected: counts([("gone", 1)]),
        failed: counts([("other trouble", 2)]),
        pending: 2,
        ..account("dogs")
    };
    assert_eq!(counted, [cats, dogs]);
}
