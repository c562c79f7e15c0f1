//! What a single answer can have wrong with it.

use super::{
    server::{announced, bare, chunked, picture, status, with},
    *,
};

const ADDRESS: &str = "i.imgur.com/a.jpg";

fn say(bytes: Vec<u8>) -> Vec<Act> {
    vec![Act::Say(bytes)]
}

fn redirect(to: &str) -> Act {
    Act::Say(bare("302 Found", &format!("location: {to}")))
}

#[tokio::test]
async fn a_web_page_that_says_it_is_a_picture_is_none() {
    let page = b"<!DOCTYPE html><html><title>whoa there, pardner!</title></html>";

    let reject = Bench::reject_of(ADDRESS, say(picture(page))).await;

    assert_eq!(reject, Reject::NotAnImage { found: "web page".to_owned() });
}

#[tokio::test]
async fn the_bytes_say_what_a_picture_is_and_not_its_name() {
    let avif = b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf".to_vec();
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec();
    let webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0"
        .to_vec();
    for bytes in [png(1), webp, avif, heic] {
        let download = Bench::download_of(ADDRESS, say(picture(&bytes))).await;

        assert_eq!(download.blob, BlobId::of(&bytes));
    }
}

#[tokio::test]
async fn an_empty_answer_is_an_empty_file() {
    assert_eq!(Bench::reject_of(ADDRESS, say(picture(b""))).await, Reject::Empty);
}

#[tokio::test]
async fn a_body_that_ends_early_is_asked_for_again_and_never_kept_in_part() {
    let whole = jpeg(1);
    let half = &whole[..whole.len() / 2];
    let length = u64::try_from(whole.len()).unwrap();
    for cut in [announced(length, half), chunked(half)] {
        let healed = vec![Act::Cut(cut.clone()), Act::Say(picture(&whole))];
        let download = Bench::download_of(ADDRESS, healed).await;
        let failure = Bench::failure_of(ADDRESS, vec![Act::Cut(cut)]).await;

        assert_eq!(download.blob, BlobId::of(&whole));
        assert_eq!(download.troubles, BTreeSet::from([Trouble::Truncated]));
        let end = (failure.trouble, failure.attempts, failure.transient);
        assert_eq!(end, (Some(Trouble::Truncated), 2, true));
    }
}

