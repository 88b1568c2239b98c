//! Requests and their answers: pages for browsers, JSON for every other program.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use sparling_data::{Domain, Split};

use super::models::{Model, Models};
use super::reading::{self, Answer, Shown};
use super::refusal::Refusal;
use super::upload;
use crate::files::sound;
use crate::metrics::channel::channel_number;
use crate::metrics::{Figures, Motif};
use crate::study::intervene::Addition;

/// The bytes of a request at most: half a minute of sound.
const LARGEST_BODY: usize = 6 << 20;

/// Examples are numbered up to here where there is no end to them.
const MOST_EXAMPLES: u64 = 1 << 32;

/// Only what this program serves is loaded; pictures are in addresses as well.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; \
                      frame-ancestors 'none'";

/// What the page loads.
const FILES: [(&str, &str); 8] = [
    ("page.css", include_str!("page/page.css")),
    ("page.js", include_str!("page/page.js")),
    ("channels.js", include_str!("page/channels.js")),
    ("dom.js", include_str!("page/dom.js")),
    ("flow.js", include_str!("page/flow.js")),
    ("list.js", include_str!("page/list.js")),
    ("own.js", include_str!("page/own.js")),
    ("stage.js", include_str!("page/stage.js")),
];

type Outcome<T> = Result<T, Refusal>;

/// Everything that can be asked of a run. With `is_local` only by the names of this machine.
pub fn router(models: Arc<Models>, is_local: bool) -> Router {
    let router = Router::new()
        .route("/", get(run))
        .route("/examples/{index}", get(example))
        .route("/examples/{index}/sound", get(heard))
        .route("/read", get(page).post(read))
        .route("/answer", post(answer))
        .route("/channels", get(channels))
        .route("/channels/{name}", get(channel))
        .route("/page/{file}", get(page_file))
        .fallback(nowhere)
        .method_not_allowed_fallback(otherwise)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::map_response(with_headers))
        .with_state(models);
    match is_local {
        true => router.layer(middleware::from_fn(of_this_machine)),
        false => router,
    }
}

/// What is asked for besides the address's path.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    /// The density of the model; the nearest is taken, without one the lowest.
    density: Option<f64>,
    /// The motifs in place of those found, as `intervene --add` takes them, with `;` between them.
    motifs: Option<String>,
}

/// What a run is.
#[derive(Serialize)]
struct Run<'a> {
    name: String,
    domain: &'a str,
    /// `[channels, height, width]` of inputs.
    shape: [usize; 3],
    is_sound: bool,
    /// Samples a second, and the samples of a position and of an input, of recordings.
    #[serde(skip_serializing_if = "Option::is_none")]
    sound: Option<[usize; 3]>,
    /// How many test examples there are, where there is an end to them.
    examples: Option<u64>,
    /// The side of the window that the motif model sees around each position.
    window: usize,
    /// From dense to sparse.
    ladder: Vec<Rung<'a>>,
    channels: Vec<reading::ShownChannel>,
}

#[derive(Serialize)]
struct Rung<'a> {
    density: f64,
    validation: Option<&'a Figures>,
}

async fn run(State(models): State<Arc<Models>>, headers: HeaderMap) -> Outcome<Response> {
    if wants_page(&headers) {
        return Ok(page().await.into_response());
    }
    let model = models.model(None).map_err(Refusal::failed)?;
    let domain = models.domain();
    let recordings = domain.recordings();
    let ladder = models.ladder().map(|(density, validation)| Rung {
        density,
        validation,
    });
    let run = Run {
        name: models.name(),
        domain: model.config().domain_name(),
        shape: domain.input_shape(),
        is_sound: domain.input_shape()[1] == 1,
        sound: recordings.map(|front_end| {
            [
                front_end.sample_rate() as usize,
                front_end.hop(),
                front_end.samples(),
            ]
        }),
        examples: domain.count(Split::Test),
        window: model.config().model(domain).motif_model.window(),
        ladder: ladder.collect(),
        channels: reading::channels(&model),
    };
    json(&run)
}

