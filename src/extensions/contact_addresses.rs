//! XEP-0157: Contact Addresses for XMPP Services, version 1.1.1: whom to ask about a host.

use std::sync::Arc;

use crate::admin::Live;
use crate::config::{Config, Contact};
use crate::hooks::{At, Hooks};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::document::Document;
use crate::proto::{BareJid, ns};

/// Registers the form.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    let title = "Contact Addresses for XMPP Services";
    hooks.document(Document::new("XEP-0157", title, "1.1.1"));
    let live = hooks.offers().find_or(|| Live::new(Arc::clone(config)));
    hooks.disco_form(At::Host, move |host| form(&live.config(), host));
}

/// §3; no form where the operator has given no address.
fn form(config: &Config, host: &BareJid) -> Option<Form> {
    let mut hosts = config.hosts.iter();
    let host = hosts.find(|known| known.domain.to_jid() == *host)?;
    let contact: &Contact = &host.contact;
    let mut form = Form::new(FormType::Result).form_type(ns::SERVER_INFO);
    for (var, addresses) in contact.fields() {
        if !addresses.is_empty() {
            let mut field = Field::new(var, FieldType::ListMulti);
            field.values = addresses.iter().map(|it| it.as_str().to_owned()).collect();
            form = form.field(field);
        }
    }
    (form.fields.len() > 1).then_some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_tells_the_addresses_that_were_configured() {
        let file = "
            [[host]]
            domain = 'example.com'
            [host.contact]
            abuse = ['mailto:abuse@example.com', 'xmpp:abuse@example.com']
            status = ['https://status.example.com']
            [[host]]
            domain = 'example.net'
        ";
        let config = Config::parse("test", file, std::iter::empty()).unwrap();
        let of = |host: &str| form(&config, &BareJid::new(host).unwrap());
        let told = of("example.com").unwrap();
        assert_eq!(told.type_name(), Some(ns::SERVER_INFO));
        let abuse = told.find("abuse-addresses").unwrap();
        assert_eq!(
            abuse.values,
            ["mailto:abuse@example.com", "xmpp:abuse@example.com"]
        );
        assert!(told.find("status-addresses").is_some());
        assert!(told.find("sales-addresses").is_none());
        assert_eq!(of("example.net"), None);
        assert_eq!(of("example.org"), None);
    }
}
