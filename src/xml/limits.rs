//! Bounds on what a peer may make us hold or compute.

/// The bounds of one top-level element. All are inclusive: the value is still allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one top-level element. 256 KiB: well above RFC 6120 §13.12's
    /// minimum of 10,000 and above the avatars and forms that clients send, yet
    /// ten thousand connections that all stop one byte short cost 2.5 GiB, not more.
    pub stanza_bytes_max: usize,
    /// Nesting, the top-level element being 1. 64: the deepest known payloads
    /// (archived, forwarded, encrypted) stay under 20.
    pub depth_max: usize,
    /// Attributes of one element, declarations not counted. 64: the check for
    /// repeated ones compares pairs, and real elements have fewer than 20.
    pub attributes_max: usize,
    /// Namespace declarations in force at one place, those of the stream header
    /// not counted. 64: every name is looked up among them, and the deepest known
    /// payloads stay under 20.
    pub declarations_max: usize,
    /// Bytes of a namespace name, and of an element's or attribute's name as
    /// written. 256: real ones stay under 100. Each use of a namespace stands for
    /// its whole name, in a tree or where an element is written anew: all uses of
    /// an element together may come to twice `stanza_bytes_max`.
    pub name_bytes_max: usize,
}

impl Limits {
    /// No bounds: for what the server itself has stored. That was bounded when it
    /// came, maybe by other limits than are set now.
    pub const STORED: Self = Self {
        stanza_bytes_max: usize::MAX,
        depth_max: usize::MAX,
        attributes_max: usize::MAX,
        declarations_max: usize::MAX,
        name_bytes_max: usize::MAX,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stanza_bytes_max: 262_144,
            depth_max: 64,
            attributes_max: 64,
            declarations_max: 64,
            name_bytes_max: 256,
        }
    }
}
