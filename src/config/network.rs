//! Networks such as `10.0.0.0/8`, for telling whom to trust.

use std::net::IpAddr;

use ipnet::IpNet;

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoNetwork {
    /// It is not written as one.
    Unreadable,
    /// It has bits set behind those that count.
    Host {
        /// The network that it is in.
        network: String,
        /// The address itself.
        address: String,
    },
}

/// An address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Reads `address/bits`, or an address alone, which is a network of one.
    ///
    /// # Errors
    /// [`NoNetwork`] for anything else.
    pub fn read(text: &str) -> Result<Self, NoNetwork> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text.parse::<IpNet>().map_err(|_| NoNetwork::Unreadable)?,
        };
        match network.trunc() {
            truncated if truncated == network => Ok(Self(network)),
            truncated => Err(NoNetwork::Host { network: truncated.to_string(), address: network.addr().to_string() }),
        }
    }

    /// True for an address inside; an IPv4 address written as IPv6 is an IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_own_addresses_only() {
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "::1", true),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
        ] {
            let network = Network::read(network).expect("a network");
            assert_eq!(network.contains(address.parse().expect("an address")), inside, "{network:?} {address}");
        }
        for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "all", "", "::/129"] {
            assert_eq!(Network::read(text), Err(NoNetwork::Unreadable), "{text}");
        }
    }
}
