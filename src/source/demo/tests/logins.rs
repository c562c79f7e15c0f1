//! Logins of all kinds, tokens that end, and the allowance.

use super::*;

const LOGIN: &str = "https://www.reddit.com/api/v1/access_token";
const INSTALLED: &str = "https://oauth.reddit.com/grants/installed_client";

impl Visit {
    /// Logs in as `id` with a secret and returns the status and what was said.
    async fn login(&self, secret: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let request = self.client.post(LOGIN).form(form).basic_auth("id", Some(secret));
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        (status, serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap())
    }

    async fn statuses<const N: usize>(&self, paths: [&str; N]) -> [u16; N] {
        let mut statuses = [0; N];
        for (status, path) in statuses.iter_mut().zip(paths) {
            *status = self.api(path).await.status().as_u16();
        }
        statuses
    }
}

async fn with_tokens(tokens: TokenRules) -> Visit {
    Visit::of(SiteOptions { tokens, ..SiteOptions::default() }).await
}

#[tokio::test]
async fn a_wrong_password_gets_an_error_in_a_good_answer() {
    let visit = Visit::begin().await;
    let form = [("grant_type", "password"), ("username", "u"), ("password", "wrong")];

    let answer = visit.login("secret", &form).await;

    assert_eq!(answer, (200, serde_json::json!({ "error": "invalid_grant" })));
}

#[tokio::test]
async fn a_program_without_a_secret_must_name_its_device() {
    let credentials = Some(("id".to_owned(), "secret".to_owned()));
    let visit = Visit::of(SiteOptions { credentials, ..SiteOptions::default() }).await;
    let devices = ["DO_NOT_TRACK_THIS_DEVICE", "0123456789abcdef0123", "short", ""];
    let mut statuses = Vec::new();

    for device in devices {
        let form = [("grant_type", INSTALLED), ("device_id", device)];
        statuses.push(visit.login("", &form).await.0);
    }
    statuses.push(visit.login("", &[("grant_type", "client_credentials")]).await.0);

    assert_eq!(statuses, [200, 200, 400, 400, 401]);
}

#[tokio::test]
async fn a_refresh_token_gives_tokens_until_it_is_revoked() {
    let visit = Visit::begin().await;
    let refresh = |token| [("grant_type", "refresh_token"), ("refresh_token", token)];

    let good = visit.login("secret", &refresh("abc")).await;
    let revoked = visit.login("secret", &refresh("revoked")).await;

    assert_eq!(
        (good.0, &good.1["refresh_token"], &good.1["expires_in"]),
        (200, &Value::from("abc"), &Value::from(86_400))
    );
    assert_eq!(revoked.0, 400);
}

#[tokio::test]
async fn flairs_are_told_to_users_and_not_to_programs_alone() {
    let mut visit = Visit::begin().await;
    let refused = visit.api("/r/fish/api/link_flair_v2").await.status();
    let form = [("grant_type", "password"), ("username", "u"), ("password", "right")];
    let (_, token) = visit.login("secret", &form).await;
    token["access_token"].as_str().unwrap().clone_into(&mut visit.token);

    let flairs = visit.json("/r/fish/api/link_flair_v2").await;

    let texts: Vec<&str> =
        flairs.as_array().unwrap().iter().map(|flair| flair["text"].as_str().unwrap()).collect();
    assert_eq!(refused, StatusCode::FORBIDDEN);
    assert_eq!(texts, ["Identification", "OC", "Photo", "Question"]);
}

#[tokio::test]
async fn a_token_ends_after_its_requests() {
    let visit = with_tokens(TokenRules { requests: Some(2), ..TokenRules::default() }).await;

    let statuses = visit.statuses(["/r/fish/new"; 4]).await;

    assert_eq!(statuses, [200, 200, 401, 401]);
}

#[tokio::test]
async fn a_token_ends_after_its_time_and_may_not_tell_it() {
    let lifetime = Some(Duration::ZERO);
    let announced = Announced::Nothing;
    let visit = with_tokens(TokenRules { lifetime, announced, ..TokenRules::default() }).await;

    let (_, token) = visit.login("secret", &[("grant_type", "client_credentials")]).await;

    assert_eq!(token.get("expires_in"), None);
    assert_eq!(visit.statuses(["/r/fish/new"]).await, [401]);
}

#[tokio::test]
async fn logins_can_be_in_trouble_themselves() {
    let refusing = TokenRules { trouble: LoginTrouble::InvalidGrant, ..TokenRules::default() };
    let dead = TokenRules { trouble: LoginTrouble::DeadTokens, ..TokenRules::default() };
    let form = [("grant_type", "client_credentials")];

    let refused = with_tokens(refusing).await.login("secret", &form).await;
    let visit = with_tokens(dead).await;
    let given = visit.login("secret", &form).await;

    assert_eq!(refused, (200, serde_json::json!({ "error": "invalid_grant" })));
    assert_eq!((given.0, visit.statuses(["/r/fish/new"]).await), (200, [401]));
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_to_wait_as_the_site_was_told() {
    let mut told = Vec::new();
    for refusal in [Refusal::RetryAfter, Refusal::Reset, Refusal::Nothing] {
        let window = Duration::from_secs(500);
        let allowance = Allowance { requests: 2, window, elapsed: Duration::ZERO, refusal };
        let visit = Visit::of(SiteOptions { allowance, ..SiteOptions::default() }).await;
        assert_eq!(visit.statuses(["/r/fish/new"; 2]).await, [200; 2]);
        let reply = visit.api("/r/fish/new").await;
        let header = |name| reply.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        let names = ["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset"];
        told.push((reply.status().as_u16(), names.map(header)));
    }

    let [wait, none, reset] = [Some("500"), Some("0.0"), Some("500")];
    let expected = [[wait, none, reset], [None, none, reset], [None; 3]];
    assert_eq!(told, expected.map(|told| (429, told.map(|text| text.map(str::to_owned)))));
}

#[tokio::test]
async fn only_the_given_credentials_get_a_token() {
    let credentials = Some(("id".to_owned(), "secret".to_owned()));
    let visit = Visit::of(SiteOptions { credentials, ..SiteOptions::default() }).await;
    let form = [("grant_type", "client_credentials")];

    let statuses = [visit.login("secret", &form).await.0, visit.login("other", &form).await.0];

    assert_eq!(statuses, [200, 401]);
}
