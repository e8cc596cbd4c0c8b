//! The app packages family: one file for each folder of `src/package_api`.
mod acceptance;
mod app_authtickets;
mod apppackages;
mod conventions;
mod jwks;
mod developer_applications;
mod package_lists;
mod tenants;
