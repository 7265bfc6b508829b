-- Accounts and what RFC 6121 and the first extensions keep for them.
--
-- One text for SQLite and PostgreSQL: columns are BIGINT, TEXT, BOOLEAN or BYTEA, moments are
-- microseconds since 1970 in UTC, keys are given by the server. Everything that belongs to an
-- account goes with it, by its foreign key.

create table account (
    jid text not null primary key,
    domain text not null,
    role text not null,
    enabled boolean not null,
    created_at bigint not null,
    password_changed_at bigint not null,
    last_seen_at bigint,
    last_status text
);
create index account_by_domain on account (domain, jid);

create table credential (
    account text not null references account (jid) on delete cascade,
    hash text not null,
    salt bytea not null,
    iterations bigint not null,
    stored_key bytea not null,
    server_key bytea not null,
    primary key (account, hash)
);

-- horizon: the oldest version from which changes can still be told.
create table roster (
    owner text not null primary key references account (jid) on delete cascade,
    version bigint not null,
    horizon bigint not null
);

-- A removed item stays as a tombstone, so that its removal can be told later.
-- group_names: separated by U+001F, which XML cannot contain.
create table roster_item (
    owner text not null references account (jid) on delete cascade,
    contact text not null,
    name text,
    subscription text not null,
    ask boolean not null,
    approved boolean not null,
    group_names text not null,
    version bigint not null,
    removed boolean not null,
    primary key (owner, contact)
);
create index roster_item_by_version on roster_item (owner, version);
create index roster_item_by_contact on roster_item (contact, owner);

create table subscription_request (
    owner text not null references account (jid) on delete cascade,
    from_jid text not null,
    stanza bytea not null,
    received_at bigint not null,
    primary key (owner, from_jid)
);

-- stored: how many messages the owner has, so that the bound costs no count.
create table offline_mailbox (
    owner text not null primary key references account (jid) on delete cascade,
    stored bigint not null
);

create table offline_message (
    owner text not null references account (jid) on delete cascade,
    id bigint not null,
    received_at bigint not null,
    stanza bytea not null,
    primary key (owner, id)
);
create index offline_message_by_age on offline_message (received_at);

create table private_xml (
    owner text not null references account (jid) on delete cascade,
    ns text not null,
    name text not null,
    xml bytea not null,
    primary key (owner, ns, name)
);

create table vcard (
    owner text not null primary key references account (jid) on delete cascade,
    xml bytea not null,
    updated_at bigint not null
);

create table setting (
    name text not null primary key,
    value bytea not null
);
