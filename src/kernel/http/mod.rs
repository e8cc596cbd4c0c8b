//! HTTP without resources: the accept loop and the mounting of routers.
pub mod connection;
pub mod mount;
