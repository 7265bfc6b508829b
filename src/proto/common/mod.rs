//! Payloads that more than one room speaks.
