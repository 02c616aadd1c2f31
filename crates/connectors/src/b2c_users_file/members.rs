//! A user's members by name, without case, as the sample's property reader takes them (entra.md 7.3).

use serde_json::Value;
use sterna_core::{code::Code, time::Timestamp};

use crate::text::{Mistake, Node, twice};

/// The members that have not been taken yet.
pub(super) struct Members(Vec<(String, Node)>);

impl Members {
    /// The members of an object.
    ///
    /// # Errors
    /// E3108 when it is none, E3109 when two names differ in case alone.
    pub(super) fn of(node: Node, what: &str) -> Result<Self, Mistake> {
        let Node::Object(members) = node else {
            return Err(Mistake::new(Code::E3108, format!("{what} is {}, not an object", node.sort())));
        };
        let names: Vec<String> = members.iter().map(|(name, _)| name.to_lowercase()).collect();
        match twice(names.iter().map(String::as_str)) {
            Some(name) => Err(Mistake::new(Code::E3109, format!("the member `{name}` comes twice"))),
            None => Ok(Self(members)),
        }
    }

    /// Whether there is a member of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Takes a member; null is none.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(self.0.swap_remove(at).1).filter(|node| *node != Node::Null)
    }

    /// Takes a text; an empty one is none.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Mistake> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Text(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(other) => Err(wrong(name, "a text", &other)),
        }
    }

    /// Takes an id: a text, or a number by its literal text.
    pub(super) fn id(&mut self, name: &str) -> Result<Option<String>, Mistake> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Text(text) | Node::Number(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(other) => Err(wrong(name, "a text", &other)),
        }
    }

    /// Takes a flag.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Mistake> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Flag(flag)) => Ok(Some(flag)),
            Some(other) => Err(wrong(name, "true or false", &other)),
        }
    }

    /// Takes a list.
    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Node>, Mistake> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Node::List(items)) => Ok(items),
            Some(other) => Err(wrong(name, "a list", &other)),
        }
    }

    /// Takes a list of texts; empty ones are left out.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, Mistake> {
        let texts = self.list(name)?.into_iter().map(|node| match node {
            Node::Text(text) => Ok(text),
            other => Err(wrong(name, "a list of texts", &other)),
        });
        texts.filter(|text| text.as_ref().is_ok_and(|text| !text.is_empty()) || text.is_err()).collect()
    }

    /// Takes an RFC 3339 instant; anything else stays where it is.
    pub(super) fn instant(&mut self, name: &str) -> Option<Timestamp> {
        let at = self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let instant = Timestamp::parse(self.0[at].1.literal()?)?;
        self.0.swap_remove(at);
        Some(instant)
    }

    /// What is left, under the file's own names; null is nothing.
    pub(super) fn rest(self) -> impl Iterator<Item = (String, Value)> {
        let filled = self.0.into_iter().filter(|(_, node)| *node != Node::Null);
        filled.map(|(name, node)| (name, node.into_value()))
    }
}

fn wrong(name: &str, wanted: &str, node: &Node) -> Mistake {
    Mistake::new(Code::E3108, format!("`{name}` is {} and must be {wanted}", node.sort()))
}
