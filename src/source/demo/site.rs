//! What all answers share: the posts, the pictures, the tokens, and who asked for what before.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{self, Body},
    extract::{Request, State},
    http::{HeaderMap, Method, Response, StatusCode, header},
};

use super::{
    SiteOptions,
    address::{self, Address, IMGUR, REDDIT, SLOW},
    catalogue::{self, Entry, Shot, Shows},
    draw::Class,
    pictures, reddit,
    reply::{Log, Reply},
};

/// The posts of a subreddit if nothing else is said.
const POSTS_USUAL: usize = 300;

/// Subreddits that only tests visit, and how many pictures each of them lists.
const SPECIAL: [&str; 4] = ["limited", "flaky", "expired", "sparse"];
const SPECIAL_POSTS: usize = 8;

const FORM_BYTES_MAX: usize = 64 * 1024;

pub(super) struct Shared {
    rows: BTreeMap<String, Vec<Entry>>,
    shots: BTreeMap<Address, Shot>,
    credentials: Option<(String, String)>,
    pub(super) stall: Duration,
    pub(super) log: Arc<Log>,
    // The conversations of all clients look into these.
    tokens: Mutex<BTreeSet<String>>,
    visits: Mutex<BTreeMap<String, u32>>,
    issued: AtomicU64,
    used: AtomicU64,
}

/// A request, taken apart.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    headers: HeaderMap,
    parameters: BTreeMap<String, String>,
    form: BTreeMap<String, String>,
}

impl Asked {
    /// Returns a header, empty if there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns a parameter of the address.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Returns a field of the form that was sent.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str)
    }
}

/// Answers any request of any host.
pub(super) async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default().split(':').next().unwrap_or_default().to_lowercase();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let line = shared.log.begin(&head.method, &host, target);
    // A form that is too long or breaks off is an empty form.
    let form = body::to_bytes(body, FORM_BYTES_MAX).await.unwrap_or_default();
    let pairs = |text: &[u8]| url::form_urlencoded::parse(text).into_owned().collect();
    let asked = Asked {
        path: head.uri.path().to_owned(),
        parameters: pairs(head.uri.query().unwrap_or_default().as_bytes()),
        form: pairs(&form),
        method: head.method,
        headers: head.headers,
    };
    dispatch(&shared, &asked, &host).await.into_response(line)
}

async fn dispatch(shared: &Shared, asked: &Asked, host: &str) -> Reply {
    match host {
        "www.reddit.com" => reddit::front(shared, asked),
        "oauth.reddit.com" => reddit::interface(shared, asked),
        "preview.redd.it" => pictures::preview(shared, asked).await,
        "i.redd.it" => pictures::answer(shared, asked, REDDIT).await,
        "i.imgur.com" => pictures::answer(shared, asked, IMGUR).await,
        "i.ibb.co" => pictures::answer(shared, asked, SLOW).await,
        _ => Reply::new(StatusCode::NOT_FOUND, "text/plain", "nobody lives here"),
    }
}

impl Shared {
    pub(super) fn new(options: &SiteOptions, log: Arc<Log>) -> Self {
        let count = |class: Class| options.posts.get(class.name()).copied().unwrap_or(POSTS_USUAL);
        let longest = Class::ALL.map(count).into_iter().max().unwrap_or_default();
        // The special subreddits borrow pictures even from an empty site.
        let [mut beetles, mut fish] = catalogue::write(longest.max(SPECIAL_POSTS * 2));
        let special = SPECIAL.map(|name| (name.to_owned(), special(name, &beetles)));
        let lent = special.iter().flat_map(|(_, row)| row).flat_map(Entry::shots);
        let mut shots: BTreeMap<Address, Shot> =
            lent.map(|shot| (shot.address.clone(), shot.clone())).collect();
        beetles.truncate(count(Class::Beetles));
        fish.truncate(count(Class::Fish));
        for shot in beetles.iter().chain(&fish).flat_map(Entry::shots) {
            shots.insert(shot.address.clone(), shot.clone());
        }
        let mut rows = BTreeMap::from(special);
        rows.insert(Class::Beetles.name().to_owned(), beetles);
        rows.insert(Class::Fish.name().to_owned(), fish);
        Self {
            rows,
            shots,
            credentials: options.credentials.clone(),
            stall: Duration::from_millis(options.stall_ms),
            log,
            tokens: Mutex::default(),
            visits: Mutex::default(),
            issued: AtomicU64::new(0),
            used: AtomicU64::new(0),
        }
    }

