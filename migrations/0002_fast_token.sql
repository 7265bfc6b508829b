-- Tokens that clients log in with instead of passwords (XEP-0484).
--
-- agent: the client's installation, a UUID of its own making.
-- secret: the token itself. Both sides use it as the key of a hash, and whatever could stand for it
-- here would open the account as well; it is random, of no use elsewhere, and gone with the
-- password.
-- used: whether the client has logged in with it. A client has at most one token that is used
-- and one that is not.
-- used_count: the highest count that the client has sent with it; -1 before the first.

create table fast_token (
    id text not null primary key,
    account text not null references account (jid) on delete cascade,
    agent text not null,
    mechanism text not null,
    secret text not null,
    used boolean not null,
    used_count bigint not null,
    issued_at bigint not null,
    expires_at bigint not null
);
create index fast_token_by_client on fast_token (account, agent);
create index fast_token_by_expiry on fast_token (expires_at);
