//! Sign-ins at other providers, as WSO2 keeps them: associations of a user with an id at a connection (wso2-scim.md 6).
//!
//! By the bulk call of Identity Server 7.2, one by one as from 7.1. The protocol is not SCIM's: other paths, another
//! envelope, other errors.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use sterna_core::{account::Identity, code::Code, ids::TargetId, port::Answer};
use tokio::{sync::OnceCell, time::Instant};

use super::{
    again::Tries,
    answer::{silence, throttled},
    config::FederatedUse,
    failure::{ReadError, unsent},
    service::{Change, Counted, Service},
};
use crate::http::{encode, together, try_together};

/// Most operations of one bulk call (wso2-scim.md 6.2).
const MOST: usize = 1_000;

/// How many single calls are under way at once.
const AT_ONCE: usize = 4;

/// The code for an id that some user has already (wso2-scim.md 6.2).
const TAKEN: &str = "UAA-10012";

/// One association as it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// The association's own id.
    pub(super) id: String,
    /// The identity that it is.
    pub(super) identity: Identity,
}

/// One association that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Whose.
    pub(super) user: TargetId,
    /// The name of the connection.
    pub(super) idp: String,
    /// The person's id there.
    pub(super) subject: String,
}

impl Wanted {
    /// What is to be made of a user's identities.
    pub(super) fn of<'i>(user: &TargetId, identities: impl IntoIterator<Item = &'i Identity>) -> Vec<Self> {
        let federated = identities.into_iter().filter_map(|identity| match identity {
            Identity::Federated { issuer, subject } => {
                Some(Self { user: user.clone(), idp: issuer.clone(), subject: subject.clone() })
            }
            Identity::Local { .. } => None,
        });
        federated.collect()
    }
}

/// The associations of one server.
pub(super) struct Associations {
    base: String,
    by: FederatedUse,
    /// Whether the bulk call is there, once that is known.
    has_bulk: OnceCell<bool>,
}

impl Associations {
    /// At `base`, `https://h/t/tenant/api/users/v1`.
    pub(super) fn new(base: String, by: FederatedUse) -> Self {
        Self { base, by, has_bulk: OnceCell::new() }
    }

    fn of_user(&self, user: &TargetId) -> String {
        format!("{}/{}/federated-associations", self.base, encode(&user.0))
    }

