//! Any JSON object, taken apart by the configuration's `fields`.

use sterna_core::{account::Account, code::Code};

use crate::text::{Column, Columns, Given, Mistake, Node};

/// Where in the object the account attributes stand.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    rules: Columns,
    paths: Vec<(Column, Vec<String>)>,
}

impl Fields {
    pub(super) fn new(rules: Columns) -> Self {
        let mut paths: Vec<_> = rules.table.iter().map(|(column, path)| (column.clone(), steps(path))).collect();
        let key = Column::Named("key");
        if !paths.is_empty() && !paths.iter().any(|(column, _)| *column == key) {
            paths.push((key, vec!["id".to_owned()]));
        }
        Self { rules, paths }
    }

    pub(super) fn read(&self, text: &str) -> Result<Account, Mistake> {
        let root = Node::parse(text)?;
        let Node::Object(members) = &root else {
            return Err(Mistake::new(Code::E3108, format!("the line is {}, not an object", root.sort())));
        };
        let mapped = self.paths.iter().filter_map(|(column, path)| Some((column, find(&root, path)?)));
        let mapped: Vec<_> = mapped.map(|(column, node)| (column, given(column, node))).collect();
        let rest: Vec<_> = members
            .iter()
            .filter(|(name, _)| !self.rules.ignores(name))
            .filter_map(|(name, node)| Some((self.column(name), self.prune(name, node)?)))
            .collect();
        let rest = rest.iter().map(|(column, node)| (column, given(column, node)));
        self.rules.account(mapped.into_iter().chain(rest))
    }

    fn column(&self, name: &str) -> Column {
        if self.paths.is_empty() { Column::by_own_name(name) } else { Column::Attribute(name.to_owned()) }
    }

    /// What is left of a member when the mapped parts are taken out: a password must not stay behind as an attribute.
    fn prune(&self, name: &str, node: &Node) -> Option<Node> {
        let within = self.paths.iter().filter(|(_, path)| path.first().is_some_and(|first| first == name));
        let paths: Vec<&[String]> = within.map(|(_, path)| &path[1..]).collect();
        without(node, &paths)
    }
}

fn without(node: &Node, paths: &[&[String]]) -> Option<Node> {
    if paths.is_empty() {
        return Some(node.clone());
    }
    if paths.iter().any(|path| path.is_empty()) {
        return None;
    }
    let below =
        |step: &str| -> Vec<&[String]> { paths.iter().filter(|path| path[0] == step).map(|path| &path[1..]).collect() };
    match node {
        Node::Object(members) => {
            let kept = members.iter().filter_map(|(name, node)| Some((name.clone(), without(node, &below(name))?)));
            let kept: Vec<_> = kept.collect();
            (!kept.is_empty()).then_some(Node::Object(kept))
        }
        Node::List(items) => {
            let kept = items.iter().enumerate().filter_map(|(at, node)| without(node, &below(&at.to_string())));
            let kept: Vec<_> = kept.collect();
            (!kept.is_empty()).then_some(Node::List(kept))
        }
        other => Some(other.clone()),
    }
}

/// A name, names with dots between, or a JSON pointer (RFC 6901).
fn steps(path: &str) -> Vec<String> {
    match path.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
        None => path.split('.').map(str::to_owned).collect(),
    }
}

fn find<'n>(root: &'n Node, path: &[String]) -> Option<&'n Node> {
    path.iter().try_fold(root, |node, step| match node {
        Node::Object(_) => node.member(step),
        Node::List(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

fn given<'n>(column: &Column, node: &'n Node) -> Given<'n> {
    match (column, node) {
        (_, Node::Text(text)) => Given::Text(text),
        (_, Node::Flag(flag)) => Given::Flag(*flag),
        (Column::Named(_) | Column::Federated(_) | Column::Password(_), Node::Number(literal)) => Given::Text(literal),
        (Column::Named(_) | Column::Federated(_) | Column::Password(_), Node::List(items)) => {
            let texts: Option<Vec<_>> = items.iter().map(Node::literal).collect();
            texts.map_or_else(|| Given::Other(node.clone().into_value()), Given::Texts)
        }
        _ => Given::Other(node.clone().into_value()),
    }
}
