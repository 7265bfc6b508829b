//! What follows the proof in SASL2: tasks, tokens, the resource, and `<success/>` with all that came
//! of it (XEP-0388 §2.6, XEP-0386 §3.2, XEP-0484 §3, XEP-0480).
//!
//! One thing after the other, each of which may end the attempt; the stream is then as it was
//! before `<authenticate/>`.

use super::wishes::{Wishes, task};
use super::{Negotiation, Opened, Profile, State};
use crate::proto::scram::{ScramHash, ScramKeys};
use crate::proto::{BareJid, FullJid, Resource, StanzaError, ns};
use crate::stream::features::{self, FAST, SCRAM_UPGRADE};
use crate::stream::interface::{Exchanged, Input, Next, Output, Redemption, Resumed};
use crate::stream::management::{self, NotResumed};
use crate::stream::sasl::{self, Failure, SaslCondition};
use crate::xml::{Element, Parsed};

/// Who has proved to be the owner of an account.
pub(super) struct Proved {
    pub(super) opened: Opened,
    pub(super) account: BareJid,
    /// What the mechanism has to say at its end; said once.
    pub(super) data: Option<Vec<u8>>,
    /// The token that was proved.
    pub(super) token: Option<String>,
}

/// What is being done.
pub(super) struct Completion {
    proved: Proved,
    wishes: Wishes,
    /// `<token/>` for `<success/>`.
    issued: Option<Element>,
    /// Why there was nothing to resume: `<failed/>` for `<success/>`.
    not_resumed: Option<Element>,
    stage: Stage,
}

enum Stage {
    /// Waits for the hashes that the account has keys for.
    Comparing,
    /// Waits for `<next/>`; the last hash is the one to come.
    Offered(Vec<ScramHash>),
    /// Waits for `<task-data/>` with the salted password.
    Salted {
        hash: ScramHash,
        salt: Vec<u8>,
        rest: Vec<ScramHash>,
    },
    /// Waits for the keys to be stored.
    Upgrading(Vec<ScramHash>),
    /// Waits for tokens.
    Exchanging,
    /// Waits for the session that the client resumes.
    Resuming(String),
    /// Waits for the resource.
    Establishing,
}

impl Negotiation {
    pub(super) fn begin_completion(&mut self, mut proved: Proved) -> Output {
        let wishes = match &mut proved.opened.profile {
            Profile::Sasl => Wishes::default(),
            Profile::Sasl2(wishes) => std::mem::take(wishes),
        };
        // XEP-0484 §4.2: who comes with a token is asked for nothing more.
        let compare = !wishes.upgrades.is_empty() && proved.token.is_none();
        let completion = Completion {
            proved,
            wishes,
            issued: None,
            not_resumed: None,
            stage: Stage::Comparing,
        };
        if compare {
            let account = completion.proved.account.clone();
            self.wait(completion, Next::Hashes { account })
        } else {
            self.exchange(completion)
        }
    }

    /// Goes on with what was waited for.
    pub(super) fn complete(&mut self, mut completion: Completion, input: Input) -> Output {
        let stage = std::mem::replace(&mut completion.stage, Stage::Comparing);
        match (stage, input) {
            (Stage::Comparing, Input::Hashes(present)) => {
                let mut missing = std::mem::take(&mut completion.wishes.upgrades);
                missing.retain(|hash| !present.contains(hash));
                missing.reverse();
                self.next_task(completion, missing)
            }
            (Stage::Offered(tasks), Input::Element(parsed)) => {
                self.task_chosen(completion, tasks, &parsed)
            }
            (Stage::Salted { hash, salt, rest }, Input::Element(parsed)) => {
                self.salted(completion, hash, salt, rest, &parsed)
            }
            (Stage::Upgrading(rest), Input::Upgraded) => self.next_task(completion, rest),
            (Stage::Exchanging, Input::Exchanged(exchanged)) => {
                self.exchanged(completion, exchanged)
            }
            (Stage::Resuming(previd), Input::Resumed(resumed)) => {
                self.resumed_inline(completion, &previd, resumed)
            }
            (Stage::Establishing, Input::Established(established)) => {
                self.established(completion, established)
            }
            (_, Input::Unavailable) => {
                let condition = SaslCondition::TemporaryAuthFailure;
                self.failed(completion.proved.opened, &condition.into())
            }
            _ => self.fail(&crate::proto::StreamCondition::InternalServerError.into()),
        }
    }

    fn wait(&mut self, completion: Completion, next: Next) -> Output {
        let out = self.outbox();
        self.to(State::Completing(Box::new(completion)), out, next)
    }