    /// The associations of some users, in order; `None` for one who is not there.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(super) async fn read(
        &self,
        service: &Service,
        users: &[TargetId],
    ) -> Result<Vec<Option<Vec<Held>>>, ReadError> {
        try_together(users.iter().map(|user| self.read_one(service, user)).collect(), AT_ONCE).await
    }

    async fn read_one(&self, service: &Service, user: &TargetId) -> Result<Option<Vec<Held>>, ReadError> {
        match service.get_counted(&self.of_user(user), Counted::Associations).await {
            Ok(list) => held(&list).map(Some).ok_or(ReadError::Shape),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes associations; one answer each, in order. Twice the same is one, so what is put off or lost is sent again.
    pub(super) async fn make(&self, service: &Service, wanted: &[Wanted], deadline: Instant) -> Vec<Answer> {
        let mut answers = self.make_once(service, wanted, deadline).await;
        let mut tries = Tries::new(deadline, Duration::ZERO);
        while let Some(open) = tries.next(&answers).await {
            let again: Vec<Wanted> = open.iter().map(|at| wanted[*at].clone()).collect();
            for (at, answer) in open.into_iter().zip(self.make_once(service, &again, deadline).await) {
                answers[at] = answer;
            }
        }
        answers
    }

    async fn make_once(&self, service: &Service, wanted: &[Wanted], deadline: Instant) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(wanted.len());
        for chunk in wanted.chunks(MOST) {
            let by_bulk = chunk.len() > 1 && self.by != FederatedUse::Single && self.has_bulk.get() != Some(&false);
            let came = if by_bulk { self.make_by_bulk(service, chunk, deadline).await } else { None };
            if let Some(came) = came {
                answers.extend(came);
            } else {
                let singles = chunk.iter().map(|one| self.make_one(service, one, deadline)).collect();
                answers.extend(together(singles, AT_ONCE).await);
            }
        }
        self.settle_taken(service, wanted, &mut answers).await;
        answers
    }

    /// `None` when the server has no such call.
    async fn make_by_bulk(&self, service: &Service, chunk: &[Wanted], deadline: Instant) -> Option<Vec<Answer>> {
        let operations: Vec<Value> = chunk
            .iter()
            .enumerate()
            .map(|(at, one)| {
                let path = format!("/{}/federated-associations", one.user.0);
                let data = json!({ "idp": one.idp, "federatedUserId": one.subject });
                json!({ "method": "POST", "bulkId": format!("a{at}"), "path": path, "data": data })
            })
            .collect();
        // failOnErrors counts as in SCIM; one more than there are operations lets all of them run
        let body = json!({ "failOnErrors": chunk.len() + 1, "operations": operations });
        let url = format!("{}/federated-associations/bulk", self.base);
        let answered = match service.send(change(Method::POST, url, Some(&body)), deadline).await {
            Ok(answered) => answered,
            Err(error) => return Some(vec![unsent(&error); chunk.len()]),
        };
        service.keep_access(&answered).await;
        let status = answered.reply.status;
        if matches!(status, 404 | 405 | 501) && self.by == FederatedUse::Auto {
            let _ = self.has_bulk.set(false);
            return None;
        }
        if status == 200 {
            let _ = self.has_bulk.set(true);
        }
        let body: Value = serde_json::from_slice(&answered.reply.body).unwrap_or_default();
        if status != 200 {
            return Some(vec![judge(status, code(&body)); chunk.len()]);
        }
        Some(by_bulk_id(&body, chunk.len()))
    }

    async fn make_one(&self, service: &Service, one: &Wanted, deadline: Instant) -> Answer {
        let body = json!({ "idp": one.idp, "federatedUserId": one.subject });
        self.call(service, Method::POST, self.of_user(&one.user), Some(&body), deadline).await
    }

    /// Takes an association away; one that is not there is as good as taken away.
    pub(super) async fn remove(&self, service: &Service, user: &TargetId, held: &Held, deadline: Instant) -> Answer {
        let url = format!("{}/{}", self.of_user(user), encode(&held.id));
        self.call(service, Method::DELETE, url, None, deadline).await
    }

    async fn call(
        &self,
        service: &Service,
        method: Method,
        url: String,
        body: Option<&Value>,
        deadline: Instant,
    ) -> Answer {
        match service.send(change(method, url, body), deadline).await {
            Ok(answered) => {
                service.keep_access(&answered).await;
                let body: Value = serde_json::from_slice(&answered.reply.body).unwrap_or_default();
                judge(answered.reply.status, code(&body))
            }
            Err(error) => unsent(&error),
        }
    }

    /// An id that some user has already is as it should be when that user is the right one (wso2-scim.md 6.2).
    async fn settle_taken(&self, service: &Service, wanted: &[Wanted], answers: &mut [Answer]) {
        let mut users: BTreeMap<TargetId, Vec<usize>> = BTreeMap::new();
        for (at, one) in wanted.iter().enumerate() {
            if matches!(answers[at], Answer::Clashes { .. } | Answer::Silence { .. }) {
                users.entry(one.user.clone()).or_default().push(at);
            }
        }
        for (user, places) in users {
            let Ok(Some(held)) = self.read_one(service, &user).await else { continue };
            for at in places {
                let one = &wanted[at];
                let identity = Identity::federated(&*one.idp, &*one.subject).canonical();
                if held.iter().any(|held| held.identity.canonical() == identity) {
                    answers[at] = Answer::Holds(user.clone());
                }
            }
        }
    }
}

fn change(method: Method, url: String, body: Option<&Value>) -> Change<'static> {
    Change { method, url, body: body.map(Value::to_string), if_match: None, counted: Counted::Associations }
}

