//! The filters of a proxy without a scenario: those of a chain file, which has a scenario's key `filters`, or a single one.
//!
//! ```yaml
//! filters:
//!   - {module: auth.wasm, rootId: auth, configuration: auth.json}
//!   - {}                                            # Sidespan's own
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{self, Path, PathBuf};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use sidespan_host::HostBuilder;

use super::install::install;
use super::modules::Modules;
use super::scenario::{Filter, Policy, Text, beside};
use crate::check::input::document::Document;

/// Filters, and the file that theirs are beside.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    filters: Vec<Filter>,
    file: PathBuf,
}

/// One filter, as flags of the command line say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Single {
    /// The module's file; Sidespan's own filter by default.
    pub(crate) module: Option<PathBuf>,
    /// The file of the plugin's configuration.
    pub(crate) configuration: Option<PathBuf>,
    pub(crate) name: Option<String>,
    pub(crate) root_id: Option<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// True for `FAIL_OPEN`.
    pub(crate) fails_open: bool,
}

/// Filters as another file may name them, without the values of their variables and without what stands in no file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    pub(crate) filters: Vec<Described>,
    /// The settings that are not in it, each with the cure.
    pub(crate) left_out: Vec<String>,
    /// Every configuration and every value of a variable, for those who must not repeat them.
    pub(crate) settings: Vec<String>,
}

/// One filter in a [`Description`], in a scenario's words.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Described {
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root_id: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    vm_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vm_configuration: Option<String>,
    /// The variables with their values, which the caller replaces.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) environment: BTreeMap<String, String>,
    failure_policy: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_on_headers_stop_iteration: bool,
}

/// The keys of a chain file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChainFile {
    filters: Vec<Filter>,
}

impl Chain {
    /// Reads a chain file.
    ///
    /// # Errors
    /// A message with the file, the line, and the expected value.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let chain: ChainFile = serde_saphyr::from_str(&text).map_err(|error| {
            let options = serde_saphyr::render_options! { source_name: Some(name.as_str()) };
            let text = error.render_with_options(options);
            anyhow::anyhow!("{name}: {}", text.trim_start_matches("error: "))
        })?;
        ensure!(
            !chain.filters.is_empty(),
            "{name}: `filters` is empty; write the filters in the order in which a request meets them, `[{{}}]` for Sidespan's own"
        );
        Ok(Self {
            filters: chain.filters,
            file: file.into(),
        })
    }

    /// Returns a chain of one filter, whose files are beside no other.
    pub(crate) fn of(single: Single) -> Self {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let environment: BTreeMap<_, _> = single
            .environment
            .into_iter()
            .map(|(name, value)| (name, Text(value)))
            .collect();
        let filter = Filter {
            module: single.module.map(text),
            name: single.name,
            root_id: single.root_id,
            configuration: single.configuration.map(text).map(Document::String),
            environment,
            failure_policy: match single.fails_open {
                true => Policy::Open,
                false => Policy::Closed,
            },
            ..Filter::default()
        };
        Self {
            filters: vec![filter],
            file: PathBuf::new(),
        }
    }

    /// Reads and compiles all modules, and reads all configurations.
    ///
    /// # Errors
    /// When a file cannot be read, or is no filter that Envoy would load.
    pub(crate) fn install(&self) -> anyhow::Result<Vec<HostBuilder>> {
        let modules = Modules::sidespan(crate::embedded::FILTER)?;
        let filters = self.filters.iter().map(|filter| {
            if let Some(name) = &filter.module {
                let path = beside(&self.file, name);
                fs::metadata(&path)
                    .with_context(|| format!("cannot read the module {}", path.display()))?;
            }
            install(filter, &modules.find(filter, &self.file)?, &self.file)
        });
        filters.collect()
    }

    /// Returns the files that the filters are made of, the chain file apart.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for filter in &self.filters {
            let configurations = [&filter.configuration, &filter.vm_configuration];
            let names = configurations.into_iter().flatten().filter_map(file_name);
            let names = filter.module.as_deref().into_iter().chain(names);
            files.extend(names.map(|name| beside(&self.file, name)));
        }
        files
    }

    /// Describes the filters for a file in a folder.
    pub(crate) fn described(&self, folder: &Path) -> Description {
        let mut description = Description::default();
        for (number, filter) in (1..).zip(&self.filters) {
            let settings = [
                filter.configuration(&self.file),
                filter.vm_configuration(&self.file),
            ];
            // A file that cannot be read any more has nothing to repeat.
            let settings = settings.into_iter().filter_map(Result::ok);
            let settings = settings.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            description.settings.extend(settings);
            let environment = filter.environment.iter();
            let environment: BTreeMap<_, _> = environment
                .map(|(name, value)| (name.clone(), value.0.clone()))
                .collect();
            description.settings.extend(environment.values().cloned());
            if !environment.is_empty() {
                description.left_out.push(format!(
                    "the values of the variables of filter {number}; write them into this file for a replay that needs them"
                ));
            }
            let configurations = [
                ("configuration", &filter.configuration),
                ("vmConfiguration", &filter.vm_configuration),
            ];
            for (key, configuration) in configurations {
                let is_inline = configuration
                    .as_ref()
                    .is_some_and(|it| file_name(it).is_none());
                if is_inline {
                    description.left_out.push(format!(
                        "`{key}` of filter {number}, because it stands inline in {}; put it into a file of its own, which is then named",
                        self.file.display()
                    ));
                }
            }
            let path = |name: &str| seen_from(folder, &beside(&self.file, name));
            let file = |configuration: &Option<Document>| {
                configuration.as_ref().and_then(file_name).map(path)
            };
            description.filters.push(Described {
                module: filter.module.as_deref().map(path),
                name: filter.name.clone(),
                root_id: filter.root_id.clone(),
                vm_id: filter.vm_id.clone(),
                configuration: file(&filter.configuration),
                vm_configuration: file(&filter.vm_configuration),
                environment,
                failure_policy: filter.failure_policy.name(),
                capabilities: filter.capabilities.clone(),
                allow_on_headers_stop_iteration: filter.allow_on_headers_stop_iteration,
            });
        }
        description
    }
}

/// Returns a path as a file in a folder names it: from there if it is below, else in full.
fn seen_from(folder: &Path, path: &Path) -> String {
    let absolute = |path: &Path| path::absolute(path).unwrap_or_else(|_| path.into());
    let (folder, path) = (absolute(folder), absolute(path));
    let name = path.strip_prefix(&folder).unwrap_or(&path);
    name.to_string_lossy().into_owned()
}

/// Returns the name of a configuration's file, if it stands in one.
fn file_name(configuration: &Document) -> Option<&str> {
    configuration
        .text()
        .filter(|text| !text.is_empty() && !text.contains('\n'))
}
