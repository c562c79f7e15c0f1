//! Logins that are granted, refused, run out or are taken back.

use super::{
    faults::{all_of_both, list, site},
    *,
};

/// The same site without trouble, behind a login that answers as told.
fn behind(
    login: impl Fn(&Asked) -> Said + Send + Sync + 'static,
) -> impl Fn(&Asked) -> Option<Said> + Send + Sync + 'static {
    let site = site(|_, _| None);
    move |asked| match asked.path.as_str() {
        "/api/v1/access_token" => Some(login(asked)),
        _ => site(asked),
    }
}

#[tokio::test]
async fn a_token_that_expires_between_pages_is_renewed_and_the_page_asked_again() {
    let bench = Bench::with(site(|asked, _| {
        let is_old = asked.authorization == "Bearer token-0";
        (asked.path == "/r/bad/new" && asked.parameter("after").is_some() && is_old).then(|| {
            let page = Said::new(401, "<html>unauthorized</html>");
            page.with("www-authenticate", "Bearer realm=\"reddit\", error=\"invalid_token\"")
        })
    }))
    .await;

    list(&bench, Wish::new()).await;

    assert_eq!(bench.posts(), all_of_both());
    assert_eq!(bench.stand.logins().len(), 2);
    let bookmarks: Vec<Option<String>> = bench
        .stand
        .heard()
        .iter()
        .filter(|it| it.path == "/r/bad/new")
        .map(|it| it.parameter("after").map(str::to_owned))
        .collect();
    assert_eq!(bookmarks.len(), 4);
    assert_eq!(bookmarks[1], bookmarks[2], "the same page is asked again");
}

#[tokio::test]
async fn a_second_refusal_ends_the_run_with_the_login_as_its_reason() {
    let bench = Bench::with(site(|_, _| Some(Said::new(401, "<html>no</html>")))).await;

    let ended = bench.run(&["r/bad"], Wish::new()).await;

    let RunError::Fatal { message } = ended.unwrap_err() else { panic!("a store in trouble") };
    assert!(message.contains("Reddit does not accept the credentials"), "{message}");
}

#[tokio::test]
async fn a_login_is_refused_in_an_answer_that_says_all_is_well() {
    for (status, body, word) in [
        (200, "{\"error\":\"invalid_grant\"}", "invalid_grant"),
        (200, "{\"token_type\":\"bearer\"}", "no token came"),
        (400, "{\"message\":\"Bad Request\",\"error\":400}", "the login answered 400"),
        (401, "{\"message\":\"Unauthorized\",\"error\":401}", "the login answered 401"),
    ] {
        let bench = Bench::with(behind(move |_| Said::new(status, body))).await;

        let ended = bench.run(&["r/bad"], Wish::new()).await;

        let RunError::Fatal { message } = ended.unwrap_err() else { panic!("{word}") };
        assert!(message.contains(word), "{message}");
    }
}

#[tokio::test]
async fn a_token_without_a_lifetime_is_used_as_long_as_it_is_good() {
    for lifetime in ["", ",\"expires_in\":null", ",\"expires_in\":\"soon\"", ",\"expires_in\":-1"] {
        let token = format!("{{\"access_token\":\"t\"{lifetime}}}");
        let bench = Bench::with(behind(move |_| Said::new(200, token.clone()))).await;

        list(&bench, Wish::new()).await;

        assert_eq!(bench.stand.logins().len(), 1, "{lifetime}");
    }
}

#[tokio::test]
async fn a_token_that_ran_out_by_the_clock_is_renewed_before_it_is_refused() {
    let bench = Bench::with(behind(|asked| {
        let token = format!("{{\"access_token\":\"t{}\",\"expires_in\":0.0}}", asked.before);
        Said::new(200, token)
    }))
    .await;

    bench.run(&["r/bad"], Wish::new()).await.unwrap();

    assert_eq!(bench.stand.logins().len(), 3, "one for each page");
    assert_eq!(bench.listing("r/bad").asked.failed, 0);
}

#[tokio::test]
async fn every_login_says_what_its_kind_asks_for() {
    let mut said = Vec::new();
    for grant in [
        Grant::Application,
        Grant::Installed { device: "DO_NOT_TRACK_THIS_DEVICE".to_owned() },
        Grant::Password { user: "somebody".to_owned(), password: "p&=%".to_owned() },
        Grant::Refresh { token: "r-1".to_owned() },
    ] {
        let mut bench = Bench::with(site(|_, _| None)).await;
        bench.grant = grant;
        bench.run(&["r/good"], Wish::new()).await.unwrap();
        said.extend(bench.stand.logins().into_iter().map(|it| it.form));
    }

    let form = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let installed = "https://oauth.reddit.com/grants/installed_client";
    assert_eq!(
        said,
        [
            form(&[("grant_type", "client_credentials")]),
            form(&[("grant_type", installed), ("device_id", "DO_NOT_TRACK_THIS_DEVICE")]),
            form(&[("grant_type", "password"), ("username", "somebody"), ("password", "p&=%")]),
            form(&[("grant_type", "refresh_token"), ("refresh_token", "r-1")]),
        ]
    );
}

#[tokio::test]
async fn a_login_in_trouble_is_asked_for_less_and_less_often() {
    for answer in [Said::new(503, ""), Said::new(200, "<html>oops</html>")] {
        let bench = Bench::with(behind(move |_| answer.clone())).await;
        let wish = Wish { listings: Listings::Everything, ..Wish::new() };
        let begun = std::time::Instant::now();

        let tally = bench.run(&["r/bad"], wish).await.unwrap();

        assert_eq!((tally.made, tally.failed), (0, 1));
        let failure = bench.failure("r/bad");
        assert!(failure.contains("Reddit's login is in trouble: it"), "{failure}");
        assert_eq!(bench.stand.logins().len(), 3, "one a try");
        // A second after the first, two after the second.
        assert!(Duration::from_millis(2_900) < begun.elapsed(), "{:?}", begun.elapsed());
    }
}
