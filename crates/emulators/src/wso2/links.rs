//! Federated associations: who signs in with which account elsewhere (wso2-scim.md 6).

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

/// Operations of one bulk request (wso2-scim.md 6.2).
const MOST_OPERATIONS: usize = 1_000;

/// A connection of the organisation: an identity provider that users may come from. It has to exist first.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    id: String,
    name: String,
}

/// A link of a user to an account elsewhere.
#[derive(Debug, Clone)]
struct Link {
    id: String,
    /// The number of the connection.
    connection: usize,
    subject: String,
}

/// All links.
#[derive(Debug, Default)]
pub(crate) struct Links {
    connections: Vec<Connection>,
    by_user: HashMap<String, Vec<Link>>,
    /// By connection and subject, the user's id.
    taken: HashMap<(usize, String), String>,
}

/// A refusal of this interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UaaError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) description: &'static str,
}

impl UaaError {
    /// Of the product's client errors: each is a 400, whatever the interface description says of 404.
    fn client(code: &'static str, what: &str, user: &str, description: &'static str) -> Self {
        Self { status: 400, code, message: format!("Error while {what}: {user}"), description }
    }

    fn of_path() -> Self {
        let message = "Invalid request".to_owned();
        Self { status: 400, code: "UAA-10000", message, description: "The path or the method is not supported." }
    }

    /// As a single request is refused.
    pub(crate) fn body(&self) -> Value {
        json!({
            "code": self.code, "message": self.message, "description": self.description,
            "traceId": Uuid::new_v4().to_string(),
        })
    }

    /// As an operation of a bulk request is refused.
    fn status(&self) -> Value {
        json!({
            "statusCode": self.status, "errorCode": self.code,
            "errorMessage": self.message, "errorDescription": self.description,
        })
    }
}

const ADDING: &str = "adding federated user association";
const DELETING: &str = "deleting federated user association";
const READING: &str = "getting associations of user";

impl Links {
    /// With the connections of these names.
    pub(crate) fn new(connections: &[String]) -> Self {
        let connections =
            connections.iter().map(|name| Connection { id: Uuid::new_v4().to_string(), name: name.clone() });
        Self { connections: connections.collect(), ..Self::default() }
    }

    /// Adds a link. Names of connections are compared to the letter.
    fn add(&mut self, user: &str, idp: &str, subject: &str, exists: impl Fn(&str) -> bool) -> Result<(), UaaError> {
        let refuse = |code, description| UaaError::client(code, ADDING, user, description);
        let connection = self.connections.iter().position(|known| known.name == idp);
        let connection =
            connection.ok_or_else(|| refuse("UAA-10007", "Provided federated identity provider is invalid"))?;
        if subject.trim().is_empty() {
            return Err(refuse("UAA-10002", "Invalid federated association"));
        }
        let key = (connection, subject.to_owned());
        if let Some(gone) = self.taken.get(&key).filter(|holder| !exists(holder)).cloned() {
            self.forget(&gone);
        }
        if self.taken.contains_key(&key) {
            return Err(refuse("UAA-10012", "The federated association is already associated to a local user"));
        }
        self.taken.insert(key, user.to_owned());
        let link = Link { id: Uuid::new_v4().to_string(), connection, subject: subject.to_owned() };
        self.by_user.entry(user.to_owned()).or_default().push(link);
        Ok(())
    }

    /// Removes one link of a user, or all of them.
    fn remove(&mut self, user: &str, id: Option<&str>) -> Result<(), UaaError> {
        let links = self.by_user.get_mut(user).map(std::mem::take).unwrap_or_default();
        let (gone, kept): (Vec<_>, Vec<_>) = links.into_iter().partition(|link| id.is_none_or(|id| link.id == id));
        self.by_user.insert(user.to_owned(), kept);
        if gone.is_empty() {
            let description = "Valid federated associations do not exists";
            return Err(UaaError::client("UAA-10003", DELETING, user, description));
        }
        for link in gone {
            self.taken.remove(&(link.connection, link.subject));
        }
        Ok(())
    }

