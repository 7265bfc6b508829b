-- Accounts whose people are known elsewhere, and by whom: a directory, or whoever signs tokens.
-- An account that is not here has a password of its own.
create table account_source (
    account text not null primary key references account (jid) on delete cascade,
    source text not null
);
