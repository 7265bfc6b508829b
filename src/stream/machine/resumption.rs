//! Resuming a session in place of binding a resource (XEP-0198 §5).

use super::{Negotiation, State};
use crate::proto::{BareJid, Condition, StreamCondition};
use crate::stream::interface::{Next, Output, Resumed};
use crate::stream::management::{self, NotResumed, Resume};
use crate::xml::Parsed;

impl Negotiation {
    /// An element of stream management from a client that has logged in and bound nothing.
    pub(super) fn manage(&mut self, account: BareJid, parsed: &Parsed) -> Output {
        match parsed.tag.name() {
            "resume" => self.resume(account, parsed),
            // §3: not before a resource is bound.
            "enable" => self.too_early(State::Unbound { account }),
            _ => self.fail(&StreamCondition::UnsupportedStanzaType.into()),
        }
    }

    /// XEP-0198 §3: the order is enforced, and the stream goes on.
    pub(super) fn too_early(&mut self, back: State) -> Output {
        let out = self.element(&management::failed(Condition::UnexpectedRequest, None));
        self.to(back, out, Next::Read)
    }

    fn resume(&mut self, account: BareJid, parsed: &Parsed) -> Output {
        match Resume::read(&parsed.tag) {
            Ok(resume) => {
                let next = Next::Resume {
                    account: account.clone(),
                    resume: resume.clone(),
                };
                let previd = resume.previd;
                let out = self.outbox();
                self.to(State::Resuming { account, previd }, out, next)
            }
            Err(condition) => {
                let out = self.element(&management::failed(condition, None));
                self.to(State::Unbound { account }, out, Next::Read)
            }
        }
    }

    /// Whatever fails, the client may bind a resource then (§5).
    pub(super) fn resumed(
        &mut self,
        account: BareJid,
        previd: &str,
        resumed: Result<Resumed, NotResumed>,
    ) -> Output {
        match resumed.map_err(NotResumed::answer) {
            Ok(Resumed { jid, h }) => {
                let out = self.element(&management::resumed(previd, h));
                self.to(State::Ended, out, Next::Ready(jid))
            }
            Err(Ok(failed)) => {
                let out = self.element(&failed);
                self.to(State::Unbound { account }, out, Next::Read)
            }
            Err(Err(error)) => self.fail(&error),
        }
    }
}
