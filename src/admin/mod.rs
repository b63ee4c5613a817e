//! Seeing what the proxy does: metrics and health over HTTP.

mod metrics;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::session::figures::Figures;

/// Whoever knows how the proxy is.
pub trait Probe: Send + Sync + 'static {
    /// How it is at this moment.
    fn figures(&self) -> Figures;

    /// Whether a new client would be served.
    ///
    /// # Errors
    /// Why not, in a line.
    fn ready(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// Answers on `listener` for as long as it is polled: `/metrics`, `/healthz` (the process runs), `/readyz` (a client
/// would be served).
///
/// # Errors
/// The listener's.
pub async fn serve(listener: TcpListener, probe: impl Probe) -> std::io::Result<()> {
    let probe = Arc::new(probe);
    let router = Router::new()
        .route("/metrics", get(show_metrics))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(show_readiness))
        .with_state(probe);
    axum::serve(listener, router).await
}

async fn show_metrics<P: Probe>(State(probe): State<Arc<P>>) -> Response {
    match metrics::text(&probe.figures()) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn show_readiness<P: Probe>(State(probe): State<Arc<P>>) -> Response {
    match probe.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}
