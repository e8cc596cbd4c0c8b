//! Accepting connections and serving HTTP/1 on them.
//!
//! The server's own accept loop does what `axum::serve` does, with limits on the number of
//! connections and on slow clients, and with one addition: [`RawQueryIo`], which lets people type
//! `curl 'https://host/v1/app_offerings?created_at=>2026-01-01'` as it stands.

use std::{
    convert::Infallible,
    future::Future,
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{Router, extract::ConnectInfo};
use bytes::BytesMut;
use http::{HeaderValue, Request, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use percent_encoding::{AsciiSet, percent_encode};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpListener,
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::Service as _;

/// Longest request head, and size of the read and write buffers of a connection. The `http` crate
/// takes no longer URI than this anyway.
const MAX_HEAD: usize = 64 * 1024;

/// How long to wait after the system could not hand over a connection, usually for want of file
/// descriptors: trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a server grants to its clients.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Connections served at the same time; the next ones wait in the system's queue.
    pub connections: usize,
    /// Time to send a request's head, and how long a connection may be idle between requests.
    pub head: Duration,
    /// Time that requests in progress are given to end when the server is told to stop.
    pub drain: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { connections: 10_000, head: Duration::from_secs(30), drain: Duration::from_secs(30) }
    }
}

/// Serves the router on the listener until `shutdown` completes and the requests in progress are
/// answered, or [`ConnectionLimits::drain`] has passed.
///
/// Handlers find the client's address as [`ConnectInfo`] with a `SocketAddr`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()>,
) {
    let router = router.with_state(());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(MAX_HEAD);

    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            // Collecting a finished connection makes room for the next.
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept(), if connections.len() < limits.connections => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Answers are written whole; waiting to fill a packet would only delay their last part.
        // Fails only on a connection that is already gone, which reading from it will show.
        let _ = stream.set_nodelay(true);

        let io = RawQueryIo::new(stream);
        let rewritten = io.rewritten();
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.clone().call(request);
            let close = rewritten.is_set();
            async move {
                let mut response = answer.await?;
                if close {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(io), service));
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "connection ended early");
            }
        });
    }

    // Refuses newcomers while the last requests are answered.
    drop(listener);
    if timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(open = connections.len(), "closing connections with requests in progress");
    }
    connections.shutdown().await;
}

/// Whether accepting failed because of the one client, so that the next may be accepted at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Percent-encodes, in the first request line of a connection, the bytes that clients send raw in a
/// URL although the `http` crate refuses them: `<` and `>` above all.
///
/// Only the target of that one line is looked at, and the answer to a request that was changed must
/// end the connection (see [`RewrittenFlag`]). So where one request ends and the next begins is
/// never decided here, and there is nothing to smuggle. A line without such bytes is passed on in
/// the buffer it was read into, and from then on all reads go straight through.
///
/// What does not look like HTTP/1, or has no line end within 64 KiB, is passed on as it came.
#[derive(Debug)]
pub struct RawQueryIo<S> {
    inner: S,
    /// What has been read and not yet been passed on.
    held: BytesMut,
    /// Whether the first line has been seen to.
    is_decided: bool,
    rewritten: RewrittenFlag,
}

/// Tells whether the first request of a connection was changed before it was parsed. Such a request
/// is answered with `Connection: close`.
#[derive(Clone, Debug, Default)]
pub struct RewrittenFlag(Arc<AtomicBool>);

impl RewrittenFlag {
    /// Whether the request was changed.
    #[must_use]
    pub fn is_set(&self) -> bool {
        // Reading a request and answering it happen in one task: there is nothing to order.
        self.0.load(Ordering::Relaxed)
    }
}

impl<S> RawQueryIo<S> {
    /// Wraps a connection that nothing has been read from.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            held: BytesMut::new(),
            is_decided: false,
            rewritten: RewrittenFlag::default(),
        }
    }

    /// The flag of this connection.
    pub fn rewritten(&self) -> RewrittenFlag {
        self.rewritten.clone()
    }

    /// Passes on what is held, as far as there is room.
    fn replay(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.held.len().min(buf.remaining());
        buf.put_slice(&self.held.split_to(count));
        if self.held.is_empty() {
            // Gives the memory back: the connection may live for hours.
            self.held = BytesMut::new();
        }
    }
}