    /// XEP-0480 §2.2: one task at a time.
    fn next_task(&mut self, mut completion: Completion, tasks: Vec<ScramHash>) -> Output {
        let Some(hash) = tasks.last() else {
            return self.exchange(completion);
        };
        let name = Element::new(ns::SASL2, "task").text(task(*hash));
        let element = Element::new(ns::SASL2, "continue")
            .child_opt(additional(completion.proved.data.take()))
            .child(Element::new(ns::SASL2, "tasks").child(name));
        completion.stage = Stage::Offered(tasks);
        let out = self.element(&element);
        self.to(State::Completing(Box::new(completion)), out, Next::Read)
    }

    /// The client begins the task; it is told how to salt its password (XEP-0480 §3).
    fn task_chosen(
        &mut self,
        mut completion: Completion,
        mut tasks: Vec<ScramHash>,
        parsed: &Parsed,
    ) -> Output {
        if !parsed.tag.is(ns::SASL2, "next") {
            return self.no_task(completion, parsed);
        }
        let chosen = parsed.tag.attribute("task");
        let next = tasks.pop().filter(|hash| chosen == Some(task(*hash)));
        let Some(hash) = next else {
            return self.failed(
                completion.proved.opened,
                &SaslCondition::MalformedRequest.into(),
            );
        };
        let salt = ScramHash::Sha256.digest((self.new_id)().as_bytes());
        let salt: Vec<u8> = salt
            .into_iter()
            .take(crate::proto::scram::SALT_BYTES)
            .collect();
        let data = Element::new(SCRAM_UPGRADE, "salt")
            .attr("iterations", self.rules.decoys.iterations().to_string())
            .text(sasl::encode(&salt));
        let out = self.element(&Element::new(ns::SASL2, "task-data").child(data));
        completion.stage = Stage::Salted {
            hash,
            salt,
            rest: tasks,
        };
        self.to(State::Completing(Box::new(completion)), out, Next::Read)
    }

    fn salted(
        &mut self,
        mut completion: Completion,
        hash: ScramHash,
        salt: Vec<u8>,
        rest: Vec<ScramHash>,
        parsed: &Parsed,
    ) -> Output {
        if !parsed.tag.is(ns::SASL2, "task-data") {
            return self.no_task(completion, parsed);
        }
        let told = parsed
            .to_element()
            .ok()
            .and_then(|data| data.child_text(SCRAM_UPGRADE, "hash"))
            .ok_or(SaslCondition::MalformedRequest)
            .and_then(|text| sasl::decode_text(&text))
            .and_then(|told| match told.len() == hash.digest(b"").len() {
                true => Ok(told),
                false => Err(SaslCondition::MalformedRequest),
            });
        match told {
            Err(condition) => self.failed(completion.proved.opened, &condition.into()),
            Ok(told) => {
                let iterations = self.rules.decoys.iterations();
                let next = Next::Upgrade {
                    account: completion.proved.account.clone(),
                    keys: ScramKeys::from_salted(hash, &told, salt, iterations),
                };
                completion.stage = Stage::Upgrading(rest);
                self.wait(completion, next)
            }
        }
    }

    /// What is no step of a task: the client gives up, or says what may not be said now.
    fn no_task(&mut self, completion: Completion, parsed: &Parsed) -> Output {
        if parsed.tag.is(ns::SASL2, "abort") {
            return self.failed(completion.proved.opened, &SaslCondition::Aborted.into());
        }
        self.unexpected(parsed)
    }

    /// Tokens come when nothing is asked of the client any more (XEP-0484 §3.3).
    fn exchange(&mut self, mut completion: Completion) -> Output {
        let Completion { proved, wishes, .. } = &completion;
        let redeemed = proved.token.as_ref().map(|token| Redemption {
            token: token.clone(),
            count: wishes.fast.and_then(|fast| fast.count),
            invalidate: wishes.fast.is_some_and(|fast| fast.invalidate),
        });
        let offered = |asked: &_| {
            proved
                .opened
                .offer
                .token_mechanisms()
                .any(|it| it == *asked)
        };
        let request = wishes.request.filter(|it| self.rules.tokens && offered(it));
        match &wishes.agent {
            Some(agent) if redeemed.is_some() || request.is_some() => {
                let next = Next::Exchange {
                    account: proved.account.clone(),
                    agent: agent.clone(),
                    redeemed,
                    request,
                };
                completion.stage = Stage::Exchanging;
                self.wait(completion, next)
            }
            _ => self.resume_inline(completion),
        }
    }

