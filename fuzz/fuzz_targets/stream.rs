//! A client that says anything, and a driver that answers anything it may: the machine
//! never panics, writes well-formed streams with one header each, and lets nobody in
//! without a proof and an admission.
//!
//! The first line of the input is the play: TLS, how the bytes are cut, then the answers of
//! the driver in turn and round again. The rest is what the client says.

#![no_main]

use std::sync::Arc;

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use parlour::clock::Timestamp;
use parlour::proto::scram::{ScramHash, ScramKeys};
use parlour::proto::{BareJid, Condition, StreamCondition};
use parlour::stream::management::NotResumed;
use parlour::stream::sasl::{
    BearerVerdict, Decoys, PasswordVerdict, PlainWithoutTls, Policy, Secret, Security, TlsVersion,
    Token, TokenMechanism,
};
use parlour::stream::{
    Admission, Exchanged, Framing, Input, Negotiation, Next, Output, Resumed, Rules,
    StreamFeatures, Tls,
};
use parlour::xml::{Element, Frame, Framer, Limits, Scope, parse};

struct Nothing;

impl StreamFeatures for Nothing {
    fn negotiation(&self, _: &BareJid) -> Vec<Element> {
        vec![]
    }

    fn authenticated(&self, _: &BareJid) -> Vec<Element> {
        vec![]
    }

    fn bind_inline(&self) -> Vec<&'static str> {
        vec!["urn:xmpp:sm:3"]
    }
}

fuzz_target!(|input: &[u8]| {
    let line = input
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(input.len());
    let (play, said) = input.split_at(line);
    let tls = play.first().copied().unwrap_or_default();
    let size = play
        .get(1)
        .copied()
        .map_or(1, |byte| usize::from(byte).max(1));
    let answers = play
        .get(2..)
        .filter(|answers| !answers.is_empty())
        .unwrap_or(b"y");
    let mut driver = Driver::new(tls, answers);
    for piece in said.get(1..).unwrap_or_default().chunks(size) {
        driver.buffer.extend_from_slice(piece);
        if !driver.read() {
            return;
        }
    }
});

fn jid(text: &str) -> BareJid {
    BareJid::new(text).expect("an address")
}

fn security(choice: u8) -> Security {
    match choice {
        b'p' => Security::Cleartext {
            plain: PlainWithoutTls::Allowed,
        },
        b't' => Security::tls(TlsVersion::V1_3, Some(vec![1]), Some(vec![2]), vec![]),
        b'c' => Security::tls(TlsVersion::V1_2, None, None, vec![jid("alice@example.com")]),
        _ => Security::Cleartext {
            plain: PlainWithoutTls::Refused,
        },
    }
}

struct Driver<'a> {
    machine: Option<Negotiation>,
    framer: Framer,
    scope: Scope,
    buffer: BytesMut,
    answers: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    /// The client's side, which must be able to read all that is written.
    client: Framer,
    headers: usize,
    /// A certificate or a password that was right.
    proved: bool,
    admitted: bool,
    bound: bool,
}

impl<'a> Driver<'a> {
    fn new(choice: u8, answers: &'a [u8]) -> Self {
        let rules = Rules {
            hosts: vec![jid("example.com"), jid("example.net")],
            tls: match choice {
                b'r' => Tls::Required,
                b'o' => Tls::Optional,
                _ => Tls::Absent,
            },
            sasl: Policy::default(),
            attempts_max: 3,
            tokens: true,
            decoys: Decoys::new([1; 32], 4096),
            features: Box::new(Nothing),
        };
        let machine = Negotiation::new(Arc::new(rules), Framing::Stream, security(choice), || {
            "nonce".into()
        });
        Self {
            machine: Some(machine),
            framer: Framer::new(Limits::default()),
            scope: Scope::default(),
            buffer: BytesMut::new(),
            answers: answers.iter().cycle(),
            client: Framer::new(Limits::default()),
            headers: 0,
            proved: choice == b'c',
            admitted: false,
            bound: false,
        }
    }

    /// Takes every frame there is; false when the stream is over.
    fn read(&mut self) -> bool {
        loop {
            let input = match self.framer.next(&mut self.buffer) {
                Ok(None) => return true,
                Ok(Some(Frame::Close)) => return false,
                Ok(Some(Frame::Open(opening))) => {
                    self.scope = opening.scope.clone();
                    Input::Open(opening)
                }
                Ok(Some(Frame::Element(bytes))) => {
                    match parse(bytes, &self.scope, &Limits::default()) {
                        Ok(parsed) => Input::Element(parsed),
                        Err(_) => return self.refuse(),
                    }
                }
                Err(_) => return self.refuse(),
            };
            if !self.handle(input) {
                return false;
            }
        }
    }

    fn refuse(&mut self) -> bool {
        let mut machine = self.machine.take().expect("a machine");
        let output = machine.fail(&StreamCondition::NotWellFormed.into());
        self.sent(&output);
        false
    }

    /// Feeds the machine until it wants to read; false when the stream is over.
    fn handle(&mut self, mut input: Input) -> bool {
        loop {
            self.admitted |= matches!(input, Input::Admission(Admission::Granted));
            let (machine, output) = self.machine.take().expect("a machine").handle(input);
            self.machine = Some(machine);
            self.sent(&output);
            if output.out.bytes().starts_with(b"<success ") {
                assert!(self.proved && self.admitted);
            }
            if output.failed.is_some() {
                self.admitted = false;
            }
            input = match output.next {
                Next::Read => return true,
                Next::Close => return false,
                Next::Restart => {
                    self.restart();
                    return true;
                }
                Next::StartTls if self.buffer.is_empty() => {
                    let answer = self.answer();
                    self.proved = answer == b'c';
                    Input::Secured(security(if answer == b'c' { b'c' } else { b't' }))
                }
                Next::StartTls => return false,
                Next::Ready(_) => {
                    assert!(self.proved && self.admitted && self.bound);
                    return false;
                }
                wish => self.grant(wish),
            };
        }
    }

