//! Webhooks: where the messages of an account go (contract 3.6, 4.5).
pub mod dto;
pub mod entity;
pub mod messages;
