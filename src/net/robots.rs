//! `X-Robots-Tag` → whether a host forbids use by AI. A directive binds everybody unless it
//! begins with the name of one robot; then it binds that robot.

/// The name by which a host may speak to this program alone.
const OUR_NAME: &str = "snapset";

/// The directives that forbid.
const FORBIDDING: [&str; 2] = ["noai", "noimageai"];

/// Directives that have a value after a colon, and are no robots.
const VALUED: [&str; 5] = [
    "unavailable_after",
    "max-snippet",
    "max-image-preview",
    "max-video-preview",
    "content-license",
];

/// Tells whether one header forbids.
pub(super) fn forbids_ai(tag: &str) -> bool {
    let mut binds_us = true;
    tag.split(',').any(|part| {
        let part = part.trim().to_ascii_lowercase();
        let directive = match part.split_once(':') {
            Some((name, rest)) if !VALUED.contains(&name.trim()) => {
                binds_us = ["*", OUR_NAME].contains(&name.trim());
                rest.trim().to_owned()
            }
            Some(_) | None => part,
        };
        binds_us && FORBIDDING.contains(&directive.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directives_against_ai_forbid() {
        let tags = ["noindex, NoAI", "noimageai", "noindex", "noairplane", "none"];
        assert_eq!(tags.map(forbids_ai), [true, true, false, false, false]);
    }

    #[test]
    fn a_directive_for_another_robot_does_not_bind_us() {
        let tags = [
            "otherbot: noai",
            "otherbot: noindex, noimageai",
            "snapset: noai",
            "*: noai",
            "otherbot: noai, Snapset: noindex, noai",
            "unavailable_after: 25 Jun 2030 15:00:00 PST, noai",
        ];
        assert_eq!(tags.map(forbids_ai), [false, false, true, true, true, true]);
    }
}
