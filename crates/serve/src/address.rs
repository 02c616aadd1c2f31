//! Addresses as limits know them: one person's, the range around it, or many people's behind one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What identifies one household: an IPv4 address, or the /64 of an IPv6 one.
pub(crate) fn own(address: IpAddr) -> Vec<u8> {
    match plain(address) {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets()[..8].to_vec(),
    }
}

/// The range: IPv4 /24, IPv6 /48. Marked, so that it is never equal to an address.
pub(crate) fn range(address: IpAddr) -> Vec<u8> {
    let mut bytes = b"range".to_vec();
    match plain(address) {
        IpAddr::V4(v4) => bytes.extend_from_slice(&v4.octets()[..3]),
        IpAddr::V6(v6) => bytes.extend_from_slice(&v6.octets()[..6]),
    }
    bytes
}

/// Whether an address is one of these.
pub(crate) fn is_in(address: IpAddr, nets: &[IpNet]) -> bool {
    let address = plain(address);
    nets.iter().any(|net| net.contains(&address))
}

/// IPv4 addresses also come dressed as IPv6 ones.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The caller's address: the connection's own, or behind trusted proxies the nearest one in `X-Forwarded-For` (all lines of
/// it, joined) that is no trusted proxy. What an untrusted peer writes there counts for nothing. `None` where a trusted proxy
/// does not say it in a way that can be read: then nobody knows, and it is not the proxy.
pub(crate) fn caller(peer: IpAddr, forwarded: &str, trusted: &[IpNet]) -> Option<IpAddr> {
    let mut address = peer;
    let mut hops = forwarded.rsplit(',');
    while is_in(address, trusted) {
        address = hop_address(hops.next()?)?;
    }
    Some(plain(address))
}

fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    hop.parse().ok().or_else(|| hop.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()))
}

/// Addresses that are nobody's: callers that do not know the person's address write these.
pub(crate) fn is_nobodys(address: IpAddr) -> bool {
    matches!(plain(address), IpAddr::V4(Ipv4Addr::UNSPECIFIED) | IpAddr::V6(Ipv6Addr::UNSPECIFIED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_household_is_one_address_or_a_64_and_its_range_is_wider() {
        assert_eq!(own(ip("2001:db8:1:2:3::4")), own(ip("2001:db8:1:2:ffff::1")));
        assert_ne!(own(ip("2001:db8:1:2::")), own(ip("2001:db8:1:3::")));
        assert_eq!(range(ip("2001:db8:1:2::")), range(ip("2001:db8:1:3::")));
        assert_eq!(own(ip("::ffff:192.0.2.7")), own(ip("192.0.2.7")));
        assert_eq!(range(ip("192.0.2.7")), range(ip("192.0.2.200")));
        assert_ne!(own(ip("192.0.2.7")), range(ip("192.0.2.7")));
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let check = |peer: &str, forwarded: &str, expected: Option<&str>| {
            assert_eq!(caller(ip(peer), forwarded, &trusted), expected.map(ip), "{peer} {forwarded:?}");
        };
        check("203.0.113.1", "198.51.100.1", Some("203.0.113.1"));
        check("10.0.0.1", "198.51.100.1", Some("198.51.100.1"));
        check("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.9", Some("198.51.100.1"));
        check("10.0.0.1", "nonsense", None);
        check("10.0.0.1", "198.51.100.1,nonsense", None);
        check("10.0.0.1", "", None);
        check("10.0.0.1", "10.0.0.2", None);
        check("10.0.0.1", "[2001:db8::1]:443", Some("2001:db8::1"));
    }
}
