//! Where a table stands: the names by which complaints and variables call its keys.

/// What all variables begin with.
pub(super) const PREFIX: &str = "PARLOUR_";

/// Where in the configuration a table stands.
#[derive(Clone, Default)]
pub(crate) struct Place {
    /// `c2s`, `host[1].contact`; empty for the file itself.
    pub(super) path: String,
    /// `[c2s]`, `[[host]]`, `[host.contact]`, as the file writes it.
    pub(super) label: String,
    /// Without brackets and index.
    header: String,
    /// What the variables of its keys begin with; arrays of tables have none.
    pub(super) variables: Option<String>,
}

impl Place {
    pub(super) fn file() -> Self {
        Self {
            variables: Some(PREFIX.to_owned()),
            ..Self::default()
        }
    }

    pub(super) fn table(&self, name: &str) -> Self {
        let header = join(&self.header, name);
        Self {
            path: join(&self.path, name),
            label: format!("[{header}]"),
            variables: self
                .variables
                .as_ref()
                .map(|prefix| format!("{prefix}{}_", name.to_uppercase())),
            header,
        }
    }

    pub(super) fn element(&self, name: &str, index: usize) -> Self {
        let header = join(&self.header, name);
        Self {
            path: format!("{}[{index}]", join(&self.path, name)),
            label: format!("[[{header}]]"),
            variables: None,
            header,
        }
    }

    pub(super) fn key(&self, key: &str) -> String {
        if self.label.is_empty() {
            key.to_owned()
        } else {
            format!("{} {key}", self.label)
        }
    }
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