async fn example(
    State(models): State<Arc<Models>>,
    Path(index): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Outcome<Response> {
    if wants_page(&headers) {
        return Ok(page().await.into_response());
    }
    let index = numbered(models.domain(), &index)?;
    computed(move || {
        let model = model(&models, &asked)?;
        let shown = Shown::example(&model, index).map_err(Refusal::failed)?;
        json(&with_motifs(shown, &model, &asked)?)
    })
    .await
}

async fn heard(State(models): State<Arc<Models>>, Path(index): Path<String>) -> Outcome<Response> {
    let index = numbered(models.domain(), &index)?;
    computed(move || {
        let recording = models.domain().sound(Split::Test, index);
        let recording = recording.ok_or_else(|| Refusal::missing("examples have no sound"))?;
        let wav = sound::wav(&recording).map_err(Refusal::failed)?;
        Ok(([(CONTENT_TYPE, "audio/wav")], wav).into_response())
    })
    .await
}

async fn read(
    State(models): State<Arc<Models>>,
    Query(asked): Query<Asked>,
    body: Bytes,
) -> Outcome<Response> {
    computed(move || {
        let model = model(&models, &asked)?;
        let input = upload::read(models.domain(), &body);
        let input = input.map_err(|error| Refusal::wrong(format!("{error:#}")))?;
        let shown = Shown::input(&model, input).map_err(Refusal::failed)?;
        json(&with_motifs(shown, &model, &asked)?)
    })
    .await
}

async fn answer(
    State(models): State<Arc<Models>>,
    Query(asked): Query<Asked>,
    body: Bytes,
) -> Outcome<Response> {
    computed(move || {
        let model = model(&models, &asked)?;
        let motifs: Vec<Motif> = serde_json::from_slice(&body).map_err(|error| {
            Refusal::wrong(format!(
                "expected motifs such as [{{\"channel\": 2, \"row\": 20, \"column\": 14, \"strength\": 1.5}}]: {error}"
            ))
        })?;
        let motifs = reading::checked(&model, motifs)?;
        let answer = Answer::to(&model, motifs).map_err(Refusal::failed)?;
        json(&answer)
    })
    .await
}

async fn channels(
    State(models): State<Arc<Models>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Outcome<Response> {
    if wants_page(&headers) {
        return Ok(page().await.into_response());
    }
    computed(move || {
        let model = model(&models, &asked)?;
        let channels = model.channels().map_err(Refusal::failed)?;
        json(&channels.pages)
    })
    .await
}

async fn channel(
    State(models): State<Arc<Models>>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Outcome<Response> {
    if wants_page(&headers) {
        return Ok(page().await.into_response());
    }
    computed(move || {
        let model = model(&models, &asked)?;
        let known = model.evaluator().model.bottleneck.sparsity.channels();
        let channel = channel_number(&name).filter(|channel| *channel < known);
        let channel = channel.ok_or_else(|| {
            Refusal::missing(format!(
                "there is no channel {name}; there are {known}, from A on"
            ))
        })?;
        let channels = model.channels().map_err(Refusal::failed)?;
        json(&channels.pages[channel])
    })
    .await
}

fn json(value: &impl Serialize) -> Outcome<Response> {
    let json = serde_json::to_vec(value).map_err(Refusal::failed)?;
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

async fn page() -> Html<&'static str> {
    Html(include_str!("page/page.html"))
}

async fn page_file(Path(name): Path<String>) -> Outcome<Response> {
    let file = FILES.iter().find(|(known, _)| *known == name);
    let (_, contents) =
        file.ok_or_else(|| Refusal::missing(format!("the page has no file {name}")))?;
    let kind = match name.ends_with(".css") {
        true => "text/css; charset=utf-8",
        false => "text/javascript; charset=utf-8",
    };
    Ok(([(CONTENT_TYPE, kind)], *contents).into_response())
}

async fn nowhere() -> Refusal {
    Refusal::missing("there is nothing here; there are / and /examples/0 and /channels")
}

async fn otherwise() -> Response {
    let message =
        "this is not done here: GET looks, and POST sends a file to /read or motifs to /answer";
    (StatusCode::METHOD_NOT_ALLOWED, message).into_response()
}

/// Computes on a thread of its own, so that others are answered meanwhile.
async fn computed(
    compute: impl FnOnce() -> Outcome<Response> + Send + 'static,
) -> Outcome<Response> {
    let outcome = tokio::task::spawn_blocking(compute).await;
    outcome.map_err(|_| Refusal::failed("this cannot be computed: see what the program printed"))?
}

fn model(models: &Models, asked: &Asked) -> Outcome<Arc<Model>> {
    use crate::run::trained::LoadError::Density;
    models.model(asked.density).map_err(|error| match error {
        Density(density) => Refusal::wrong(format!(
            "density must be above 0 and at most 1, got {density}"
        )),
        other => Refusal::failed(other),
    })
}

/// A test example's index.
fn numbered(domain: &dyn Domain, index: &str) -> Outcome<u64> {
    let count = domain.count(Split::Test).unwrap_or(MOST_EXAMPLES);
    let number = index.parse::<u64>().ok().filter(|index| *index < count);
    number.ok_or_else(|| {
        Refusal::missing(format!(
            "there is no test example {index}; there are {count}, from 0 on"
        ))
    })
}

/// What is shown, with the motifs that an address puts in place of those found.
fn with_motifs(shown: Shown, model: &Model, asked: &Asked) -> Outcome<Shown> {
    let Some(motifs) = &asked.motifs else {
        return Ok(shown);
    };
    let motifs = parsed(model, motifs)?;
    shown.with(model, motifs).map_err(Refusal::failed)
}

/// Motifs as they stand in an address.
fn parsed(model: &Model, motifs: &str) -> Outcome<Vec<Motif>> {
    let motifs = motifs.split(';').filter(|motif| !motif.is_empty());
    let motifs = motifs.map(|motif| {
        let Addition { at, strength } = motif.parse().map_err(Refusal::wrong)?;
        Ok(Motif {
            channel: at.channel,
            row: at.row,
            column: at.column,
            strength: strength.unwrap_or(1.0),
        })
    });
    reading::checked(model, motifs.collect::<Outcome<_>>()?)
}

/// Whether a browser asks for something to show.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accepted.is_some_and(|accept| accept.contains("text/html"))
}

/// Adds what every response says of itself.
async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        // An address has a page and JSON: neither may pass for the other later on.
        (VARY, "accept"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Refuses requests by another name than this machine's: a page from elsewhere may have been told that its
/// own name leads here.
async fn of_this_machine(request: Request, next: Next) -> Outcome<Response> {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    match name {
        "localhost" | "127.0.0.1" | "[::1]" => Ok(next.run(request).await),
        _ => Err(Refusal::forbidden(
            "this page is for this machine alone: ask for it at 127.0.0.1",
        )),
    }
}
