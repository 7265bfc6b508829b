-- Subscriptions that wait for an owner of the node (XEP-0060 §6.1.4).
alter table pubsub_subscription add column pending boolean not null default false;
