//! The pictures hosts show in place of a removed one, a row per sign.

use url::Url;

/// What gives a sign away.
enum Sign {
    /// Removed pictures lead to one page: its host, or a host below it, and how the last part of
    /// the path begins.
    Page { host: &'static str, name: &'static str },
    /// The sign is also served under the picture's own address: a PNG of as many bytes and as
    /// many pixels.
    Png { size_bytes: usize, width_px: u32, height_px: u32 },
}

const SIGNS: &[Sign] = &[
    Sign::Page { host: "imgur.com", name: "removed.png" },
    Sign::Png { size_bytes: 503, width_px: 161, height_px: 81 }, // Imgur's.
    // Flickr's, from each of the hosts it has been served by.
    Sign::Page { host: "staticflickr.com", name: "photo_unavailable" },
    Sign::Page { host: "yimg.com", name: "photo_unavailable" },
];

/// Tells whether bytes are a host's sign for "removed".
pub(super) fn is_placeholder(final_url: &Url, bytes: &[u8]) -> bool {
    SIGNS.iter().any(|sign| match *sign {
        Sign::Page { host, name } => {
            let found = final_url.host_str().unwrap_or_default();
            let is_host = found
                .strip_suffix(host)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'));
            let last = final_url.path().rsplit('/').next().unwrap_or_default();
            is_host && last.starts_with(name)
        }
        Sign::Png { size_bytes, width_px, height_px } => {
            bytes.len() == size_bytes
                && bytes.starts_with(b"\x89PNG\r\n\x1a\n")
                && bytes.get(16..20) == Some(&width_px.to_be_bytes())
                && bytes.get(20..24) == Some(&height_px.to_be_bytes())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_known_by_where_it_came_from() {
        let is_sign = |text: &str| is_placeholder(&Url::parse(text).unwrap(), b"");
        let signs = [
            "https://i.imgur.com/removed.png",
            "https://imgur.com/removed.png",
            "https://s.yimg.com/pw/images/en-us/photo_unavailable.png",
            "https://combo.staticflickr.com/pw/images/photo_unavailable_l.png",
        ];
        let others = [
            "https://i.imgur.com/abc.png",
            "https://notimgur.com/removed.png",
            "https://live.staticflickr.com/1/2_3.jpg",
        ];

        assert_eq!(signs.map(is_sign), [true; 4]);
        assert_eq!(others.map(is_sign), [false; 3]);
    }

    #[test]
    fn a_sign_is_known_by_its_looks() {
        let url = Url::parse("https://i.imgur.com/abc.png").unwrap();
        let mut sign = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\xa1\0\0\0\x51".to_vec();
        sign.resize(503, 0);

        assert!(is_placeholder(&url, &sign));
        assert!(!is_placeholder(&url, &sign[..502]));
    }
}
