-- What a subscriber wants to be told, and when (XEP-0060 §6.3); null for everything at all times.
alter table pubsub_subscription add column options bytea;
-- Nodes whose items go when their publisher goes offline (XEP-0060 §16.4.4): looked for at each logout.
alter table pubsub_node add column purge_offline boolean not null default false;
create index pubsub_node_purge_offline on pubsub_node (account, service, node) where purge_offline;
