//! What a list tells of the bytes it means: they are taken, and no others.

use super::{
    server::{picture, status, with},
    *,
};
const ADDRESS: &str = "good.test/a.jpg";

/// Fetches [`ADDRESS`] for a list that tells this digest of it.
async fn fetched(bench: &Bench, sha256: Option<Sha256>) -> (Tally, Outcome<Download>) {
    bench.list(ADDRESS, sha256);
    let tally = bench.run().await;
    (tally, bench.outcome(ADDRESS))
}

#[tokio::test]
async fn the_bytes_a_list_means_are_taken() {
    let bench = Bench::new([(ADDRESS, vec![Act::Say(picture(&jpeg(1)))])]).await;

    let (_, outcome) = fetched(&bench, Some(Sha256::of(&jpeg(1)))).await;

    let Outcome::Made(download) = outcome else { panic!("{outcome:?}") };
    assert_eq!(download.blob, BlobId::of(&jpeg(1)));
}

#[tokio::test]
async fn other_bytes_than_a_list_means_are_counted_and_leave_nothing() {
    let bench = Bench::new([(ADDRESS, vec![Act::Say(picture(&jpeg(2)))])]).await;

    let (tally, outcome) = fetched(&bench, Some(Sha256::of(&jpeg(1)))).await;

    let changed = Reject::Changed { sha256: Sha256::of(&jpeg(2)) };
    assert_eq!(outcome, Outcome::Rejected(changed));
    let rejects = [("changed: sha256 differs", 1)].into();
    assert_eq!(tally, Tally { rejected: 1, rejects, ..Tally::default() });
    assert_eq!(bench.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_list_without_digests_takes_what_comes() {
    let bench = Bench::new([(ADDRESS, vec![Act::Say(picture(&jpeg(2)))])]).await;

    let (_, outcome) = fetched(&bench, None).await;

    assert!(matches!(outcome, Outcome::Made(_)), "{outcome:?}");
}

#[tokio::test]
async fn what_is_no_picture_is_told_as_such_before_its_digest_is_looked_at() {
    let bench = Bench::new([(ADDRESS, vec![Act::Say(picture(b"<html>sorry</html>"))])]).await;

    let (_, outcome) = fetched(&bench, Some(Sha256::of(&jpeg(1)))).await;

    assert!(matches!(outcome, Outcome::Rejected(Reject::NotAnImage { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_digest_told_later_is_held_against_the_picture_we_have() {
    let first = Act::Say(with("etag: \"v1\"\r\n", &jpeg(1)));
    let same = Act::Say(status("304 Not Modified"));
    let bench = Bench::new([(ADDRESS, vec![first, same])]).await;
    fetched(&bench, None).await;

    let (right, made) = fetched(&bench, Some(Sha256::of(&jpeg(1)))).await;
    let (wrong, refused) = fetched(&bench, Some(Sha256::of(&jpeg(2)))).await;

    assert!(matches!(made, Outcome::Made(_)), "{made:?}");
    let changed = Reject::Changed { sha256: Sha256::of(&jpeg(1)) };
    assert_eq!(refused, Outcome::Rejected(changed), "{right:?} {wrong:?}");
    assert_eq!((right.made, wrong.rejected, bench.server.times(ADDRESS)), (1, 1, 3));
}

#[tokio::test]
async fn a_picture_we_have_is_not_kept_in_place_of_the_one_a_list_means() {
    let gone = Act::Say(status("404 Not Found"));
    let bench = Bench::new([(ADDRESS, vec![Act::Say(picture(&jpeg(1))), gone])]).await;
    fetched(&bench, None).await;

    let (_, kept) = fetched(&bench, Some(Sha256::of(&jpeg(1)))).await;
    let (_, lost) = fetched(&bench, Some(Sha256::of(&jpeg(2)))).await;

    assert!(matches!(kept, Outcome::Made(_)), "{kept:?}");
    assert_eq!(lost, Outcome::Rejected(Reject::Gone { status: 404 }));
}

#[tokio::test]
async fn a_smaller_copy_is_not_the_picture_a_list_means() {
    let copy = "preview.redd.it/a.jpg?s=1";
    let plan = [
        (ADDRESS, vec![Act::Say(status("404 Not Found"))]),
        (copy, vec![Act::Say(picture(&jpeg(2)))]),
    ];
    let bench = Bench::new(plan).await;
    let link = MediaLink {
        sha256: Some(Sha256::of(&jpeg(1))),
        fallback: Some(url(copy)),
        ..MediaLink::to(url(ADDRESS))
    };
    bench.show_link(0, link);

    bench.run().await;

    assert_eq!(bench.outcome(ADDRESS), Outcome::Rejected(Reject::Gone { status: 404 }));
    assert_eq!(bench.server.times(copy), 1);
}

#[test]
fn a_digest_makes_another_target_and_none_leaves_the_old_one() {
    let link = MediaLink::to(url(ADDRESS));
    let with = MediaLink { sha256: Some(Sha256::of(b"abc")), ..link.clone() };

    let [old, new] = [link.clone(), with].map(|link| Digest::of(&Target(link)));

    assert_ne!(old, new);
    assert_eq!(old, Digest::of(&link.digest));
}
