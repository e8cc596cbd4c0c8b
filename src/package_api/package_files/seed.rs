//! Files of the demo package.
use bytes::Bytes;
use sea_orm::DatabaseTransaction;

use super::path::FilePath;
use super::receive;
use super::service;
use crate::directory::state::AppState;
use crate::kernel::error::Result;
use crate::package_api::model::author::Author;
use crate::package_api::model::lookup::{self, Lock, Which};

/// What a package that extends the platform has: a list of its functions, and their code.
const FILES: [(&str, &str); 2] = [
    (
        "assets/functions.json",
        r#"{"exports":[{"id":"greet","virtualPath":"./assets/dist/greet.js","actionId":"http.storefront.routes"}]}
"#,
    ),
    (
        "assets/dist/greet.js",
        "module.exports = function (context, callback) {\n  context.response.body = 'Hello';\n  callback();\n};\n",
    ),
];

/// Puts the demo files into a package of the author's account, as uploads do.
///
/// # Errors
/// Those of an upload.
pub async fn fill(
    transaction: &DatabaseTransaction,
    state: &AppState,
    package: i64,
    author: &Author,
) -> Result<()> {
    let row = lookup::lock(transaction, Which::Id(package), &author.account, Lock::Package).await?;
    row.unlocked()?;
    for (path, text) in FILES {
        let path = FilePath::parse(path, "filepath")?;
        let blob = receive::put(state, Bytes::from_static(text.as_bytes())).await?;
        service::write(transaction, package, author, &path, &blob, None).await?;
    }
    Ok(())
}
