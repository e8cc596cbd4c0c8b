//! Networks, as the operator writes them down.
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

/// The networks of [`Network::Loopback`].
const LOOPBACK: [IpNet; 2] = [v4([127, 0, 0, 0], 8), v6([0, 0, 0, 0, 0, 0, 0, 1], 128)];
/// The networks of [`Network::Private`]: RFC 1918 and RFC 4193.
const PRIVATE: [IpNet; 4] = [
    v4([10, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
];

/// An entry of the setting `outgoing_allow`: `loopback`, `private`, or a network in the notation of
/// RFC 4632 (`10.1.0.0/16`, `fd12::/48`); an address alone is a network of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Network {
    /// `loopback`: this machine.
    Loopback,
    /// `private`: the networks that are free for everybody's own use.
    Private,
    /// Any other.
    Net(IpNet),
}

impl Network {
    /// Whether the address belongs to it. The address is in its own form, not IPv4 inside IPv6.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let among = |networks: &[IpNet]| networks.iter().any(|net| net.contains(&address));
        match self {
            Self::Loopback => among(&LOOPBACK),
            Self::Private => among(&PRIVATE),
            Self::Net(net) => net.contains(&address),
        }
    }

    /// Whether it is this address and no other.
    pub(super) fn is(&self, address: IpAddr) -> bool {
        *self == Self::Net(IpNet::from(address))
    }
}

/// An IPv4 network as a constant.
pub(super) const fn v4(address: [u8; 4], length: u8) -> IpNet {
    let [a, b, c, d] = address;
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

/// An IPv6 network as a constant.
pub(super) const fn v6(address: [u16; 8], length: u8) -> IpNet {
    let [a, b, c, d, e, f, g, h] = address;
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), length))
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let net = match text {
            "loopback" => return Ok(Self::Loopback),
            "private" => return Ok(Self::Private),
            _ => text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)),
        };
        let net = net.map_err(|_| {
            format!("{text:?} must be loopback, private or a network as 10.1.0.0/16 or fd12::/48")
        })?;
        if net != net.trunc() {
            return Err(format!("{text:?} has bits behind its prefix; write {}", net.trunc()));
        }
        if matches!(net, IpNet::V6(net) if net.addr().to_ipv4_mapped().is_some()) {
            return Err(format!("{text:?} is IPv4 inside IPv6; write the IPv4 network"));
        }
        Ok(Self::Net(net))
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("loopback"),
            Self::Private => f.write_str("private"),
            Self::Net(net) => net.fmt(f),
        }
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_written_as_they_are_read() {
        for text in ["loopback", "private", "10.1.0.0/16", "fd12::/48", "169.254.169.254/32"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        let one: Network = "::1".parse().unwrap();
        assert_eq!(one.to_string(), "::1/128");
        assert!(one.is("::1".parse().unwrap()) && !one.is("::2".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused_with_the_remedy() {
        let cases = [
            ("", "\"\" must be loopback, private or a network as 10.1.0.0/16 or fd12::/48"),
            (
                "Private",
                "\"Private\" must be loopback, private or a network as 10.1.0.0/16 or fd12::/48",
            ),
            (
                "10.0.0.0/33",
                "\"10.0.0.0/33\" must be loopback, private or a network as 10.1.0.0/16 or fd12::/48",
            ),
            ("10.1.2.3/8", "\"10.1.2.3/8\" has bits behind its prefix; write 10.0.0.0/8"),
            (
                "::ffff:10.0.0.0/104",
                "\"::ffff:10.0.0.0/104\" is IPv4 inside IPv6; write the IPv4 network",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(text.parse::<Network>(), Err(message.to_owned()));
        }
    }
}
