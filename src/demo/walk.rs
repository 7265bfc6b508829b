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
            "\n\
A walk with two clients that have commands (Gajim: the account's \"Execute command\", at center.{HOST};\n\
Profanity: /cmd list center.{HOST}):\n\
  1. romeo, juliet     command  Log in as an agent\n\
  2. romeo             write to {connector}:  call romeo from +39 06 698 1234\n\
                       The service tells of the call, and who calls: Mary Example.\n\
  3. romeo             command  Accept an interaction        then  Hold  and  Resume\n\
  4. romeo             command  Send an instant message to a colleague: juliet, about the call. She answers.\n\
  5. romeo             command  Consult a colleague by voice  (juliet stands there already)\n\
     juliet            command  Accept an interaction\n\
  6. romeo             command  Complete the transfer\n\
  7. juliet            command  Write a note into an activity,  End an interaction\n\
  8. romeo, juliet     command  Say what came of an interaction,  Finish the wrap-up of an interaction\n\
{connector} understands \"help\". +39 045 800 1000 is the number of two customers.\n"
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
