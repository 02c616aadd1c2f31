//! What checks over HTTP share: the client, one request with its deadline, the bounded answer, and what a failure means.
//!
//! Start at [`Line`]: it reads certificates and secrets when it is first used. Nothing is followed, nothing repeated.
//! Not here: what an answer means (`oauth/answer.rs`, `http_check/rules.rs`).

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use reqwest::{Certificate, Client, Identity, Method, RequestBuilder, header::HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use sterna_core::{
    code::{Code, Finding},
    legacy::{Outage, Verdict},
    registry::Context,
    settings::{SecretRef, Secrets},
};
use tokio::{sync::OnceCell, time::timeout_at};
use url::Url;
use zeroize::Zeroizing;

/// Most bytes of an answer.
pub(crate) const ANSWER_LIMIT: usize = 64 << 10;

/// How long the check of reachability may take.
const PROBE: Duration = Duration::from_secs(10);

/// The longest that any request may take, whatever its deadline.
const LONGEST: Duration = Duration::from_mins(1);

/// The words of settings for verdicts.
pub(crate) const VERDICTS: &[&str] =
    &["match", "match_but_expired", "mismatch", "unknown", "locked", "disabled", "unavailable"];

/// The verdict that a word of the settings means.
pub(crate) fn verdict_of(word: &str) -> Option<Verdict> {
    Some(match word {
        "match" => Verdict::Match { upgrade: false },
        "match_but_expired" => Verdict::MatchButExpired,
        "mismatch" => Verdict::Mismatch,
        "unknown" => Verdict::Unknown,
        "locked" => Verdict::Locked,
        "disabled" => Verdict::Disabled,
        "unavailable" => Verdict::Unavailable(Outage::NotUnderstood),
        _ => return None,
    })
}

/// An address to ask, the authorities to trust, and the secrets to show.
pub(crate) struct Line {
    /// Where to ask; only its origin is used here.
    pub(crate) url: Url,
    /// The only authorities to trust, where given.
    pub(crate) ca_file: Option<PathBuf>,
    /// The certificate to show, and its key.
    pub(crate) certificate: Option<(PathBuf, SecretRef)>,
    /// The secrets that requests need, by a name of the check's own.
    pub(crate) wanted: BTreeMap<String, SecretRef>,
    secrets: Arc<dyn Secrets>,
    ready: OnceCell<Ready>,
}

/// A client and secrets that have been read.
#[derive(Clone)]
pub(crate) struct Ready {
    /// The client.
    pub(crate) client: Client,
    /// The secrets, by name.
    pub(crate) secrets: Arc<BTreeMap<String, SecretString>>,
}

impl Ready {
    /// The secret of that name, where one is set.
    pub(crate) fn secret(&self, name: &str) -> Option<&str> {
        self.secrets.get(name).map(ExposeSecret::expose_secret)
    }
}

/// An answer, read to its end; its body is wiped with it.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Line {
    /// A line to `url`. Nothing is read yet.
    pub(crate) fn new(url: Url, context: &Context) -> Self {
        Self {
            url,
            ca_file: None,
            certificate: None,
            wanted: BTreeMap::new(),
            secrets: Arc::clone(&context.secrets),
            ready: OnceCell::new(),
        }
    }

    /// The client and the secrets, read at first use; what fails is tried again next time.
    ///
    /// # Errors
    /// The finding that says what cannot be had.
    pub(crate) async fn ready(&self) -> Result<&Ready, Box<Finding>> {
        self.ready.get_or_try_init(|| self.prepare()).await
    }

    async fn prepare(&self) -> Result<Ready, Box<Finding>> {
        let (secrets, wanted) = (Arc::clone(&self.secrets), self.wanted.clone());
        let (ca_file, certificate) = (self.ca_file.clone(), self.certificate.clone());
        let local = self.url.host_str().is_some_and(crate::tls::is_loopback);
        let work = move || {
            let read = wanted.into_iter().map(|(name, reference)| Ok((name, secrets.reveal(&reference)?)));
            let values = read.collect::<Result<BTreeMap<_, _>, Box<Finding>>>()?;
            let mut builder = builder();
            if let Some(path) = ca_file {
                builder = builder.tls_certs_only(authorities(&path)?);
            }
            if let Some((path, key)) = certificate {
                builder = builder.identity(identity(&path, &secrets.reveal(&key)?)?);
            }
            if local {
                builder = builder.no_proxy();
            }
            let client = builder.build().map_err(|_| wrong("the TLS client cannot be made".to_owned()))?;
            Ok(Ready { client, secrets: Arc::new(values) })
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(wrong("the secrets could not be read".to_owned())))
    }

    /// Sends what `build` makes and reads the answer, all until `deadline`.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(crate) async fn ask(
        &self,
        deadline: Instant,
        build: impl FnOnce(&Ready) -> Result<RequestBuilder, Outage>,
    ) -> Result<Reply, Outage> {
        let asked = timeout_at(deadline.into(), async {
            let ready = self.ready().await.map_err(|finding| {
                tracing::warn!(code = %finding.code, "a legacy check is not usable: {}", finding.message);
                Outage::Misconfigured
            })?;
            exchange(build(ready)?).await
        });
        asked.await.unwrap_or(Err(Outage::TimedOut))
    }

    /// Whether secrets can be had and the server answers anything at all. Sends nobody's name or password.
    pub(crate) async fn probe(&self) -> Vec<Finding> {
        if let Err(finding) = self.ready().await {
            return vec![*finding];
        }
        let mut root = self.url.clone();
        root.set_path("/");
        root.set_query(None);
        let deadline = Instant::now() + PROBE;
        match self.ask(deadline, |ready| Ok(ready.client.request(Method::OPTIONS, root))).await {
            // any answer will do
            Ok(_) | Err(Outage::NotUnderstood) => Vec::new(),
            Err(outage) => {
                let host = self.url.host_str().unwrap_or_default();
                vec![Finding::error(Code::E2301, format!("the service at {host}: {}", outage.words()))]
            }
        }
    }
}

