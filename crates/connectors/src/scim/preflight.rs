//! What is checked before anything is sent: reachability, rights, clock, and what the service was found to lack.

use sterna_core::{
    code::{Code, Finding},
    port::Needs,
};

use super::{
    config::{BulkUse, GroupUse},
    failure,
    members::GROUPS,
    target::ScimTarget,
};

/// How far this machine's clock may differ from the service's before it is told.
const CLOCK_SKEW_MS: u64 = 60_000;

impl ScimTarget {
    /// Checks everything; sends nothing that changes.
    pub(super) async fn check_all(&self, needs: &Needs) -> Vec<Finding> {
        let mut findings = self.learnt.clone();
        if let Err(error) = self.service.page("/Users?startIndex=1&count=1&attributes=id").await {
            let error = error.during("reading users");
            findings.push(failure::finding(error).hint("the client or user needs the rights to read and write users"));
            return findings;
        }
        if self.config.groups != GroupUse::LeaveOut {
            let path = format!("{}?startIndex=1&count=1&attributes=id", GROUPS.path);
            if let Err(error) = self.service.page(&path).await {
                let error = error.during("reading groups");
                findings.push(
                    failure::finding(error).hint("grant the right to read and write groups, or leave `groups` out"),
                );
            }
        }
        self.check_offers(needs, &mut findings);
        self.check_clock(&mut findings).await;
        findings
    }

    fn check_offers(&self, needs: &Needs, findings: &mut Vec<Finding>) {
        if !self.offers.filter {
            let message = "the service cannot look people up by a filter: everybody is read instead, each time";
            findings
                .push(Finding::warning(Code::E2015, message).hint("take a large `batch_size`, so that it is seldom"));
        }
        if self.offers.bulk.is_none() && self.config.bulk != BulkUse::Off && needs.creates > 0 {
            let note = Finding::note(Code::E2015, "the service offers no Bulk; accounts are sent one by one");
            findings.push(note);
        }
        if needs.just_in_time && self.shape.flag.is_none() {
            let message = match &self.config.flag {
                Some(name) => format!("no custom attribute `{name}` is there for passwords that move at sign-in"),
                None => "the service knows no passwords that move at sign-in".to_owned(),
            };
            let finding = match &self.config.flag {
                Some(_) => Finding::error(Code::E2007, message)
                    .hint("make the attribute as docs/hooks/wso2-silent.md describes it, or choose another strategy"),
                // nothing can be made there: the plan names whose password does not move
                None => Finding::warning(Code::L3005, message).hint(
                    "people whose password the source does not hold need a reset; set strategy = \"reset\" to agree",
                ),
            };
            findings.push(finding);
        }
    }

    async fn check_clock(&self, findings: &mut Vec<Finding>) {
        let Some((theirs, ours)) = self.service.service_time().await else { return };
        let apart = ours.0.abs_diff(theirs.0);
        if apart > CLOCK_SKEW_MS {
            let message = format!("this machine's clock and the service's are {} s apart", apart / 1_000);
            findings.push(Finding::warning(Code::E2005, message).hint("set the clock"));
        }
    }
}
