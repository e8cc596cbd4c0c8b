//! The app packages family: developers make application versions and packages, tenants install them.
//! Wire-compatible with the contract `app-packages`.
pub mod appinstall;
pub mod apppackages;
pub mod appsubscriptions;
pub mod catalogue;
pub mod convention;
