//! Snapshots of the product's databases, and one page of people out of them: a row of `UM_USER` with everything that other
//! tables say, fetched for a whole page at once.

use std::collections::{BTreeMap, HashMap};

use super::{
    person::Person,
    settings::{Databases, Where},
    tables::{Case, Home, Table, Tables, USER_COLUMNS, number, one_of, role_holder},
};
use crate::sql::{Cell, Engine, Failure, Fault, Row, Session, Words};

/// The number of the super tenant (wso2-scim.md 7.5).
const SUPER_TENANT: i64 = -1234;

/// Its name.
pub(super) const SUPER_TENANT_NAME: &str = "carbon.super";

/// The most rows of one other table that one person of a page may have on average.
const ROWS_PER_PERSON: usize = 200;

/// Open snapshots and what was learnt at their beginning.
pub(super) struct Snapshot {
    users: Session,
    shared: Option<Session>,
    identity: Option<Session>,
    pub(super) tables: Tables,
    pub(super) tenant: i64,
    /// The store's number, where roles of the product name stores by one.
    pub(super) domain: Option<i64>,
    pub(super) people: i64,
    /// The first and the last number of a person.
    range: (i64, i64),
    place: Where,
}

/// People of a page and the number of the last one.
pub(super) struct People {
    pub(super) found: Vec<Person>,
    pub(super) last: Option<i64>,
    /// Whether the page is as full as it may be, so that more may follow.
    pub(super) is_full: bool,
}

impl Snapshot {
    /// Connects to each database and learns what is there.
    ///
    /// # Errors
    /// When one cannot be reached, has no `UM_USER`, or has no such tenant.
    pub(super) async fn open(databases: &Databases, place: &Where) -> Result<Self, Failure> {
        let mut tables = Tables::default();
        let mut users = Session::open(&databases.users).await?;
        let mut homes = vec![Home::Users];
        let mut others = Vec::new();
        for (home, connection) in [(Home::Shared, &databases.shared), (Home::Identity, &databases.identity)] {
            let Some(connection) = connection else {
                homes.push(home);
                others.push(None);
                continue;
            };
            let mut session = Session::open(connection).await?;
            tables.learn(&mut session, &[home]).await?;
            others.push(Some(session));
        }
        tables.learn(&mut users, &homes).await?;
        let (identity, shared) = (others.pop().flatten(), others.pop().flatten());
        if !tables.has(Table::User) {
            let text = "there is no table UM_USER that this user may read: not a WSO2 user store, or another database or schema";
            return Err(Failure::new(Fault::Query, text));
        }
        let place = place.clone();
        let mut this = Self {
            users,
            shared,
            identity,
            tables,
            tenant: SUPER_TENANT,
            domain: None,
            people: 0,
            range: (0, 0),
            place,
        };
        this.tenant = this.find_tenant().await?;
        this.domain = this.find_domain().await?;
        let count = this.tables.count(this.tenant);
        let row = this.ask(Home::Users, &count, 1).await?.pop().unwrap_or_default();
        this.people = number(row.first())?;
        this.range = (number(row.get(1)).unwrap_or(0), number(row.get(2)).unwrap_or(0));
        Ok(this)
    }

    fn session(&mut self, home: Home) -> &mut Session {
        match home {
            Home::Users => &mut self.users,
            Home::Shared => self.shared.as_mut().unwrap_or(&mut self.users),
            Home::Identity => self.identity.as_mut().unwrap_or(&mut self.users),
        }
    }

    /// Which database holds the user store.
    pub(super) fn engine(&self) -> Engine {
        self.users.engine()
    }

    /// Asks the database of a home.
    pub(super) async fn ask(&mut self, home: Home, query: &str, most: usize) -> Result<Vec<Row>, Failure> {
        self.session(home).ask(query, most, Words::Withhold).await
    }

    async fn find_tenant(&mut self) -> Result<i64, Failure> {
        if let Some(id) = self.place.tenant_id {
            return Ok(id);
        }
        if self.place.tenant == SUPER_TENANT_NAME {
            return Ok(SUPER_TENANT);
        }
        let missing = || {
            Failure::new(
                Fault::Query,
                "UM_TENANT has no tenant of the name in `tenant`; `tenant_id` may say its number",
            )
        };
        if !self.tables.has(Table::Tenant) {
            return Err(missing());
        }
        let tenant = self.place.tenant.clone();
        let name = self.session(Home::Shared).literal(&tenant);
        let query = format!("SELECT UM_ID FROM {} WHERE UM_DOMAIN_NAME = {name}", self.tables.name(Table::Tenant));
        let rows = self.ask(Home::Shared, &query, 1).await?;
        number(rows.first().ok_or_else(missing)?.first())
    }

