//! HTTP without resources: the accept loop, the mounting of routers, and what requests and answers of
//! every family have in common.
pub mod answer;
pub mod basic;
pub mod body;
pub mod connection;
pub mod deprecation;
pub mod file;
pub mod mount;
pub mod operations;
pub mod prefer;