impl<S: AsyncRead + Unpin> RawQueryIo<S> {
    /// Reads until the first line is complete, and passes on what it has become.
    fn poll_first_line(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        // Goes on after a part of a line: to the caller, nothing read means the end of input.
        while buf.remaining() > 0 {
            ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
            let fresh = &buf.filled()[before..];
            let is_start = self.held.is_empty();
            let line = if is_start { without_blank_lines(fresh) } else { fresh };
            if is_start && line.is_empty() {
                // Blank lines, which parsers skip: the line is still to come. Or the end of input.
                return Poll::Ready(Ok(()));
            }
            let is_complete = line.contains(&b'\n');
            let is_end_of_input = fresh.is_empty();
            let is_too_long = self.held.len() + fresh.len() >= MAX_HEAD;
            // No method begins like this. It is TLS, for instance.
            let is_foreign = is_start && !line[0].is_ascii_alphabetic();
            self.is_decided = is_complete || is_end_of_input || is_too_long || is_foreign;

            if self.is_decided && is_start && mend(fresh).is_none() {
                return Poll::Ready(Ok(()));
            }
            self.held.extend_from_slice(fresh);
            buf.set_filled(before);
            if self.is_decided {
                if let Some(mended) = mend(&self.held) {
                    self.held = mended;
                    self.rewritten.0.store(true, Ordering::Relaxed);
                }
                self.replay(buf);
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RawQueryIo<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.is_decided {
            this.poll_first_line(cx, buf)
        } else if this.held.is_empty() {
            Pin::new(&mut this.inner).poll_read(cx, buf)
        } else {
            this.replay(buf);
            Poll::Ready(Ok(()))
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RawQueryIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// The printable bytes that the `http` crate refuses: `"`, `<` and `>` in a query, `` ` `` in a
/// path. It takes UTF-8 as it comes.
const REFUSED: &AsciiSet = &AsciiSet::EMPTY.add(b'"').add(b'<').add(b'>').add(b'`');

fn is_refused(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'`')
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn without_blank_lines(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&byte| !is_line_end(byte)).unwrap_or(bytes.len());
    &bytes[start..]
}

/// The bytes with the target of their first line percent-encoded, if they start with an HTTP/1
/// request line that needs it.
fn mend(bytes: &[u8]) -> Option<BytesMut> {
    let line = without_blank_lines(bytes);
    let start = bytes.len() - line.len();
    let line = &line[..line.iter().position(|&byte| byte == b'\n')?];
    let mut words = line.split(|&byte| byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_http_1 = matches!(version, b"HTTP/1.1\r" | b"HTTP/1.1" | b"HTTP/1.0\r" | b"HTTP/1.0");
    if !is_http_1 || words.next().is_some() || !target.iter().copied().any(is_refused) {
        return None;
    }
    let start = start + method.len() + 1;
    let mut mended = BytesMut::with_capacity(bytes.len() + 64);
    mended.extend_from_slice(&bytes[..start]);
    percent_encode(target, REFUSED).for_each(|part| mended.extend_from_slice(part.as_bytes()));
    mended.extend_from_slice(&bytes[start + target.len()..]);
    Some(mended)
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, time::Instant};

    use axum::routing::{get, post};
    use http::Uri;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        sync::{Notify, oneshot},
        task::JoinHandle,
    };

    use super::*;

    /// A server on a port of its own, which stops with the value.
    struct Server {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        served: JoinHandle<()>,
        /// `/wait` has been entered.
        entered: Arc<Notify>,
        /// `/wait` may be left.
        leave: Arc<Notify>,
    }

    impl Server {
        async fn start(limits: ConnectionLimits) -> Self {
            let (entered, leave) = <(Arc<Notify>, Arc<Notify>)>::default();
            let signals = (entered.clone(), leave.clone());
            let wait = async move || {
                signals.0.notify_one();
                signals.1.notified().await;
                "done"
            };
            let peer = async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string();
            let router = Router::new()
                .route("/echo", post(async |body: String| body))
                .route("/peer", get(peer))
                .route("/wait", get(wait))
                .fallback(async |uri: Uri| uri.to_string());
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (stop, stopped) = oneshot::channel();
            let served = tokio::spawn(serve(listener, router, limits, async {
                let _ = stopped.await;
            }));
            Self { address, stop, served, entered, leave }
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        /// All that the server answers until it closes the connection.
        async fn exchange(&self, request: &[u8]) -> String {
            let mut stream = self.connect().await;
            stream.write_all(request).await.unwrap();
            read_to_close(&mut stream).await
        }
    }

    async fn server() -> Server {
        Server::start(ConnectionLimits::default()).await
    }

    async fn read_to_close(stream: &mut TcpStream) -> String {
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        timeout(Duration::from_secs(5), read).await.expect("the server closes").unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// One answer, whose body ends with `end`, from a connection that stays open.
    async fn read_answer(stream: &mut TcpStream, end: &str) -> String {
        let mut answer = String::new();
        while !answer.contains("\r\n\r\n") || !answer.ends_with(end) {
            let mut part = [0; 1024];
            let read = timeout(Duration::from_secs(5), stream.read(&mut part));
            let count = read.await.expect("the server answers").unwrap();
            assert_ne!(count, 0, "closed after {answer:?}");
            answer.push_str(std::str::from_utf8(&part[..count]).unwrap());
        }
        answer
    }

    fn is_closing(answer: &str) -> bool {
        answer.contains("\r\nconnection: close\r\n")
    }

    #[tokio::test]
    async fn operators_typed_raw_arrive_encoded_and_the_connection_is_closed() {
        let request = b"GET /x?created_at=>2026-01-01T00:00:00Z&id=<5 HTTP/1.1\r\nHost: a\r\n\r\n";
        let answer = server().await.exchange(request).await;

        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(is_closing(&answer), "{answer}");
        let uri = "/x?created_at=%3E2026-01-01T00:00:00Z&id=%3C5";
        assert!(answer.ends_with(&format!("\r\n\r\n{uri}")), "{answer}");
    }

    #[tokio::test]
    async fn a_request_may_arrive_byte_by_byte() {
        let server = server().await;
        for line in ["GET /x?id=>5&name=a HTTP/1.1\r\n", "\r\n\nGET /x?id=>5&name=a HTTP/1.1\n"] {
            let mut stream = server.connect().await;
            stream.set_nodelay(true).unwrap();
            for byte in format!("{line}Host: a\r\n\r\n").bytes() {
                stream.write_all(&[byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
            let answer = read_to_close(&mut stream).await;
            assert!(is_closing(&answer), "{answer}");
            assert!(answer.ends_with("\r\n\r\n/x?id=%3E5&name=a"), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_clean_request_keeps_the_connection() {
        let server = server().await;
        let mut stream = server.connect().await;
        for uri in ["/x?id=%3E5&name=%C3%A9", "/y?b={2}|é"] {
            let request = format!("GET {uri} HTTP/1.1\r\nHost: a\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let answer = read_answer(&mut stream, uri).await;
            assert!(!is_closing(&answer), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_body_is_never_touched() {
        let server = server().await;
        let body = "<a href=\"x\">`GET /?<> HTTP/1.1\r\n";
        let rest = format!("HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let answer = server.exchange(format!("POST /echo?a=>1 {rest}").as_bytes()).await;
        assert!(is_closing(&answer), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer}");

        let mut stream = server.connect().await;
        stream.write_all(format!("POST /echo?a=1 {rest}").as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream, body).await;
        assert!(!is_closing(&answer), "{answer}");
    }

    #[tokio::test]
    async fn nothing_is_answered_after_a_changed_request() {
        let server = server().await;
        let second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
        let answer = server
            .exchange(format!("GET /x?a=>1 HTTP/1.1\r\nHost: a\r\n\r\n{second}").as_bytes())
            .await;
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        assert!(answer.ends_with("/x?a=%3E1"), "{answer}");

        // The same two, where the first needs no change, are both answered.
        let mut stream = server.connect().await;
        let first = "GET /x?a=%3E1 HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(format!("{first}{second}").as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream, "/second").await;
        assert_eq!(answer.matches("HTTP/1.1").count(), 2, "{answer}");
    }

    #[tokio::test]
    async fn only_the_first_line_of_a_connection_is_changed() {
        let answer = server()
            .await
            .exchange(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /x?a=>1 HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    }

    #[tokio::test]
    async fn a_slow_head_is_cut() {
        let limits = ConnectionLimits { head: Duration::from_millis(200), ..Default::default() };
        let server = Server::start(limits).await;
        for part in ["", "GET /x?a=>1", "GET /x?a=>1 HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
            let mut stream = server.connect().await;
            let started = Instant::now();
            stream.write_all(part.as_bytes()).await.unwrap();
            assert_eq!(read_to_close(&mut stream).await, "", "{part:?}");
            let elapsed = started.elapsed();
            assert!(elapsed >= Duration::from_millis(190), "{part:?}: cut after {elapsed:?}");
        }
    }

    #[tokio::test]
    async fn a_head_without_end_is_refused() {
        let server = server().await;
        for start in ["GET /?a=>", "GET / HTTP/1.1\r\nX-Long: "] {
            let mut stream = server.connect().await;
            let mut answer = Vec::new();
            let (mut reader, mut writer) = stream.split();
            let send = async {
                // Ends when the server hangs up.
                let _ = writer.write_all(start.as_bytes()).await;
                while writer.write_all(&[b'a'; 8192]).await.is_ok() {}
            };
            let read = async {
                // What is still underway when the server hangs up makes the end a reset.
                let _ = reader.read_to_end(&mut answer).await;
            };
            let both = async { tokio::join!(send, read) };
            timeout(Duration::from_secs(5), both).await.expect("the server hangs up");
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
    }

    #[tokio::test]
    async fn handlers_see_the_address_of_the_client() {
        let server = server().await;
        let mut stream = server.connect().await;
        stream.write_all(b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let address = stream.local_addr().unwrap().to_string();
        read_answer(&mut stream, &address).await;
    }

    #[tokio::test]
    async fn connections_over_the_limit_wait_for_a_place() {
        let limits = ConnectionLimits { connections: 1, ..Default::default() };
        let server = Server::start(limits).await;
        let request = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut first = server.connect().await;
        first.write_all(request).await.unwrap();
        read_answer(&mut first, "/x").await;

        let mut second = server.connect().await;
        second.write_all(request).await.unwrap();
        let mut byte = [0];
        let waited = timeout(Duration::from_millis(200), second.read(&mut byte)).await;
        assert!(waited.is_err(), "served beside the first");

        drop(first);
        read_answer(&mut second, "/x").await;
    }

    #[tokio::test]
    async fn requests_in_progress_are_answered_before_the_server_stops() {
        let server = server().await;
        let mut idle = server.connect().await;
        idle.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        read_answer(&mut idle, "/x").await;
        let mut busy = server.connect().await;
        busy.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        server.entered.notified().await;

        drop(server.stop);
        assert_eq!(read_to_close(&mut idle).await, "");
        assert!(TcpStream::connect(server.address).await.is_err(), "still listening");
        server.leave.notify_one();
        let answer = read_to_close(&mut busy).await;
        assert!(is_closing(&answer) && answer.ends_with("done"), "{answer}");
        server.served.await.unwrap();
    }

    #[tokio::test]
    async fn stopping_does_not_wait_for_ever() {
        let limits = ConnectionLimits { drain: Duration::from_millis(200), ..Default::default() };
        let server = Server::start(limits).await;
        let mut stream = server.connect().await;
        stream.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        server.entered.notified().await;

        drop(server.stop);
        timeout(Duration::from_secs(5), server.served).await.expect("the server stops").unwrap();
        assert_eq!(read_to_close(&mut stream).await, "");
    }

    /// What a reader gets to see of a connection on which `parts` arrive.
    async fn passed_on(parts: &[&[u8]]) -> (Vec<u8>, bool) {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let mut io = RawQueryIo::new(server);
        let rewritten = io.rewritten();
        let read = tokio::spawn(async move {
            let mut seen = Vec::new();
            io.read_to_end(&mut seen).await.unwrap();
            seen
        });
        for part in parts {
            client.write_all(part).await.unwrap();
            tokio::task::yield_now().await;
        }
        drop(client);
        (read.await.unwrap(), rewritten.is_set())
    }

    #[tokio::test]
    async fn what_is_no_http_1_request_is_passed_on_as_it_came() {
        let long = [b"GET /?<".as_slice(), &vec![b'a'; 200_000], b" HTTP/1.1\r\n\r\n"].concat();
        for bytes in [
            b"".as_slice(),
            b"\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n<>",
            b"GET /?<> HTTP/2.0\r\n\r\n",
            b"GET /?<> HTTP/1.1 \r\n\r\n",
            b"GET /?<> x HTTP/1.1\r\n\r\n",
            b"GET  /?<> HTTP/1.1\r\n\r\n",
            b"GET /?<>\r\n",
            b"GET /?<> HTTP/1.1",
            b"\x16\x03\x01\x02\x00<>\n",
            &long,
        ] {
            for size in [1, 7, bytes.len().max(1)] {
                if bytes.len() > 100_000 && size < 100_000 {
                    continue;
                }
                let parts: Vec<_> = bytes.chunks(size).collect();
                let (seen, rewritten) = passed_on(&parts).await;
                assert!(seen == bytes, "{:?}", String::from_utf8_lossy(bytes));
                assert!(!rewritten);
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_http_is_not_held_back() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut io = RawQueryIo::new(server);
        client.write_all(b"\x16\x03\x01").await.unwrap();
        let mut seen = [0; 3];
        let read = timeout(Duration::from_secs(5), io.read_exact(&mut seen));
        read.await.expect("no line end is waited for").unwrap();
    }

    #[tokio::test]
    async fn a_small_reader_gets_all_of_a_changed_line() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut io = RawQueryIo::new(server);
        client.write_all(b"GET /?<\">` HTTP/1.0\r\n\r\n<").await.unwrap();
        drop(client);
        let mut seen = Vec::new();
        let mut three = [0; 3];
        loop {
            match io.read(&mut three).await.unwrap() {
                0 => break,
                count => seen.extend_from_slice(&three[..count]),
            }
        }
        assert_eq!(seen, b"GET /?%3C%22%3E%60 HTTP/1.0\r\n\r\n<");
        assert!(io.rewritten().is_set());
    }

    #[test]
    fn exactly_what_the_http_crate_refuses_is_mended() {
        // A blank ends the target, and `#` starts a fragment, which is not sent to the server.
        for byte in (b'!'..=b'~').filter(|&byte| byte != b'#') {
            let byte = char::from(byte);
            let targets = [format!("/a{byte}b"), format!("/a?b{byte}c")];
            let is_accepted = targets.iter().all(|target| Uri::try_from(target).is_ok());
            assert_eq!(!is_accepted, is_refused(byte as u8), "{byte}");
            for target in targets {
                let line = format!("GET {target} HTTP/1.1\r\n");
                match mend(line.as_bytes()) {
                    None => assert!(is_accepted, "{line}"),
                    Some(mended) => {
                        let mended = std::str::from_utf8(&mended).unwrap();
                        let target = mended.split(' ').nth(1).unwrap();
                        assert!(Uri::try_from(target).is_ok(), "{mended}");
                        assert!(target.contains(&format!("%{:02X}", byte as u8)), "{mended}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_lost_connections_are_no_reason_to_pause() {
        // 24 is EMFILE, 103 ECONNABORTED.
        assert!(!is_of_one_connection(&io::Error::from_raw_os_error(24)));
        assert!(is_of_one_connection(&io::ErrorKind::ConnectionAborted.into()));
    }
}
