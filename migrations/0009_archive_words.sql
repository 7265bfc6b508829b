-- Words of archived messages: in the place of a row for each word of each message, a summary for each hundred
-- messages of an archive. A search looks at the summaries, and then at archive_message.words of those
-- messages that one of them speaks for, and of the latest ones, which have none yet.
drop table archive_word;

-- first_id, last_id: the messages that it is about, and all between.
-- words: a Bloom filter of their words, see store/archive/summary.rs.
create table archive_summary (
    owner text not null,
    last_id bytea not null,
    first_id bytea not null,
    words bytea not null,
    primary key (owner, last_id)
);
