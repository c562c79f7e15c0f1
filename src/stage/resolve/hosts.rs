//! What is known of hosts: one row each. Turns the address a post gives into the canonical
//! address of the picture itself.

use url::Url;

use crate::domain::outcome::Reject;

/// Where the picture behind an address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Picture {
    /// At this address, in canonical form.
    At(Url),
    /// Somewhere on a page that shows one or several; who has a copy of the first may use it.
    OnAPage { host: String },
}

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
    /// Wikimedia's pages about one file, and its files and thumbnails.
    Wikimedia,
    /// A picture whose size is a parameter.
    Twitter,
    /// A page that shows a picture its address does not tell.
    Page,
    Video,
}

/// Hosts by name; a name stands for its subdomains as well, and the first row that fits counts.
const HOSTS: &[(&str, Leads)] = &[
    ("i.redd.it", Leads::Picture),
    ("preview.redd.it", Leads::PreviewOf("i.redd.it")),
    ("external-preview.redd.it", Leads::SignedPicture),
    ("v.redd.it", Leads::Video),
    ("reddit.com", Leads::RedditPage),
    ("redd.it", Leads::RedditPage),
    ("imgur.com", Leads::Imgur),
    ("i.ibb.co", Leads::Picture),
    ("ibb.co", Leads::Page),
    ("i.postimg.cc", Leads::Picture),
    ("postimg.cc", Leads::Page),
    ("staticflickr.com", Leads::Picture),
    ("flickr.com", Leads::Page),
    ("flic.kr", Leads::Page),
    ("wikimedia.org", Leads::Wikimedia),
    ("wikipedia.org", Leads::Wikimedia),
    ("pbs.twimg.com", Leads::Twitter),
    ("cdn.discordapp.com", Leads::SignedPicture),
    ("media.discordapp.net", Leads::SignedPicture),
    ("gfycat.com", Leads::Video),
    ("redgifs.com", Leads::Video),
    ("streamable.com", Leads::Video),
    ("youtube.com", Leads::Video),
    ("youtu.be", Leads::Video),
    ("vimeo.com", Leads::Video),
    ("tiktok.com", Leads::Video),
    ("twitch.tv", Leads::Video),
];

const PICTURE_ENDINGS: &[&str] = &["jpg", "jpeg", "jpe", "png", "webp", "gif", "bmp"];
const VIDEO_ENDINGS: &[&str] = &["gifv", "mp4", "webm", "mov", "m4v"];

