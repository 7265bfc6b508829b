-- Message archives (XEP-0313) of accounts and rooms.
--
-- owner: whose archive; no foreign key, for rooms have archives, too.
-- id: sixteen bytes that sort by time, see store/archive/id.rs.
-- conversation: the owner and whom the message was exchanged with, separated by a line feed. One column,
-- so that there is one index only that a database can choose for a page of it.
-- peer_resource: the resource of the latter; may be empty.
-- words: the numbers under which archive_word has the message, eight bytes each.
create table archive_message (
    owner text not null,
    id bytea not null,
    conversation text not null,
    peer_resource text not null,
    stanza bytea not null,
    words bytea not null,
    primary key (owner, id)
);
create index archive_message_by_conversation on archive_message (conversation, id);

-- word: a number made of the owner and a word, so that a search stays inside of one archive.
create table archive_word (
    word bigint not null,
    id bytea not null,
    primary key (word, id)
);

-- listed_always, listed_never: addresses separated by line feeds.
create table archive_preference (
    owner text not null primary key references account (jid) on delete cascade,
    otherwise text not null,
    listed_always text not null,
    listed_never text not null
);

-- Under which id the owner's archive has the message, too.
alter table offline_message add column archive_id bytea;
