//! The throttling limits: the documented ones, and how a scenario or a test changes them (`entra.md` 5).

use std::time::Duration;

use serde::Deserialize;

use super::TenantSize;
pub use crate::window::WindowLimit;

/// The limits in force.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    /// Writes of one application in this tenant. Documented: 3,000 per 150 s.
    pub app_tenant_writes: WindowLimit,
    /// Writes of all applications in this tenant. Documented: 18,000 per 300 s.
    pub tenant_writes: WindowLimit,
    /// Writes of one application in all tenants. Documented: 35,000 per 300 s.
    pub app_writes: WindowLimit,
    /// Resource units of one application in this tenant, by the tenant's size S, M, L. Documented: 3,500, 5,000 and
    /// 8,000 per 10 s.
    pub app_tenant_units: [WindowLimit; 3],
    /// Resource units of one application in all tenants. Documented: 150,000 per 20 s.
    pub app_units: WindowLimit,
    /// Whether the write windows begin as full as an even use of the limit leaves them, so that there is no burst.
    pub prefilled: bool,
}

/// Writes per second that the documented limit of one application amounts to.
const DOCUMENTED_RATE: f64 = 20.0;

impl Quota {
    /// The limits of `data/graph-throttling.json`.
    pub const DOCUMENTED: Self = Self {
        app_tenant_writes: WindowLimit::new(3_000, 150),
        tenant_writes: WindowLimit::new(18_000, 300),
        app_writes: WindowLimit::new(35_000, 300),
        app_tenant_units: [WindowLimit::new(3_500, 10), WindowLimit::new(5_000, 10), WindowLimit::new(8_000, 10)],
        app_units: WindowLimit::new(150_000, 20),
        prefilled: false,
    };

    /// The limit of resource units for a tenant of this size.
    pub(crate) fn units_of(&self, size: TenantSize) -> WindowLimit {
        self.app_tenant_units[size.step()]
    }

    /// These limits with a change applied; what the change does not name stays.
    #[must_use]
    pub fn changed(mut self, change: &QuotaChange) -> Self {
        if let Some(secs) = change.window_secs {
            for limit in [&mut self.app_tenant_writes, &mut self.tenant_writes, &mut self.app_writes] {
                *limit = WindowLimit {
                    count: scaled(limit, f64::from(secs) / limit.window.as_secs_f64()),
                    window: Duration::from_secs(u64::from(secs.max(1))),
                };
            }
        }
        if let Some(rate) = change.writes_per_second {
            self.scale_to(rate);
        }
        let counts = [
            (&mut self.app_tenant_writes, change.app_tenant_writes),
            (&mut self.tenant_writes, change.tenant_writes),
            (&mut self.app_writes, change.app_writes),
            (&mut self.app_units, change.app_units),
        ];
        for (limit, count) in counts {
            limit.count = count.unwrap_or(limit.count);
        }
        for limit in &mut self.app_tenant_units {
            limit.count = change.app_tenant_units.unwrap_or(limit.count);
        }
        self.prefilled = change.prefilled.unwrap_or(self.prefilled);
        self
    }

    /// Sets one application's writes to `rate` per second in any window, and all other limits in proportion; the
    /// resource units never below the documented ones, so that writes stay the tighter limit.
    fn scale_to(&mut self, rate: f64) {
        let factor = rate / DOCUMENTED_RATE;
        let documented = Self::DOCUMENTED;
        let per_window = |limit: WindowLimit, to: WindowLimit| {
            let rate = count_of(limit) / limit.window.as_secs_f64();
            WindowLimit { count: whole(rate * factor * to.window.as_secs_f64()), window: to.window }
        };
        self.app_tenant_writes = per_window(documented.app_tenant_writes, self.app_tenant_writes);
        self.tenant_writes = per_window(documented.tenant_writes, self.tenant_writes);
        self.app_writes = per_window(documented.app_writes, self.app_writes);
        for (limit, known) in self.app_tenant_units.iter_mut().zip(documented.app_tenant_units) {
            limit.count = scaled(&known, factor.max(1.0));
        }
        self.app_units.count = scaled(&documented.app_units, factor.max(1.0));
    }
}

#[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
fn count_of(limit: WindowLimit) -> f64 {
    limit.count as f64
}

fn scaled(limit: &WindowLimit, factor: f64) -> u64 {
    whole(count_of(*limit) * factor)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the positive range")]
fn whole(count: f64) -> u64 {
    count.round().clamp(1.0, 1e12) as u64
}

/// A change of the limits: `[quota]` in a scenario file, and the body of `POST {state_url}/quota`. What is left out
/// stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaChange {
    /// Writes per second of one application: so many times the window's seconds fit in any window. All other limits
    /// grow and shrink in the same proportion to the documented 20 per second.
    pub writes_per_second: Option<f64>,
    /// Seconds of all three write windows; their rates stay.
    pub window_secs: Option<u32>,
    /// Writes of one application in this tenant, per window.
    pub app_tenant_writes: Option<u64>,
    /// Writes of all applications in this tenant, per window.
    pub tenant_writes: Option<u64>,
    /// Writes of one application in all tenants, per window.
    pub app_writes: Option<u64>,
    /// Resource units of one application in this tenant per 10 s, whatever the tenant's size.
    pub app_tenant_units: Option<u64>,
    /// Resource units of one application in all tenants per 20 s.
    pub app_units: Option<u64>,
    /// Whether the write windows begin as full as an even use leaves them, so that there is no burst at the start.
    pub prefilled: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_per_second_keeps_the_shape_of_the_windows() {
        let change = QuotaChange { writes_per_second: Some(60.0), ..QuotaChange::default() };
        let quota = Quota::DOCUMENTED.changed(&change);
        assert_eq!(quota.app_tenant_writes, WindowLimit::new(9_000, 150));
        assert_eq!(quota.tenant_writes, WindowLimit::new(54_000, 300));
        assert_eq!(quota.app_tenant_units[0], WindowLimit::new(10_500, 10));
    }

    #[test]
    fn a_shorter_window_keeps_the_rate() {
        let change = QuotaChange { writes_per_second: Some(5.0), window_secs: Some(10), ..QuotaChange::default() };
        let quota = Quota::DOCUMENTED.changed(&change);
        assert_eq!(quota.app_tenant_writes, WindowLimit::new(50, 10));
        assert_eq!(quota.app_tenant_units[0], WindowLimit::new(3_500, 10));
    }
}
