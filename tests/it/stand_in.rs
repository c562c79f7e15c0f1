//! The demo site behind a proxy: to the unmodified binary it is every host there is.

use std::{net::SocketAddr, process::Output};

use snapset::source::demo::{Site, SiteOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::support::{Bench, Ended, put};

pub(crate) const ID_AND_SECRET: &[(&str, &str)] =
    &[("REDDIT_CLIENT_ID", "id"), ("REDDIT_CLIENT_SECRET", "open-sesame-4711")];

/// A stand-in for all hosts, and a proxy that leads to it.
pub(crate) struct StandIn {
    site: Site,
    proxy: SocketAddr,
    _tunnels: tokio::task::JoinSet<()>,
}

impl StandIn {
    pub(crate) async fn start(
        log: std::path::PathBuf,
        credentials: Option<(String, String)>,
    ) -> Self {
        let posts = [("beetles", 40), ("fish", 40)].map(|(name, n)| (name.to_owned(), n));
        let options = SiteOptions {
            log: Some(log),
            stall_ms: 60_000,
            posts: posts.into(),
            credentials,
            ..SiteOptions::default()
        };
        let site = Site::start(options).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let (target, mut tunnels) = (site.addr, tokio::task::JoinSet::new());
        tunnels.spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                open.spawn(tunnel(client, target));
            }
        });
        Self { site, proxy, _tunnels: tunnels }
    }

    /// Runs the binary with the proxy and the certificate in its environment.
    pub(crate) async fn run(
        &self,
        bench: &Bench,
        arguments: &[&str],
        secrets: &[(&str, &str)],
    ) -> Ended {
        self.run_trusting(self, bench, arguments, secrets).await
    }

    /// Runs the binary with the certificate of another stand-in.
    pub(crate) async fn run_trusting(
        &self,
        trusted: &Self,
        bench: &Bench,
        arguments: &[&str],
        secrets: &[(&str, &str)],
    ) -> Ended {
        put(&bench.path("root.pem"), trusted.site.root_pem.as_bytes());
        let mut command = bench.command(arguments);
        command
            .env("HTTPS_PROXY", format!("http://{}", self.proxy))
            .env("SSL_CERT_FILE", bench.path("root.pem"))
            .envs(secrets.iter().copied());
        let output: Output =
            tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        Ended(output)
    }
}

/// Serves one `CONNECT`: whatever host is asked for, the tunnel leads to `target`.
async fn tunnel(mut client: TcpStream, target: SocketAddr) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) if head.len() < 8192 => head.push(byte),
            Ok(_) | Err(_) => return,
        }
    }
    if !head.starts_with(b"CONNECT ") {
        return;
    }
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let mut server = TcpStream::connect(target).await.unwrap();
    drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
}
