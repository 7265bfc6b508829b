//! Business context: objects of the CRM that are sent to colleagues, and the list of those that an agent has
//! had in hand recently (S0-5, S0-27 to S0-30).
//!
//! - [`object`]: what is known of a business object, with the limits of each part.
//! - [`transfer`]: one sending, with how far it is at each recipient: sent, delivered, opened.
//! - [`attached`]: those of an interaction, which its data name.
//! - [`recent`]: an agent's recent objects, and which events put something into the list.

use super::colleague::Prerequisite;
use super::refusal::rejections;

pub mod attached;
pub mod object;
pub mod recent;
#[cfg(test)]
mod tests;
pub mod transfer;

pub use object::{BusinessObject, Field, ObjectKey};

rejections! {
    /// Why business objects are not taken, sent, or acknowledged.
    pub enum Rejection with Prerequisite(Prerequisite) {
        /// The type is no word of the list's form.
        ObjectType = Invalid, "object-type-malformed", "The type of a business object is 1 to 64 small letters, digits and hyphens.";
        /// The id is empty, too long, or has control characters in it.
        ObjectId = Invalid, "object-id-malformed", "The id of a business object has 1 to 128 characters.";
        /// The title is empty or too long.
        ObjectTitle = Invalid, "object-title-malformed", "The title of a business object has 1 to 256 characters.";
        /// The URL is none of the web.
        ObjectUrl = Invalid, "object-url-malformed", "The address of a business object begins with https:// or http:// and has at most 2048 bytes.";
        /// The status is too long.
        ObjectStatus = Invalid, "object-status-malformed", "The status of a business object has at most 64 characters.";
        /// Too many fields, or one is too long.
        ObjectFields = Invalid, "object-fields-malformed", "A business object shows at most 20 fields, with names of at most 64 and values of at most 1024 characters.";
        /// Nothing is sent, or an object twice, or too many.
        Objects = Invalid, "context-objects", "Choose from 1 to 10 business objects, each once.";
        /// It is sent to nobody, or to one twice, or to too many.
        Recipients = Invalid, "context-recipients", "Choose from 1 to 20 colleagues, each once.";
        /// The words that go with it are too long.
        Note = Invalid, "context-note-too-long", "The text beside a business context has at most 4096 bytes.";
        /// It has been sent.
        AlreadySent = Conflict, "context-exists", "There is already a business context of this name.";
        /// There is nothing yet, or it was sent to others.
        NotRecipient = NotFound, "context-unknown", "No such business context was sent to you.";
        /// The means is not in the own profile.
        NotYours = Forbidden, "context-not-yours", "Your chat profile does not allow sending business objects.";
        /// The means is not in the colleague's profile, or the colleague has not the right (S0-10).
        NotTheirs = NotAllowed, "context-not-theirs", "A colleague whom you have chosen cannot be sent business objects.";
        /// The object is not in the list.
        NotRecent = NotFound, "object-not-recent", "This business object is not in your list of recent ones.";
    }
}
