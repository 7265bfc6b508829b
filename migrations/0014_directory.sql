-- The directory of colleagues: what people are called in their vCards.
create table directory_entry (
    account text not null primary key references account (jid) on delete cascade,
    name text,
    nickname text
);

-- The words of their names and of their logons, as a search compares them. As bytes, for their order is that of
-- the bytes in both databases, so that all words with one beginning stand together.
create table directory_word (
    domain text not null,
    word bytea not null,
    account text not null references directory_entry (account) on delete cascade,
    primary key (domain, word, account)
);
create index directory_word_account on directory_word (account);
