//! The configuration of a node of an account that comes from another server (XEP-0227 §4.10.1).

use super::config::{AccessModel, NODE_CONFIG, NodeConfig};
use super::place::Face;
use crate::proto::common::forms::{Field, Form, FormType};
use crate::xml::Element;

/// As it is kept, and what could not be taken over. A field that this server does not know is passed over, as
/// the document asks for; where it cannot be known who may read, only the owner may.
pub(crate) fn configuration(form: Option<&Element>, items: usize) -> (Vec<u8>, Vec<String>) {
    let mut left_out = Vec::new();
    let form = form.map(Form::parse);
    let mut config = match form {
        Some(Ok(form)) => filled(&form.fields, &mut left_out),
        Some(Err(_)) | None => {
            let text = "it comes without a configuration, and only the owner may read it";
            left_out.push(text.to_owned());
            NodeConfig::private()
        }
    };
    // Where nothing says how many there may be, those that came stay.
    if config
        .max_items
        .is_some_and(|max| usize::try_from(max).is_ok_and(|max| max < items))
    {
        config.max_items = None;
    }
    (config.to_bytes(Face::Account), left_out)
}

/// Field by field, so that a bad one does not take the others along.
fn filled(fields: &[Field], left_out: &mut Vec<String>) -> NodeConfig {
    let mut config = NodeConfig::of(Face::Account);
    let known = config.form(FormType::Form, Face::Account);
    for field in fields {
        let var = field.var.as_deref().unwrap_or_default();
        let is_given = field.values.iter().any(|value| !value.is_empty());
        // Prosody writes what has its default without a value.
        if var == "FORM_TYPE" || !is_given || known.find(var).is_none() {
            continue;
        }
        let mut one = Form::new(FormType::Submit).form_type(NODE_CONFIG);
        one.fields.push(field.clone());
        match config.filled(Face::Account, &one, u32::MAX) {
            Ok(changed) => config = changed,
            Err(_) if var == "pubsub#access_model" => {
                config.access = AccessModel::Whitelist;
                left_out.push("who may read it is not known here: only the owner may".to_owned());
            }
            Err(_) => left_out.push(format!("{var} is left out")),
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::common::forms::FieldType;

    fn form(fields: &[(&str, &str)]) -> Element {
        let mut form = Form::new(FormType::Submit).form_type(NODE_CONFIG);
        for (var, value) in fields {
            let field = Field::new(var, FieldType::TextSingle);
            form.fields.push(if value.is_empty() {
                field
            } else {
                field.value(*value)
            });
        }
        form.to_element()
    }

    fn read(form: Option<&Element>, items: usize) -> (NodeConfig, Vec<String>) {
        let (bytes, left_out) = configuration(form, items);
        (
            NodeConfig::from_bytes(&bytes, Face::Account).unwrap(),
            left_out,
        )
    }

    #[test]
    fn what_is_known_is_taken_and_what_is_not_is_passed_over() {
        let (config, left_out) = read(
            Some(&form(&[
                ("pubsub#access_model", "open"),
                ("pubsub#title", "Nicks"),
                ("pubsub#max_items", ""),
                ("x#own", "1"),
            ])),
            1,
        );
        assert_eq!(left_out, Vec::<String>::new());
        assert_eq!(config.access, AccessModel::Open);
        assert_eq!(config.title.as_deref(), Some("Nicks"));
        assert_eq!(config.max_items, Some(1));
    }

    #[test]
    fn nobody_else_reads_what_nobody_said_who_may_read() {
        for wrong in [
            None,
            Some(form(&[("pubsub#access_model", "friends-of-friends")])),
        ] {
            let (config, left_out) = read(wrong.as_ref(), 3);
            assert_eq!(config.access, AccessModel::Whitelist);
            assert_eq!(config.max_items, None);
            assert_eq!(left_out.len(), 1);
        }
        // Without a word it is as XEP-0163 has it.
        let (config, _) = read(Some(&form(&[("pubsub#access_model", "")])), 1);
        assert_eq!(config.access, AccessModel::Presence);
    }
}
