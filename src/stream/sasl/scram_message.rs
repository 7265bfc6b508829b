//! The two messages of a SCRAM client, taken apart as the grammar of RFC 5802 §7 says.
//!
//! Extensions without meaning here are skipped (they are signed all the same); attributes that
//! have a meaning must stand where the grammar has them.

use std::str;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ScramError;

/// What the client says about channel binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BindingFlag<'a> {
    /// `n`: it knows none.
    Unknown,
    /// `y`: it knows one, but saw none on offer.
    Unseen,
    /// `p=…`: it uses this type.
    Used(&'a str),
}

/// `client-first-message`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientFirst<'a> {
    /// `gs2-header`, with its commas; repeated inside `c=` later.
    pub(super) header: &'a str,
    pub(super) flag: BindingFlag<'a>,
    /// Unescaped; empty when there is none.
    pub(super) authzid: String,
    /// `client-first-message-bare`, which is signed.
    pub(super) bare: &'a str,
    /// Unescaped, not prepared.
    pub(super) username: String,
    pub(super) nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, ScramError> {
        let text = text(message)?;
        let (flag, rest) = text.split_once(',').ok_or(ScramError::Syntax)?;
        let (authzid, bare) = rest.split_once(',').ok_or(ScramError::Syntax)?;
        let header = text.strip_suffix(bare).ok_or(ScramError::Syntax)?;
        let flag = match (flag, flag.strip_prefix("p=")) {
            ("n", _) => BindingFlag::Unknown,
            ("y", _) => BindingFlag::Unseen,
            (_, Some(kind)) if is_binding_name(kind) => BindingFlag::Used(kind),
            _ => return Err(ScramError::Syntax),
        };
        let authzid = match authzid.strip_prefix("a=") {
            Some(name) => unescape(name)?,
            None if authzid.is_empty() => String::new(),
            None => return Err(ScramError::Syntax),
        };
        let mut attributes = bare.split(',');
        let username = unescape(attribute(attributes.next(), "n=")?)?;
        let nonce = attribute(attributes.next(), "r=")?;
        if !nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ScramError::Syntax);
        }
        attributes.try_for_each(extension)?;
        Ok(Self {
            header,
            flag,
            authzid,
            bare,
            username,
            nonce,
        })
    }
}

/// `client-final-message`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientFinal<'a> {
    /// `c=`, decoded.
    pub(super) binding: Vec<u8>,
    pub(super) nonce: &'a str,
    /// `client-final-message-without-proof`, which is signed.
    pub(super) without_proof: &'a str,
    /// `p=`, decoded.
    pub(super) proof: Vec<u8>,
}

impl<'a> ClientFinal<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, ScramError> {
        let text = text(message)?;
        let (without_proof, proof) = text.rsplit_once(',').ok_or(ScramError::Syntax)?;
        let mut attributes = without_proof.split(',');
        let binding = attribute(attributes.next(), "c=")?;
        let nonce = attribute(attributes.next(), "r=")?;
        attributes.try_for_each(extension)?;
        Ok(Self {
            binding: base64(binding)?,
            nonce,
            without_proof,
            proof: base64(attribute(Some(proof), "p=")?)?,
        })
    }
}

fn text(message: &[u8]) -> Result<&str, ScramError> {
    let text = str::from_utf8(message).map_err(|_| ScramError::Syntax)?;
    if text.contains('\0') {
        return Err(ScramError::Syntax);
    }
    Ok(text)
}

/// The value of an attribute that must stand here and must not be empty.
fn attribute<'a>(found: Option<&'a str>, name: &str) -> Result<&'a str, ScramError> {
    let found = found.ok_or(ScramError::Syntax)?;
    match found.strip_prefix(name) {
        Some("") => Err(ScramError::Syntax),
        Some(value) => Ok(value),
        // The place of `reserved-mext`, and of nothing else.
        None if found.starts_with("m=") => Err(ScramError::ExtensionsNotSupported),
        None => Err(ScramError::Syntax),
    }
}

/// `attr-val`: one letter, `=`, something. The letters that are spoken for are no extensions.
fn extension(found: &str) -> Result<(), ScramError> {
    let (name, value) = found.split_once('=').ok_or(ScramError::Syntax)?;
    let letter = name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    match name {
        "m" => Err(ScramError::ExtensionsNotSupported),
        "a" | "c" | "e" | "i" | "n" | "p" | "r" | "s" | "v" => Err(ScramError::Syntax),
        _ if letter && !value.is_empty() => Ok(()),
        _ => Err(ScramError::Syntax),
    }
}

/// `saslname`: a comma is written `=2C`, an equals sign `=3D`, and nothing else is escaped.
fn unescape(name: &str) -> Result<String, ScramError> {
    let mut parts = name.split('=');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let comma = part.strip_prefix("2C").or_else(|| part.strip_prefix("2c"));
        let equals = part.strip_prefix("3D").or_else(|| part.strip_prefix("3d"));
        let (meant, rest) = match (comma, equals) {
            (Some(rest), _) => (',', rest),
            (None, Some(rest)) => ('=', rest),
            (None, None) => return Err(ScramError::InvalidUsernameEncoding),
        };
        plain.push(meant);
        plain.push_str(rest);
    }
    if plain.is_empty() {
        return Err(ScramError::InvalidUsernameEncoding);
    }
    Ok(plain)
}

/// `cb-name`.
fn is_binding_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

