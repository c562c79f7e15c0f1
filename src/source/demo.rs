//! stub
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};
#[derive(Default)]
pub struct SiteOptions {
    pub log: Option<PathBuf>,
    pub stall_ms: u64,
    pub posts: BTreeMap<String, usize>,
    pub credentials: Option<(String, String)>,
}
pub struct Site {
    pub addr: SocketAddr,
    pub root_pem: String,
}
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct DemoError;
impl Site {
    pub async fn start(_o: SiteOptions) -> Result<Site, DemoError> {
        Err(DemoError)
    }
}
pub fn classes() -> &'static [&'static str] {
    &["beetles", "fish"]
}
pub fn planted(_s: &str, _p: usize) -> crate::domain::planted::Planted {
    Default::default()
}
