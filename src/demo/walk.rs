//! What is printed when a demonstration runs: who can log in, and what to try.

use std::path::Path;

use super::people::PEOPLE;
use super::{HOST, address};
use crate::config::Component;

/// What it depends on.
pub(super) struct Walk<'a> {
    pub(super) password: &'a str,
    pub(super) connector: &'a str,
    pub(super) crm: Option<&'a Component>,
    pub(super) kept: Option<&'a Path>,
}

impl Walk<'_> {
    /// For listeners as the server has told them.
    pub(super) fn text(&self, listeners: &str) -> String {
        let Self {
            password,
            connector,
            ..
        } = self;
        let place = address(listeners, "c2s").unwrap_or_default();
        let components = address(listeners, "component").unwrap_or_default();
        let mut text = format!(
            "\nParlour's demonstration runs at {place}, with a certificate of its own that clients ask about.\n\n\
             Log in with ordinary clients; the password of all is  {password}\n"
        );
        for (local, role, name) in PEOPLE {
            text.push_str(&format!(
                "  {:20} {role:11} {name}\n",
                format!("{local}@{HOST}")
            ));
        }
        text.push_str(&format!(
            r#"
A walk with two clients that have commands (Gajim: the account's "Execute command", at center.{HOST};
Profanity: /cmd list center.{HOST}):
  1. romeo, juliet   command  Log in as an agent
  2. romeo           writes to {connector}:  call romeo from +39 06 698 1234
                     center.{HOST} tells of the call. {connector} tells its id: call-...
  3. romeo           command  Accept an interaction, then  Hold, then  Resume
  4. romeo           command  Send an instant message to a colleague: juliet, about that id
     juliet          answers romeo's message
  5. romeo           command  Consult a colleague by voice: juliet stands there already
     juliet          command  Accept an interaction
  6. romeo           command  Complete the transfer
  7. juliet          command  Write a note into an activity, then  End an interaction
  8. romeo, juliet   command  Say what came of an interaction, then  Finish the wrap-up of an interaction
{connector} understands "help". +39 045 800 1000 is the number of two customers: of a call from there
the agent says who it is with the command  Say who the customer is. "chat juliet from mary@example.com"
makes whoever writes it the customer of a chat.
"#
        ));
        if let Some(crm) = self.crm {
            text.push_str(&format!(
                "\nWhat the CRM hears, in another terminal (needs slixmpp):\n  \
                 BOT_DOMAIN={} BOT_SECRET={} BOT_HOST={HOST} BOT_FILE=cursor BOT_SERVER={components} python3 examples/crm_bot.py\n",
                crm.domain.as_str(),
                crm.secret.expose()
            ));
        }
        text.push_str(&match self.kept {
            Some(folder) => format!(
                "\nEverything is kept in {}. Ctrl-C ends it.\n\n",
                folder.display()
            ),
            None => "\nNothing is kept; --keep FOLDER would. Ctrl-C ends it.\n\n".to_owned(),
        });
        text
    }
}
