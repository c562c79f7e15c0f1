//! When the site's own, smaller copy of a picture is taken in its place.

use super::{
    FetchError,
    bring::{Brought, Had},
};
use crate::{
    domain::{
        link::{MediaUrl, Trouble},
        outcome::Reject,
    },
    engine::Transient,
};

/// Hosts whose pictures are the site's own: what is gone there was taken away on purpose, and its
/// copy is no less gone.
const OWN_HOSTS: [&str; 3] = ["i.redd.it", "preview.redd.it", "external-preview.redd.it"];

/// Tells whether what became of the original calls for its copy.
pub(super) fn is_called_for(
    url: &MediaUrl,
    brought: &Result<Result<Brought, Reject>, FetchError>,
    had: &Had,
) -> bool {
    match brought {
        Ok(Ok(_)) => false,
        Ok(Err(reject)) => is_lost(url, reject),
        // A host may be away for an hour; one that was away in an earlier run as well is dead.
        Err(error) => is_away(error.trouble()) && was_away(had),
    }
}

fn is_lost(url: &MediaUrl, reject: &Reject) -> bool {
    // A signature that ran out is the one thing that a copy with another signature heals.
    let is_shut_out = matches!(reject, Reject::Refused { status: 401 | 403 });
    let is_gone = matches!(
        reject,
        Reject::Gone { .. }
            | Reject::Refused { .. }
            | Reject::Placeholder
            | Reject::Redirected { .. }
            | Reject::NotAnImage { .. }
    );
    if is_own(url) { is_shut_out } else { is_gone }
}

fn is_own(url: &MediaUrl) -> bool {
    let address = url.0.split_once("://").map_or("", |(_, address)| address);
    let host = address.split(['/', '?', '#']).next().unwrap_or_default();
    OWN_HOSTS.contains(&host)
}

fn is_away(trouble: Option<Trouble>) -> bool {
    match trouble {
        Some(Trouble::Connection | Trouble::HostDown) => true,
        Some(Trouble::Throttled | Trouble::Truncated | Trouble::Stalled | Trouble::ServerError)
        | None => false,
    }
}

fn was_away(had: &Had) -> bool {
    match had {
        Had::Failure(failure) => is_away(failure.trouble),
        Had::Nothing | Had::Picture(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_lost_at(url: &str, reject: &Reject) -> bool {
        is_lost(&MediaUrl(url.to_owned()), reject)
    }

    #[test]
    fn what_its_own_site_took_away_is_not_brought_back() {
        let gone = Reject::Gone { status: 404 };
        let expired = Reject::Refused { status: 403 };
        let own = ["https://i.redd.it/a.jpg", "demo+https://preview.redd.it/a.jpg?s=1"];

        assert_eq!(own.map(|url| is_lost_at(url, &gone)), [false; 2]);
        assert_eq!(own.map(|url| is_lost_at(url, &expired)), [true; 2]);
        assert!(is_lost_at("https://i.imgur.com/a.jpg", &gone));
    }

    #[test]
    fn who_opted_out_is_not_asked_elsewhere() {
        assert!(!is_lost_at("https://i.imgur.com/a.jpg", &Reject::OptedOut));
        assert!(!is_lost_at("https://i.imgur.com/a.jpg", &Reject::TooLarge { limit_bytes: 1 }));
    }
}
