//! Resource binding (RFC 6120 §7).

use super::{Negotiation, State};
use crate::proto::{
    BareJid, FullJid, IqType, Kind, Stanza, StanzaError, StreamCondition, ns, reading,
};
use crate::stream::interface::{Next, Output};
use crate::xml::{Element, Parsed};

impl Negotiation {
    /// RFC 6120 §7.6, or XEP-0198 §5 in its place.
    pub(super) fn bind(&mut self, account: BareJid, parsed: Parsed) -> Output {
        if parsed.tag.ns() == ns::STREAM_MANAGEMENT {
            return self.manage(account, &parsed);
        }
        let request = match reading::stanza(parsed, ns::CLIENT) {
            Ok(request) => request,
            Err(error) => return self.unreadable(error, State::Unbound { account }),
        };
        let bind = request
            .find(ns::BIND, "bind")
            .map(|child| child.to_element(ns::CLIENT));
        let (Kind::Iq(IqType::Set), Some(Ok(bind))) = (request.kind, bind) else {
            // §7.1: nothing may be sent before the resource is bound.
            return self.fail(&StreamCondition::NotAuthorized.into());
        };
        let resource = bind
            .child_text(ns::BIND, "resource")
            .filter(|text| !text.is_empty());
        let next = Next::Bind {
            account: account.clone(),
            resource,
        };
        let out = self.outbox();
        self.to(State::Binding { account, request }, out, next)
    }

    pub(super) fn bound(
        &mut self,
        account: BareJid,
        request: &Stanza,
        bound: Result<FullJid, StanzaError>,
    ) -> Output {
        match bound {
            Ok(jid) => {
                let bind = Element::new(ns::BIND, "bind")
                    .child(Element::new(ns::BIND, "jid").text(jid.to_string()));
                let out = self.answer(request, &Ok(Some(bind)));
                self.to(State::Ended, out, Next::Ready(jid))
            }
            Err(error) => {
                let out = self.answer(request, &Err(error));
                self.to(State::Unbound { account }, out, Next::Read)
            }
        }
    }

    pub(super) fn unreadable(&mut self, error: reading::ReadError, back: State) -> Output {
        match error {
            reading::ReadError::NotAStanza => {
                self.fail(&StreamCondition::UnsupportedStanzaType.into())
            }
            reading::ReadError::From => self.fail(&StreamCondition::InvalidFrom.into()),
            reading::ReadError::Refused(stanza, error)
                if matches!(stanza.kind, Kind::Iq(IqType::Get | IqType::Set)) =>
            {
                let out = self.answer(&stanza, &Err(error));
                self.to(back, out, Next::Read)
            }
            reading::ReadError::Refused(..) => self.fail(&StreamCondition::NotAuthorized.into()),
        }
    }
}
