-- Rooms that outlast their occupants (XEP-0045).
--
-- config: the form muc#roomconfig as its owner would fill it in.

create table room (
    jid text not null primary key,
    creator text not null,
    created_at bigint not null,
    config bytea not null,
    subject bytea,
    vcard bytea
);

create table room_affiliation (
    room text not null references room (jid) on delete cascade,
    jid text not null,
    affiliation text not null,
    nick text,
    reason text,
    primary key (room, jid)
);