/// Tells where the picture behind `url` is.
pub(super) fn picture_of(mut url: Url) -> Result<Picture, Reject> {
    url.set_fragment(None);
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    if VIDEO_ENDINGS.contains(&ending(&url).as_str()) {
        return Err(Reject::Video);
    }
    let row = HOSTS.iter().find(|(name, _)| {
        host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    let is_picture = PICTURE_ENDINGS.contains(&ending(&url).as_str());
    Ok(match row.map(|(_, leads)| *leads) {
        Some(Leads::Picture) => Picture::At(bare(url)),
        Some(Leads::PreviewOf(original)) => Picture::At(with_host(bare(url), original)?),
        Some(Leads::SignedPicture) => Picture::At(url),
        Some(Leads::Imgur) => imgur(url)?,
        Some(Leads::RedditPage) => wrapped(&url).unwrap_or(Err(Reject::UnknownHost { host }))?,
        Some(Leads::Wikimedia) => wikimedia(url),
        Some(Leads::Twitter) => Picture::At(twitter(url)),
        Some(Leads::Page) | None if is_picture => Picture::At(url),
        Some(Leads::Page) => Picture::OnAPage { host },
        Some(Leads::Video) => return Err(Reject::Video),
        None => return Err(Reject::UnknownHost { host }),
    })
}

/// Tells whether an address is one of Reddit's own copies, whose signature must be kept.
pub(super) fn is_own_copy(url: &Url) -> bool {
    matches!(url.host_str(), Some("preview.redd.it" | "external-preview.redd.it"))
}

/// `imgur.com/ID` is a page, `i.imgur.com/ID.anything` the picture in its own format.
fn imgur(url: Url) -> Result<Picture, Reject> {
    let segments: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    let page = |kind: &str| Picture::OnAPage { host: format!("imgur {kind}") };
    let id = match segments.as_slice() {
        ["a" | "gallery", ..] => return Ok(page("album")),
        // A tag or a subreddit's page names the picture last.
        ["t" | "r", _, id] | [id] if !id.is_empty() => *id,
        _ => return Ok(page("page")),
    };
    let name = match id.split_once('.') {
        Some(_) => id.to_owned(),
        // Newer pages put a title in front of the name, several names are an old kind of album.
        None if id.contains(',') => return Ok(page("album")),
        None => format!("{}.jpg", id.rsplit('-').next().unwrap_or(id)),
    };
    let mut picture = with_host(bare(url), "i.imgur.com")?;
    picture.set_path(&name);
    Ok(Picture::At(picture))
}

/// `/wiki/File:NAME` is the page of a file, `/thumb/…/NAME/640px-NAME` a smaller copy.
fn wikimedia(mut url: Url) -> Picture {
    let path = url.path().to_owned();
    if let Some((_, name)) = path.split_once("/wiki/File:") {
        url.set_path(&format!("/wiki/Special:FilePath/{name}"));
        return Picture::At(bare(url));
    }
    let parts: Vec<&str> = path.split('/').collect();
    let is_file = PICTURE_ENDINGS.contains(&ending(&url).as_str());
    match parts.iter().position(|part| *part == "thumb") {
        Some(thumb) if thumb + 2 < parts.len() => {
            let kept = [&parts[..thumb], &parts[thumb + 1..parts.len() - 1]].concat();
            url.set_path(&kept.join("/"));
            Picture::At(bare(url))
        }
        _ if is_file => Picture::At(bare(url)),
        _ => Picture::OnAPage { host: url.host_str().unwrap_or_default().to_owned() },
    }
}

/// `/media/ID?format=jpg&name=small` and `/media/ID.jpg:small` are sizes of one picture.
fn twitter(mut url: Url) -> Url {
    let format =
        url.query_pairs().find(|(name, _)| name == "format").map(|(_, it)| it.into_owned());
    let path = url.path().split(':').next().unwrap_or_default().to_owned();
    let (stem, ending) = match path.rsplit_once('.') {
        Some((stem, ending)) => (stem.to_owned(), ending.to_owned()),
        None => (path, format.unwrap_or_else(|| "jpg".to_owned())),
    };
    url.set_path(&stem);
    url.set_query(None);
    url.query_pairs_mut().append_pair("format", &ending).append_pair("name", "orig");
    url
}

/// Unwraps `reddit.com/media?url=…`, one layer of it.
fn wrapped(url: &Url) -> Option<Result<Picture, Reject>> {
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
        picture_of(Url::parse(text).unwrap()).map(|it| match it {
            Picture::At(url) => String::from(url),
            Picture::OnAPage { host } => format!("on a page of {host}"),
        })
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
            ("https://imgur.com/a-nice-tank-wXLKXqD", "https://i.imgur.com/wXLKXqD.jpg"),
            ("https://imgur.com/r/tanks/wXLKXqD", "https://i.imgur.com/wXLKXqD.jpg"),
            ("https://imgur.com/a/abc", "on a page of imgur album"),
            ("https://imgur.com/aBc,dEf", "on a page of imgur album"),
            ("https://www.flickr.com/photos/x/123/", "on a page of www.flickr.com"),
            (
                "https://live.staticflickr.com/65535/1_ab_b.jpg?x=1",
                "https://live.staticflickr.com/65535/1_ab_b.jpg",
            ),
            (
                "https://commons.wikimedia.org/wiki/File:T-34_(1).jpg",
                "https://commons.wikimedia.org/wiki/Special:FilePath/T-34_(1).jpg",
            ),
            (
                "https://upload.wikimedia.org/wikipedia/commons/thumb/a/ab/X.jpg/640px-X.jpg",
                "https://upload.wikimedia.org/wikipedia/commons/a/ab/X.jpg",
            ),
            (
                "https://pbs.twimg.com/media/Ab_c.jpg:small",
                "https://pbs.twimg.com/media/Ab_c?format=jpg&name=orig",
            ),
            (
                "https://pbs.twimg.com/media/Ab_c?format=png&name=small",
                "https://pbs.twimg.com/media/Ab_c?format=png&name=orig",
            ),
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
        assert_eq!(picture("https://example.org/page"), unknown("example.org"));
        assert_eq!(picture("https://notimgur.com/x"), unknown("notimgur.com"));
        assert_eq!(picture("https://www.reddit.com/r/x/comments/1"), unknown("www.reddit.com"));
        for wrapped in ["file%3A%2F%2F%2Fetc%2Fx.jpg", "x%3A%2F%2Fi.redd.it%2Fa.jpg"] {
            let page = format!("https://www.reddit.com/media?url={wrapped}");
            assert_eq!(picture(&page), unknown("www.reddit.com"), "{wrapped}");
        }
    }
}
