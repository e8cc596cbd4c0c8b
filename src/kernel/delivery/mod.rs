//! Messages that go out: kept in the database until they are delivered, whatever happens to the process.
//!
//! * A *lane* is the way to one receiver. One worker at a time has a lane (a lease that ends by itself), so
//!   messages of one object leave in order, and a slow receiver delays no other.
//! * A *delivery* is one message; an *attempt* is one request that tried to deliver it.
//! * A [`Channel`] knows one kind of lane: who is to be told of an event, what a message looks like, when
//!   it counts as delivered and when it is tried again.
//!
//! ```text
//! events ─ dispatch ─▶ deliveries, lanes due ─ claim ─▶ load ─▶ compose ─▶ send ─▶ judge ─▶ record
//! (a change's transaction)                      └─────────────── one turn of a lane ──────────────┘
//! ```
//!
//! At least once: what is sent is recorded after the answer; who dies between sends it again.
mod channel;
mod dispatch;
pub mod entity;
mod lanes;
mod pace;
mod queue;
mod record;
pub mod sweep;
mod worker;

pub use channel::{
    Answer, Channel, Composed, LaneKey, Message, NewDelivery, Outcome, Settled, Verdict,
};
pub use queue::{bring_forward, enqueue, forget, give_up, resume};
pub use worker::Worker;