fn base64(value: &str) -> Result<Vec<u8>, ScramError> {
    STANDARD
        .decode(value)
        .map_err(|_| ScramError::InvalidEncoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_messages_are_taken_apart() {
        let message = "p=tls-exporter,a=a=2Cb,n=a=3D=2cb,r=x!y,x=,=,y=\u{e9}";
        assert_eq!(
            ClientFirst::parse(message.as_bytes()),
            Err(ScramError::Syntax),
            "a value cannot hold a comma"
        );
        let message = "p=tls-exporter,a=a=2Cb,n=a=3D=2cb,r=x!y,x==,y=\u{e9}";
        assert_eq!(
            ClientFirst::parse(message.as_bytes()),
            Ok(ClientFirst {
                header: "p=tls-exporter,a=a=2Cb,",
                flag: BindingFlag::Used("tls-exporter"),
                authzid: "a,b".to_owned(),
                bare: "n=a=3D=2cb,r=x!y,x==,y=\u{e9}",
                username: "a=,b".to_owned(),
                nonce: "x!y",
            })
        );
    }

    #[test]
    fn malformed_first_messages_are_refused() {
        use ScramError::{ExtensionsNotSupported, InvalidUsernameEncoding, Syntax};
        for (message, error) in [
            ("", Syntax),
            ("n", Syntax),
            ("n,", Syntax),
            ("n,,", Syntax),
            ("n,,n=user", Syntax),
            ("n,,n=user,", Syntax),
            ("n,,n=user,r=", Syntax),
            ("n,,r=x,n=user", Syntax),
            ("n,,N=user,r=x", Syntax),
            ("n,,n=,r=x", Syntax),
            ("n,,n=user,r=x,", Syntax),
            ("n,,n=user,r=x,y", Syntax),
            ("n,,n=user,r=x,y=", Syntax),
            ("n,,n=user,r=x,yy=1", Syntax),
            ("n,,n=user,r=x,1=1", Syntax),
            ("n,,n=user,r=x,n=other", Syntax),
            ("n,,n=user,r=x,r=z", Syntax),
            ("n,,n=user,r=x z", Syntax),
            ("n,,n=user,r=\u{e9}", Syntax),
            ("n,,n=us\0er,r=x", Syntax),
            ("x,,n=user,r=x", Syntax),
            ("Y,,n=user,r=x", Syntax),
            ("p,,n=user,r=x", Syntax),
            ("p=,,n=user,r=x", Syntax),
            ("p=tls unique,,n=user,r=x", Syntax),
            ("F,n,,n=user,r=x", Syntax),
            ("n,b=x,n=user,r=x", Syntax),
            ("n,a=,n=user,r=x", InvalidUsernameEncoding),
            ("n,a==,n=user,r=x", InvalidUsernameEncoding),
            ("n,,n==,r=x", InvalidUsernameEncoding),
            ("n,,n=a=2,r=x", InvalidUsernameEncoding),
            ("n,,n=a=41,r=x", InvalidUsernameEncoding),
            ("n,,n=a==2C,r=x", InvalidUsernameEncoding),
            ("n,,m=1,n=user,r=x", ExtensionsNotSupported),
            ("n,,n=user,m=1,r=x", ExtensionsNotSupported),
            ("n,,n=user,r=x,m=1", ExtensionsNotSupported),
        ] {
            assert_eq!(
                ClientFirst::parse(message.as_bytes()),
                Err(error),
                "{message:?}"
            );
        }
        assert_eq!(ClientFirst::parse(b"n,,n=\xff,r=x"), Err(Syntax));
    }

    #[test]
    fn final_messages_are_taken_apart() {
        assert_eq!(
            ClientFinal::parse(b"c=biws,r=xy,x=1,p=AAE="),
            Ok(ClientFinal {
                binding: b"n,,".to_vec(),
                nonce: "xy",
                without_proof: "c=biws,r=xy,x=1",
                proof: vec![0, 1],
            })
        );
    }

    #[test]
    fn malformed_final_messages_are_refused() {
        use ScramError::{ExtensionsNotSupported, InvalidEncoding, Syntax};
        for (message, error) in [
            ("", Syntax),
            (",", Syntax),
            ("c=biws", Syntax),
            ("c=biws,r=xy", Syntax),
            ("c=biws,p=AAE=", Syntax),
            ("r=xy,c=biws,p=AAE=", Syntax),
            ("c=,r=xy,p=AAE=", Syntax),
            ("c=biws,r=,p=AAE=", Syntax),
            ("c=biws,r=xy,p=", Syntax),
            ("c=biws,r=xy,p=AAE=,", Syntax),
            ("c=biws,r=xy,p=AAE=,x=1", Syntax),
            ("c=biws,r=xy,p=AAE=,p=AAE=", Syntax),
            ("c=biws,r=xy,c=biws,p=AAE=", Syntax),
            ("c=biws,r=xy,x,p=AAE=", Syntax),
            ("c=biws,r=x\0y,p=AAE=", Syntax),
            ("c=bi*s,r=xy,p=AAE=", InvalidEncoding),
            ("c=biw,r=xy,p=AAE=", InvalidEncoding),
            ("c=biws,r=xy,p=AAE", InvalidEncoding),
            ("c==,r=xy,p=AAE=", InvalidEncoding),
            ("c=biws,r=xy,p=AAF=", InvalidEncoding),
            ("m=1,c=biws,r=xy,p=AAE=", ExtensionsNotSupported),
            ("c=biws,r=xy,m=1,p=AAE=", ExtensionsNotSupported),
        ] {
            assert_eq!(
                ClientFinal::parse(message.as_bytes()),
                Err(error),
                "{message:?}"
            );
        }
        assert_eq!(ClientFinal::parse(b"c=biws,r=\xff,p=AAE="), Err(Syntax));
    }
}