/// Reads the associations of a user.
fn held(list: &Value) -> Option<Vec<Held>> {
    let read = list.as_array()?.iter().map(|one| {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let idp = text(one.get("idp").and_then(|idp| idp.get("name").or(Some(idp))))?;
        let subject = text(one.get("federatedUserId"))?;
        Some(Held { id: text(one.get("id"))?, identity: Identity::federated(idp, subject) })
    });
    read.collect()
}

/// The answers of a bulk call by their ids; one that is missing is silence. The key is `operations` in code, and
/// `Operations` is taken too (wso2-scim.md 6.2).
fn by_bulk_id(body: &Value, count: usize) -> Vec<Answer> {
    let mut answers: Vec<Answer> = vec![silence("the answer to this association is missing"); count];
    let operations = body.get("operations").or_else(|| body.get("Operations")).and_then(Value::as_array);
    for one in operations.into_iter().flatten() {
        let at = one.get("bulkId").and_then(Value::as_str).and_then(|id| id.strip_prefix('a')?.parse::<usize>().ok());
        let said = one.get("status").and_then(|status| Some((status.get("statusCode")?.as_u64()?, status)));
        let (Some(at), Some((status, said))) = (at.filter(|at| *at < count), said) else { continue };
        let code = said.get("errorCode").and_then(Value::as_str).unwrap_or_default();
        answers[at] = judge(u16::try_from(status).unwrap_or_default(), code);
    }
    answers
}

fn code(body: &Value) -> &str {
    body.get("code").or_else(|| body.get("errorCode")).and_then(Value::as_str).unwrap_or_default()
}

/// What an answer means. The id of the user is not in it; who asked knows it.
fn judge(status: u16, code: &str) -> Answer {
    let shown: String = code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(20).collect();
    let detail = format!("the service answered {status} {shown} to an association").replace("  ", " ");
    match status {
        // 200 in code, 201 in the guide, 204 for a removal (wso2-scim.md 6.1)
        200 | 201 | 204 => Answer::Holds(TargetId(String::new())),
        _ if code == TAKEN => Answer::Clashes { on: "federatedUserId".to_owned() },
        409 => Answer::Clashes { on: "federatedUserId".to_owned() },
        401 => throttled(Some(Duration::ZERO), super::answer::TOKEN_OVER),
        429 => throttled(None, "the service allows no more requests for now"),
        403 => Answer::Stops { code: Code::E2004, detail },
        404 => Answer::Lacks,
        408 | 500.. => silence("the service failed while it worked on an association"),
        _ => Answer::Refuses { code: Code::E2101, detail },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn associations_read_as_identities() {
        let list = json!([{"id": "a1", "idp": {"id": "x", "name": "Google"}, "federatedUserId": "1098"}]);
        assert_eq!(held(&list), Some(vec![Held { id: "a1".into(), identity: Identity::federated("Google", "1098") }]));
        assert_eq!(held(&json!([])), Some(Vec::new()));
        assert_eq!(held(&json!([{"id": "a1"}])), None);
        assert_eq!(held(&json!({})), None);
    }

    #[test]
    fn answers_of_a_bulk_call_are_matched_by_id_and_missing_ones_are_silence() {
        let body = json!({"operations": [
            {"bulkId": "a1", "status": {"statusCode": 400, "errorCode": "UAA-10012"}},
            {"bulkId": "a0", "status": {"statusCode": 201}}, {"bulkId": "b9"}]});
        let answers = by_bulk_id(&body, 3);
        assert!(matches!(answers[0], Answer::Holds(_)));
        assert!(matches!(answers[1], Answer::Clashes { .. }));
        assert!(matches!(answers[2], Answer::Silence { .. }));
        assert!(matches!(
            by_bulk_id(&json!({"Operations": [{"bulkId": "a0", "status": {"statusCode": 200}}]}), 1)[0],
            Answer::Holds(_)
        ));
    }

    #[test]
    fn only_federated_identities_are_associations() {
        let user = TargetId("u1".into());
        let wanted = Wanted::of(&user, &[Identity::email("a@example.com"), Identity::federated("Google", "7")]);
        assert_eq!(wanted, [Wanted { user, idp: "Google".into(), subject: "7".into() }]);
    }
}