    /// The user is gone, and with it its links.
    fn forget(&mut self, user: &str) {
        for link in self.by_user.remove(user).unwrap_or_default() {
            self.taken.remove(&(link.connection, link.subject));
        }
    }

    /// The links of a user, as the interface shows them (wso2-scim.md 6.1).
    fn shown(&self, user: &str) -> Value {
        let show = |link: &Link| {
            let connection = &self.connections[link.connection];
            json!({
                "id": link.id,
                "idp": { "id": connection.id, "name": connection.name, "displayName": connection.name, "imageUrl": "" },
                "federatedUserId": link.subject,
            })
        };
        self.by_user.get(user).into_iter().flatten().map(show).collect()
    }

    /// The links of a user for the state: the connection's name and the subject.
    pub(crate) fn state(&self, user: &str) -> Value {
        let show =
            |link: &Link| json!({ "idp": self.connections[link.connection].name, "federatedUserId": link.subject });
        self.by_user.get(user).into_iter().flatten().map(show).collect()
    }
}

/// What is asked of one user's links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked<'a> {
    Add,
    List,
    /// One, or all.
    Remove(Option<&'a str>),
}

/// Reads `/{user-id}/federated-associations[/{id}]`.
pub(crate) fn asked<'a>(method: &str, path: &'a str) -> Option<(&'a str, Asked<'a>)> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match (method, segments.as_slice()) {
        ("POST", [user, "federated-associations"]) => Some((*user, Asked::Add)),
        ("GET", [user, "federated-associations"]) => Some((*user, Asked::List)),
        ("DELETE", [user, "federated-associations"]) => Some((*user, Asked::Remove(None))),
        ("DELETE", [user, "federated-associations", id]) => Some((*user, Asked::Remove(Some(id)))),
        _ => None,
    }
}

impl Links {
    /// Carries out what is asked of one user's links; `exists` says whether there is such a user.
    pub(crate) fn answer(
        &mut self,
        user: &str,
        asked: Asked<'_>,
        data: &Value,
        exists: &impl Fn(&str) -> bool,
    ) -> Result<Value, UaaError> {
        let what = match asked {
            Asked::Add => ADDING,
            Asked::List => READING,
            Asked::Remove(_) => DELETING,
        };
        if !exists(user) {
            let refusal = UaaError::client("UAA-10005", what, user, "The provided user identifier is invalid");
            return Err(UaaError { status: 404, ..refusal });
        }
        let text = |name: &str| data[name].as_str().unwrap_or_default();
        match asked {
            Asked::Add => self.add(user, text("idp"), text("federatedUserId"), exists).map(|()| Value::Null),
            Asked::List => Ok(self.shown(user)),
            Asked::Remove(id) => self.remove(user, id).map(|()| Value::Null),
        }
    }

    /// Carries out a bulk request: one operation after the other, in their order (wso2-scim.md 6.2). `wrong` is how many
    /// may fail before the rest is left out.
    ///
    /// # Errors
    /// The refusal of the whole request.
    pub(crate) fn bulk(&mut self, request: &Value, exists: &impl Fn(&str) -> bool) -> Result<Value, UaaError> {
        let operations = request["operations"].as_array().map(Vec::as_slice).unwrap_or_default();
        if operations.len() > MOST_OPERATIONS {
            let message = format!("The maximum number of bulk operations allowed is {MOST_OPERATIONS}.");
            return Err(UaaError { status: 400, code: "UAA-10014", message, description: "Too many bulk operations." });
        }
        let most_errors = request["failOnErrors"].as_u64().filter(|most| *most > 0).unwrap_or(u64::MAX);
        let (mut answers, mut errors) = (Vec::new(), 0);
        for operation in operations {
            if errors >= most_errors {
                break;
            }
            let done = self.operation(operation, exists);
            errors += u64::from(done.is_err());
            let status = done.map_or_else(|refusal| refusal.status(), |status| json!({ "statusCode": status }));
            answers.push(json!({ "bulkId": operation["bulkId"], "status": status }));
        }
        Ok(json!({ "operations": answers }))
    }

