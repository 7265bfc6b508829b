-- Files of message streams: taken over from the uploads of their authors, whose accounts and quotas they outlive.
-- The bytes lie in data_dir/attachment.

create table attachment (
    id text not null primary key,
    host text not null,
    -- The message stream for which it was taken.
    stream text not null,
    -- Who had uploaded it, and when.
    owner text not null,
    created_at bigint not null,
    file_name text not null,
    media_type text not null,
    size bigint not null,
    taken_at bigint not null,
    -- Whether the stream was seen to name it.
    named boolean not null
);
create index attachment_by_stream on attachment (stream, id);
create index attachment_by_owner on attachment (owner, created_at);

-- How many bytes a host's attachments have together.
create table attachment_room (
    host text not null primary key,
    bytes bigint not null
);
