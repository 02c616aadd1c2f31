//! OpenTelemetry traces of `sterna serve`, sent where the settings say, and nowhere without.
//!
//! A span has the hook's name, the decision and times; people have no place in it (`serve/src/handler.rs`). What cannot be
//! sent is dropped: a collector that is down costs no sign-in.

use std::{sync::OnceLock, time::Duration};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use sterna_core::code::Code;
use tracing::Subscriber;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    registry::{LookupSpan, Registry},
    reload,
};

use crate::failure::Failure;

/// A layer that is put in when traces are wanted.
type Slot = Option<Box<dyn Layer<Registry> + Send + Sync>>;

static HANDLE: OnceLock<reload::Handle<Slot, Registry>> = OnceLock::new();

/// How long one sending may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The place for the layer, empty at first.
pub(crate) fn slot() -> impl Layer<Registry> {
    let (layer, handle) = reload::Layer::new(None);
    // a second logger is never started
    let _ = HANDLE.set(handle);
    // spans of this program's own service alone: those of libraries name addresses. The filter stands outside of what is
    // exchanged, for one that is put in later is not known to the registry
    layer.with_filter(Targets::new().with_target("sterna_serve", LevelFilter::INFO))
}

/// Traces that are being sent; what waits is sent when it goes.
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::debug!("The last traces were not sent: {error}");
        }
    }
}

/// Begins to send traces to `endpoint`, an OTLP collector over HTTP (`http://127.0.0.1:4318`).
pub(crate) fn start(endpoint: Option<&str>) -> Result<Traces, Failure> {
    let (Some(endpoint), Some(handle)) = (endpoint, HANDLE.get()) else { return Ok(Traces(None)) };
    let failed = |error: &dyn std::error::Error| Failure::new(Code::E1013, format!("traces cannot be set up: {error}"));
    let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(url)
        .with_timeout(TIMEOUT)
        .build()
        .map_err(|error| failed(&error))?;
    let resource = Resource::builder().with_service_name("sterna").build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let layer = layer(provider.tracer("sterna"));
    handle.reload(Some(layer)).map_err(|error| failed(&error))?;
    Ok(Traces(Some(provider)))
}

fn layer<S>(tracer: opentelemetry_sdk::trace::SdkTracer) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
{
    tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false).boxed()
}
