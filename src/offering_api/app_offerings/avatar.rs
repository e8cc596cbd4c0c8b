//! The picture of an offering, uploaded as a file.
use axum::extract::{FromRequest, MatchedPath, Request};
use axum::response::Response;
use futures_util::FutureExt;

use super::dto::RECORD;
use super::scopes::nested::NONE;
use super::{entity, service};
use crate::directory::state::AppState;
use crate::kernel::error::{Error, Result};
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::field::MAX_DATA_URL;
use crate::kernel::record::input::{Body, Input, Mode};
use crate::kernel::record::select::Scope;
use crate::offering_api::access::Caller;
use crate::offering_api::attachments::form::Form;
use crate::offering_api::attachments::pictures::Picture;
use crate::offering_api::resource::{self, Write};

/// A request with a picture.
pub struct AvatarUpload {
    write: Write,
    /// The bytes of the part `avatar`, if there is one.
    avatar: Option<Vec<u8>>,
}

impl FromRequest<AppState> for AvatarUpload {
    type Rejection = Error;

    async fn from_request(request: Request, _: &AppState) -> Result<Self> {
        let caller = request.extensions().get::<Caller>().cloned().ok_or(Error::Unauthorized)?;
        let headers = request.headers().clone();
        let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let route = format!("{} {route} {}", request.method(), request.uri().path());
        let mut form = Form::open(request).await?;
        let mut avatar = None;
        while let Some(part) = form.next().await? {
            // A `data:` URL of the largest picture is longer than the picture.
            let is_avatar = part.name() == "avatar";
            let bytes = part.bytes(MAX_DATA_URL as usize).await?;
            if is_avatar {
                avatar = Some(bytes);
            }
        }
        let content = avatar.as_deref().unwrap_or_default();
        let write = Write::of_upload(caller, &headers, &route, content)?;
        Ok(Self { write, avatar })
    }
}

/// Keeps the picture and sets the offering's `picture_uri`.
///
/// # Errors
/// As for an update; 422 on `avatar` for what is not a picture.
pub async fn receive(state: &AppState, upload: AvatarUpload, id: &str) -> Result<Response> {
    let AvatarUpload { write, avatar } = upload;
    let id = resource::record_id(&RECORD, id, &write.caller)?;
    let visible = Scope { condition: entity::VISIBLE, id };
    // Before the picture is kept; the transaction looks again.
    resource::require(state, &write.caller, &RECORD, visible).await?;
    let avatar = avatar.filter(|bytes| !bytes.is_empty());
    let avatar = avatar.ok_or_else(|| Error::invalid("avatar", Violation::Blank))?;
    let picture = Picture::new(state, &write.caller.identity.account, avatar)
        .ok_or_else(|| Error::invalid("avatar", Violation::Invalid))?;
    picture.keep(state).await?;
    let mut changes = Changes::read(&RECORD, &Body::default(), Mode::Update, &write.caller.view);
    changes.set("picture_uri", Input::Text(picture.path()));
    write
        .run(state, (id, changes), |transaction, state, write, (id, changes)| {
            service::change(transaction, state, write, *id, changes.clone(), &NONE).boxed()
        })
        .await
}
