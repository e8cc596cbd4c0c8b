//! Calls to real servers, most of which behave badly.
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use parking_lot::Mutex;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use tempfile::TempDir;

use super::*;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// Long enough on a busy machine for what is not to time out.
const SOON: Limits = Limits { timeout: Duration::from_secs(30), response_bytes: 64 * 1024 };
/// For what is to time out.
const SHORT: Limits = Limits { timeout: Duration::from_millis(300), response_bytes: 64 * 1024 };

/// A server on its own port that hands every connection to a function.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start(behaviour: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", behaviour)
    }

    fn at(address: &str, behaviour: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::new(AtomicUsize::new(0)),
        };
        let connections = server.connections.clone();
        let behaviour = Arc::new(behaviour);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let behaviour = behaviour.clone();
                std::thread::spawn(move || behaviour(stream.unwrap()));
            }
        });
        server
    }

    /// Answers every request with these bytes.
    fn answering(answer: &'static [u8]) -> Self {
        Self::start(move |mut stream| {
            while request(&mut stream).is_some() {
                stream.write_all(answer).unwrap();
            }
        })
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads the head of a request and a body of a known length.
fn request(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        (stream.read(&mut byte).ok()? == 1).then(|| bytes.push(byte[0]))?;
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

/// Names that lead where the test says: one list of addresses for each time they are looked up.
struct Names(Mutex<VecDeque<Vec<IpAddr>>>);

impl Names {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|it| it.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

impl Resolve for Names {
    fn resolve(&self, _: Name) -> Resolving {
        let found = self.0.lock().pop_front().expect("looked up more often than expected");
        Box::pin(async move {
            let found = found.into_iter().map(|it| SocketAddr::new(it, 0));
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

fn config(allowed: &[&str]) -> Config {
    let outgoing_allow = allowed.iter().map(|it| it.parse().unwrap()).collect();
    Config { outgoing_allow, ..Config::default() }
}

fn local() -> Outgoing {
    Outgoing::new(&config(&["loopback"])).unwrap()
}

fn post(url: &str) -> Request<Bytes> {
    Request::post(url).header("X-Test", "1").body(Bytes::from_static(b"{}")).unwrap()
}

async fn fails(outgoing: &Outgoing, url: &str, limits: Limits) -> String {
    outgoing.send(post(url), limits).await.unwrap_err().to_string()
}

#[tokio::test]
async fn an_answer_comes_back_whole_and_connections_are_used_again() {
    let (told, requests) = mpsc::channel();
    let told = Mutex::new(told);
    let server = Server::start(move |mut stream| {
        while let Some(request) = request(&mut stream) {
            told.lock().send(request).unwrap();
            let answer =
                b"HTTP/1.1 404 Not Found\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\ngone";
            stream.write_all(answer).unwrap();
        }
    });
    let outgoing = local();
    for _ in 0..3 {
        let delivered = outgoing.send(post(&server.url()), SOON).await.unwrap();
        assert_eq!((delivered.status.as_u16(), &delivered.body[..]), (404, b"gone".as_slice()));
        assert_eq!(
            (&delivered.headers["retry-after"], delivered.is_cut),
            (&"7".parse().unwrap(), false)
        );
        assert_eq!(delivered.address, server.address);
        assert!(delivered.duration > Duration::ZERO);
    }
    assert_eq!(server.connections(), 1);
    let request = requests.recv().unwrap();
    let lines: Vec<&str> = request.split("\r\n").collect();
    assert_eq!(lines[0], "POST /hook HTTP/1.1");
    assert_eq!(lines.last(), Some(&"{}"));
    assert!(lines.contains(&"x-test: 1"), "{lines:?}");
    assert!(lines.contains(&"content-length: 2"), "{lines:?}");
}

#[tokio::test]
async fn credentials_of_an_address_become_http_basic() {
    let (told, requests) = mpsc::channel();
    let told = Mutex::new(told);
    let server = Server::start(move |mut stream| {
        while let Some(request) = request(&mut stream) {
            told.lock().send(request).unwrap();
            stream.write_all(OK).unwrap();
        }
    });
    let outgoing = local();
    let url = |credentials: &str| format!("http://{credentials}@{}/hook", server.address);
    // RFC 7617: the pair is what the user typed, not its percent-encoding.
    for (credentials, expected) in
        [("me:p%40ss%3A1", "me:p@ss:1"), ("me", "me:"), (":secret", ":secret")]
    {
        outgoing.send(post(&url(credentials)), SOON).await.unwrap();
        let request = requests.recv().unwrap();
        let header = format!("authorization: Basic {}\r\n", STANDARD.encode(expected));
        assert!(request.contains(&header), "{request}");
        assert!(request.starts_with("POST /hook HTTP/1.1\r\n") && !request.contains('@'));
    }
    let mut own = post(&url("me:secret"));
    own.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Bearer token"));
    outgoing.send(own, SOON).await.unwrap();
    let request = requests.recv().unwrap();
    assert!(request.contains("authorization: Bearer token\r\n") && !request.contains("Basic"));
}

#[tokio::test]
async fn redirects_are_answers_and_are_not_followed() {
    let target = Server::answering(OK);
    let location = target.url();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = location.clone();
        let server = Server::start(move |mut stream| {
            while request(&mut stream).is_some() {
                let head = format!(
                    "HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).unwrap();
            }
        });
        let delivered = local().send(post(&server.url()), SOON).await.unwrap();
        assert!(status.starts_with(delivered.status.as_str()));
    }
    assert_eq!(target.connections(), 0);
    local().send(post(&location), SOON).await.unwrap();
    assert_eq!(target.connections(), 1);
}

#[tokio::test]
async fn a_server_that_hangs_is_left_in_time() {
    let silent = Server::start(|_stream| std::thread::sleep(Duration::from_secs(60)));
    let in_head = Server::start(|mut stream| {
        request(&mut stream);
        while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    for server in [silent, in_head] {
        let begun = Instant::now();
        let told = fails(&local(), &server.url(), SHORT).await;
        assert_eq!(told, "timeout: no complete answer within 0.3 s");
        assert!(begun.elapsed() >= SHORT.timeout && begun.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test]
async fn once_there_is_a_head_its_status_counts() {
    let dripping = Server::start(|mut stream| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 9000\r\n\r\n").unwrap();
        while stream.write_all(b".").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let begun = Instant::now();
    let delivered = local().send(post(&dripping.url()), SHORT).await.unwrap();
    assert!(begun.elapsed() >= SHORT.timeout && begun.elapsed() < Duration::from_secs(20));
    assert_eq!((delivered.status.as_u16(), delivered.is_cut), (201, true));
    assert!(delivered.body.iter().all(|byte| *byte == b'.'));

    let hanging = Server::start(|mut stream| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n").unwrap();
        std::thread::sleep(Duration::from_secs(60));
    });
    let delivered = local().send(post(&hanging.url()), SHORT).await.unwrap();
    assert_eq!((delivered.status.as_u16(), delivered.is_cut, delivered.body.len()), (200, true, 0));

    let cases: [(&[u8], u16, &[u8]); 3] = [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 200, b"half"),
        (
            b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf-\r\n5\r\n",
            503,
            b"half-",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk", 200, b""),
    ];
    for (answer, status, body) in cases {
        let server = Server::start(move |mut stream| {
            request(&mut stream);
            stream.write_all(answer).unwrap();
        });
        let delivered = local().send(post(&server.url()), SOON).await.unwrap();
        assert_eq!((delivered.status.as_u16(), delivered.is_cut), (status, true));
        assert_eq!(delivered.body, body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_endless_answer_the_beginning_is_kept() {
    const GIBIBYTE: usize = 1 << 30;
    let heads: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n",
    ];
    for head in heads {
        let (told, written) = mpsc::channel();
        let told = Mutex::new(told);
        let server = Server::start(move |mut stream| {
            request(&mut stream);
            stream.write_all(head).unwrap();
            let mut sent = 0;
            while sent < GIBIBYTE && stream.write_all(&[b'x'; 1 << 16]).is_ok() {
                sent += 1 << 16;
            }
            told.lock().send(sent).unwrap();
        });
        let delivered = local().send(post(&server.url()), SOON).await.unwrap();
        assert_eq!((delivered.status.as_u16(), delivered.is_cut), (200, true));
        assert_eq!(delivered.body, vec![b'x'; 64 * 1024]);
        // The connection is closed: only what lay in buffers was sent.
        let sent = written.recv_timeout(Duration::from_secs(30)).unwrap();
        assert!(sent < 64 << 20, "{sent} bytes were sent");
    }
    let just = Server::start(|mut stream| {
        while request(&mut stream).is_some() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n").unwrap();
            stream.write_all(&[b'x'; 1 << 16]).unwrap();
        }
    });
    let outgoing = local();
    for _ in 0..2 {
        let delivered = outgoing.send(post(&just.url()), SOON).await.unwrap();
        assert_eq!((delivered.body.len(), delivered.is_cut), (64 * 1024, false));
        // The connection is there for the next one a moment after the end of the body.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(just.connections(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_an_answer_is_told_in_plain_words() {
    let closed = "connection closed before the answer was complete";
    let no_http = "answer is not valid HTTP";
    let cases: [(&[u8], &str); 4] = [
        (b"", closed),
        (b"HTTP/1.1 200 OK\r\nContent-Le", closed),
        (b"SSH-2.0-OpenSSH_9.9\r\n", no_http),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", no_http),
    ];
    for (answer, expected) in cases {
        let server = Server::start(move |mut stream| {
            request(&mut stream);
            stream.write_all(answer).unwrap();
        });
        let told = fails(&local(), &server.url(), SOON).await;
        assert_eq!(told, expected, "{}", String::from_utf8_lossy(answer));
    }
    let greeting = Server::start(|mut stream| {
        stream.write_all(b"220 mail.example ESMTP\r\n").unwrap();
        request(&mut stream);
    });
    assert_eq!(fails(&local(), &greeting.url(), SOON).await, no_http);
    let endless_head = Server::start(|mut stream| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
        while stream.write_all(b"X-Header: abcdefghijklmnopqrstuvwxyz\r\n").is_ok() {}
    });
    assert_eq!(fails(&local(), &endless_head.url(), SOON).await, no_http);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(fails(&local(), &format!("http://{free}/"), SOON).await, "connection refused");
    let told = fails(&local(), "http://nowhere.invalid/", SOON).await;
    assert_eq!(told, "host not found");
}

#[tokio::test]
async fn addresses_are_checked_again_when_they_are_called() {
    let server = Server::answering(OK);
    let port = server.address.port();
    let outgoing = Outgoing::new(&Config::default()).unwrap();
    for host in ["127.0.0.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "localhost"] {
        let told = fails(&outgoing, &format!("http://{host}:{port}/"), SOON).await;
        assert!(told.starts_with("address not allowed: leads from "), "{host}: {told}");
        assert!(told.contains(" to the server itself: "), "{host}: {told}");
    }
    assert_eq!(
        fails(&outgoing, "ftp://example.com/", SOON).await,
        "address not allowed: must start with https:// or http://"
    );
    assert_eq!(server.connections(), 0);
    local().send(post(&format!("http://localhost:{port}/")), SOON).await.unwrap();
    assert_eq!(server.connections(), 1);
}

/// DNS rebinding: public when it is checked, private when it is called. `127.0.0.1` stands for the
/// public here, as the only address that is allowed.
#[tokio::test]
async fn a_name_that_turns_to_another_address_is_refused() {
    const CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let answer = |mut stream: TcpStream| {
        request(&mut stream);
        stream.write_all(CLOSE).unwrap();
    };
    let public = Server::start(answer);
    let port = public.address.port();
    let private = Server::at(&format!("127.0.0.2:{port}"), answer);
    let url = format!("http://hooks.example.com:{port}/");
    let turning: &[&[&str]] = &[&["127.0.0.1"], &["127.0.0.2"]];
    let refusal = "address not allowed: leads from hooks.example.com to the server itself: use a \
                   public address, or ask the operator to allow this one";

    let outgoing = Outgoing::with_names(&config(&["127.0.0.1"]), Names::new(turning)).unwrap();
    outgoing.guard().check_url(&url, Credentials::Refused).unwrap();
    let delivered = outgoing.send(post(&url), SOON).await.unwrap();
    assert_eq!(delivered.address, public.address);
    assert_eq!(fails(&outgoing, &url, SOON).await, refusal);
    assert_eq!((public.connections(), private.connections()), (1, 0));

    // The second call does ask the name again, and goes where it leads.
    let outgoing = Outgoing::with_names(&config(&["loopback"]), Names::new(turning)).unwrap();
    outgoing.send(post(&url), SOON).await.unwrap();
    let delivered = outgoing.send(post(&url), SOON).await.unwrap();
    assert_eq!(delivered.address, private.address);

    // Of many addresses only the allowed ones are tried, each look-up is used for one connection.
    let mixed = Names::new(&[&["127.0.0.2", "::1", "10.0.0.1", "127.0.0.1"]]);
    let outgoing = Outgoing::with_names(&config(&["127.0.0.1"]), mixed).unwrap();
    let delivered = outgoing.send(post(&url), SOON).await.unwrap();
    assert_eq!(delivered.address, public.address);
    assert_eq!(private.connections(), 1);

    let names =
        Names::new(&[&["::ffff:127.0.0.2"], &["64:ff9b::7f00:2"], &["169.254.169.254"], &[]]);
    let outgoing = Outgoing::with_names(&config(&["127.0.0.1"]), names).unwrap();
    assert_eq!(fails(&outgoing, &url, SOON).await, refusal);
    assert_eq!(fails(&outgoing, &url, SOON).await, refusal);
    let told = fails(&outgoing, &url, SOON).await;
    assert!(told.contains("to the metadata service of a cloud"), "{told}");
    assert_eq!(fails(&outgoing, &url, SOON).await, "host not found");
    assert_eq!(private.connections(), 1);
}

/// A server that speaks TLS with a certificate for `name`, and the file of the authority behind it.
fn encrypted(folder: &TempDir, name: &str, has_expired: bool) -> (Server, PathBuf) {
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let file = folder.path().join(format!("{name}.pem"));
    std::fs::write(&file, issuer.pem()).unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    if has_expired {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let tls = Arc::new(tls);
    let server = Server::start(move |stream| {
        let connection = rustls::ServerConnection::new(tls.clone()).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        while request(&mut stream).is_some() {
            stream.write_all(OK).unwrap();
        }
    });
    (server, file)
}

#[tokio::test]
async fn certificates_must_be_right() {
    let folder = TempDir::new().unwrap();
    let call = async |server: &Server, file: Option<PathBuf>| {
        let config = Config { outgoing_ca_file: file, ..config(&["loopback"]) };
        let outgoing = Outgoing::with_names(&config, Names::new(&[&["127.0.0.1"]])).unwrap();
        let url = format!("https://hooks.example.com:{}/", server.address.port());
        let answered = outgoing.send(post(&url), SOON).await;
        answered.map(|it| it.status.as_u16()).map_err(|failure| failure.to_string())
    };
    let (right, authority) = encrypted(&folder, "hooks.example.com", false);
    assert_eq!(call(&right, Some(authority)).await, Ok(200));
    let unknown = "TLS: certificate is signed by an unknown authority, or its intermediate \
                   certificates are missing";
    assert_eq!(call(&right, None).await, Err(unknown.to_owned()));
    let (wrong, authority) = encrypted(&folder, "other.example.com", false);
    let told = "TLS: certificate is for another host name";
    assert_eq!(call(&wrong, Some(authority)).await, Err(told.to_owned()));
    let (expired, authority) = encrypted(&folder, "hooks.example.com", true);
    let told = "TLS: certificate has expired";
    assert_eq!(call(&expired, Some(authority)).await, Err(told.to_owned()));
    let plain = Server::start(|mut stream| stream.write_all(OK).unwrap());
    let told = call(&plain, None).await.unwrap_err();
    assert!(told.starts_with("TLS: received corrupt message"), "{told}");
}

#[tokio::test]
async fn certificates_of_no_use_are_named() {
    let folder = TempDir::new().unwrap();
    let refused = |text: &str| {
        let file = folder.path().join("authorities.pem");
        std::fs::write(&file, text).unwrap();
        let config = Config { outgoing_ca_file: Some(file), ..Config::default() };
        let error = Outgoing::new(&config).unwrap_err();
        let told = crate::kernel::error::chain(&error);
        told.rsplit_once("authorities.pem: ").unwrap().1.to_owned()
    };
    assert_eq!(refused(""), "holds no certificate");
    assert_eq!(refused("-----BEGIN CERTIFICATE-----\nAAAA"), "is not PEM");
    let told = refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert!(told.starts_with("holds a certificate of no use: "), "{told}");
}
