//! The progress line: what is done, how fast, how long it will take, and the reason for waiting.
//!
//! On a terminal one line that is drawn again; elsewhere, with `-v`, a line now and then; else nothing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sterna_engine::Progress;
use tokio::task::JoinHandle;

use super::{
    Out,
    table::{add, grouped},
};

const REDRAW: Duration = Duration::from_millis(200);
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows a phase's progress until it is dropped.
pub(crate) struct Watch {
    task: Option<JoinHandle<()>>,
    bar: Option<ProgressBar>,
}

/// Where progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Showing {
    Terminal,
    Lines,
    Nowhere,
}

impl Watch {
    pub(super) fn start(showing: Showing, progress: Arc<Progress>) -> Self {
        match showing {
            Showing::Nowhere => Self { task: None, bar: None },
            Showing::Lines => Self { task: Some(tokio::spawn(lines(progress))), bar: None },
            Showing::Terminal => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                    bar.set_style(style);
                }
                Self { task: Some(tokio::spawn(draw(bar.clone(), progress))), bar: Some(bar) }
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

async fn draw(bar: ProgressBar, progress: Arc<Progress>) {
    let mut pace = Pace::default();
    loop {
        bar.set_message(pace.line(&progress, Instant::now()));
        bar.tick();
        tokio::time::sleep(REDRAW).await;
    }
}

async fn lines(progress: Arc<Progress>) {
    let mut pace = Pace::default();
    loop {
        tokio::time::sleep(LINE_EVERY).await;
        Out::error_line(&pace.line(&progress, Instant::now()));
    }
}

/// Measures how fast something goes since it was begun.
#[derive(Default)]
struct Pace {
    what: String,
    began: Option<Instant>,
}

impl Pace {
    fn line(&mut self, progress: &Progress, now: Instant) -> String {
        let (what, done, total, waits) = progress.read();
        if what != self.what {
            self.what.clone_from(&what);
            self.began = Some(now);
        }
        let passed = self.began.map_or(Duration::ZERO, |began| now.duration_since(began));
        text(&what, done, total, passed, waits.as_deref())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of accounts are far below 2^52")]
fn text(what: &str, done: u64, total: u64, passed: Duration, waits: Option<&str>) -> String {
    let mut text = format!("{what}: {}", grouped(done));
    if total > 0 {
        add(&mut text, format_args!(" of {}", grouped(total)));
    }
    let rate = done as f64 / passed.as_secs_f64().max(0.001);
    if done > 0 && passed > Duration::from_secs(1) {
        add(&mut text, format_args!(", {rate:.0}/s"));
        if total > done && rate > 0.0 {
            add(&mut text, format_args!(", about {} left", duration((total - done) as f64 / rate)));
        }
    }
    if let Some(why) = waits {
        add(&mut text, format_args!(" (waiting: {why})"));
    }
    text
}

/// A length of time for people: 42 s, 7 min, 3 h 20 min, 2 d 5 h.
pub(crate) fn duration(secs: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is rounded, and saturates")]
    let whole = secs.max(0.0).round() as u64;
    match whole {
        0 if secs > 0.0 => "less than 1 s".to_owned(),
        0..120 => format!("{whole} s"),
        120..7_200 => format!("{} min", whole.div_ceil(60)),
        7_200..172_800 => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_count_rate_eta_and_the_reason_for_waiting() {
        let cases = [
            (text("planning", 0, 0, Duration::ZERO, None), "planning: 0"),
            (
                text("sending", 1_200, 12_000, Duration::from_mins(1), None),
                "sending: 1,200 of 12,000, 20/s, about 9 min left",
            ),
            (
                text("sending", 40, 40, Duration::from_secs(2), Some("the target allows 20 writes/s")),
                "sending: 40 of 40, 20/s (waiting: the target allows 20 writes/s)",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn lengths_of_time_are_for_people() {
        let cases = [
            (0.0, "0 s"),
            (0.2, "less than 1 s"),
            (42.4, "42 s"),
            (300.0, "5 min"),
            (12_000.0, "3 h 20 min"),
            (190_800.0, "2 d 5 h"),
        ];
        for (secs, text) in cases {
            assert_eq!(duration(secs), text);
        }
    }
}
