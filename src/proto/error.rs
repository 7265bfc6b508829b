//! Stanza errors (RFC 6120 §8.3) and stream errors (RFC 6120 §4.9).

use crate::proto::ns;
use crate::xml::{Element, XmlError};

/// What the sender of a refused stanza should do (RFC 6120 §8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// Retry after providing credentials.
    Auth,
    /// Do not retry: the error cannot be remedied.
    Cancel,
    /// Proceed: this was only a warning.
    Continue,
    /// Retry after changing the data sent.
    Modify,
    /// Retry after waiting: the error is temporary.
    Wait,
}

impl ErrorType {
    /// The value of the attribute `type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Continue => "continue",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Auth,
            Self::Cancel,
            Self::Continue,
            Self::Modify,
            Self::Wait,
        ]
        .into_iter()
        .find(|known| known.name() == name)
    }
}

macro_rules! conditions {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal $(, $kind:ident)?;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every condition, in the order of the standard.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name of the element that stands for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The condition of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }

            conditions!(@types $($($variant $kind)?;)+);
        }
    };
    (@types $($variant:ident $kind:ident;)+) => {
        /// The error type that RFC 6120 associates with the condition.
        #[must_use]
        pub const fn default_type(self) -> ErrorType {
            match self { $(Self::$variant => ErrorType::$kind,)+ }
        }
    };
    (@types $(;)+) => {};
}

conditions! {
    /// Why a stanza was refused (RFC 6120 §8.3.3).
    Condition {
        /// §8.3.3.1: malformed, or a form with wrong values.
        BadRequest = "bad-request", Modify;
        /// §8.3.3.2: something of that name exists.
        Conflict = "conflict", Cancel;
        /// §8.3.3.3: understood, and not offered here.
        FeatureNotImplemented = "feature-not-implemented", Cancel;
        /// §8.3.3.4: the sender lacks the right.
        Forbidden = "forbidden", Auth;
        /// §8.3.3.5: no longer at this address.
        Gone = "gone", Cancel;
        /// §8.3.3.6: our fault.
        InternalServerError = "internal-server-error", Cancel;
        /// §8.3.3.7: there is no such thing.
        ItemNotFound = "item-not-found", Cancel;
        /// §8.3.3.8: an address that is none.
        JidMalformed = "jid-malformed", Modify;
        /// §8.3.3.9: the data does not meet the recipient's criteria.
        NotAcceptable = "not-acceptable", Modify;
        /// §8.3.3.10: nobody may do this.
        NotAllowed = "not-allowed", Cancel;
        /// §8.3.3.11: credentials are needed first.
        NotAuthorized = "not-authorized", Auth;
        /// §8.3.3.12: a local rule forbids it.
        PolicyViolation = "policy-violation", Modify;
        /// §8.3.3.13: temporarily not there.
        RecipientUnavailable = "recipient-unavailable", Wait;
        /// §8.3.3.14: ask elsewhere.
        Redirect = "redirect", Modify;
        /// §8.3.3.15: register first.
        RegistrationRequired = "registration-required", Auth;
        /// §8.3.3.16: no such domain.
        RemoteServerNotFound = "remote-server-not-found", Cancel;
        /// §8.3.3.17: the other server did not answer.
        RemoteServerTimeout = "remote-server-timeout", Wait;
        /// §8.3.3.18: no room for it now.
        ResourceConstraint = "resource-constraint", Wait;
        /// §8.3.3.19: not offered at this address.
        ServiceUnavailable = "service-unavailable", Cancel;
        /// §8.3.3.20: subscribe first.
        SubscriptionRequired = "subscription-required", Auth;
        /// §8.3.3.21: see the application condition.
        UndefinedCondition = "undefined-condition", Cancel;
        /// §8.3.3.22: not at this point of the dialogue.
        UnexpectedRequest = "unexpected-request", Wait;
    }
}

