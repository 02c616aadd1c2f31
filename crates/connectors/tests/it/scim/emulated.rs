//! The emulators of SCIM services, and the targets that are connected to them as a rehearsal would connect them.

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _, sync::Arc};

use sterna_connectors::registry;
use sterna_core::{port::Target, registry::Context};
use sterna_emulators::{EMULATORS, Emulator, Launch, PointsTo};

use crate::entra::world::{context, values};

/// A running emulator.
pub(crate) struct Emulated {
    kind: &'static str,
    connection: String,
    context: Context,
    // it ends with this
    _emulator: Emulator,
}

impl Emulated {
    /// Of a kind, without delays, with this scenario.
    pub(crate) async fn start(kind: &'static str, scenario: &str) -> Self {
        let entry = EMULATORS.iter().find(|entry| entry.name == kind).expect("a kind of emulator");
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(scenario.as_bytes()).unwrap();
        let launch = Launch { scenario: Some(file.path().to_owned()), read_delay_ms: Some(0), ..Launch::default() };
        let emulator = (entry.start)(launch).await.expect("the emulator starts");
        let (mut connection, mut secrets) = (String::new(), BTreeMap::new());
        for pointer in (entry.pointers)(emulator.ready()) {
            match pointer.to {
                PointsTo::Text(text) => {
                    let _ = writeln!(connection, "{} = '{text}'", pointer.setting);
                }
                PointsTo::Secret(secret) => {
                    let _ = writeln!(connection, "{} = {{ env = 'SECRET' }}", pointer.setting);
                    secrets.insert("SECRET".to_owned(), secret);
                }
                PointsTo::Nothing => {}
            }
        }
        Self { kind, connection, context: context(secrets), _emulator: emulator }
    }

    /// The target with these settings besides.
    pub(crate) async fn target(&self, more: &str) -> Arc<dyn Target> {
        let kind = registry::TARGETS.iter().find(|kind| kind.kind() == self.kind).expect("a kind of target");
        let text = format!("{}settling_secs = 1\n{more}", self.connection);
        let values = values(&text, kind.settings()).expect("right settings");
        assert_eq!(kind.check(&values), []);
        let target = kind.connect(&values, &self.context).await.expect("it connects");
        target.prepare(&[]).await.expect("it prepares");
        target
    }
}
