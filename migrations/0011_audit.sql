-- What operators did and what they say to everybody.

-- id: sorts by time. host: that of the target, else of the actor; empty for the server as a whole.
-- An entry outlives the accounts that it speaks of.
create table audit (
    id text not null primary key,
    at bigint not null,
    actor text not null,
    origin text not null,
    operation text not null,
    target text not null,
    host text not null,
    arguments text not null,
    done boolean not null,
    result text not null
);
create index audit_by_actor on audit (actor, at);

-- kind: motd or welcome. edition: changes when everybody shall see the text anew.
create table notice (
    host text not null,
    kind text not null,
    subject text not null,
    body text not null,
    edition text not null,
    primary key (host, kind)
);

-- Which edition of which notice an account has been shown.
create table notice_shown (
    account text not null references account (jid) on delete cascade,
    kind text not null,
    edition text not null,
    primary key (account, kind)
);

-- list: blacklist or whitelist. jid: an address or a domain.
create table access_list (
    list text not null,
    jid text not null,
    primary key (list, jid)
);
