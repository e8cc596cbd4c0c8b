//! Which addresses this service may call for its users: public ones, and those that the operator
//! allows. Otherwise a webhook would be a way into the network that the service stands in.
//!
//! Numbers are judged by IANA's registries of special-purpose addresses (RFC 6890 and its updates).
//! What is judged is the address that the URL standard makes of the text, never the text: `0x7f.1` and
//! `127.0.0.1` are the same.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

use super::network::{Network, v4, v6};

/// What is not public, and what it is instead. The first that fits counts.
const SPECIAL: &[(IpNet, &str)] = &[
    (v4([0, 0, 0, 0], 8), UNSPECIFIED),
    (v4([10, 0, 0, 0], 8), PRIVATE),
    (v4([100, 64, 0, 0], 10), "a carrier's own network"),
    (v4([127, 0, 0, 0], 8), LOOPBACK),
    (v4([169, 254, 0, 0], 16), LINK_LOCAL),
    (v4([172, 16, 0, 0], 12), PRIVATE),
    (v4([192, 0, 0, 0], 24), RESERVED),
    (v4([192, 0, 2, 0], 24), DOCUMENTATION),
    (v4([192, 88, 99, 0], 24), RESERVED),
    (v4([192, 168, 0, 0], 16), PRIVATE),
    (v4([198, 18, 0, 0], 15), BENCHMARKS),
    (v4([198, 51, 100, 0], 24), DOCUMENTATION),
    (v4([203, 0, 113, 0], 24), DOCUMENTATION),
    (v4([224, 0, 0, 0], 4), MULTICAST),
    (v4([255, 255, 255, 255], 32), "the broadcast address"),
    (v4([240, 0, 0, 0], 4), RESERVED),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), UNSPECIFIED),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), LOOPBACK),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), PRIVATE),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), LINK_LOCAL),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), PRIVATE),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), MULTICAST),
    // Teredo, benchmarks, ORCHID and other protocols: no servers.
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), RESERVED),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), DOCUMENTATION),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), DOCUMENTATION),
];
const UNSPECIFIED: &str = "the unspecified address";
const PRIVATE: &str = "a private network";
const LOOPBACK: &str = "the server itself";
const LINK_LOCAL: &str = "the server's own link";
const RESERVED: &str = "a reserved network";
const DOCUMENTATION: &str = "a network for documentation";
const BENCHMARKS: &str = "a network for benchmarks";
const MULTICAST: &str = "a multicast group";
const METADATA: &str = "the metadata service of a cloud";
const LOCAL_NAME: &str = "a local network";

/// All of IPv6 that is given out; the rest is special or future.
const GLOBAL: IpNet = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Where clouds tell their machines who they are, with credentials: too dangerous to be opened by a
/// network around them. Only an entry that is this very address does.
const METADATA_SERVICES: [IpAddr; 9] = [
    // Amazon, Google, Azure and most others; Amazon's containers.
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    // Google over IPv6.
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    // Alibaba, Oracle; Azure's has a public address.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

/// Names that only a local network knows (RFC 6761, 6762, 8375, 9476, and usage).
const LOCAL_SUFFIXES: [&str; 9] =
    ["local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa", "localdomain"];

/// Why an address is not called. The texts are for whoever gave it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// White space, control characters, backslashes: programs read them differently.
    #[error("must not contain white space, control characters or backslashes: percent-encode them")]
    Character,
    /// Not an absolute URL with a host.
    #[error("is not a web address: write it as https://example.com/path")]
    Malformed,
    /// Another scheme than http and https.
    #[error("must start with https:// or http://")]
    Scheme,
    /// Credentials, where none belong.
    #[error("must not contain a user name or password")]
    Credentials,
    /// Port 0.
    #[error("must not name port 0: name the port of the server, or none")]
    Port,
    /// A host that is not public: what it was called, and what it is.
    #[error(
        "leads from {host} to {place}: use a public address, or ask the operator to \
         allow this one (setting outgoing_allow)"
    )]
    Place {
        /// The host's name or its IP address, as the URL standard writes it.
        host: String,
        /// What is there instead of the public: `a private network`.
        place: &'static str,
    },
}

