//! Words of messages as the archive keeps them, for searching (XEP-0431).

use crate::proto::jid::BareJid;

/// Words that one search looks at.
pub const WORDS_MAX: usize = 6;

/// The number of a word in an archive (FNV-1a): two words that share one are found for each other,
/// which with 64 bits nobody lives to see.
#[must_use]
pub fn archive_word(owner: &BareJid, word: &str) -> i64 {
    let bytes = owner.as_str().bytes().chain([0]).chain(word.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.cast_signed()
}
