-- Publish-subscribe (XEP-0060): nodes of accounts (XEP-0163) and of services at domains of their own.
--
-- service: the account's bare JID or the service's domain; account: the same where it is an account,
-- so that its nodes go with it.
-- revision: counts what is published; the newest item has the greatest. bytes: what all payloads of the
-- node weigh, so that the bound costs no sum over items.
create table pubsub_node (
    service text not null,
    node text not null,
    account text references account (jid) on delete cascade,
    config bytea not null,
    creator text not null,
    created_at bigint not null,
    revision bigint not null,
    bytes bigint not null,
    primary key (service, node)
);
create index pubsub_node_by_account on pubsub_node (account);

create table pubsub_item (
    service text not null,
    node text not null,
    id text not null,
    publisher text not null,
    published_at bigint not null,
    revision bigint not null,
    payload bytea not null,
    primary key (service, node, id),
    foreign key (service, node) references pubsub_node (service, node) on delete cascade
);
create index pubsub_item_by_revision on pubsub_item (service, node, revision);

create table pubsub_affiliation (
    service text not null,
    node text not null,
    jid text not null,
    affiliation text not null,
    primary key (service, node, jid),
    foreign key (service, node) references pubsub_node (service, node) on delete cascade
);
create index pubsub_affiliation_by_jid on pubsub_affiliation (jid, service);

-- bare: the address without its resource, by which an entity finds its subscriptions.
create table pubsub_subscription (
    service text not null,
    node text not null,
    jid text not null,
    bare text not null,
    primary key (service, node, jid),
    foreign key (service, node) references pubsub_node (service, node) on delete cascade
);
create index pubsub_subscription_by_bare on pubsub_subscription (bare, service);

-- The SHA-1 hash of the picture in the account's vCard (XEP-0153), so that no presence costs a vCard.
create table vcard_photo (
    owner text not null primary key references account (jid) on delete cascade,
    hash text not null
);
