//! Things that people are members of: groups (RFC 7643 4.2) and WSO2's roles (wso2-scim.md 2.10). Both are a list of ids in a
//! resource of their own, found by name and changed by PATCH.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};
use sterna_core::{ids::TargetId, port::Answer};
use tokio::{sync::Mutex, time::Instant};

use super::{
    again::Tries,
    answer::Asked,
    failure::ReadError,
    joining::quoted,
    paging::Totals,
    sending::{Request, Sender},
    service::{READS_AT_ONCE, Service},
    shape::Shape,
    write,
};
use crate::http::{encode, try_together};

/// Most members that one request adds: AWS takes 100, and large requests are slow everywhere (wso2-scim.md 4.2, 5).
const CHUNK: usize = 100;

/// How many a page of all of them asks for.
const LISTED: u64 = 100;

/// Where things of one sort are.
#[derive(Clone, Copy)]
pub(super) struct Sort {
    /// The endpoint.
    pub(super) path: &'static str,
    /// The attribute that lists who is in it.
    pub(super) list: &'static str,
    /// The schema of a new one.
    pub(super) schema: &'static str,
    /// The body that adds people.
    pub(super) addition: fn(&[String]) -> Value,
}

/// Groups.
pub(super) const GROUPS: Sort = Sort {
    path: "/Groups",
    list: "members",
    schema: "urn:ietf:params:scim:schemas:core:2.0:Group",
    addition: write::add_members,
};

/// WSO2's roles, version 2: those of version 1 are gone (wso2-scim.md 2.10).
pub(super) const ROLES: Sort = Sort {
    path: "/v2/Roles",
    list: "users",
    schema: "urn:ietf:params:scim:schemas:extension:2.0:Role",
    addition: write::add_users,
};

/// What is known of all things of one sort.
pub(super) struct Members {
    sort: Sort,
    /// How long something that got lost may still come to be.
    settling: Duration,
    /// Ids by name in lower case; `None` for one that is not there.
    known: Mutex<BTreeMap<String, Option<String>>>,
    /// Two changes of one group at once make some services lose one.
    changing: Mutex<()>,
    /// Who is in what, where users do not show it: read at a time, and not again for a while.
    listed: Mutex<Option<(Instant, Membership)>>,
}

/// Names of groups by the id of a user.
pub(super) type Membership = std::sync::Arc<BTreeMap<String, BTreeSet<String>>>;

/// How long a read list of members is taken for what is.
const FRESH: Duration = Duration::from_secs(15);

impl Members {
    /// Nothing is known yet.
    pub(super) fn new(sort: Sort, settling: Duration) -> Self {
        Self { sort, settling, known: Mutex::default(), changing: Mutex::default(), listed: Mutex::default() }
    }

    /// The id of the one with this name; `None` when there is none.
    ///
    /// # Errors
    /// When the service cannot be asked.
    pub(super) async fn id_of(
        &self,
        service: &Service,
        shape: &Shape,
        name: &str,
    ) -> Result<Option<String>, ReadError> {
        let key = name.to_lowercase();
        let mut known = self.known.lock().await;
        if let Some(found) = known.get(&key) {
            return Ok(found.clone());
        }
        let found = self.look_up(service, shape, name).await?;
        known.insert(key, found.clone());
        Ok(found)
    }

    async fn look_up(&self, service: &Service, shape: &Shape, name: &str) -> Result<Option<String>, ReadError> {
        let filter = encode(&format!("displayName eq {}", quoted(&shape.sent_user_name(name))));
        let path = |query: &str| format!("{}?{query}excludedAttributes={}", self.sort.path, self.sort.list);
        // all pages of it: a service may ignore the filter
        let found = match service.list(&path(&format!("filter={filter}&")), LISTED, Totals::Believed).await {
            Ok(found) => found,
            // without filters all have to be gone through
            Err(error) if error.is_refusal() => {
                service.list(&path(""), LISTED, Totals::Believed).await.map_err(|_| error)?
            }
            Err(error) => return Err(error),
        };
        // what was found is compared again, and WSO2 puts a store before the name (wso2-scim.md 2.10)
        let fits = |one: &&Value| name_of(shape, one).is_some_and(|held| held.eq_ignore_ascii_case(name));
        let mut fitting = found.iter().filter(fits).filter_map(|one| one.get("id")?.as_str());
        Ok(fitting.next().map(str::to_owned))
    }

