//! Webhook policies: the keys that sign the messages of webhooks, and where receivers find them
//! (contract 3.7, 4.4).
pub mod dto;
pub mod entity;
pub mod key_entity;
