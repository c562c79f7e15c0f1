//! What is known of hosts: one row each. Turns the address a post gives into the canonical
//! address of the picture itself.

use url::Url;

use crate::domain::outcome::Reject;

/// What an address of a host leads to.
#[derive(Clone, Copy, Debug)]
enum Leads {
    /// To the picture; what follows the path says nothing about it.
    Picture,
    /// To a shrunk copy of `i.redd.it`'s picture of the same name.
    PreviewOf(&'static str),
    /// To a picture, if its signature is kept.
    SignedPicture,
    /// Imgur: to the picture, its page, an album or a video.
    Imgur,
    /// A page of Reddit that may wrap a picture's address.
    RedditPage,
    Video,
}

/// Hosts by name; a name stands for its subdomains as well.
const HOSTS: &[(&str, Leads)] = &[
    ("i.redd.it", Leads::Picture),
    ("preview.redd.it", Leads::PreviewOf("i.redd.it")),
    ("external-preview.redd.it", Leads::SignedPicture),
    ("v.redd.it", Leads::Video),
    ("reddit.com", Leads::RedditPage),
    ("imgur.com", Leads::Imgur),
    ("gfycat.com", Leads::Video),
    ("redgifs.com", Leads::Video),
    ("streamable.com", Leads::Video),
    ("youtube.com", Leads::Video),
    ("youtu.be", Leads::Video),
    ("vimeo.com", Leads::Video),
];

const PICTURE_ENDINGS: &[&str] = &["jpg", "jpeg", "jpe", "png", "webp", "gif", "bmp"];
const VIDEO_ENDINGS: &[&str] = &["gifv", "mp4", "webm", "mov", "m4v"];

/// Returns the canonical address of the picture behind `url`.
pub(super) fn picture_of(mut url: Url) -> Result<Url, Reject> {
    url.set_fragment(None);
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    if VIDEO_ENDINGS.contains(&ending(&url).as_str()) {
        return Err(Reject::Video);
    }
    let row = HOSTS.iter().find(|(name, _)| {
        host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    match row.map(|(_, leads)| *leads) {
        Some(Leads::Picture) => Ok(bare(url)),
        Some(Leads::PreviewOf(original)) => with_host(bare(url), original),
        Some(Leads::SignedPicture) => Ok(url),
        Some(Leads::Imgur) => imgur(url),
        Some(Leads::RedditPage) => wrapped(&url).unwrap_or(Err(Reject::UnknownHost { host })),
        Some(Leads::Video) => Err(Reject::Video),
        None if PICTURE_ENDINGS.contains(&ending(&url).as_str()) => Ok(url),
        None => Err(Reject::UnknownHost { host }),
    }
}

/// `imgur.com/ID` is a page, `i.imgur.com/ID.anything` the picture in its own format.
fn imgur(url: Url) -> Result<Url, Reject> {
    let segments: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    let id = match segments.as_slice() {
        ["a" | "gallery" | "t" | "r", ..] => {
            return Err(Reject::UnknownHost { host: "imgur album".to_owned() });
        }
        [id] if !id.is_empty() => *id,
        _ => return Err(Reject::UnknownHost { host: "imgur page".to_owned() }),
    };
    let name = if id.contains('.') { id.to_owned() } else { format!("{id}.jpg") };
    let mut picture = with_host(bare(url), "i.imgur.com")?;
    picture.set_path(&name);
    Ok(picture)
}

/// Unwraps `reddit.com/media?url=…`, one layer of it.
fn wrapped(url: &Url) -> Option<Result<Url, Reject>> {
    let inner = url.query_pairs().find(|(name, _)| name == "url").map(|(_, value)| value)?;
    // What is wrapped is as little to be trusted as the wrapping: a web address or nothing.
    let inner = Url::parse(&inner).ok().filter(|it| matches!(it.scheme(), "http" | "https"))?;
    let is_page = inner.host_str().is_some_and(|host| host.ends_with("reddit.com"));
    (url.path() == "/media" && !is_page).then(|| picture_of(inner))
}

fn bare(mut url: Url) -> Url {
    url.set_query(None);
    // The known hosts all speak TLS; a plain address is an old one.
    url.set_scheme("https").expect("one web scheme can always replace another");
    url
}

fn with_host(mut url: Url, host: &str) -> Result<Url, Reject> {
    let text = url.to_string();
    url.set_host(Some(host)).map_err(|_| Reject::BadAddress { url: text })?;
    Ok(url)
}

/// Returns the ending of the last part of the path, in lower case.
fn ending(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    last.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(text: &str) -> Result<String, Reject> {
        picture_of(Url::parse(text).unwrap()).map(String::from)
    }

    #[test]
    fn addresses_lead_to_the_original_in_canonical_form() {
        for (given, wanted) in [
            ("http://i.redd.it/aB3.jpg?x=1#top", "https://i.redd.it/aB3.jpg"),
            ("https://preview.redd.it/q.png?width=640&s=ab", "https://i.redd.it/q.png"),
            (
                "https://external-preview.redd.it/e.jpg?auto=webp&s=ab",
                "https://external-preview.redd.it/e.jpg?auto=webp&s=ab",
            ),
            ("http://imgur.com/wXLKXqD", "https://i.imgur.com/wXLKXqD.jpg"),
            ("https://m.imgur.com/wXLKXqD", "https://i.imgur.com/wXLKXqD.jpg"),
            ("http://i.imgur.com/wXLKXqD.png?1", "https://i.imgur.com/wXLKXqD.png"),
            (
                "https://www.reddit.com/media?url=https%3A%2F%2Fi.redd.it%2Fz.jpg",
                "https://i.redd.it/z.jpg",
            ),
            ("https://example.org/a/b.JPG?size=big", "https://example.org/a/b.JPG?size=big"),
        ] {
            assert_eq!(picture(given).as_deref(), Ok(wanted), "{given}");
        }
    }

    #[test]
    fn what_is_no_single_picture_is_told_by_kind() {
        let unknown = |host: &str| Err(Reject::UnknownHost { host: host.to_owned() });
        assert_eq!(picture("https://i.imgur.com/x.gifv"), Err(Reject::Video));
        assert_eq!(picture("https://v.redd.it/abc"), Err(Reject::Video));
        assert_eq!(picture("https://youtu.be/abc"), Err(Reject::Video));
        assert_eq!(picture("https://imgur.com/a/abc"), unknown("imgur album"));
        assert_eq!(picture("https://example.org/page"), unknown("example.org"));
        assert_eq!(picture("https://notimgur.com/x"), unknown("notimgur.com"));
        assert_eq!(picture("https://www.reddit.com/r/x/comments/1"), unknown("www.reddit.com"));
        for wrapped in ["file%3A%2F%2F%2Fetc%2Fx.jpg", "x%3A%2F%2Fi.redd.it%2Fa.jpg"] {
            let page = format!("https://www.reddit.com/media?url={wrapped}");
            assert_eq!(picture(&page), unknown("www.reddit.com"), "{wrapped}");
        }
    }
}
