//! The pictures hosts show in place of a removed one.

use url::Url;

/// Where removed pictures lead, by host and path.
const REMOVED_PAGES: &[(&str, &str)] =
    &[("i.imgur.com", "/removed.png"), ("imgur.com", "/removed.png")];

/// Tells whether bytes are a host's sign for "removed".
pub(super) fn is_placeholder(final_url: &Url, bytes: &[u8]) -> bool {
    let (host, path) = (final_url.host_str().unwrap_or_default(), final_url.path());
    REMOVED_PAGES.contains(&(host, path)) || is_imgur_sign(bytes)
}

/// Imgur's sign, also when it is served under the picture's own address: a PNG of 161×81 pixels
/// in 503 bytes.
fn is_imgur_sign(bytes: &[u8]) -> bool {
    bytes.len() == 503
        && bytes.starts_with(b"\x89PNG\r\n\x1a\n")
        && bytes.get(16..24) == Some(&[0, 0, 0, 161, 0, 0, 0, 81])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_is_known_by_where_it_came_from_and_by_its_looks() {
        let page = Url::parse("https://i.imgur.com/removed.png").unwrap();
        let other = Url::parse("https://i.imgur.com/abc.png").unwrap();
        let mut sign = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\xa1\0\0\0\x51".to_vec();
        sign.resize(503, 0);

        assert!(is_placeholder(&page, b""));
        assert!(is_placeholder(&other, &sign));
        assert!(!is_placeholder(&other, &sign[..502]));
    }
}
