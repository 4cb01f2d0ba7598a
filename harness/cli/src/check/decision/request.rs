//! The question of `--request`: a request, and the workload whose sidecar it passes.

use std::fmt;

use anyhow::{Context, bail};
use sidespan_core::direction::Direction;

use crate::check::explain::wording::direction;
use crate::check::istio::plugin_scope::Spot;
use crate::check::istio::settings::{Labels, Mode};

/// A request at one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub(super) headers: Vec<(String, String)>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) namespace: Option<String>,
    pub(super) labels: Vec<(String, String)>,
    pub(super) direction: Direction,
}

impl Question {
    /// Reads the arguments of the command line: `GET /checkout`, `name: value`, `k=v`.
    ///
    /// # Errors
    /// A message with the argument that cannot be read, and its form.
    pub fn parse(
        request: &str,
        namespace: Option<&str>,
        headers: &[String],
        labels: &[String],
        direction: Direction,
    ) -> anyhow::Result<Self> {
        let (method, target) = match request.trim().split_once(' ') {
            Some((method, target)) => (method, target.trim()),
            None => ("GET", request.trim()),
        };
        if !target.starts_with('/') || target.contains(' ') || method.is_empty() {
            bail!("--request {request:?}: expected a method and a path, such as 'GET /checkout'");
        }
        let mut all = vec![
            (":method".to_owned(), method.to_owned()),
            (":path".to_owned(), target.to_owned()),
        ];
        for header in headers {
            let (name, value) = header
                .split_once(':')
                .filter(|(name, _)| !name.trim().is_empty())
                .with_context(|| format!("--header {header:?}: expected 'name: value'"))?;
            // Every proxy hands header names over in lower case.
            all.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        let labels = labels
            .iter()
            .map(|label| {
                let (name, value) = label
                    .split_once('=')
                    .filter(|(name, _)| !name.is_empty())
                    .with_context(|| format!("--label {label:?}: expected name=value"))?;
                Ok((name.to_owned(), value.to_owned()))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            headers: all,
            method: method.to_owned(),
            path: target.to_owned(),
            namespace: namespace.filter(|name| !name.is_empty()).map(Into::into),
            labels,
            direction,
        })
    }

    /// Returns the labels of the workload.
    pub(in crate::check) fn labels(&self) -> Labels {
        self.labels.iter().cloned().collect()
    }

    /// Returns the side of the workload that the request passes.
    pub(in crate::check) fn spot<'a>(&'a self, labels: &'a Labels) -> Spot<'a> {
        Spot {
            namespace: self.namespace.as_deref(),
            labels,
            mode: match self.direction {
                Direction::Inbound => Mode::Server,
                Direction::Outbound | Direction::Edge => Mode::Client,
            },
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "a request {} {}, {}, in ",
            self.method,
            self.path,
            direction(self.direction)
        )?;
        match &self.namespace {
            Some(namespace) => write!(formatter, "namespace {namespace}"),
            None => formatter.write_str("no namespace"),
        }
    }
}
