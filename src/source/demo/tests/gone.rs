//! Posts whose authors deleted them, and the pictures that come back.

use super::{large::names, *};

async fn after_deletion(posts: usize) -> Visit {
    let counts = |count| BTreeMap::from([("fish".to_owned(), count)]);
    let (posts, deleted) = (counts(posts), counts(100));
    Visit::of(SiteOptions { posts, deleted, ..SiteOptions::default() }).await
}

fn full_name(post: &PostId) -> &str {
    post.0.strip_prefix("demo:").unwrap()
}

fn plain(url: &MediaUrl) -> &str {
    url.0.strip_prefix("demo+").unwrap()
}

#[tokio::test]
async fn deleted_posts_leave_all_listings() {
    let visit = after_deletion(300).await;
    let deleted = deletions("fish", 300, 100).deleted;
    let all: BTreeSet<String> =
        catalogue::of_class(Class::Fish, 300).iter().map(Entry::name).collect();

    let listed: BTreeSet<String> =
        visit.pages("/r/fish/new?limit=100").await.concat().into_iter().collect();

    let gone: BTreeSet<String> = deleted.iter().map(|post| full_name(post).to_owned()).collect();
    assert_eq!(gone.len(), 100);
    assert_eq!(listed, &all - &gone);
}

#[tokio::test]
async fn a_deleted_post_keeps_its_name_and_loses_its_picture() {
    let visit = after_deletion(300).await;
    let entries = catalogue::of_class(Class::Fish, 300);
    let deleted = deletions("fish", 300, 100).deleted;
    let entry = entries.iter().find(|entry| deleted.contains(&post_id(entry))).unwrap();

    let info = visit.json(&format!("/api/info?id=t3_nobody,{}", entry.name())).await;
    let by_id = visit.json(&format!("/by_id/{}", entry.name())).await;
    let picture = visit.get(&entry.shots()[0].address.to_string()).await;

    let post = info.pointer("/data/children/0/data").unwrap();
    assert_eq!((&info, names(&info)), (&by_id, vec![entry.name()]));
    assert_eq!(
        [&post["author"], &post["removed_by_category"], &post["selftext"]],
        ["[deleted]", "deleted", "[deleted]"]
    );
    let media = ["preview", "media_metadata", "post_hint", "url_overridden_by_dest"];
    assert!(media.iter().all(|field| post.get(field).is_none()), "{post}");
    assert!(!post.to_string().contains(entry.shots()[0].address.stem()));
    assert_eq!(picture.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn later_posts_show_deleted_pictures_again() {
    let visit = after_deletion(310).await;
    let before = deletions("fish", 300, 100);
    let after = deletions("fish", 310, 100);
    let new = |repost: &&Repost| !before.reposts.contains(repost);
    let late: Vec<&Repost> = after.reposts.iter().filter(new).collect();

    let kinds: Vec<PlantKind> = late.iter().map(|repost| repost.kind).collect();
    let listed = visit.pages("/r/fish/new?limit=10").await.swap_remove(0);
    let mut is_same = Vec::new();
    let entries = catalogue::of_class(Class::Fish, 300);
    for repost in &late {
        let lost = entries.iter().find(|entry| post_id(entry) == repost.shows).unwrap();
        let bytes = visit.get(plain(&repost.url)).await.bytes().await.unwrap();
        is_same.push(bytes == lost.shots()[0].subject.draw());
        assert!(size_px(&bytes).is_some());
        assert!(listed.contains(&full_name(&repost.post).to_owned()));
    }

    let three = [PlantKind::ExactRepost, PlantKind::Reencoded, PlantKind::Resized];
    assert_eq!(kinds, [three, three].concat());
    assert_eq!(is_same, [true, false, false, true, false, false]);
    assert_eq!(before.deleted, after.deleted);
}

#[tokio::test]
async fn a_crosspost_tells_that_its_original_was_deleted() {
    let entries = catalogue::of_class(Class::Fish, 300);
    let crosspost = entries.iter().find_map(|entry| {
        let Shows::Crosspost { parent, .. } = &entry.shows else { return None };
        Some((entry.name(), entries[*parent].name()))
    });
    let (crosspost, parent) = crosspost.unwrap();
    let visit = Visit::begin().await;

    let was_there = visit.site.delete(&parent);
    let page = visit.json(&format!("/api/info?id={crosspost}")).await;

    let told = page.pointer("/data/children/0/data/crosspost_parent_list/0").unwrap();
    assert!(was_there && !visit.site.delete("t3_nobody"));
    assert_eq!([&told["name"], &told["author"]], [parent.as_str(), "[deleted]"]);
}

#[test]
fn a_site_after_a_deletion_begins_with_the_same_posts() {
    let counts = BTreeMap::from([("fish".to_owned(), 100)]);
    let [beetles, fish] = catalogue::write_after(&counts, 330);

    let [same_beetles, same_fish] = catalogue::write(330);

    assert_eq!((beetles, &fish[..300]), (same_beetles, &same_fish[..300]));
    let other = (300..330).filter(|place| fish[*place].shows != same_fish[*place].shows);
    assert!(15 <= other.count());
}

#[test]
fn a_large_subreddit_loses_and_finds_pictures_too() {
    let truth = deletions("big", 5_100, 90);

    assert_eq!((truth.deleted.len(), truth.reposts.len()), (90, 60));
    assert_eq!(deletions("private", 8, 2), Deletions::default());
}
