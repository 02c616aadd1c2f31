//! A configuration file's text, and where in it something stands.

use std::{ops::Range, path::PathBuf};

use toml::{Spanned, de::DeTable};

use crate::code::{Code, Finding, Place};

/// A configuration file.
#[derive(Debug)]
pub struct Document {
    /// Its path, as shown.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
}

impl Document {
    /// Reads the text as TOML.
    ///
    /// # Errors
    /// A [`Finding`] with code E1003 at the place of the mistake.
    pub fn parse(&self) -> Result<Spanned<DeTable<'_>>, Box<Finding>> {
        DeTable::parse(&self.text).map_err(|error| {
            let mut finding = Finding::error(Code::E1003, format!("this is not TOML: {}", error.message()));
            if let Some(span) = error.span() {
                finding = finding.at(self.place(span));
            }
            Box::new(finding)
        })
    }

    /// The place of a span of bytes.
    pub fn place(&self, span: Range<usize>) -> Place {
        let start = span.start.min(self.text.len());
        let end = span.end.clamp(start, self.text.len());
        let before = self.text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let text = self.text.get(start..end).unwrap_or_default().lines().next().unwrap_or_default();
        Place { file: self.file.clone(), line, column, text: text.to_owned() }
    }
}