    fn grant(&mut self, wish: Next) -> Input {
        let answer = self.answer();
        if answer == b'u' {
            return Input::Unavailable;
        }
        let yes = answer == b'y';
        match wish {
            // No proof fits them.
            Next::Keys { hash, .. } => Input::Keys(yes.then(|| keys(hash))),
            Next::Password { .. } if yes => {
                self.proved = true;
                Input::Verdict(PasswordVerdict::Right)
            }
            Next::Password { .. } => Input::Verdict(PasswordVerdict::Wrong),
            Next::Bearer { host, .. } if yes => match BareJid::new(&format!("anna@{host}")) {
                Ok(account) => {
                    self.proved = true;
                    Input::Bearer(BearerVerdict::Right(account))
                }
                Err(_) => Input::Unavailable,
            },
            Next::Bearer { .. } => Input::Bearer(BearerVerdict::Refused(b"{}".to_vec())),
            Next::Admit { .. } => {
                assert!(self.proved, "no proof, or one of keys that nobody has");
                Input::Admission(match answer {
                    b'y' => Admission::Granted,
                    b'd' => Admission::Disabled,
                    _ => Admission::Unknown,
                })
            }
            Next::Bind { account, .. } => {
                assert!(self.admitted);
                self.bound = yes;
                let bound = format!("{account}/desk")
                    .parse()
                    .map_err(|_| Condition::Conflict);
                Input::Bound(if yes { bound } else { Err(Condition::Conflict) }.map_err(Into::into))
            }
            // Of the token only its hash is known here, and no client guesses that.
            Next::Tokens { .. } => Input::Tokens(vec![Token {
                id: "t".into(),
                mechanism: TokenMechanism::Unbound,
                secret: Secret::from("nothing that a client has"),
                expired: yes,
            }]),
            Next::Hashes { .. } if yes => Input::Hashes(vec![ScramHash::Sha1]),
            Next::Hashes { .. } => Input::Hashes(ScramHash::ALL.to_vec()),
            Next::Upgrade { .. } => {
                assert!(self.admitted);
                Input::Upgraded
            }
            Next::Exchange { redeemed, .. } => {
                assert!(self.admitted && redeemed.is_none());
                Input::Exchanged(match answer {
                    b'y' => Exchanged::Issued {
                        token: Secret::from("new"),
                        expiry: Timestamp::from_micros(0),
                    },
                    b'd' => Exchanged::Refused,
                    _ => Exchanged::Kept,
                })
            }
            Next::Resume { account, .. } => {
                assert!(self.admitted);
                self.bound = yes;
                let jid = format!("{account}/old").parse();
                Input::Resumed(match jid {
                    Ok(jid) if yes => Ok(Resumed { jid, h: 1 }),
                    _ if answer == b'd' => Err(NotResumed::TooHigh { h: 2, sent: 1 }),
                    _ => Err(NotResumed::Unknown { h: None }),
                })
            }
            Next::Establish {
                account, resource, ..
            } => {
                assert!(self.admitted);
                self.bound = yes;
                let bound = format!("{account}/{}", resource.as_str())
                    .parse()
                    .map_err(|_| Condition::Conflict);
                let bound = if yes { bound } else { Err(Condition::Conflict) };
                Input::Established(bound.map(|jid| (jid, vec![])).map_err(Into::into))
            }
            Next::Answer { payload, .. } if yes => Input::Answered(Ok(Some(payload))),
            Next::Answer { .. } => Input::Answered(Err(Condition::NotAuthorized.into())),
            Next::Read | Next::Restart | Next::StartTls | Next::Ready(_) | Next::Close => {
                unreachable!("no wish of a fact")
            }
        }
    }

    fn answer(&mut self) -> u8 {
        self.answers.next().copied().unwrap_or_default()
    }

    fn restart(&mut self) {
        self.framer.restart();
        self.client.restart();
        self.headers = 0;
    }

    /// Reads what was written as the client must.
    fn sent(&mut self, output: &Output) {
        let mut buffer = BytesMut::from(output.out.bytes());
        let mut closed = false;
        while let Some(frame) = self.client.next(&mut buffer).expect("a stream") {
            match frame {
                Frame::Open(opening) => {
                    self.headers += 1;
                    assert_eq!(self.headers, 1);
                    assert_eq!(opening.scope.default_ns(), "jabber:client");
                }
                Frame::Element(bytes) => {
                    let scope: Scope = [
                        ("", "jabber:client"),
                        ("stream", "http://etherx.jabber.org/streams"),
                    ]
                    .into_iter()
                    .collect();
                    parse(bytes, &scope, &Limits::default()).expect("a well-formed element");
                }
                Frame::Close => closed = true,
            }
        }
        assert!(buffer.is_empty(), "whole frames");
        assert_eq!(closed, matches!(output.next, Next::Close));
    }
}

fn keys(hash: ScramHash) -> ScramKeys {
    ScramKeys {
        hash,
        salt: vec![3; 16],
        iterations: 4096,
        stored_key: hash.digest(b"nothing that a client has"),
        server_key: vec![5; 20],
    }
}
