//! A page to look inside a run and play with it, and the same as JSON.
//!
//! [`Models`] are a run's states, one for each density, loaded when they are first asked for. [`router`]
//! answers requests: every address is a page to a browser and JSON to any other program. Nothing is kept
//! between requests but models and what was measured of their channels, and nothing is written: the page
//! itself holds the input and the motifs that its user has moved, and asks what the decoder makes of them.

mod channels;
mod models;
mod reading;
mod refusal;
mod routes;
mod saved;
mod upload;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

pub use models::Models;
pub use routes::router;
pub(crate) use saved::channels_page;

/// Answers requests until the program is ended. Where only this machine can connect, only requests that
/// name it are answered, so that no page from elsewhere reads along under a name of its own.
///
/// # Errors
///
/// If the system gives no threads, or takes the listener away.
pub fn answer_on(listener: TcpListener, models: Models) -> io::Result<()> {
    let is_local = listener.local_addr()?.ip().is_loopback();
    let router = router(Arc::new(models), is_local);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, router).await
    })
}
