//! The app packages family: one file for each folder of `src/package_api`.
mod acceptance;
mod app_authtickets;
mod appinstall;
mod applications;
mod apppackages;
mod appsubscriptions;
mod conventions;
mod developer_applications;
mod developer_authtickets;
mod event_pull;
mod filebasedpackage;
mod headless_app;
mod jwks;
mod package_files;
mod package_lists;
mod reference;
mod tenants;
