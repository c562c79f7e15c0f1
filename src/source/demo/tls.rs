//! The encrypted door: a certificate authority of one day, a certificate for every host, and the
//! loop that lets clients in.

use std::sync::Arc;

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Duration, sleep},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// Why the site could not get its certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("could not sign a certificate")]
    Sign(#[source] rcgen::Error),
    #[error("could not use the certificate")]
    Use(#[source] rustls::Error),
}

/// What the site shows its clients, and what they must trust to believe it.
pub(crate) struct Door {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) root_pem: String,
}

impl Door {
    /// Makes a new authority and a certificate for `hosts`.
    pub(crate) fn new(hosts: &[&str]) -> Result<Self, CertificateError> {
        let root_key = KeyPair::generate().map_err(CertificateError::Sign)?;
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        root.distinguished_name.push(DnType::CommonName, "snapset demo site");
        let root_pem = root.self_signed(&root_key).map_err(CertificateError::Sign)?.pem();
        let issuer = Issuer::new(root, root_key);

        let key = KeyPair::generate().map_err(CertificateError::Sign)?;
        let names: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut leaf = CertificateParams::new(names).map_err(CertificateError::Sign)?;
        leaf.distinguished_name.push(DnType::CommonName, "snapset demo host");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let leaf = leaf.signed_by(&key, &issuer).map_err(CertificateError::Sign)?;

        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Use)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .map_err(CertificateError::Use)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), root_pem })
    }
}

/// Lets clients in until it is dropped; its conversations end with it.
pub(in crate::source) async fn serve(listener: TcpListener, acceptor: TlsAcceptor, app: Router) {
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    conversations.spawn(converse(stream, acceptor.clone(), app.clone()));
                }
                // Too many open files, most likely: some will be closed soon.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
            Some(_) = conversations.join_next() => (),
        }
    }
}

/// Answers one client's requests, one after the other.
async fn converse(stream: TcpStream, acceptor: TlsAcceptor, app: Router) {
    // Without it small answers may wait for more; all else works the same.
    _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = TowerToHyperService::new(app);
    // A client that leaves is no news, and neither is an answer cut on purpose.
    _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
