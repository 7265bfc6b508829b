-- What people decide about each other: whom they block and report, which devices are woken, who
-- is invited.

create table blocked (
    owner text not null references account (jid) on delete cascade,
    jid text not null,
    primary key (owner, jid)
);

-- A report outlives the account of its reporter: it is about somebody else.
-- stanza_ids: by and id, separated by U+001F, one pair a line.
create table abuse_report (
    id text not null primary key,
    reporter text not null,
    reported text not null,
    reason text not null,
    content text not null,
    stanza_ids text not null,
    reported_at bigint not null
);
create index abuse_report_by_age on abuse_report (reported_at, id);

-- resource: of the session that enabled it.
create table push_registration (
    owner text not null references account (jid) on delete cascade,
    service text not null,
    node text not null,
    resource text not null,
    options bytea,
    failures bigint not null,
    enabled_at bigint not null,
    primary key (owner, service, node)
);

-- token: the SHA-256 of what the invited holds.
create table invitation (
    token text not null primary key,
    host text not null,
    inviter text references account (jid) on delete cascade,
    account text,
    registers boolean not null,
    subscribes boolean not null,
    uses_left bigint not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index invitation_by_age on invitation (expires_at);
create index invitation_by_inviter on invitation (inviter);
create index invitation_by_account on invitation (account);