/// A body for a request, wiped when it has been sent.
pub(crate) fn body(bytes: Zeroizing<Vec<u8>>) -> Bytes {
    Bytes::from_owner(bytes)
}

/// The finding about an address that passwords must not be sent to.
pub(crate) fn open_line(url: &Url) -> Option<Finding> {
    let open = url.scheme() != "https" && !url.host_str().is_some_and(crate::tls::is_loopback);
    open.then(|| {
        let host = url.host_str().unwrap_or_default();
        Finding::error(Code::E2304, format!("passwords would be sent to {host} without TLS"))
            .hint("use https; http is only for a service on this machine")
    })
}

/// A finding about a value that is wrong.
#[expect(clippy::unnecessary_box_returns, reason = "results carry findings in boxes")]
pub(crate) fn wrong(message: String) -> Box<Finding> {
    Box::new(Finding::error(Code::E1005, message))
}

fn builder() -> reqwest::ClientBuilder {
    Client::builder()
        .user_agent(concat!("sterna/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(15))
        .timeout(LONGEST)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(64)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_gzip()
}

fn authorities(path: &std::path::Path) -> Result<Vec<Certificate>, Box<Finding>> {
    let bytes =
        std::fs::read(path).map_err(|error| wrong(format!("`ca_file` {} cannot be read: {error}", path.display())))?;
    let list = Certificate::from_pem_bundle(&bytes).unwrap_or_default();
    if list.is_empty() {
        return Err(wrong(format!("`ca_file` {} holds no PEM certificate", path.display())));
    }
    Ok(list)
}

fn identity(path: &std::path::Path, key: &SecretString) -> Result<Identity, Box<Finding>> {
    let certificate = std::fs::read(path)
        .map_err(|error| wrong(format!("`client_certificate` {} cannot be read: {error}", path.display())))?;
    let mut pem = Zeroizing::new(Vec::with_capacity(certificate.len() + 1 + key.expose_secret().len()));
    pem.extend_from_slice(&certificate);
    pem.push(b'\n');
    pem.extend_from_slice(key.expose_secret().as_bytes());
    Identity::from_pem(&pem).map_err(|_| wrong("`client_certificate` and `client_key` are not PEM".to_owned()))
}

async fn exchange(request: RequestBuilder) -> Result<Reply, Outage> {
    let mut response = request.send().await.map_err(|error| outage(&error))?;
    let mut reply = Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        // of its full size at once: what grows leaves copies behind
        body: Zeroizing::new(Vec::with_capacity(ANSWER_LIMIT)),
    };
    while let Some(chunk) = response.chunk().await.map_err(|error| outage(&error))? {
        if reply.body.len() + chunk.len() > ANSWER_LIMIT {
            return Err(Outage::NotUnderstood);
        }
        reply.body.extend_from_slice(&chunk);
    }
    Ok(reply)
}

/// What a failed request means. The library's texts hold URLs, and those hold people's names: only kinds leave.
fn outage(error: &reqwest::Error) -> Outage {
    if error.is_builder() {
        Outage::Misconfigured
    } else if error.is_timeout() {
        Outage::TimedOut
    } else if chain(error).any(is_tls) {
        Outage::Untrusted
    } else if !error.is_connect() && chain(error).any(|error| error.to_string().starts_with("invalid HTTP")) {
        Outage::NotUnderstood
    } else {
        Outage::Unreachable
    }
}

fn chain<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source()).take(16)
}

/// Whether it is an error of TLS, also inside errors of I/O: those do not give what they hold as their source.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut at = error;
    for _ in 0..16 {
        match at.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => at = inner,
            None => break,
        }
    }
    at.is::<rustls::Error>()
}
