-- Journals: what has changed, in the order in which it was written, for those outside who follow it. Places
-- of a journal grow by one, and none is given twice.
create table journal (
    name text not null primary key,
    -- The last place that was given.
    place bigint not null
);

-- One change: which record, and which version it had then.
create table journal_entry (
    name text not null,
    place bigint not null,
    id text not null,
    version bigint not null,
    at bigint not null,
    primary key (name, place)
);

-- Who follows a journal, and up to where it has said that it has everything.
create table journal_follower (
    name text not null,
    follower text not null,
    acknowledged bigint not null,
    primary key (name, follower)
);
