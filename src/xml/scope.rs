//! The namespace declarations that a stream header leaves in force for its children.

use std::sync::Arc;

use compact_str::CompactString;

/// Declarations in force around an element (Namespaces in XML 1.0 §6). Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    declarations: Option<Arc<[Declaration]>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Declaration {
    prefix: CompactString,
    ns: CompactString,
}

impl Scope {
    /// Only the default namespace is declared.
    #[must_use]
    pub fn with_default(ns: &str) -> Self {
        [("", ns)].into_iter().collect()
    }

    /// The namespace of an unprefixed element; empty when none is declared.
    #[must_use]
    pub fn default_ns(&self) -> &str {
        self.resolve("").unwrap_or_default()
    }

    /// The namespace that a prefix is bound to; the empty prefix is the default.
    #[must_use]
    pub fn resolve(&self, prefix: &str) -> Option<&str> {
        self.declarations()
            .find(|(declared, _)| *declared == prefix)
            .map(|(_, ns)| ns)
    }

    /// Every declaration as (prefix, namespace).
    pub fn declarations(&self) -> impl Iterator<Item = (&str, &str)> {
        let declarations = self.declarations.as_deref().unwrap_or_default();
        declarations
            .iter()
            .map(|declaration| (declaration.prefix.as_str(), declaration.ns.as_str()))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Scope {
    /// A later declaration of the same prefix is ignored.
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(declarations: I) -> Self {
        let declarations = declarations
            .into_iter()
            .map(|(prefix, ns)| Declaration {
                prefix: prefix.into(),
                ns: ns.into(),
            })
            .collect::<Arc<[_]>>();
        Self {
            declarations: (!declarations.is_empty()).then_some(declarations),
        }
    }
}

/// The scope of what stands alone.
pub(super) static NOTHING: Scope = Scope { declarations: None };
