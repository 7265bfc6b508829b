//! Words of messages as the archive keeps them, for searching (XEP-0431).

use crate::proto::jid::BareJid;

/// Words that one search looks at.
pub const WORDS_MAX: usize = 6;

/// The numbers that words have in one archive (FNV-1a of the owner and the word): two words that share one are
/// found for each other, which with 64 bits nobody lives to see.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveWords(u64);

impl ArchiveWords {
    /// Those of that archive.
    #[must_use]
    pub fn of(owner: &BareJid) -> Self {
        let bytes = owner.as_str().bytes().chain([0]);
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, mixed))
    }

    /// The number of a word, given by its bytes.
    #[must_use]
    pub fn number(self, word: impl Iterator<Item = u8>) -> i64 {
        word.fold(self.0, mixed).cast_signed()
    }
}

/// The number of a word in an archive.
#[must_use]
pub fn archive_word(owner: &BareJid, word: &str) -> i64 {
    ArchiveWords::of(owner).number(word.bytes())
}

const fn mixed(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0100_0000_01b3)
}