    async fn find_domain(&mut self) -> Result<Option<i64>, Failure> {
        if !self.tables.has(Table::Domain) {
            return Ok(None);
        }
        let store = self.place.store.clone();
        let name = self.session(Home::Shared).literal(&store);
        let query = format!(
            "SELECT UM_DOMAIN_ID FROM {} WHERE UM_TENANT_ID = {} AND UPPER(UM_DOMAIN_NAME) = UPPER({name})",
            self.tables.name(Table::Domain),
            self.tenant
        );
        let rows = self.ask(Home::Shared, &query, 10).await?;
        rows.first().map(|row| number(row.first())).transpose()
    }

    /// How much has been read when the person of this number is the last one.
    #[expect(clippy::cast_precision_loss, reason = "row numbers are far below 2^52")]
    pub(super) fn done(&self, last: i64) -> f64 {
        let (first, end) = self.range;
        let whole = end.saturating_sub(first).saturating_add(1).max(1);
        (last.saturating_sub(first).saturating_add(1) as f64 / whole as f64).clamp(0.0, 1.0)
    }

    /// The people behind the number `after`, at most so many.
    pub(super) async fn page(&mut self, after: i64, most: usize) -> Result<People, Failure> {
        let query = self.tables.people(self.tenant, after, most);
        let rows = self.ask(Home::Users, &query, most).await?;
        let is_full = rows.len() >= most;
        let last = rows.last().map(|row| number(row.first())).transpose()?;
        let mut people: Vec<Person> = rows.iter().map(|row| person(row)).collect();
        if !people.is_empty() {
            self.add_by_number(&mut people).await?;
            self.add_by_name(&mut people).await?;
        }
        Ok(People { found: people, last, is_full })
    }

    async fn add_by_number(&mut self, people: &mut [Person]) -> Result<(), Failure> {
        // numbers alone: a condition is made of them
        let ids: Vec<i64> = people.iter().filter_map(|person| person.id.parse().ok()).collect();
        let ids = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let most = people.len() * ROWS_PER_PERSON;
        let places: HashMap<String, usize> =
            people.iter().enumerate().map(|(at, person)| (person.id.clone(), at)).collect();
        if self.tables.has(Table::Attribute) {
            let query = self.tables.attributes(self.tenant, &ids);
            for row in self.ask(Home::Users, &query, most).await? {
                let Some(person) = at(people, &places, row.first()) else { continue };
                let Some(name) = text(row.get(1), "UM_ATTR_NAME", person) else { continue };
                let Some(value) = text(row.get(2), "UM_ATTR_VALUE", person) else { continue };
                person.attributes.entry(name).or_default().push(value);
            }
        }
        if self.tables.has(Table::Role) && self.tables.has(Table::UserRole) {
            let query = self.tables.groups(self.tenant, &ids);
            for row in self.ask(Home::Users, &query, most).await? {
                let Some(person) = at(people, &places, row.first()) else { continue };
                let group = text(row.get(1), "UM_ROLE_NAME", person);
                person.groups.extend(group);
            }
        }
        Ok(())
    }

