//! SASL on the server's side (RFC 6120 §6, RFC 4422): one authentication exchange as a machine
//! without IO.
//!
//! [`Offer`] is what a stream may be offered; [`Exchange::begin`] takes the client's choice and
//! answers with a [`Step`]. A step either asks something of the client (a challenge), asks
//! something of the caller (keys, or the check of a password or token) and carries the state that the
//! answer is given to, or ends the exchange. No state can be used twice or out of order.
//!
//! A [`Step::Success`] says who it is, not that they may come in: whether the account exists,
//! is enabled, and has no newer password is for the caller to see.
//!
//! ```text
//!           <auth/> -> Exchange::begin -> Challenge   -> <response/> -> Exchange::respond -> …
//!                                      -> NeedKeys    -> AwaitingKeys::resolve            -> …
//!                                      -> NeedPasswordCheck -> AwaitingVerdict::resolve   -> …
//!                                      -> NeedBearerCheck -> AwaitingBearer::resolve      -> …
//!                                      -> NeedTokens  -> AwaitingTokens::resolve          -> …
//!                                      -> Success | TokenProved | Failure
//! ```
//!
//! Not here: the elements `<auth/>`, `<challenge/>` and so on, timers, and the database.

mod attempts;
mod bearer;
mod condition;
mod decoy;
mod exchange;
mod external;
mod hashed_token;
mod mechanism;
mod offer;
mod plain;
mod scram;
mod scram_message;
mod secret;
mod wire;

#[cfg(test)]
mod tests;

pub use attempts::{Attempts, Penalty};
pub use bearer::{AwaitingBearer, BearerVerdict};
pub use condition::{Failure, SaslCondition, ScramError};
pub use decoy::Decoys;
pub use exchange::{Exchange, MESSAGE_BYTES_MAX, Step};
pub use hashed_token::{AwaitingTokens, Token, TokenMechanism};
pub use mechanism::Mechanism;
pub use offer::{
    BindingKind, ChannelBinding, Offer, PlainWithoutTls, Policy, Security, TlsVersion,
};
pub use plain::{AwaitingVerdict, PasswordVerdict};
pub use scram::AwaitingKeys;
pub use secret::Secret;
pub use wire::{decode, decode_initial, decode_text, encode};