#[tokio::test]
async fn a_drip_and_a_silence_end_with_our_patience() {
    let start = Instant::now();
    let drip = Bench::failure_of(ADDRESS, vec![Act::Drip(announced(5000, b""))]).await;
    let silence = Bench::failure_of(ADDRESS, vec![Act::Silence]).await;
    let lull =
        Bench::failure_of(ADDRESS, vec![Act::Say(announced(5000, b"\xFF\xD8\xFF")), Act::Silence])
            .await;

    let troubles = [drip, silence, lull].map(|failure| failure.trouble);
    assert_eq!(troubles, [Some(Trouble::Stalled); 3]);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_endless_body_is_left_at_the_limit() {
    let front = chunked(b"\xFF\xD8\xFF");

    let reject = Bench::reject_of(ADDRESS, vec![Act::Pour(front)]).await;

    assert_eq!(reject, Reject::TooLarge { limit_bytes: BYTES_MAX });
}

#[tokio::test]
async fn ten_announced_gigabytes_are_not_even_begun() {
    let bench = Bench::new([(ADDRESS, vec![Act::Say(announced(10_000_000_000, b"\xFF\xD8"))])]);
    let bench = bench.await;
    bench.show(&[ADDRESS]);

    bench.run().await;

    let limit_bytes = BYTES_MAX;
    assert_eq!(bench.outcome(ADDRESS), Outcome::Rejected(Reject::TooLarge { limit_bytes }));
    assert_eq!(bench.access.statistics().total().received_bytes, 0);
}

#[tokio::test]
async fn redirects_are_followed_five_times_and_never_in_a_circle() {
    let hop = |n: usize| format!("good.test/{n}.jpg");
    let chain = |length: usize| async move {
        let names: Vec<String> = (0..=length).map(hop).collect();
        let mut plan: Vec<(&str, Vec<Act>)> = Vec::new();
        for (n, name) in names.iter().enumerate() {
            let next = redirect(&format!("/{}.jpg", n + 1));
            let act = if n == length { Act::Say(picture(&jpeg(1))) } else { next };
            plan.push((name, vec![act]));
        }
        let bench = Bench::new(plan).await;
        bench.show(&[&names[0]]);
        bench.run().await;
        bench.outcome(&names[0])
    };
    let circle = Bench::reject_of("good.test/a.jpg", vec![redirect("a.jpg")]).await;

    let (five, six) = (chain(5).await, chain(6).await);

    let Outcome::Made(five) = five else { panic!("{five:?}") };
    assert_eq!(five.final_url, "https://good.test/5.jpg");
    let to = "https://good.test/6.jpg".to_owned();
    assert_eq!(six, Outcome::Rejected(Reject::Redirected { to }));
    assert_eq!(circle, Reject::Redirected { to: "https://good.test/a.jpg".to_owned() });
}

#[tokio::test]
async fn a_redirect_never_leads_into_a_private_network_or_away_from_the_web() {
    let doors = [
        "http://127.0.0.1/secret",
        "http://127.0.0.1:8080/secret",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/x.jpg",
        "http://[::1]/x.jpg",
        "http://localhost/x.jpg",
        "file:///etc/passwd",
        "ftp://good.test/x.jpg",
    ];
    for door in doors {
        let reject = Bench::reject_of(ADDRESS, vec![redirect(door)]).await;

        assert_eq!(reject, Reject::Redirected { to: door.to_owned() });
    }
}

#[tokio::test]
async fn a_host_of_ones_own_network_is_asked_when_a_person_listed_it() {
    let bench = Bench::new([]).await;
    let listed = format!("127.0.0.1:{}/a.jpg", bench.server.address.port());
    let bench = Bench::new([]).await;
    let own = format!("127.0.0.1:{}/a.jpg", bench.server.address.port());
    bench.show(&[&own, &listed]);

    bench.run().await;

    // The server has no such picture, but it was asked; the other one's port is not listed.
    assert_eq!(bench.outcome(&own), Outcome::Rejected(Reject::Gone { status: 404 }));
    let refused = Reject::BadAddress { url: url(&listed).0 };
    assert_eq!(bench.outcome(&listed), Outcome::Rejected(refused));
}

#[tokio::test]
async fn the_sign_of_a_removed_picture_is_no_picture() {
    let plan = [
        (ADDRESS, vec![redirect("https://i.imgur.com/removed.png")]),
        ("i.imgur.com/removed.png", say(picture(&png(1)))),
    ];
    let bench = Bench::new(plan).await;
    bench.show(&[ADDRESS]);

    bench.run().await;

    assert_eq!(bench.outcome(ADDRESS), Outcome::Rejected(Reject::Placeholder));
}

#[tokio::test]
async fn what_is_gone_is_asked_for_once() {
    for (line, code) in [("404 Not Found", 404), ("410 Gone", 410), ("451 Unavailable", 451)] {
        let bench = Bench::new([(ADDRESS, say(status(line)))]).await;
        bench.show(&[ADDRESS]);

        bench.run().await;
        bench.run().await;

        assert_eq!(bench.outcome(ADDRESS), Outcome::Rejected(Reject::Gone { status: code }));
        assert_eq!(bench.server.times(ADDRESS), 1);
    }
}

#[tokio::test]
async fn an_expired_signature_is_a_refusal_and_a_part_is_no_picture() {
    let expired = Bench::reject_of("preview.redd.it/a.jpg?s=1", say(status("403 Forbidden"))).await;
    let part = Bench::reject_of(ADDRESS, say(bare("206 Partial Content", "x: y"))).await;

    let refused = |status| Reject::Refused { status };
    assert_eq!([expired, part], [refused(403), refused(206)]);
}

#[tokio::test]
async fn a_host_that_opts_out_of_ai_is_respected_whichever_header_says_so() {
    let tags = |tags: &[&str]| {
        let lines: Vec<String> =
            tags.iter().map(|tag| format!("x-robots-tag: {tag}\r\n")).collect();
        say(with(&lines.concat(), &jpeg(1)))
    };

    let second = Bench::reject_of(ADDRESS, tags(&["noindex", "NoAI"])).await;
    let ours = Bench::reject_of(ADDRESS, tags(&["otherbot: none", "snapset: noimageai"])).await;
    let others = Bench::download_of(ADDRESS, tags(&["otherbot: noai", "noindex"])).await;

    assert_eq!([second, ours], [Reject::OptedOut, Reject::OptedOut]);
    assert_eq!(others.blob, BlobId::of(&jpeg(1)));
}

#[tokio::test]
async fn a_film_is_no_picture_and_an_animation_is_kept_as_it_came() {
    let film = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41";
    let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    let palette = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff";
    let animation = [&palette[..], frame, frame, b"\x3b"].concat();

    let film = Bench::reject_of(ADDRESS, say(picture(film))).await;
    let animation_kept = Bench::download_of(ADDRESS, say(picture(&animation))).await;

    assert_eq!(film, Reject::NotAnImage { found: "video".to_owned() });
    assert_eq!(animation_kept.blob, BlobId::of(&animation));
}

#[tokio::test]
async fn an_unwell_host_is_asked_again_and_a_refusal_is_not() {
    let unwell = vec![Act::Say(status("503 Service Unavailable")), Act::Say(picture(&jpeg(1)))];
    let healed = Bench::download_of(ADDRESS, unwell).await;
    let failure = Bench::failure_of(ADDRESS, say(status("500 Internal Server Error"))).await;

    assert_eq!(healed.troubles, BTreeSet::from([Trouble::ServerError]));
    assert_eq!((failure.trouble, failure.attempts), (Some(Trouble::ServerError), 2));
}
