//! What every ratio is taken of: axum answering bytes it already has.

use std::{net::SocketAddr, path::PathBuf};

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use clap::Args;
use http::{StatusCode, header};
use tokio::net::TcpListener;

use crate::Result;

#[derive(Args, Debug)]
pub struct Bare {
    #[arg(long)]
    listen: SocketAddr,
    /// File with the body of every answer.
    #[arg(long)]
    body: PathBuf,
}

impl Bare {
    pub async fn serve(self) -> Result<()> {
        let body = Bytes::from(std::fs::read(self.body)?);
        let answer = move |status: StatusCode| -> Response {
            let content_type = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
            (status, content_type, body.clone()).into_response()
        };
        let write = answer.clone();
        let read = async move || answer(StatusCode::OK);
        // Taking the body as an argument makes axum read it to its end first.
        let write = async move |_: Bytes| write(StatusCode::CREATED);
        let router = Router::new()
            .route("/v1/app_offerings", get(read.clone()).post(write))
            .route("/v1/app_offerings/{id}", get(read));
        axum::serve(TcpListener::bind(self.listen).await?, router).await?;
        Ok(())
    }
}
