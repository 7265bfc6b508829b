//! The phrases `${…}` that a script may use in what it sends.

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::pattern::{self, Variables};
use super::script::{Account, Room, Script};

/// The accounts of a play under the names that they have on a shared server.
pub(crate) struct Cast {
    accounts: Vec<(Account, String)>,
    rooms: Vec<(Room, String)>,
}

impl Cast {
    /// Gives every account and every room a name that no other play uses.
    pub(crate) fn new(script: &Script, play: &str) -> Self {
        let named = |account: &Account| (account.clone(), format!("{}-{play}", account.local));
        let placed = |room: &Room| (room.clone(), format!("{}-{play}", room.local));
        Self {
            accounts: script.accounts.iter().map(named).collect(),
            rooms: script.rooms.iter().map(placed).collect(),
        }
    }

    /// What stands before and behind the `@` in the script, and before it on the wire.
    fn names(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let accounts = self.accounts.iter();
        let accounts = accounts.map(|(it, real)| (&*it.local, &*it.domain, real.as_str()));
        let rooms = self.rooms.iter();
        accounts.chain(rooms.map(|(it, real)| (&*it.local, &*it.domain, real.as_str())))
    }

    /// The account that `actor` (`local` or `local/resource`) plays, and its real local part.
    pub(crate) fn account(&self, actor: &str) -> Option<(&Account, &str)> {
        let local = actor.split('/').next()?;
        let (account, real) = self
            .accounts
            .iter()
            .find(|(account, _)| account.local == local)?;
        Some((account, real))
    }

    /// The accounts as (JID, password).
    pub(crate) fn credentials(&self) -> Vec<(String, String)> {
        self.accounts
            .iter()
            .map(|(account, real)| {
                (
                    format!("{real}@{}", account.domain),
                    account.password.clone(),
                )
            })
            .collect()
    }

    /// Puts the real names into a script's text.
    pub(crate) fn real(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (local, domain, real) in self.names() {
            let jid = format!("{local}@{domain}");
            let mut done = String::with_capacity(text.len());
            for (at, part) in text.split(&jid).enumerate() {
                if at > 0 {
                    // The end of a longer name is another name.
                    let inside =
                        done.ends_with(|c: char| c.is_alphanumeric() || c == '-' || c == '.');
                    done.push_str(if inside { local } else { real });
                    done.push('@');
                    done.push_str(domain);
                }
                done.push_str(part);
            }
            text = done;
        }
        text
    }

    /// Puts the script's names back into what the server said.
    pub(crate) fn scripted(&self, text: &str) -> String {
        self.names()
            .fold(text.to_owned(), |text, (local, _, real)| {
                text.replace(&format!("{real}@"), &format!("{local}@"))
            })
    }

    /// Real names, variables and phrases put into `text`, for sending.
    pub(crate) fn spoken(&self, text: &str, variables: &Variables) -> Result<String> {
        let mut text = pattern::fill(&self.real(text), variables);
        // The last one opened is the innermost.
        while let Some((before, rest)) = text.rsplit_once("${") {
            let (phrase, after) = rest.split_once('}').context("a phrase is not finished")?;
            text = format!("{before}{}{after}", self.phrase(phrase)?);
        }
        Ok(text)
    }

    fn phrase(&self, phrase: &str) -> Result<String> {
        let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let parts: Vec<&str> = phrase.splitn(3, ':').collect();
        Ok(match parts.as_slice() {
            ["user", local] => self.account(local).context("no such account")?.1.to_owned(),
            ["base64", ..] => base64(
                &phrase
                    .split_once(':')
                    .unwrap_or_default()
                    .1
                    .replace("\\0", "\0"),
            ),
            // RFC 4616 §2.
            ["plain", local, password] => {
                let (_, real) = self.account(local).context("no such account")?;
                base64(&format!("\0{real}\0{password}"))
            }
            // draft-schmaus-kitten-sasl-ht §3, without channel binding.
            ["ht", local, token] => {
                let (_, real) = self.account(local).context("no such account")?;
                let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes())?;
                mac.update(b"Initiator");
                let proof = mac.finalize().into_bytes();
                base64::engine::general_purpose::STANDARD
                    .encode([real.as_bytes(), b"\0", proof.as_slice()].concat())
            }
            ["repeat", times, text] => text.repeat(times.parse()?),
            _ => bail!("nothing is known as ${{{phrase}}}"),
        })
    }
}

/// The bytes that `\n`, `\t`, `\\` and `\x41` stand for in what is sent raw.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, byte == b'\\') {
            (plain, false) => plain,
            (_, true) => match rest.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'\\') => b'\\',
                Some(b'x') => {
                    let digits: Vec<u8> = rest.by_ref().take(2).collect();
                    u8::from_str_radix(std::str::from_utf8(&digits)?, 16)?
                }
                _ => bail!("an escape that nobody knows in {text}"),
            },
        });
    }
    Ok(bytes)
}
