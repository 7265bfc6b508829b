-- Records that change by commands: agents, IM sessions, business contexts and what else the contact center
-- keeps. A snapshot is the JSON of what the record is; whoever reads it knows by its kind what it means.
create table record (
    kind text not null,
    id text not null,
    version bigint not null,
    snapshot text not null,
    -- When time changes it.
    due bigint,
    primary key (kind, id)
);
create index record_due on record (due) where due is not null;

-- What made a record what it is, one event for each version.
create table record_event (
    kind text not null,
    id text not null,
    version bigint not null,
    event text not null,
    primary key (kind, id, version),
    foreign key (kind, id) references record (kind, id) on delete cascade
);

-- Where a record is found: a list has a name and an owner, and its records in the order of their ids.
create table record_listing (
    kind text not null,
    list text not null,
    owner text not null,
    id text not null,
    primary key (kind, list, owner, id),
    foreign key (kind, id) references record (kind, id) on delete cascade
);
create index record_listing_record on record_listing (kind, id);

-- What several records together must not exceed has a guard, which each of their writes turns.
create table record_guard (
    name text not null primary key,
    version bigint not null
);

-- Stanzas that were decided upon together with a record and are not sent yet, in the order of their ids.
create table outbox (
    id text not null primary key,
    stanza bytea not null
);