    fn exchanged(&mut self, mut completion: Completion, exchanged: Exchanged) -> Output {
        match exchanged {
            Exchanged::Refused => {
                let condition = SaslCondition::NotAuthorized;
                return self.failed(completion.proved.opened, &condition.into());
            }
            Exchanged::Kept => {}
            Exchanged::Issued { token, expiry } => {
                let issued = Element::new(FAST, "token")
                    .attr("expiry", expiry.to_string())
                    .attr("token", token.expose());
                completion.issued = Some(issued);
            }
        }
        self.resume_inline(completion)
    }

    /// Before anything is bound (XEP-0386 §3.2).
    fn resume_inline(&mut self, mut completion: Completion) -> Output {
        match completion.wishes.resume.take() {
            None => self.establish(completion),
            Some(Err(condition)) => {
                completion.not_resumed = Some(management::failed(condition, None));
                self.establish(completion)
            }
            Some(Ok(resume)) => {
                let account = completion.proved.account.clone();
                completion.stage = Stage::Resuming(resume.previd.clone());
                self.wait(completion, Next::Resume { account, resume })
            }
        }
    }

    fn resumed_inline(
        &mut self,
        mut completion: Completion,
        previd: &str,
        resumed: Result<Resumed, NotResumed>,
    ) -> Output {
        match resumed.map_err(NotResumed::answer) {
            Ok(Resumed { jid, h }) => {
                self.succeed(completion, Some((jid, management::resumed(previd, h))))
            }
            Err(Ok(failed)) => {
                completion.not_resumed = Some(failed);
                self.establish(completion)
            }
            Err(Err(error)) => self.fail(&error),
        }
    }

    fn establish(&mut self, mut completion: Completion) -> Output {
        let Some(inline) = completion.wishes.bind.take() else {
            return self.succeed(completion, None);
        };
        let account = completion.proved.account.clone();
        let agent = completion.wishes.agent.as_ref();
        // Steady, and made of the client's id without telling it (XEP-0386 §3.2.1).
        let replaces =
            agent.map(|agent| self.rules.decoys.pseudonym(&format!("{account}\0{agent}")));
        let own = replaces.clone().unwrap_or_else(self.new_id);
        let tag = inline.child_text(ns::BIND2, "tag").unwrap_or_default();
        // A tag that no resource can have is left out.
        let tagged = match tag.trim() {
            "" => None,
            tag => Resource::new(&format!("{tag}/{own}")).ok(),
        };
        let Ok(resource) = tagged.map_or_else(|| Resource::new(&own), Ok) else {
            return self.fail(&crate::proto::StreamCondition::InternalServerError.into());
        };
        completion.stage = Stage::Establishing;
        let next = Next::Establish {
            account,
            resource,
            replaces,
            inline,
        };
        self.wait(completion, next)
    }

    fn established(
        &mut self,
        completion: Completion,
        established: Result<(FullJid, Vec<Element>), StanzaError>,
    ) -> Output {
        match established {
            Ok((jid, answers)) => {
                let bound = Element::new(ns::BIND2, "bound").children_from(answers);
                self.succeed(completion, Some((jid, bound)))
            }
            // The client asked for both or none; that its proof was right is no use to it.
            Err(error) => {
                let failure = Failure::from(SaslCondition::TemporaryAuthFailure);
                let reason = Element::new(ns::STANZA_ERRORS, error.condition.name());
                self.failed_because(completion.proved.opened, &failure, Some(reason))
            }
        }
    }

    /// XEP-0388 §2.6.1, with what came of the session. The stream goes on without a new header.
    fn succeed(&mut self, completion: Completion, bound: Option<(FullJid, Element)>) -> Output {
        let Proved {
            opened,
            account,
            data,
            ..
        } = completion.proved;
        let address = match &bound {
            Some((jid, _)) => jid.to_string(),
            None => account.to_string(),
        };
        let mut success = Element::new(ns::SASL2, "success")
            .child_opt(additional(data))
            .child(Element::new(ns::SASL2, "authorization-identifier").text(address));
        let added = self.rules.features.authenticated(&opened.host);
        let (features, state, next) = match bound {
            None => (
                features::authenticated(added),
                State::Unbound { account },
                Next::Read,
            ),
            Some((jid, bound)) => {
                success.push_child(bound);
                (features::bound(added), State::Ended, Next::Ready(jid))
            }
        };
        let success = success
            .child_opt(completion.not_resumed)
            .child_opt(completion.issued);
        let mut out = self.element(&success);
        out.stream_element(&features);
        self.to(state, out, next)
    }
}

fn additional(data: Option<Vec<u8>>) -> Option<Element> {
    let data = data?;
    Some(Element::new(ns::SASL2, "additional-data").text(sasl::encode(&data)))
}
