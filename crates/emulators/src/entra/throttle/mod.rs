//! Throttling: every limit of `entra.md` 5, each a sliding window, checked together.

pub(crate) mod cost;

use self::cost::Cost;
use super::scenario::{Quota, QuotaChange, TenantSize};
use crate::clock::Micros;
use crate::window::Window;

/// Why a request is throttled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Throttled {
    /// Until every window has room for the request.
    pub(crate) wait: Micros,
    /// `x-ms-throttle-scope`, its first two parts.
    pub(crate) scope: &'static str,
    /// `x-ms-throttle-information`.
    pub(crate) information: &'static str,
}

/// The windows of the tenant and of each application.
#[derive(Debug)]
pub(crate) struct Throttle {
    quota: Quota,
    tenant_writes: Window,
    apps: Vec<AppWindows>,
    throttled_count: bool,
}

#[derive(Debug)]
struct AppWindows {
    tenant_writes: Window,
    writes: Window,
    tenant_units: Window,
    units: Window,
}

impl AppWindows {
    fn new(quota: &Quota) -> Self {
        Self {
            tenant_writes: Window::new(quota.app_tenant_writes),
            writes: Window::new(quota.app_writes),
            tenant_units: Window::new(quota.units_of(TenantSize::S)),
            units: Window::new(quota.app_units),
        }
    }
}

const WRITES: &str = "WriteLimitExceeded";
const UNITS: &str = "ResourceUnitLimitExceeded";

impl Throttle {
    pub(crate) fn new(quota: Quota, apps: usize, throttled_count: bool, now: Micros) -> Self {
        let mut throttle = Self {
            quota,
            tenant_writes: Window::new(quota.tenant_writes),
            apps: (0..apps).map(|_| AppWindows::new(&quota)).collect(),
            throttled_count,
        };
        if quota.prefilled {
            throttle.fill(now);
        }
        throttle
    }

    /// Changes the limits while requests go on. With `prefilled` the write windows are filled again.
    pub(crate) fn change(&mut self, change: &QuotaChange, now: Micros) -> Quota {
        self.quota = self.quota.changed(change);
        self.tenant_writes.set(self.quota.tenant_writes);
        for app in &mut self.apps {
            app.tenant_writes.set(self.quota.app_tenant_writes);
            app.writes.set(self.quota.app_writes);
            app.units.set(self.quota.app_units);
        }
        if change.prefilled == Some(true) {
            self.fill(now);
        }
        self.quota
    }

    fn fill(&mut self, now: Micros) {
        for app in &mut self.apps {
            app.tenant_writes.fill(now);
        }
    }

    /// Admits a request of application `app`, giving the used share of its fullest window; or says when to come back.
    pub(crate) fn admit(&mut self, app: usize, cost: Cost, size: TenantSize, now: Micros) -> Result<f64, Throttled> {
        let units_limit = self.quota.units_of(size);
        let Some(windows) = self.apps.get_mut(app) else { return Ok(0.0) };
        windows.tenant_units.set(units_limit);
        let mut checks = [
            (&mut windows.tenant_writes, cost.writes, "Tenant_Application/ReadWrite", WRITES),
            (&mut self.tenant_writes, cost.writes, "Tenant/Write", WRITES),
            (&mut windows.writes, cost.writes, "Application/Write", WRITES),
            (&mut windows.tenant_units, cost.units, "Tenant_Application/ReadWrite", UNITS),
            (&mut windows.units, cost.units, "Application/ReadWrite", UNITS),
        ];
        let mut refused: Option<Throttled> = None;
        for (window, count, scope, information) in &mut checks {
            let wait = if *count == 0 { 0 } else { window.wait(*count, now) };
            if wait > refused.map_or(0, |known| known.wait) {
                refused = Some(Throttled { wait, scope, information });
            }
        }
        if refused.is_none() || self.throttled_count {
            for (window, count, ..) in &mut checks {
                window.take(*count, now);
            }
        }
        match refused {
            Some(throttled) => Err(throttled),
            None => Ok(checks.iter().map(|(window, ..)| window.share()).fold(0.0, f64::max)),
        }
    }
}