conditions! {
    /// Why a stream was closed (RFC 6120 §4.9.3).
    StreamCondition {
        /// §4.9.3.1: XML that cannot be processed.
        BadFormat = "bad-format";
        /// §4.9.3.2: a prefix that is not declared.
        BadNamespacePrefix = "bad-namespace-prefix";
        /// §4.9.3.3: another stream took this one's place.
        Conflict = "conflict";
        /// §4.9.3.4: the peer was silent for too long.
        ConnectionTimeout = "connection-timeout";
        /// §4.9.3.5: the host is no longer served.
        HostGone = "host-gone";
        /// §4.9.3.6: the host is not served.
        HostUnknown = "host-unknown";
        /// §4.9.3.7: a stanza lacks an address that it needs.
        ImproperAddressing = "improper-addressing";
        /// §4.9.3.8: our fault.
        InternalServerError = "internal-server-error";
        /// §4.9.3.9: a `from` that is not the peer's.
        InvalidFrom = "invalid-from";
        /// §4.9.3.10: a wrong stream or content namespace.
        InvalidNamespace = "invalid-namespace";
        /// §4.9.3.11: XML that is not valid.
        InvalidXml = "invalid-xml";
        /// §4.9.3.12: data before authentication.
        NotAuthorized = "not-authorized";
        /// §4.9.3.13: XML that is not well-formed.
        NotWellFormed = "not-well-formed";
        /// §4.9.3.14: a local rule was broken.
        PolicyViolation = "policy-violation";
        /// §4.9.3.15: a server that is needed cannot be reached.
        RemoteConnectionFailed = "remote-connection-failed";
        /// §4.9.3.16: connect again, something that matters has changed.
        Reset = "reset";
        /// §4.9.3.17: no room for this stream.
        ResourceConstraint = "resource-constraint";
        /// §4.9.3.18: XML that XMPP excludes: comments, DTDs, processing instructions.
        RestrictedXml = "restricted-xml";
        /// §4.9.3.19: connect elsewhere.
        SeeOtherHost = "see-other-host";
        /// §4.9.3.20: the server stops.
        SystemShutdown = "system-shutdown";
        /// §4.9.3.21: see the application condition.
        UndefinedCondition = "undefined-condition";
        /// §4.9.3.22: not UTF-8.
        UnsupportedEncoding = "unsupported-encoding";
        /// §4.9.3.23: a stream feature that is not offered.
        UnsupportedFeature = "unsupported-feature";
        /// §4.9.3.24: an element that is no stanza.
        UnsupportedStanzaType = "unsupported-stanza-type";
        /// §4.9.3.25: not version 1.0.
        UnsupportedVersion = "unsupported-version";
    }
}

/// A refusal of one stanza.
///
/// ```xml
/// <error type='modify'>
///   <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
///   <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>What is wrong</text>
/// </error>
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StanzaError {
    /// The defined condition.
    pub condition: Condition,
    /// What the sender should do.
    pub kind: ErrorType,
    /// A sentence for a person, in English.
    pub text: Option<String>,
    /// The application's own condition (RFC 6120 §8.3.4).
    pub application: Option<Box<Element>>,
}

impl StanzaError {
    /// A refusal with the type that the standard associates with the condition.
    #[must_use]
    pub const fn new(condition: Condition) -> Self {
        Self {
            condition,
            kind: condition.default_type(),
            text: None,
            application: None,
        }
    }

    /// The same with a sentence for a person.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The same with another type than the associated one.
    #[must_use]
    pub const fn kind(mut self, kind: ErrorType) -> Self {
        self.kind = kind;
        self
    }

    /// The same with the application's own condition.
    #[must_use]
    pub fn application(mut self, element: Element) -> Self {
        self.application = Some(Box::new(element));
        self
    }

    /// Shorthand for `bad-request` with a reason.
    #[must_use]
    pub fn bad_request(text: &str) -> Self {
        Self::new(Condition::BadRequest).text(text)
    }

