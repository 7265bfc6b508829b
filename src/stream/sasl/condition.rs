//! Why an exchange failed, in the words of RFC 6120 §6.5 and, for SCRAM, RFC 5802 §7.

/// The defined condition inside `<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SaslCondition {
    /// The client sent `<abort/>` (§6.5.1).
    Aborted,
    /// The account is disabled (§6.5.2); told only to who proved the password.
    AccountDisabled,
    /// The credentials are out of date (§6.5.3).
    CredentialsExpired,
    /// The mechanism needs TLS first (§6.5.4).
    EncryptionRequired,
    /// The data is not base64 (§6.5.5).
    IncorrectEncoding,
    /// The identity to act as is malformed or not the client's own (§6.5.6).
    InvalidAuthzid,
    /// The mechanism is unknown or not on offer (§6.5.7).
    InvalidMechanism,
    /// The data is not what the mechanism prescribes (§6.5.8).
    MalformedRequest,
    /// The mechanism is weaker than policy allows for the account (§6.5.9).
    MechanismTooWeak,
    /// The credentials are wrong, or the account does not exist (§6.5.10).
    NotAuthorized,
    /// The server cannot tell at the moment (§6.5.11).
    TemporaryAuthFailure,
}

impl SaslCondition {
    /// Every condition, in the order of the RFC.
    pub const ALL: [Self; 11] = [
        Self::Aborted,
        Self::AccountDisabled,
        Self::CredentialsExpired,
        Self::EncryptionRequired,
        Self::IncorrectEncoding,
        Self::InvalidAuthzid,
        Self::InvalidMechanism,
        Self::MalformedRequest,
        Self::MechanismTooWeak,
        Self::NotAuthorized,
        Self::TemporaryAuthFailure,
    ];

    /// The element's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::AccountDisabled => "account-disabled",
            Self::CredentialsExpired => "credentials-expired",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::MechanismTooWeak => "mechanism-too-weak",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }
}

/// What SCRAM found wrong; displayed as the `server-error-value` of RFC 5802 §7.
///
/// `unknown-user` is left out: it must not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ScramError {
    /// The message does not follow the grammar.
    #[error("other-error")]
    Syntax,
    /// The nonce is not the one of this exchange.
    #[error("other-error")]
    Nonce,
    /// An attribute's value is not base64.
    #[error("invalid-encoding")]
    InvalidEncoding,
    /// A mandatory extension (`m=`) was asked for; there are none.
    #[error("extensions-not-supported")]
    ExtensionsNotSupported,
    /// The client does not know the password, or there is no such account.
    #[error("invalid-proof")]
    InvalidProof,
    /// The client sees another TLS channel: someone is in between.
    #[error("channel-bindings-dont-match")]
    ChannelBindingsDontMatch,
    /// The client saw no -PLUS mechanism though it was offered: someone took it away.
    #[error("server-does-support-channel-binding")]
    ServerDoesSupportChannelBinding,
    /// Channel binding together with a mechanism that has none.
    #[error("channel-binding-not-supported")]
    ChannelBindingNotSupported,
    /// A kind of channel binding that this stream does not have.
    #[error("unsupported-channel-binding-type")]
    UnsupportedChannelBindingType,
    /// The user name is badly escaped or cannot be prepared.
    #[error("invalid-username-encoding")]
    InvalidUsernameEncoding,
}

/// The end of an exchange that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For the client.
    pub condition: SaslCondition,
    /// The mechanism's own reason. Safe to tell as `<text/>`, for it says nothing of accounts.
    pub detail: Option<ScramError>,
}

impl Failure {
    /// Whether the client may have tried out a password.
    #[must_use]
    pub fn is_guess(&self) -> bool {
        self.condition == SaslCondition::NotAuthorized
            && matches!(self.detail, None | Some(ScramError::InvalidProof))
    }
}

impl From<SaslCondition> for Failure {
    fn from(condition: SaslCondition) -> Self {
        Self {
            condition,
            detail: None,
        }
    }
}

impl From<ScramError> for Failure {
    fn from(error: ScramError) -> Self {
        let condition = match error {
            ScramError::Syntax
            | ScramError::InvalidEncoding
            | ScramError::ExtensionsNotSupported
            | ScramError::ChannelBindingNotSupported
            | ScramError::InvalidUsernameEncoding => SaslCondition::MalformedRequest,
            ScramError::Nonce
            | ScramError::InvalidProof
            | ScramError::ChannelBindingsDontMatch
            | ScramError::ServerDoesSupportChannelBinding
            | ScramError::UnsupportedChannelBindingType => SaslCondition::NotAuthorized,
        };
        Self {
            condition,
            detail: Some(error),
        }
    }
}