    /// Returns the posts of a subreddit, oldest first.
    pub(super) fn row(&self, subreddit: &str) -> Option<&[Entry]> {
        self.rows.get(subreddit).map(Vec::as_slice)
    }

    /// Finds a post by its full name.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.rows.values().flatten().find(|entry| entry.name() == name)
    }

    pub(super) fn shot(&self, address: &Address) -> Option<&Shot> {
        self.shots.get(address)
    }

    /// Counts a visit and returns how many there were before.
    pub(super) fn visit(&self, what: &str) -> u32 {
        let mut visits = self.visits.lock().expect("nobody panics while counting");
        let count = visits.entry(what.to_owned()).or_default();
        *count += 1;
        *count - 1
    }

    /// Counts a request against the client's allowance and returns how many there were.
    pub(super) fn spend_request(&self) -> u64 {
        self.used.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn issue_token(&self) -> String {
        let token = format!("demo-token-{}", self.issued.fetch_add(1, Ordering::Relaxed) + 1);
        self.tokens.lock().expect("nobody panics while looking").insert(token.clone());
        token
    }

    pub(super) fn knows_token(&self, token: &str) -> bool {
        self.tokens.lock().expect("nobody panics while looking").contains(token)
    }

    pub(super) fn revoke_token(&self, token: &str) {
        self.tokens.lock().expect("nobody panics while looking").remove(token);
    }

    /// Checks the client's name and secret; installed programs have no secret.
    pub(super) fn accepts_client(&self, header: &str, grant: &str) -> bool {
        let Some(given) = header.strip_prefix("Basic ") else { return false };
        let Some((id, secret)) = &self.credentials else { return !given.is_empty() };
        let is_installed = grant.ends_with("/installed_client");
        let expected = [Some(secret.as_str()), is_installed.then_some("")];
        let mut expected = expected.into_iter().flatten();
        expected.any(|secret| given == base_64(format!("{id}:{secret}").as_bytes()))
    }
}

/// Lists the first plain pictures of `beetles` under posts of their own.
fn special(subreddit: &str, beetles: &[Entry]) -> Vec<Entry> {
    let plain = beetles.iter().filter(|entry| match &entry.shows {
        Shows::Picture(_) => entry.plant.is_none(),
        Shows::Copy { .. }
        | Shows::Gallery { .. }
        | Shows::Crosspost { .. }
        | Shows::Video { .. }
        | Shows::Gifv { .. }
        | Shows::Removed { .. } => false,
    });
    let own = plain.take(SPECIAL_POSTS).enumerate().map(|(place, entry)| Entry {
        id: address::special_post_id(subreddit, place),
        subreddit: subreddit.to_owned(),
        ..entry.clone()
    });
    own.collect()
}

/// Writes bytes as the letters of basic authentication.
fn base_64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |n: usize| u32::from(three.get(n).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let letter = usize::try_from(bits >> (18 - 6 * n) & 63).expect("it is below 64");
            text.push(if n <= three.len() { char::from(LETTERS[letter]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_authentication_is_spelt_as_the_standard_says() {
        let spelt = ["", "f", "fo", "foo", "id:secret"].map(|text| base_64(text.as_bytes()));
        assert_eq!(spelt, ["", "Zg==", "Zm8=", "Zm9v", "aWQ6c2VjcmV0"]);
    }
}
