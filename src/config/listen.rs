//! `[listen]`: addresses and ports.

use super::address::ListenAddress;
use super::section::section;

section! {
    /// Where connections are taken: lists of address:port, an empty list for none. A
    /// listener of IPv6 takes IPv6 only; `[::]` is passed over on a machine without IPv6.
    pub struct Listen {
        /// Clients, with STARTTLS (RFC 6120 §5). 5222 is the registered port.
        c2s: Vec<ListenAddress> = ListenAddress::everywhere(5222);
        /// Clients, TLS from the first byte (XEP-0368). 5223 is the customary port.
        c2s_direct_tls: Vec<ListenAddress> = ListenAddress::everywhere(5223);
        /// Other servers, with STARTTLS; 5269 is the registered port. Opened only when `[s2s]` is
        /// enabled.
        s2s: Vec<ListenAddress> = ListenAddress::everywhere(5269);
        /// Other servers, TLS from the first byte (XEP-0368), when `[s2s]` is enabled; 5270 is the
        /// customary port.
        s2s_direct_tls: Vec<ListenAddress> = ListenAddress::everywhere(5270);
        /// External components (XEP-0114); customary port 5347. Not served by this version.
        component: Vec<ListenAddress> = Vec::new();
        /// HTTP without TLS: WebSocket and BOSH for a proxy on this machine, which ends TLS.
        http: Vec<ListenAddress> = ListenAddress::on_loopback(5280);
        /// HTTPS: WebSocket and BOSH for browsers, with the certificates of `[tls]`.
        https: Vec<ListenAddress> = ListenAddress::everywhere(5443);
    }
}

impl Listen {
    /// The keys that are set although this version does not serve them.
    pub(super) fn unserved(&self) -> impl Iterator<Item = &'static str> {
        (!self.component.is_empty())
            .then_some("[listen] component")
            .into_iter()
    }
}
