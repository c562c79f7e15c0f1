//! Who is let in, and what comes out.

use super::*;
use crate::{
    domain::picture::FileFormat,
    pixels::{Picture, decode, encode},
};

#[tokio::test]
async fn without_the_token_nothing_is_told_and_nothing_done() {
    let page = Bench::new(&["a"]).serve().await;
    let headers = "content-type: application/json\r\n";
    let body = json!({ "name": "1", "said": [{ "picture": blob("a"), "decision": "keep" }] });
    let wrong = page.path.replace("/t/", "/t/0");
    for line in [
        "GET /".to_owned(),
        "GET /t/".to_owned(),
        format!("GET {wrong}"),
        format!("GET {wrong}api/desk"),
        format!("GET {wrong}small/{}", blob("a")),
        format!("POST {wrong}api/decide/audit?edition=0&lines=0"),
        "POST /api/decide/audit".to_owned(),
    ] {
        let (status, _, body) = page.ask(&line, headers, body.to_string().as_bytes()).await;
        assert_eq!(status, 403, "{line}");
        assert!(!String::from_utf8_lossy(&body).contains("Title"), "{line}");
    }
    assert_eq!(page.bench.lines(), []);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_act_even_with_the_token() {
    let page = Bench::new(&["a"]).serve().await;
    let body = json!({ "name": "1", "said": [{ "picture": blob("a"), "decision": "keep" }] });
    let line = format!("POST {}api/decide/audit?edition=0&lines=0", page.path);
    for headers in [
        "content-type: text/plain\r\n",
        "",
        "content-type: application/json\r\norigin: https://evil.example\r\n",
        "content-type: application/json\r\norigin: null\r\n",
        "content-type: application/json\r\nsec-fetch-site: cross-site\r\n",
    ] {
        let (status, head, _) = page.ask(&line, headers, body.to_string().as_bytes()).await;
        assert_eq!(status, 403, "{headers}");
        assert!(!head.contains("access-control"), "{head}");
    }
    assert_eq!(page.bench.lines(), []);
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere() {
    let page = Bench::new(&["a"]).serve().await;
    let (status, head, body) = page.ask(&format!("GET {}", page.path), "", b"").await;
    let body = String::from_utf8(body).unwrap();
    assert_eq!(status, 200);
    assert!(
        head.contains("content-security-policy: default-src 'none'; script-src 'self';"),
        "{head}"
    );
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert!(!body.contains("http:") && !body.contains("https:"), "{body}");
    for part in body.split('"').filter(|it| it.starts_with("page/")) {
        let (status, head, _) = page.ask(&format!("GET {}{part}", page.path), "", b"").await;
        assert_eq!(status, 200, "{part}");
        assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    }
}

#[tokio::test]
async fn a_picture_comes_small_and_encoded_anew_and_a_file_that_is_none_does_not_come() {
    let drawn = Picture::from_fn(1600, 800, |x, y| {
        [x, y, x + y].map(|level| u8::try_from(level % 256).unwrap()).into()
    });
    let bench = Bench::new(&["a"]);
    let layout = bench.layout();
    let bytes = encode::encode(&drawn, FileFormat::Png, 90);
    files::write_atomic(&layout.blob(&blob("a")), &bytes).unwrap();
    bench.post("script", "cat");
    files::write_atomic(&layout.blob(&blob("script")), b"<script>alert(1)</script>").unwrap();
    bench.post("gone", "cat");
    let page = bench.serve().await;
    let ask = async |size: &str, name: &str| {
        page.ask(&format!("GET {}{size}/{}", page.path, blob(name)), "", b"").await
    };

    for (size, expected) in [("small", (320, 160)), ("large", (1024, 512))] {
        let (status, head, body) = ask(size, "a").await;
        assert_eq!(status, 200);
        assert!(head.contains("content-type: image/jpeg"), "{head}");
        assert!(head.contains("immutable"), "{head}");
        let shown = decode::decode(&body, decode::Limits::default()).unwrap();
        assert_eq!(shown.picture.dimensions(), expected);
    }
    for name in ["script", "gone", "never heard of"] {
        let (status, head, _) = ask("small", name).await;
        assert_eq!(status, 404, "{name}");
        assert!(!head.contains("immutable"), "{head}");
    }
}
