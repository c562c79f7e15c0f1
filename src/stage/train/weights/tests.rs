use std::fs;

use tempfile::tempdir;

use super::*;
use crate::source::{
    access::AccessOptions,
    demo::stand::{Manner, Said, Stand, net_options},
};

const BYTES: &str = "weights of a network, or at least as many bytes as this";

fn digest(bytes: &str) -> String {
    hex(&Sha256::digest(bytes))
}

fn remote(name: &str) -> Remote {
    let url = format!("https://www.reddit.com/weights/{name}");
    match Origin::of(Path::new(&url), Architecture::MobilenetV2).unwrap() {
        Origin::Web(remote) => remote,
        Origin::Here(path) => panic!("{path:?} is no address"),
    }
}

fn access(stand: &Stand) -> Access {
    let options = AccessOptions {
        net: net_options(),
        contact: None,
        demo_places: Vec::new(),
        demo_log: PathBuf::new(),
        clock: || 0,
    };
    Access::new(options).through(stand.route())
}

#[test]
fn weights_are_named_by_a_word_an_address_or_a_path() {
    let of = |text: &str, architecture| Origin::of(Path::new(text), architecture);
    let web = |text: &str| match of(text, Architecture::Resnet18) {
        Ok(Origin::Web(remote)) => (remote.url.to_string(), remote.sha256_start),
        other => panic!("{other:?}"),
    };

    let published = web(PUBLISHED_BEST);
    let named = web("https://example.com/a/net-0123abcdef.pth");
    let told = web("https://example.com/net.pth?raw=1#sha256=0123456789ABCDEF");

    let url = "https://download.pytorch.org/models/resnet18-f37072fd.pth";
    assert_eq!(published, (url.to_owned(), "f37072fd".to_owned()));
    assert_eq!(named.1, "0123abcdef");
    assert_eq!(
        told,
        ("https://example.com/net.pth?raw=1".to_owned(), "0123456789abcdef".to_owned())
    );
    let unknown = of("https://example.com/net-v2.pth", Architecture::Resnet18);
    assert!(matches!(unknown, Err(OriginError::NoDigest { .. })), "{unknown:?}");
    let none = of(PUBLISHED_BEST, Architecture::SmallCnn);
    assert!(matches!(none, Err(OriginError::NonePublished(_))), "{none:?}");
    let missing = of("no/such.pth", Architecture::Resnet18).unwrap_err().to_string();
    assert!(missing.contains("no/such.pth") && missing.contains("imagenet"), "{missing}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let here = Origin::of(file.path(), Architecture::Resnet18).unwrap();
    assert_eq!(here, Origin::Here(file.path().to_owned()));
}

#[tokio::test]
async fn a_file_is_fetched_once_and_gone_on_with_after_a_silence() {
    let stand = Stand::start(|asked| {
        Some(match asked.range.strip_prefix("bytes=").and_then(|it| it.strip_suffix('-')) {
            Some(from) => Said::new(206, &BYTES[from.parse::<usize>().unwrap()..]),
            None => Said::new(200, &BYTES[..20]).sent(Manner::Silent),
        })
    })
    .await;
    let (folder, access) = (tempdir().unwrap(), access(&stand));
    let remote = remote(&format!("net-{}.pth", &digest(BYTES)[..8]));
    let mut heard = Vec::new();
    let mut told = |done, of| heard.push((done, of));

    let path = remote.at_hand(folder.path(), &access, &mut told).await.unwrap();
    let again = remote.at_hand(folder.path(), &access, &mut told).await.unwrap();

    assert_eq!(fs::read_to_string(&path).unwrap(), BYTES);
    assert_eq!(again, path);
    let ranges: Vec<String> = stand.heard().into_iter().map(|it| it.range).collect();
    assert_eq!(ranges, ["", "bytes=20-"]);
    let whole = u64::try_from(BYTES.len()).unwrap();
    assert_eq!(heard.last(), Some(&(whole, Some(whole))));
}

#[tokio::test]
async fn a_file_that_is_another_than_announced_is_not_used() {
    let stand = Stand::start(|_| Some(Said::new(200, BYTES))).await;
    let (folder, access) = (tempdir().unwrap(), access(&stand));
    let mut told = |_, _| ();

    let other = remote("net-0000000000.pth");
    let refused = other.at_hand(folder.path(), &access, &mut told).await;
    let right = remote(&format!("net.pth#sha256={}", digest(BYTES)));
    let path = right.at_hand(folder.path(), &access, &mut told).await.unwrap();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"!").unwrap();
    let changed = right.at_hand(folder.path(), &access, &mut told).await;

    assert!(matches!(refused, Err(OriginError::OtherFile { .. })), "{refused:?}");
    assert_eq!(files::two_levels_below(folder.path()).unwrap(), [path]);
    assert!(matches!(changed, Err(OriginError::Changed { .. })), "{changed:?}");
}