    async fn add_by_name(&mut self, people: &mut [Person]) -> Result<(), Failure> {
        let case = self.place.case;
        let most = people.len() * ROWS_PER_PERSON;
        let names: Vec<String> = people.iter().map(|person| person.name.clone()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let places: HashMap<String, usize> = names.iter().enumerate().map(|(at, name)| (case.fold(name), at)).collect();
        if self.tables.has(Table::IdentityData) {
            // names of another store than the primary one carry it (knowledge of the product)
            let prefix = if self.place.is_primary() { String::new() } else { format!("{}/", self.place.store) };
            let written: Vec<String> = names.iter().map(|name| format!("{prefix}{name}")).collect();
            let written: Vec<&str> = written.iter().map(String::as_str).collect();
            let condition = one_of(self.session(Home::Identity), "d.USER_NAME", &written, case);
            let query = self.tables.claims(self.tenant, &condition);
            for row in self.ask(Home::Identity, &query, most).await? {
                let Some(person) = named(people, &places, row.first(), &prefix, case) else { continue };
                let Some(name) = text(row.get(1), "DATA_KEY", person) else { continue };
                let Some(value) = text(row.get(2), "DATA_VALUE", person) else { continue };
                person.claims.insert(name, value);
            }
        }
        if self.tables.has(Table::AssociatedId) && self.tables.has(Table::Idp) {
            let store = self.place.store.clone();
            let session = self.session(Home::Identity);
            let (condition, store) = (one_of(session, "a.USER_NAME", &names, case), session.literal(&store));
            let query = self.tables.federated(self.tenant, &store, &condition);
            for row in self.ask(Home::Identity, &query, most).await? {
                let Some(person) = named(people, &places, row.first(), "", case) else { continue };
                let Some(issuer) = text(row.get(1), "NAME", person) else { continue };
                let Some(subject) = text(row.get(2), "IDP_USER_ID", person) else { continue };
                person.federated.push((issuer, subject));
            }
        }
        self.add_roles(people, &names, &places).await
    }

    async fn add_roles(
        &mut self,
        people: &mut [Person],
        names: &[&str],
        places: &HashMap<String, usize>,
    ) -> Result<(), Failure> {
        let case = self.place.case;
        for (holder, role) in self.roles(Table::HybridUserRole, names).await? {
            if let Some(person) = places.get(&case.fold(&holder)).and_then(|at| people.get_mut(*at)) {
                person.roles.push(role);
            }
        }
        let mut groups: Vec<String> = people.iter().flat_map(|person| person.groups.iter().cloned()).collect();
        groups.sort_unstable();
        groups.dedup();
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let mut by_group: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for part in groups.chunks(names.len().max(1)) {
            for (holder, role) in self.roles(Table::HybridGroupRole, part).await? {
                by_group.entry(case.fold(&holder)).or_default().push(role);
            }
        }
        for person in people {
            let mine = person.groups.iter().filter_map(|group| by_group.get(&case.fold(group))).flatten().cloned();
            person.roles.extend(mine);
            person.roles.sort_unstable();
            person.roles.dedup();
        }
        Ok(())
    }

    /// Who of these has which role of the product.
    async fn roles(&mut self, by: Table, names: &[&str]) -> Result<Vec<(String, String)>, Failure> {
        let Some(domain) = self.domain else { return Ok(Vec::new()) };
        if names.is_empty() || !self.tables.has(by) || !self.tables.has(Table::HybridRole) {
            return Ok(Vec::new());
        }
        let condition = {
            let (case, column) = (self.place.case, format!("h.{}", role_holder(by)));
            one_of(self.session(Home::Shared), &column, names, case)
        };
        let query = self.tables.roles(by, self.tenant, domain, &condition);
        let rows = self.ask(Home::Shared, &query, names.len() * ROWS_PER_PERSON).await?;
        let pair = |row: &Row| Some((row.first()?.key()?.to_owned(), row.get(1)?.key()?.to_owned()));
        Ok(rows.iter().filter_map(pair).collect())
    }
}

/// A row of `UM_USER`.
fn person(row: &[Cell]) -> Person {
    let mut person = Person::default();
    let mut take = |at: usize| text(row.get(at), USER_COLUMNS[at], &mut person);
    let (id, uuid, name) = (take(0), take(1), take(2));
    let (password, salt, changed) = (take(3), take(4), take(6));
    let require_change = match row.get(5) {
        Some(Cell::Flag(flag)) => Some(*flag),
        Some(cell) => cell.key().map(|text| matches!(text, "1" | "t" | "true")),
        None => None,
    };
    Person {
        id: id.unwrap_or_default(),
        uuid,
        name: name.unwrap_or_default(),
        password,
        salt,
        require_change,
        changed,
        ..person
    }
}

/// A value's text; one that is none is remembered, so that the record is rejected and not half read.
fn text(cell: Option<&Cell>, column: &str, person: &mut Person) -> Option<String> {
    match cell? {
        Cell::Null => None,
        Cell::Flag(flag) => Some(flag.to_string()),
        cell => {
            let text = cell.key().filter(|text| !text.contains('\0')).map(str::to_owned);
            if text.is_none() {
                person.unreadable = Some(column.to_owned());
            }
            text
        }
    }
}

fn at<'p>(people: &'p mut [Person], places: &HashMap<String, usize>, id: Option<&Cell>) -> Option<&'p mut Person> {
    people.get_mut(*places.get(id?.key()?)?)
}

fn named<'p>(
    people: &'p mut [Person],
    places: &HashMap<String, usize>,
    name: Option<&Cell>,
    prefix: &str,
    case: Case,
) -> Option<&'p mut Person> {
    let name = name?.key()?;
    let name = name
        .get(prefix.len()..)
        .filter(|_| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix)))?;
    people.get_mut(*places.get(&case.fold(name))?)
}
