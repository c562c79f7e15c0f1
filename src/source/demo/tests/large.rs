//! The large subreddit, read over the same protocol as any other.

use super::*;

impl Visit {
    /// Reads a listing or a search to its end: the names of its posts, page by page.
    pub(super) async fn pages(&self, path: &str) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut bookmark = String::new();
        loop {
            let page = self.json(&format!("{path}{bookmark}")).await;
            pages.push(names(&page));
            let Some(after) = page["data"]["after"].as_str() else { return pages };
            bookmark = format!("&after={after}");
        }
    }
}

pub(super) fn names(page: &Value) -> Vec<String> {
    let children = page["data"]["children"].as_array().unwrap();
    children.iter().map(|child| child["data"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn large(posts: usize) -> Visit {
    Visit::to(BTreeMap::from([("big".to_owned(), posts)])).await
}

#[tokio::test]
async fn no_listing_or_search_of_a_large_subreddit_shows_more_than_a_thousand() {
    let visit = large(5_000).await;
    let mut counts = Vec::new();

    for path in ["new?", "hot?", "rising?", "top?t=month&", "top?t=all&", "controversial?t=year&"] {
        let pages = visit.pages(&format!("/r/big/{path}limit=500")).await;
        counts.push((pages[0].len(), pages.concat().len()));
    }
    for query in ["flair%3A%22Photo%22", "dawn", "lighthouse"] {
        let path = format!("/r/big/search?restrict_sr=1&sort=new&limit=100&q={query}");
        counts.push((100, visit.pages(&path).await.concat().len()));
    }

    let listings = [(100, 1_000), (100, 1_000), (25, 25), (100, 429), (100, 1_000), (100, 1_000)];
    assert_eq!(counts, [listings.to_vec(), vec![(100, 1_000), (100, 1_000), (100, 54)]].concat());
}

#[tokio::test]
async fn all_listings_and_single_searches_together_show_just_what_is_visible() {
    let visit = large(5_000).await;
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let periods = ["hour", "day", "week", "month", "year", "all"];
    for order in ["new", "hot", "rising"] {
        seen.extend(visit.pages(&format!("/r/big/{order}?limit=100")).await.concat());
    }
    for order in ["top", "controversial"] {
        for period in periods {
            let path = format!("/r/big/{order}?limit=100&t={period}");
            seen.extend(visit.pages(&path).await.concat());
        }
    }
    let row = big::write(5_000, 0);
    let words: BTreeSet<String> =
        row.iter().flat_map(|entry| words::searchable(&entry.title)).collect();
    for word in words {
        let path = format!("/r/big/search?restrict_sr=1&limit=100&sort=new&q={word}");
        seen.extend(visit.pages(&path).await.concat());
    }
    for flair in row.iter().filter_map(|entry| entry.flair).collect::<BTreeSet<&str>>() {
        for sort in ["new", "hot", "top", "comments", "relevance"] {
            for period in periods {
                let query = format!("q=flair_name%3A%22{flair}%22&sort={sort}&t={period}");
                let path = format!("/r/big/search?restrict_sr=1&limit=100&{query}");
                seen.extend(visit.pages(&path).await.concat());
            }
        }
    }

    assert_eq!(seen, visible(5_000).names);
}

#[tokio::test]
async fn a_search_outside_a_subreddit_goes_through_the_whole_site() {
    let visit = large(200).await;
    let subreddits = async |path: &str| -> BTreeSet<String> {
        let page = visit.json(path).await;
        let children = page["data"]["children"].as_array().unwrap();
        let subreddit = |child: &Value| child["data"]["subreddit"].as_str().unwrap().to_owned();
        children.iter().map(subreddit).collect()
    };

    let inside = subreddits("/r/big/search?restrict_sr=1&limit=100&q=flair:Photo").await;
    let outside = subreddits("/r/big/search?limit=100&q=flair:Photo").await;

    assert_eq!(inside, BTreeSet::from(["big".to_owned()]));
    assert!(inside.is_subset(&outside) && 2 < outside.len(), "{outside:?}");
}

#[tokio::test]
async fn a_listing_is_read_backwards_from_a_bookmark() {
    let visit = large(300).await;
    let pages = visit.pages("/r/big/new?limit=10").await;

    let path = format!("/r/big/new?limit=10&count=31&before={}", pages[3][0]);
    let page = visit.json(&path).await;

    assert_eq!(names(&page), pages[2]);
    let bookmarks = [&page["data"]["before"], &page["data"]["after"]];
    assert_eq!(bookmarks, [pages[2].first(), pages[2].last()].map(|name| name.unwrap().as_str()));
}

#[tokio::test]
async fn a_picture_of_a_large_subreddit_is_what_its_post_announces() {
    let visit = large(300).await;
    let page = visit.json("/r/big/new?limit=100&raw_json=1").await;
    let mut digests = BTreeSet::new();

    for n in [0, 1, 2, 98, 99] {
        let post = page.pointer(&format!("/data/children/{n}/data")).unwrap();
        let bytes = visit.get(post["url"].as_str().unwrap()).await.bytes().await.unwrap();
        let announced = post.pointer("/preview/images/0/source").map(|source| {
            let side = |name: &str| u32::try_from(source[name].as_u64().unwrap()).unwrap();
            (side("width"), side("height"))
        });
        let size = size_px(&bytes);
        assert!(size.is_some() && (announced.is_none() || announced == size));
        digests.insert(blake3::hash(&bytes).to_hex().to_string());
    }

    assert_eq!(digests.len(), 5);
}

#[tokio::test]
async fn a_subreddit_says_what_it_is_and_a_closed_one_does_not() {
    let visit = large(300).await;

    let about = visit.json("/r/big/about.json").await;
    let closed = visit.api("/r/gated/about").await;

    let data = &about["data"];
    assert_eq!(
        (&about["kind"], &data["display_name"], &data["over18"]),
        (&Value::from("t5"), &Value::from("big"), &Value::from(false))
    );
    assert!(data["subscribers"].is_u64() && data["created_utc"].is_f64());
    assert_eq!(closed.status(), StatusCode::FORBIDDEN);
}
