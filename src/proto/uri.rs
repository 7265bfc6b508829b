//! Percent-encoding of names for URIs (RFC 3986 §2.1) and header parameters (RFC 8187 §3.2).

/// The text with every octet encoded but the unreserved ones (RFC 3986 §2.3), which may stand
/// unencoded in every place of a URI and in an extended header parameter.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                encoded.push('%');
                for digit in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                    encoded.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_the_unreserved_octets_are_encoded() {
        for (text, encoded) in [
            ("photo-1_a.b~c.JPG", "photo-1_a.b~c.JPG"),
            ("très cool.jpg", "tr%C3%A8s%20cool.jpg"),
            ("../a/b", "..%2Fa%2Fb"),
            ("100%\"'", "100%25%22%27"),
            ("a\r\nb", "a%0D%0Ab"),
            ("😀", "%F0%9F%98%80"),
            ("", ""),
        ] {
            assert_eq!(encode(text), encoded, "{text:?}");
        }
    }
}
