//! What the product makes of an account's password and state when it is written (wso2-scim.md 1.1, 2.4, 2.6).

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::policy::PasswordRules;

/// Where the attributes of the product stand: the system schema, or the enterprise extension before 7.1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account<'a> {
    pub(crate) urn: &'a str,
    pub(crate) rules: PasswordRules,
    pub(crate) history: usize,
    /// Whether a refusal by a rule has its number before it.
    pub(crate) codes: bool,
    pub(crate) invitations: bool,
    pub(crate) lock_on_creation: bool,
}

/// Characters of the password that stands in for the one that was sent with `askPassword`.
const RANDOM_LENGTH: usize = 12;

/// The member of the stored resource with the digest-like trail of earlier passwords. No schema has it, so it is in no answer.
pub(crate) const HISTORY: &str = "_passwords";

/// Asked for in a request, and not stored.
#[derive(Debug, Default, Clone, Copy)]
struct Triggers {
    ask: bool,
    verify: bool,
    force: bool,
}

impl Account<'_> {
    /// Changes what is about to be stored. `before` is what was stored.
    ///
    /// # Errors
    /// The detail of a 400 `invalidValue`.
    pub(crate) fn write(
        &self,
        before: Option<&Map<String, Value>>,
        data: &mut Map<String, Value>,
        at: Timestamp,
    ) -> Result<(), String> {
        let triggers = self.take_triggers(data);
        if let Some(history) = before.and_then(|before| before.get(HISTORY)) {
            data.insert(HISTORY.to_owned(), history.clone());
        }
        let old = before.and_then(|before| before.get("password"));
        let is_new = data.get("password").is_some_and(|password| Some(password) != old || before.is_none());
        if triggers.ask && before.is_none() {
            data.insert("password".to_owned(), random());
        } else if is_new {
            self.accept_password(data, at)?;
        } else if before.is_none() {
            return Err("30003 - Credential is not valid. Credential must be a non null for the user".to_owned());
        } else if let Some(old) = old {
            // an attribute that is never returned is not in the body of a replace either
            data.insert("password".to_owned(), old.clone());
        }
        self.settle_locks(before, data);
        if is_new && before.is_some() && self.waits(data) {
            // a later credential update by an administrator unlocks (1.1)
            self.lock(data, None, "UNLOCKED");
        }
        if triggers.ask && before.is_none() {
            self.wait(data, "PENDING_ASK_PASSWORD", "PENDING_AP");
        }
        if triggers.verify {
            let emails = data.get("emails").and_then(Value::as_array);
            if emails.is_none_or(Vec::is_empty) {
                return Err("Email address is required to verify the email.".to_owned());
            }
            self.wait(data, "PENDING_EMAIL_VERIFICATION", "PENDING_EV");
        }
        if triggers.force {
            data.insert("password".to_owned(), random());
            self.lock(data, Some("PENDING_ADMIN_FORCED_USER_PASSWORD_RESET"), "PENDING_FUPR");
        }
        Ok(())
    }

    fn take_triggers(&self, data: &mut Map<String, Value>) -> Triggers {
        let Some(own) = data.get_mut(self.urn).and_then(Value::as_object_mut) else { return Triggers::default() };
        let mut take = |name: &str| own.remove(name).is_some_and(|value| value == true);
        let ask = take("askPassword") || take("tenantAdminAskPassword");
        let triggers =
            Triggers { ask: ask && self.invitations, verify: take("verifyEmail"), force: take("forcePasswordReset") };
        if own.is_empty() {
            data.remove(self.urn);
        }
        triggers
    }

    /// Checks a new password and notes when it was set.
    fn accept_password(&self, data: &mut Map<String, Value>, at: Timestamp) -> Result<(), String> {
        let password = data.get("password").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.rules.check(&password, self.codes)?;
        let mut history = data.get(HISTORY).and_then(Value::as_array).cloned().unwrap_or_default();
        if history.iter().rev().take(self.history).any(|used| *used == password.as_str()) {
            return Err(
                "22001 - This password has been used in recent history. Please choose a different password".to_owned()
            );
        }
        self.note_password(&mut history, password, data, at);
        Ok(())
    }

    fn note_password(&self, history: &mut Vec<Value>, password: String, data: &mut Map<String, Value>, at: Timestamp) {
        if self.history > 0 {
            history.push(Value::from(password));
            let surplus = history.len().saturating_sub(self.history);
            history.drain(..surplus);
            data.insert(HISTORY.to_owned(), Value::Array(std::mem::take(history)));
        }
        self.set(data, "lastPasswordUpdateTime", Value::from(at.as_millisecond().to_string()));
    }

    /// Sets a password as `updateUserPassword` does: with the rules or without them, unlocking what waited (1.2.8).
    pub(crate) fn set_password(
        &self,
        data: &mut Map<String, Value>,
        password: &str,
        skips_rules: bool,
        at: Timestamp,
    ) -> Result<(), String> {
        if !skips_rules {
            self.rules.check(password, self.codes)?;
        }
        let mut history = data.get(HISTORY).and_then(Value::as_array).cloned().unwrap_or_default();
        data.insert("password".to_owned(), Value::from(password.trim()));
        self.note_password(&mut history, password.trim().to_owned(), data, at);
        if self.waits(data) {
            self.lock(data, None, "UNLOCKED");
        }
        Ok(())
    }

    /// The state that follows from the two switches of an administrator.
    fn settle_locks(&self, before: Option<&Map<String, Value>>, data: &mut Map<String, Value>) {
        // read-only attributes are in no body, so they are carried over
        for name in ["accountState", "lockedReason", "lastPasswordUpdateTime"] {
            let old = before.and_then(|before| self.get(before, name)).cloned();
            if let Some(old) = old.filter(|_| self.get(data, name).is_none()) {
                self.set(data, name, old);
            }
        }
        let is = |of: Option<&Map<String, Value>>, name: &str| {
            of.and_then(|of| self.get(of, name)).is_some_and(|value| *value == true)
        };
        let (was, now) = (is(before, "accountLocked"), is(Some(data), "accountLocked"));
        let (was_off, now_off) = (is(before, "accountDisabled"), is(Some(data), "accountDisabled"));
        if now && !was {
            self.lock(data, Some("ADMIN_INITIATED"), "LOCKED");
        } else if was && !now {
            self.lock(data, None, "UNLOCKED");
        }
        if now_off && !was_off {
            self.set(data, "accountState", Value::from("DISABLED"));
        } else if was_off && !now_off {
            self.set(data, "accountState", Value::from(if now { "LOCKED" } else { "UNLOCKED" }));
        }
    }

    /// Whether the account waits for a password from its owner.
    fn waits(&self, data: &Map<String, Value>) -> bool {
        let reason = self.get(data, "lockedReason").and_then(Value::as_str).unwrap_or_default();
        let state = self.get(data, "accountState").and_then(Value::as_str).unwrap_or_default();
        ["PENDING_ASK_PASSWORD", "PENDING_ADMIN_FORCED_USER_PASSWORD_RESET"].contains(&reason)
            || ["PENDING_AP", "PENDING_FUPR"].contains(&state)
    }

    fn wait(&self, data: &mut Map<String, Value>, reason: &str, state: &str) {
        if self.lock_on_creation {
            self.lock(data, Some(reason), state);
        } else {
            self.set(data, "accountState", Value::from(state));
        }
    }

    fn lock(&self, data: &mut Map<String, Value>, reason: Option<&str>, state: &str) {
        self.set(data, "accountLocked", Value::from(reason.is_some()));
        self.set(data, "accountState", Value::from(state));
        match reason {
            Some(reason) => self.set(data, "lockedReason", Value::from(reason)),
            None => self.unset(data, "lockedReason"),
        }
    }

    /// One of the product's attributes.
    pub(crate) fn get<'d>(&self, data: &'d Map<String, Value>, name: &str) -> Option<&'d Value> {
        data.get(self.urn)?.get(name)
    }

    fn set(&self, data: &mut Map<String, Value>, name: &str, value: Value) {
        let own = data.entry(self.urn.to_owned()).or_insert_with(|| Value::Object(Map::new()));
        if let Some(own) = own.as_object_mut() {
            own.insert(name.to_owned(), value);
        }
    }

    fn unset(&self, data: &mut Map<String, Value>, name: &str) {
        if let Some(own) = data.get_mut(self.urn).and_then(Value::as_object_mut) {
            own.remove(name);
        }
    }

    /// Whether the account may sign in.
    pub(crate) fn is_open(&self, data: &Map<String, Value>) -> bool {
        let is = |name: &str| self.get(data, name).is_some_and(|value| *value == true);
        !is("accountLocked") && !is("accountDisabled")
    }
}

fn random() -> Value {
    let text: String = Uuid::new_v4().simple().to_string().chars().take(RANDOM_LENGTH).collect();
    Value::from(text)
}
