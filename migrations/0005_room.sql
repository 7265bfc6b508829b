-- Rooms that outlast their occupants (XEP-0045).
--
-- config: the form muc#roomconfig as its owner would fill it in.
-- hats (XEP-0317): in room the element that lists them, in room_affiliation the URIs of those that are worn, one a line.

create table room (
    jid text not null primary key,
    creator text not null,
    created_at bigint not null,
    config bytea not null,
    subject bytea,
    vcard bytea,
    hats bytea
);

create table room_affiliation (
    room text not null references room (jid) on delete cascade,
    jid text not null,
    affiliation text not null,
    nick text,
    reason text,
    hats text,
    primary key (room, jid)
);
create index room_affiliation_by_jid on room_affiliation (jid);