/// Whether an address may carry `user:password@` (RFC 3986, 3.2.1), which is sent as HTTP Basic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// It may.
    Allowed,
    /// It is refused.
    Refused,
}

/// Knows what may be called.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Vec<Network>,
}

impl Guard {
    /// Allows the public, and these networks.
    pub fn new(allowed: Vec<Network>) -> Self {
        Self { allowed }
    }

    /// Reads an address that a user gave, before it is stored. Names are not looked up: what they lead
    /// to can change, so that is judged whenever a connection is made.
    ///
    /// # Errors
    /// Says what is wrong with it and what to do about it.
    pub fn check_url(&self, text: &str, credentials: Credentials) -> Result<Url, Refused> {
        if text.chars().any(|it| it.is_whitespace() || it.is_control() || it == '\\') {
            return Err(Refused::Character);
        }
        // The URL standard forgives slashes that are missing or too many; what else reads the address
        // may not.
        let (scheme, rest) = text.split_once(':').ok_or(Refused::Malformed)?;
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(Refused::Scheme);
        }
        let rest = rest.strip_prefix("//").ok_or(Refused::Malformed)?;
        if rest.starts_with('/') {
            return Err(Refused::Malformed);
        }
        let url = Url::parse(text).map_err(|_| Refused::Malformed)?;
        if credentials == Credentials::Refused && has_credentials(&url, rest) {
            return Err(Refused::Credentials);
        }
        if url.port() == Some(0) {
            return Err(Refused::Port);
        }
        self.check_host(&url)?;
        Ok(url)
    }

    /// Whether the host of this address may be called, as far as its text tells.
    pub(super) fn check_host(&self, url: &Url) -> Result<(), Refused> {
        let place = match url.host().ok_or(Refused::Malformed)? {
            Host::Ipv4(address) => self.place(address.into()),
            Host::Ipv6(address) => self.place(address.into()),
            Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                if !is_host_name(name) {
                    return Err(Refused::Malformed);
                }
                self.place_of_name(name)
            }
        };
        match (place, url.host_str()) {
            (Some(place), Some(host)) => Err(Refused::Place { host: host.to_owned(), place }),
            _ => Ok(()),
        }
    }

    /// What a name says of itself. It is early news for whoever stores it, no more: the addresses that
    /// it leads to are judged too. So once the operator has allowed any network, names of local networks
    /// pass here.
    fn place_of_name(&self, name: &str) -> Option<&'static str> {
        let is_under =
            |top: &str| name.strip_suffix(top).is_some_and(|it| it.is_empty() || it.ends_with('.'));
        if is_under("localhost") {
            let ours = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            return ours.iter().all(|it| self.place(*it).is_some()).then_some(LOOPBACK);
        }
        if ["metadata.google.internal", "metadata", "instance-data.ec2.internal", "instance-data"]
            .contains(&name)
        {
            return self.place(METADATA_SERVICES[0]);
        }
        let is_local = !name.contains('.') || LOCAL_SUFFIXES.iter().any(|it| is_under(it));
        (is_local && self.allowed.is_empty()).then_some(LOCAL_NAME)
    }

    /// What is at an address that must not be called; `None` when it may be.
    pub(super) fn place(&self, address: IpAddr) -> Option<&'static str> {
        if let IpAddr::V6(outer) = address
            && let Some(inner) = ipv4_within(outer)
        {
            return self.place(inner.into());
        }
        if METADATA_SERVICES.contains(&address) {
            return (!self.allowed.iter().any(|it| it.is(address))).then_some(METADATA);
        }
        if self.allowed.iter().any(|it| it.contains(address)) {
            return None;
        }
        let special = SPECIAL.iter().find(|(net, _)| net.contains(&address));
        match special {
            Some((_, place)) => Some(place),
            None => (address.is_ipv6() && !GLOBAL.contains(&address)).then_some(RESERVED),
        }
    }
}