    /// The element `<error/>` in the namespace of the stanza around it.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let text = self.text.as_ref().map(|text| {
            Element::new(ns::STANZA_ERRORS, "text")
                .lang("en")
                .text(text.clone())
        });
        Element::new(ns::CLIENT, "error")
            .attr("type", self.kind.name())
            .child(Element::new(ns::STANZA_ERRORS, self.condition.name()))
            .child_opt(text)
            .child_opt(self.application.as_deref().cloned())
    }
}

impl From<Condition> for StanzaError {
    fn from(condition: Condition) -> Self {
        Self::new(condition)
    }
}

/// The end of a stream because of an error (RFC 6120 §4.9.1.1: it cannot be recovered from).
#[derive(Clone, Debug, PartialEq)]
pub struct StreamError {
    /// The defined condition.
    pub condition: StreamCondition,
    /// A sentence for a person, in English.
    pub text: Option<&'static str>,
    /// The application's own condition (RFC 6120 §4.9.4).
    pub application: Option<Box<Element>>,
}

impl StreamError {
    /// An error without a sentence.
    #[must_use]
    pub const fn new(condition: StreamCondition) -> Self {
        Self {
            condition,
            text: None,
            application: None,
        }
    }

    /// The same with a sentence for a person.
    #[must_use]
    pub const fn text(mut self, text: &'static str) -> Self {
        self.text = Some(text);
        self
    }

    /// The same with the application's own condition.
    #[must_use]
    pub fn application(mut self, element: Element) -> Self {
        self.application = Some(Box::new(element));
        self
    }

    /// The element `<stream:error/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let text = self.text.map(|text| {
            Element::new(ns::STREAM_ERRORS, "text")
                .lang("en")
                .text(text)
        });
        Element::new(ns::STREAMS, "error")
            .child(Element::new(ns::STREAM_ERRORS, self.condition.name()))
            .child_opt(text)
            .child_opt(self.application.as_deref().cloned())
    }
}

impl From<StreamCondition> for StreamError {
    fn from(condition: StreamCondition) -> Self {
        Self::new(condition)
    }
}

impl From<XmlError> for StreamError {
    /// The error for XML that is not taken (RFC 6120 §4.9.3).
    fn from(error: XmlError) -> Self {
        let condition = match error {
            XmlError::NotWellFormed(_) => StreamCondition::NotWellFormed,
            XmlError::Restricted(_) => StreamCondition::RestrictedXml,
            XmlError::BadNamespacePrefix(_) => StreamCondition::BadNamespacePrefix,
            XmlError::UnsupportedEncoding | XmlError::InvalidUtf8 => {
                StreamCondition::UnsupportedEncoding
            }
            XmlError::TextBetweenElements => StreamCondition::BadFormat,
            XmlError::TooLong
            | XmlError::TooDeep
            | XmlError::TooManyAttributes
            | XmlError::TooManyDeclarations => StreamCondition::PolicyViolation,
        };
        let text = match error {
            XmlError::TooLong => Some("the element, or a name in it, is too long"),
            XmlError::TooDeep => Some("the element is nested too deep"),
            XmlError::TooManyAttributes => Some("the element has too many attributes"),
            XmlError::TooManyDeclarations => Some("the element has too many declarations"),
            XmlError::NotWellFormed(text)
            | XmlError::Restricted(text)
            | XmlError::BadNamespacePrefix(text) => Some(text),
            XmlError::UnsupportedEncoding
            | XmlError::InvalidUtf8
            | XmlError::TextBetweenElements => None,
        };
        Self {
            text,
            ..condition.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_is_found_by_its_name() {
        assert_eq!(Condition::ALL.len(), 22);
        assert_eq!(StreamCondition::ALL.len(), 25);
        for condition in Condition::ALL {
            assert_eq!(Condition::from_name(condition.name()), Some(*condition));
        }
        assert_eq!(Condition::from_name("no-such-condition"), None);
    }
}