    /// Makes one with this name and nobody in it; its id.
    ///
    /// # Errors
    /// The answer, where it was not made.
    pub(super) async fn make(&self, sender: &Sender<'_>, shape: &Shape, name: &str) -> Result<String, Answer> {
        // two lanes may both lack it
        let _one_at_a_time = self.changing.lock().await;
        if let Some(Some(id)) = self.known.lock().await.get(&name.to_lowercase()) {
            return Ok(id.clone());
        }
        let body = json!({ "schemas": [self.sort.schema], "displayName": shape.sent_user_name(name) });
        let (method, path) = ("POST", self.sort.path.to_owned());
        let request = Request { asked: Asked::Create, method, path, body: Some(body), version: None };
        // half of the time is for those who are to be in it
        let deadline = Instant::now() + sender.deadline.duration_since(Instant::now()) / 2;
        let mut tries = Tries::new(deadline, self.settling);
        loop {
            let answer = sender.send_alone(&request).await;
            if let Answer::Holds(id) = answer {
                self.known.lock().await.insert(name.to_lowercase(), Some(id.0.clone()));
                return Ok(id.0);
            }
            let goes_on = tries.next(std::slice::from_ref(&answer)).await.is_some();
            // somebody was faster, or the answer got lost: what counts is what is there
            self.known.lock().await.remove(&name.to_lowercase());
            match self.id_of(sender.service, shape, name).await {
                Ok(Some(id)) => return Ok(id),
                _ if goes_on => {}
                _ => return Err(answer),
            }
        }
    }

    /// Adds people to things by their ids, in chunks; how many memberships could not be written.
    pub(super) async fn add(&self, sender: &Sender<'_>, wanted: &BTreeMap<String, Vec<TargetId>>) -> usize {
        let ids: Vec<(TargetId, &[TargetId])> = wanted
            .iter()
            .flat_map(|(id, people)| people.chunks(CHUNK).map(move |chunk| (TargetId(id.clone()), chunk)))
            .collect();
        let requests: Vec<Request<'_>> = ids
            .iter()
            .map(|(id, people)| Request {
                asked: Asked::Update(id),
                method: "PATCH",
                path: self.place(&id.0),
                body: Some((self.sort.addition)(&people.iter().map(|id| id.0.clone()).collect::<Vec<_>>())),
                version: None,
            })
            .collect();
        if requests.is_empty() {
            return 0;
        }
        let _one_at_a_time = self.changing.lock().await;
        let answers = sender.send_again(&requests).await;
        self.changed().await;
        let failed = answers.iter().zip(&ids).filter(|(answer, _)| !matches!(answer, Answer::Holds(_)));
        failed.map(|(_, (_, people))| people.len()).sum()
    }

    /// Where one of them is.
    pub(super) fn place(&self, id: &str) -> String {
        format!("{}/{}", self.sort.path, encode(id))
    }

    /// The attribute that lists who is in one.
    pub(super) fn list(&self) -> &'static str {
        self.sort.list
    }

    /// The body that adds people.
    pub(super) fn addition(&self) -> fn(&[String]) -> Value {
        self.sort.addition
    }

    /// Takes note that somebody's memberships were changed.
    pub(super) async fn changed(&self) {
        *self.listed.lock().await = None;
    }

    /// Who is in what, from the lists of all things of this sort.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) async fn membership(
        &self,
        service: &Service,
        shape: &Shape,
        page: u64,
    ) -> Result<Membership, ReadError> {
        let mut listed = self.listed.lock().await;
        if let Some((at, membership)) = listed.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            let _ = at;
            return Ok(std::sync::Arc::clone(membership));
        }
        let mut by_user = BTreeMap::new();
        for one in service.list(&format!("{}?{}", self.sort.path, self.shown()), page, Totals::Believed).await? {
            self.note(shape, &one, &mut by_user);
        }
        let membership = Membership::new(by_user);
        *listed = Some((Instant::now(), std::sync::Arc::clone(&membership)));
        Ok(membership)
    }

    /// The same for some people, each asked for by a filter on who is in it.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) async fn of_each(
        &self,
        service: &Service,
        shape: &Shape,
        ids: &[TargetId],
    ) -> Result<Membership, ReadError> {
        let path = |id: &TargetId| {
            let filter = encode(&format!("{}.value eq {}", self.sort.list, quoted(&id.0)));
            format!("{}?filter={filter}&{}", self.sort.path, self.shown())
        };
        let paths: Vec<String> = ids.iter().map(path).collect();
        let reads = paths.iter().map(|path| service.list(path, LISTED, Totals::Believed)).collect();
        let mut by_user = BTreeMap::new();
        for one in try_together(reads, READS_AT_ONCE).await?.iter().flatten() {
            self.note(shape, one, &mut by_user);
        }
        Ok(Membership::new(by_user))
    }

    /// The part of a query that asks for names and for who is in it.
    fn shown(&self) -> String {
        format!("attributes=displayName,{}", self.sort.list)
    }

    /// Takes note of who is in one.
    fn note(&self, shape: &Shape, one: &Value, by_user: &mut BTreeMap<String, BTreeSet<String>>) {
        let Some(name) = name_of(shape, one) else { return };
        let people = one.get(self.sort.list).and_then(Value::as_array).into_iter().flatten();
        for id in people.filter_map(|person| person.get("value")?.as_str()) {
            by_user.entry(id.to_owned()).or_default().insert(name.to_owned());
        }
    }
}

/// Its name, without a store.
fn name_of<'v>(shape: &Shape, one: &'v Value) -> Option<&'v str> {
    one.get("displayName")?.as_str().map(|name| shape.bare_user_name(name))
}
