//! What tests are written with.
pub mod app;
pub mod audit;
pub mod client;
pub mod contract;
pub mod encrypted;
pub mod messages;
pub mod packages;
pub mod process;
pub mod receiver;

pub use app::TestApp;
pub use client::Answer;

/// The body of a 422 that is about no field but the request as a whole.
pub fn unprocessable(text: &str) -> serde_json::Value {
    serde_json::json!({"message": text, "errors": [["base", text]]})
}

/// Declares tests that run on every database: `on_both! { async fn a_sentence(app: TestApp) { … } }`; of a
/// service with other settings: `(app: TestApp with |config| config.self_certification = true)`.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp $(with $settings:expr)?) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "small tests need none of their module's imports")]
            use super::*;

            async fn test($app: $crate::support::TestApp) $body

            fn adjust(config: &mut appmarket::kernel::config::Config) {
                let settings: &[fn(&mut appmarket::kernel::config::Config)] = &[$($settings)?];
                settings.iter().for_each(|change| change(config));
            }

            #[tokio::test]
            async fn sqlite() {
                test($crate::support::TestApp::sqlite_with(adjust).await).await;
            }

            #[cfg(test_postgres)]
            #[tokio::test]
            async fn postgres() {
                test($crate::support::TestApp::postgres_with(adjust).await).await;
            }
        }
    )+};
}
