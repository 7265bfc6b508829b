-- Files that clients upload (XEP-0363): a row is a slot until the file has come, and the file's afterwards.
-- The bytes lie in data_dir/upload.

create table upload (
    id text not null primary key,
    owner text not null references account (jid) on delete cascade,
    token_hash bytea not null,
    file_name text not null,
    media_type text,
    size bigint not null,
    created_at bigint not null,
    put_until bigint not null,
    stored_at bigint,
    expires_at bigint
);
create index upload_by_owner on upload (owner, created_at);
create index upload_by_expiry on upload (expires_at);
create index upload_by_end_of_slot on upload (put_until);

-- One row for each account that has asked for a slot, which its next request locks: two at once
-- could otherwise each find room for one.
create table upload_owner (
    owner text not null primary key references account (jid) on delete cascade,
    asked_at bigint not null
);