    fn operation(&mut self, operation: &Value, exists: &impl Fn(&str) -> bool) -> Result<u16, UaaError> {
        let (method, path) = (operation["method"].as_str(), operation["path"].as_str());
        let found = method.zip(path).and_then(|(method, path)| asked(method, path));
        match found.ok_or_else(UaaError::of_path)? {
            (_, Asked::List) => Err(UaaError::of_path()),
            (user, Asked::Add) => self.answer(user, Asked::Add, &operation["data"], exists).map(|_| 201),
            (user, remove @ Asked::Remove(_)) => self.answer(user, remove, &Value::Null, exists).map(|_| 204),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        Links::new(&["Google".to_owned(), "Apple".to_owned()])
    }

    fn bulk(links: &mut Links, most_errors: u64, operations: &[(&str, &str, &str)]) -> Vec<(u64, String)> {
        let operations = operations.iter().enumerate().map(|(at, (method, user, subject))| {
            let path = format!("/{user}/federated-associations");
            json!({ "method": method, "bulkId": at.to_string(), "path": path,
                "data": { "idp": "Google", "federatedUserId": subject } })
        });
        let request = json!({ "failOnErrors": most_errors, "operations": operations.collect::<Vec<_>>() });
        let answer = links.bulk(&request, &|user: &str| user != "nobody").unwrap();
        let status = |entry: &Value| {
            let code = entry["status"]["errorCode"].as_str().unwrap_or_default();
            (entry["status"]["statusCode"].as_u64().unwrap(), code.to_owned())
        };
        answer["operations"].as_array().unwrap().iter().map(status).collect()
    }

    #[test]
    fn bulk_goes_on_or_stops_and_answers_each_in_order() {
        let asked =
            [("POST", "a", "1"), ("POST", "b", "1"), ("POST", "nobody", "2"), ("DELETE", "b", ""), ("POST", "b", "3")];
        let all = [(201, ""), (400, "UAA-10012"), (404, "UAA-10005"), (400, "UAA-10003"), (201, "")];
        let all = all.map(|(status, code)| (status, code.to_owned()));
        assert_eq!(bulk(&mut links(), 0, &asked), all);
        assert_eq!(bulk(&mut links(), 2, &asked), all[..3]);
        assert_eq!(bulk(&mut links(), 0, &[("GET", "a", "1"), ("PUT", "a", "1")]).len(), 2);
    }

    #[test]
    fn a_connection_has_to_exist_to_the_letter_and_a_removed_link_is_free_again() {
        let mut links = links();
        assert_eq!(links.add("a", "google", "1", |_| true).unwrap_err().code, "UAA-10007");
        assert_eq!(links.add("a", "Google", " ", |_| true).unwrap_err().code, "UAA-10002");
        links.add("a", "Google", "1", |_| true).unwrap();
        links.add("a", "Apple", "1", |_| true).unwrap();
        let id = links.shown("a")[0]["id"].as_str().unwrap().to_owned();
        links.remove("a", Some(&id)).unwrap();
        assert_eq!(links.remove("a", Some(&id)).unwrap_err().code, "UAA-10003");
        links.add("b", "Google", "1", |_| true).unwrap();
        assert_eq!(links.add("b", "Apple", "1", |_| true).unwrap_err().code, "UAA-10012");
        links.add("b", "Apple", "1", |user| user != "a").unwrap();
        assert_eq!(links.state("b")[1], json!({ "idp": "Apple", "federatedUserId": "1" }));
    }

    #[test]
    fn more_than_a_thousand_operations_are_refused_as_a_whole() {
        let request = json!({ "operations": vec![json!({}); 1_001] });
        let refusal = links().bulk(&request, &|_: &str| true).unwrap_err();
        assert_eq!(refusal.message, "The maximum number of bulk operations allowed is 1000.");
    }
}
