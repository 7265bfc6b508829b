//! SASL data as text inside `<auth/>`, `<challenge/>`, `<response/>` and `<success/>`
//! (RFC 6120 §6.4.2, §13.9.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::SaslCondition;

/// Reads the text of `<response/>`; `=` and no text both mean no data.
///
/// # Errors
/// `incorrect-encoding` when it is not canonical base64: characters outside the alphabet
/// (white space too), missing or misplaced padding, stray bits.
pub fn decode(text: &str) -> Result<Vec<u8>, SaslCondition> {
    if text == "=" {
        return Ok(Vec::new());
    }
    STANDARD
        .decode(text)
        .map_err(|_| SaslCondition::IncorrectEncoding)
}

/// Reads the text of `<auth/>`: no text is no initial response, `=` is an empty one.
///
/// # Errors
/// As [`decode`].
pub fn decode_initial(text: &str) -> Result<Option<Vec<u8>>, SaslCondition> {
    if text.is_empty() {
        return Ok(None);
    }
    decode(text).map(Some)
}

/// Reads the text of an element of SASL2, where no text is no data and `=` means nothing
/// (XEP-0388 §2.2). White space around it is forgiven, for the examples there have it.
///
/// # Errors
/// As [`decode`].
pub fn decode_text(text: &str) -> Result<Vec<u8>, SaslCondition> {
    STANDARD
        .decode(text.trim_ascii())
        .map_err(|_| SaslCondition::IncorrectEncoding)
}

/// Writes data for `<challenge/>` or `<success/>`. An empty challenge is an element without
/// text.
#[must_use]
pub fn encode(data: &[u8]) -> String {
    STANDARD.encode(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_response_differs_from_an_empty_one() {
        assert_eq!(decode_initial(""), Ok(None));
        assert_eq!(decode_initial("="), Ok(Some(Vec::new())));
        assert_eq!(decode_initial("YQ=="), Ok(Some(b"a".to_vec())));
        assert_eq!(decode(""), Ok(Vec::new()));
        assert_eq!(decode("="), Ok(Vec::new()));
        assert_eq!(decode(&encode(b"n,,n=user")), Ok(b"n,,n=user".to_vec()));
    }

    #[test]
    fn sasl2_needs_no_sign_for_an_empty_message() {
        assert_eq!(decode_text(""), Ok(Vec::new()));
        assert_eq!(decode_text("\n  YQ==\n"), Ok(b"a".to_vec()));
        for text in ["=", "Y Q==", "YQ", "é"] {
            let condition = SaslCondition::IncorrectEncoding;
            assert_eq!(decode_text(text), Err(condition), "{text}");
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in [
            "==", "===", "====", "YQ", "YQ=", "YQ===", "Y=Q=", "=YQ=", "YR==", "YQ==YQ==", " YQ==",
            "YQ==\n", "Y Q=", "Y-_=", "é",
        ] {
            assert_eq!(
                decode(text),
                Err(SaslCondition::IncorrectEncoding),
                "{text}"
            );
            assert_eq!(
                decode_initial(text),
                Err(SaslCondition::IncorrectEncoding),
                "{text}"
            );
        }
    }
}