/// Whether a name can be one of the DNS (RFC 1123, 2.1, and underscores, which are in use). The URL
/// standard allows more, braces of a template among them.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        (1..=63).contains(&label.len())
            && bytes.all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Whether there is anything before an `@`; a user without name and password too.
fn has_credentials(url: &Url, rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !url.username().is_empty() || url.password().is_some() || authority.contains('@')
}

/// The IPv4 address to which packets for this IPv6 address go: IPv4-mapped (RFC 4291, 2.5.5.2), NAT64
/// (RFC 6052), 6to4 (RFC 3056). Deprecated and local forms are not global addresses anyway.
fn ipv4_within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => Some(of(g, h)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(allowed: &[&str], text: &str) -> Result<Url, Refused> {
        let allowed = allowed.iter().map(|it| it.parse().unwrap()).collect();
        Guard::new(allowed).check_url(text, Credentials::Allowed)
    }

    /// Addresses that must not be called, and what the refusal says is there.
    const HOSTILE: &[(&str, &str)] = &[
        ("http://127.0.0.1/", LOOPBACK),
        ("http://127.8.9.10/", LOOPBACK),
        ("http://127.1/", LOOPBACK),
        ("http://127.0.1/", LOOPBACK),
        ("http://127.0.0.1./", LOOPBACK),
        ("http://2130706433/", LOOPBACK),
        ("http://0x7f000001/", LOOPBACK),
        ("http://0x7f.0x0.0x0.0x1/", LOOPBACK),
        ("http://0X7F.1/", LOOPBACK),
        ("http://017700000001/", LOOPBACK),
        ("http://0177.0.0.1/", LOOPBACK),
        ("http://00000177.00.0x0.1/", LOOPBACK),
        ("http://%31%32%37.0.0.1/", LOOPBACK),
        ("http://１２７.０.０.１/", LOOPBACK),
        ("http://①②⑦.⓪.⓪.①/", LOOPBACK),
        ("http://127。0。0。1/", LOOPBACK),
        ("http://user@127.0.0.1/", LOOPBACK),
        ("http://example.com@127.0.0.1/", LOOPBACK),
        ("http://example.com:80@127.0.0.1:22/", LOOPBACK),
        ("http://example.com%23@127.0.0.1/", LOOPBACK),
        ("http://localhost/", LOOPBACK),
        ("http://localhost./", LOOPBACK),
        ("http://LOCALHOST:8080/", LOOPBACK),
        ("http://ｌｏｃａｌｈｏｓｔ/", LOOPBACK),
        ("http://ⓛocalhost/", LOOPBACK),
        ("http://app.localhost/", LOOPBACK),
        ("http://[::1]/", LOOPBACK),
        ("http://[0:0:0:0:0:0:0:1]/", LOOPBACK),
        ("http://[::ffff:127.0.0.1]/", LOOPBACK),
        ("http://[::ffff:7f00:1]/", LOOPBACK),
        ("http://[64:ff9b::127.0.0.1]/", LOOPBACK),
        ("http://[2002:7f00:1::]/", LOOPBACK),
        ("http://0/", UNSPECIFIED),
        ("http://0.0.0.0/", UNSPECIFIED),
        ("http://0.1.2.3/", UNSPECIFIED),
        ("http://[::]/", UNSPECIFIED),
        ("http://[::ffff:0:0]/", UNSPECIFIED),
        ("http://10.0.0.1/", PRIVATE),
        ("http://012.0.0.1/", PRIVATE),
        ("http://167772161/", PRIVATE),
        ("http://172.16.0.1/", PRIVATE),
        ("http://172.31.255.255/", PRIVATE),
        ("http://192.168.1.1/", PRIVATE),
        ("http://192.168.257/", PRIVATE),
        ("http://0xc0a80101/", PRIVATE),
        ("http://[::ffff:192.168.1.1]/", PRIVATE),
        ("http://[64:ff9b::a00:1]/", PRIVATE),
        ("http://[2002:c0a8:101::1]/", PRIVATE),
        ("http://[fc00::1]/", PRIVATE),
        ("http://[fd12:3456:789a::1]/", PRIVATE),
        ("http://[fec0::1]/", PRIVATE),
        ("http://100.64.0.1/", "a carrier's own network"),
        ("http://100.127.255.254/", "a carrier's own network"),
        ("http://169.254.1.1/", LINK_LOCAL),
        ("http://[fe80::1]/", LINK_LOCAL),
        ("http://[febf::1]/", LINK_LOCAL),
        ("http://169.254.169.254/latest/meta-data/", METADATA),
        ("http://2852039166/", METADATA),
        ("http://0xA9FEA9FE/", METADATA),
        ("http://0251.0376.0251.0376/", METADATA),
        ("http://169.254.43518/", METADATA),
        ("http://[::ffff:a9fe:a9fe]/", METADATA),
        ("http://[64:ff9b::169.254.169.254]/", METADATA),
        ("http://[2002:a9fe:a9fe::]/", METADATA),
        ("http://169.254.170.2/v2/credentials", METADATA),
        ("http://[fd00:ec2::254]/", METADATA),
        ("http://[fd20:ce::254]/", METADATA),
        ("http://100.100.100.200/", METADATA),
        ("http://192.0.0.192/", METADATA),
        ("http://168.63.129.16/", METADATA),
        ("http://metadata.google.internal/computeMetadata/v1/", METADATA),
        ("http://METADATA.google.internal./", METADATA),
        ("http://metadata/", METADATA),
        ("http://instance-data/", METADATA),
        ("http://192.0.0.1/", RESERVED),
        ("http://192.88.99.1/", RESERVED),
        ("http://240.0.0.1/", RESERVED),
        ("http://[::127.0.0.1]/", RESERVED),
        ("http://[::ffff:0:127.0.0.1]/", RESERVED),
        ("http://[64:ff9b:1::a00:1]/", RESERVED),
        ("http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", RESERVED),
        ("http://[2001:2::1]/", RESERVED),
        ("http://[100::1]/", RESERVED),
        ("http://[4000::1]/", RESERVED),
        ("http://192.0.2.1/", DOCUMENTATION),
        ("http://198.51.100.1/", DOCUMENTATION),
        ("http://203.0.113.1/", DOCUMENTATION),
        ("http://[2001:db8::1]/", DOCUMENTATION),
        ("http://[3fff::1]/", DOCUMENTATION),
        ("http://198.18.0.1/", BENCHMARKS),
        ("http://198.19.255.255/", BENCHMARKS),
        ("http://224.0.0.1/", MULTICAST),
        ("http://239.255.255.250:1900/", MULTICAST),
        ("http://[ff02::1]/", MULTICAST),
        ("http://255.255.255.255/", "the broadcast address"),
        ("http://intranet/", LOCAL_NAME),
        ("http://redis:6379/", LOCAL_NAME),
        ("http://printer.local/", LOCAL_NAME),
        ("http://printer.local./", LOCAL_NAME),
        ("http://vault.corp.internal/", LOCAL_NAME),
        ("http://kubernetes.default.svc.cluster.local/", LOCAL_NAME),
        ("http://router.home.arpa/", LOCAL_NAME),
        ("http://nas.lan/", LOCAL_NAME),
    ];

    #[test]
    fn hostile_addresses_are_refused_in_every_disguise() {
        assert!(HOSTILE.len() >= 60);
        for (text, expected) in HOSTILE {
            for text in [text.to_string(), text.replacen("http:", "https:", 1)] {
                match check(&[], &text) {
                    Err(Refused::Place { place, .. }) => assert_eq!(place, *expected, "{text}"),
                    other => panic!("{text}: {other:?}"),
                }
            }
        }
        let told = check(&[], "http://0x7f.1:8080/a").unwrap_err().to_string();
        assert_eq!(
            told,
            "leads from 127.0.0.1 to the server itself: use a public address, or ask the operator \
             to allow this one (setting outgoing_allow)"
        );
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        let malformed = "is not a web address: write it as https://example.com/path";
        let character = "must not contain white space, control characters or backslashes: \
                         percent-encode them";
        let scheme = "must start with https:// or http://";
        let cases = [
            ("", malformed),
            ("example.com", malformed),
            ("//example.com/", malformed),
            ("http:", malformed),
            ("http://", malformed),
            ("http:example.com", malformed),
            ("http:/example.com", malformed),
            ("http:///example.com", malformed),
            ("http:127.0.0.1", malformed),
            ("http://?", malformed),
            ("http://:80/", malformed),
            ("http://user@/", malformed),
            ("http://example.com:65536/", malformed),
            ("http://example.com:http/", malformed),
            ("http://256.256.256.256/", malformed),
            ("http://1.2.3.4.5/", malformed),
            ("http://0x100000000/", malformed),
            ("http://a..example.com/", malformed),
            ("http://example.com../", malformed),
            ("http://.example.com/", malformed),
            ("http://exa%00mple.com/", malformed),
            ("http://{account}.example.com/", malformed),
            ("http://exa$mple.com/", malformed),
            ("http://[::1", malformed),
            ("http://[::1%25lo]/", malformed),
            ("http://[fe80::1%25eth0]/", malformed),
            ("http://[fe80::1%eth0]/", malformed),
            ("http://[::ffff:127.1]/", malformed),
            (" http://example.com/", character),
            ("http://example.com/ ", character),
            ("http://example.com/a b", character),
            ("http://exam\tple.com/", character),
            ("ht\ntp://example.com/", character),
            ("http://example.com/\r\nHost: evil.example", character),
            ("http://example.com\\@127.0.0.1/", character),
            ("http:\\\\127.0.0.1\\", character),
            ("http://example.com/\u{0}", character),
            ("http://example.com/\u{7f}", character),
            ("http://example.com/\u{a0}", character),
            ("http://example.com/\u{2028}", character),
            ("ftp://example.com/", scheme),
            ("file:///etc/passwd", scheme),
            ("gopher://127.0.0.1:6379/_", scheme),
            ("javascript:alert(1)", scheme),
            ("data:text/plain,a", scheme),
            ("ws://example.com/", scheme),
            ("s3://bucket/", scheme),
            ("localhost:8080", scheme),
            ("http://example.com:0/", "must not name port 0: name the port of the server, or none"),
        ];
        for (text, expected) in cases {
            let told = check(&[], text).err().map(|it| it.to_string()).unwrap_or_default();
            assert_eq!(told, expected, "{text:?}");
        }
        let long = format!("http://{}com/", "a.".repeat(126));
        assert_eq!(check(&[], &long), Err(Refused::Malformed));
        let label = format!("http://{}.com/", "a".repeat(64));
        assert_eq!(check(&[], &label), Err(Refused::Malformed));
    }

    #[test]
    fn public_addresses_pass_as_the_standard_writes_them() {
        let same = [
            "https://example.com/",
            "http://example.com:8080/hook?account=acme&x=%7B1%7D",
            "https://hooks.example.co.uk/a/b/../c",
            "https://user:p%40ss@example.com/",
            "https://xn--bcher-kva.example/",
            "https://localhost.example.com/",
            "https://mylocalhost.example/",
            "https://127.0.0.1.example.com/",
            "https://internal.example.com/",
            "https://example.com./",
            "https://example.com%2f@other.example/",
            "https://a_b.example.com/",
            "http://8.8.8.8/",
            "http://1.1.1.1:8443/",
            "http://100.63.255.255/",
            "http://100.128.0.1/",
            "http://172.15.255.255/",
            "http://172.32.0.1/",
            "http://169.253.255.255/",
            "http://192.0.1.1/",
            "http://198.17.255.255/",
            "http://198.20.0.1/",
            "http://223.255.255.255/",
            "http://[2606:4700:4700::1111]/",
            "http://[64:ff9b::808:808]/",
            "http://[2002:808:808::1]/",
            "http://[::ffff:808:808]/",
        ];
        for text in same {
            let url = check(&[], text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
            assert_eq!(url.as_str(), text.replace("/b/../", "/"));
        }
        let other = [
            ("HTTPS://Example.COM", "https://example.com/"),
            ("https://example.com:443/", "https://example.com/"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("http://134744072/", "http://8.8.8.8/"),
        ];
        for (text, written) in other {
            assert_eq!(check(&[], text).unwrap().as_str(), written);
        }
    }

    #[test]
    fn credentials_pass_only_where_they_belong() {
        let guard = Guard::default();
        let refused = |text: &str| guard.check_url(text, Credentials::Refused).err();
        for text in [
            "https://user:password@example.com/",
            "https://user@example.com/",
            "https://:password@example.com/",
            "https://@example.com/",
            "https://:@example.com/",
        ] {
            assert_eq!(refused(text), Some(Refused::Credentials), "{text}");
            assert!(guard.check_url(text, Credentials::Allowed).is_ok());
        }
        assert_eq!(refused("https://example.com/@a?b=c@d#e@f"), None);
        assert_eq!(Refused::Credentials.to_string(), "must not contain a user name or password");
    }

    #[test]
    fn operators_open_what_they_name_and_no_more() {
        let passes = |allowed: &[&str], text: &str| check(allowed, text).is_ok();
        for text in [
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://localhost:3000/",
            "http://a.localhost/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert!(passes(&["loopback"], text), "{text}");
            assert!(!passes(&["private"], text), "{text}");
        }
        for text in [
            "http://10.1.2.3/",
            "http://172.20.0.1/",
            "http://192.168.0.1/",
            "http://[fd12::1]/",
            "http://[64:ff9b::10.1.2.3]/",
        ] {
            assert!(passes(&["private"], text), "{text}");
            assert!(!passes(&["loopback", "10.2.0.0/16"], text), "{text}");
        }
        assert!(passes(&["10.1.0.0/16"], "http://10.1.2.3/"));
        assert!(passes(&["10.1.2.3"], "http://10.1.2.3/"));
        assert!(!passes(&["10.1.2.3"], "http://10.1.2.4/"));
        // Their names are judged by what they lead to.
        assert!(passes(&["10.1.0.0/16"], "http://vault.corp.internal/"));
        assert!(passes(&["private"], "http://redis/"));
        assert!(!passes(&["private"], "http://localhost/"));
    }

    #[test]
    fn metadata_services_open_to_their_very_address_only() {
        let everything = ["private", "0.0.0.0/0", "::/0", "169.254.0.0/16"];
        let mut tried = 0;
        for (text, _) in HOSTILE.iter().filter(|(_, place)| *place == METADATA) {
            assert!(check(&everything, text).is_err(), "{text}");
            tried += 1;
        }
        assert!(tried > 10);
        assert!(check(&["169.254.169.254"], "http://169.254.169.254/").is_ok());
        assert!(check(&["169.254.169.254"], "http://metadata.google.internal/").is_ok());
        assert!(check(&["169.254.169.254"], "http://169.254.170.2/").is_err());
        assert!(check(&["168.63.129.16/32"], "http://168.63.129.16/").is_ok());
    }
}
