//! Certificates that are not accepted: never tried again, with the cause and a hint that fits.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use itch_tests::{Folder, RunResult};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A certificate for names, as PEM, and a server that shows it and answers each request with a validation.
struct TlsServer {
    certificate: String,
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl TlsServer {
    fn start(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> TlsServer {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        // It fails only if another test has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok_and(|read| read > 0) {
                    let body = r#"{"status":401,"message":"seen"}"#;
                    let head = format!("HTTP/1.1 401 X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all(format!("{head}{body}").as_bytes());
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        TlsServer {
            certificate: made.pem(),
            port,
            connections,
        }
    }

    /// Runs a report against it that trusts a certificate.
    fn run(&self, trusted: &str) -> RunResult {
        let base = format!("https://127.0.0.1:{}", self.port);
        let folder = Folder::new()
            .variable("TWITCH_HELIX_URL", format!("{base}/helix"))
            .variable("TWITCH_OAUTH2_URL", format!("{base}/oauth2"))
            .variable("TWITCH_TOKEN", "s3cr3tt0k3n");
        folder.write("trusted.pem", trusted);
        let trusted = folder.path("trusted.pem");
        let folder = folder.variable("SSL_CERT_FILE", trusted);
        folder.itch(&["created", "burkeblack"])
    }
}

#[test]
fn an_unknown_authority_names_the_variable_that_helps() {
    let server = TlsServer::start(&["127.0.0.1"], |_| {});
    let named = |params: &mut CertificateParams| params.distinguished_name.push(DnType::CommonName, "another");
    let other = TlsServer::start(&["127.0.0.1"], named);
    let ran = server.run(&other.certificate);
    ran.exits(6)
        .says(&format!(
            "error: the oauth service could not be reached: the certificate of 127.0.0.1:{} is not from an authority \
             that this machine trusts\n",
            server.port
        ))
        .says("caused by: invalid peer certificate: UnknownIssuer\n")
        .says("hint: if your network or proxy has a certificate authority of its own, set `SSL_CERT_FILE` to a file");
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    // The hint is right.
    server.run(&server.certificate).exits(4).says("caused by: seen");
}

#[test]
fn a_certificate_that_has_expired_or_is_for_another_host_is_said_so() {
    let expired = TlsServer::start(&["127.0.0.1"], |params| params.not_after = date_time_ymd(2020, 1, 1));
    let early = TlsServer::start(&["127.0.0.1"], |params| params.not_before = date_time_ymd(4000, 1, 1));
    let other = TlsServer::start(&["twitch.invalid"], |_| {});
    for (server, what, hint) in [
        (expired, "has expired", "check the clock of this machine"),
        (early, "is not valid yet", "check the clock of this machine"),
        (other, "is for another host", "check the base URL"),
    ] {
        let ran = server.run(&server.certificate);
        ran.exits(6)
            .says(&format!("127.0.0.1:{} {what}\n", server.port))
            .says(&format!("hint: {hint}"));
        assert_eq!(server.connections.load(Ordering::SeqCst), 1, "{what}");
    }
}

#[test]
fn a_file_without_certificates_is_named() {
    let server = TlsServer::start(&["127.0.0.1"], |_| {});
    server
        .run("")
        .exits(1)
        .says("check that the file in `SSL_CERT_FILE` has some");
}
