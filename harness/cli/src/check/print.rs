//! The findings for people: a line each, then the explanations, then Istio's resolved settings.

use std::io::{self, Write};

use super::explain::wording::percent;
use super::format::line::{line, strictness, verdict};
use super::istio::summary::{Percentage, Summary};
use super::istio::translate::Plugin;
use super::report::{Explained, Report};
use super::results::Results;

/// The parts that are printed besides the findings.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wish {
    /// True if every step of every configuration is printed.
    pub(super) explain: bool,
}

pub(super) fn results(results: &Results, wish: Wish, out: &mut impl Write) -> io::Result<()> {
    for report in &results.reports {
        findings(report, results.strict, out)?;
        for explained in &report.explanations {
            explanation(&report.file, explained, wish, out)?;
        }
    }
    let explained = results
        .reports
        .iter()
        .flat_map(|report| &report.explanations);
    let scopes = explained.filter_map(|explained| explained.scope.as_ref());
    let installed = scopes
        .filter_map(|scope| scope.namespace.as_deref())
        .collect();
    if let Some(summary) = results
        .istio
        .as_ref()
        .filter(|summary| !summary.is_only_off(&installed))
    {
        istio(summary, out)?;
    }
    if !results.samplers.is_empty() {
        writeln!(
            out,
            "\nOpenTelemetry's samplers beside a sidecar that decides:"
        )?;
    }
    for sdk in &results.samplers {
        let argument = sdk
            .argument
            .as_deref()
            .map(|argument| format!(" {argument}"));
        writeln!(
            out,
            "  {}: {}{}: {}",
            sdk.name,
            sdk.sampler,
            argument.unwrap_or_default(),
            sdk.meaning
        )?;
    }
    match strictness(results) {
        Some(last) => writeln!(out, "{last}"),
        None => Ok(()),
    }
}

fn findings(report: &Report, strict: bool, out: &mut impl Write) -> io::Result<()> {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
    let plain = anstyle::Style::new();
    let file = &report.file;
    for (style, word, list) in [
        (red, "error", &report.errors),
        (yellow, "warning", &report.warnings),
        (plain, "skipped", &report.skipped),
    ] {
        for finding in list {
            line(file, finding, format_args!("{style}{word}{style:#}"), out)?;
        }
    }
    match verdict(report, strict) {
        Some(verdict) => writeln!(out, "{verdict}"),
        None => Ok(()),
    }
}

fn explanation(
    file: &str,
    explained: &Explained,
    wish: Wish,
    out: &mut impl Write,
) -> io::Result<()> {
    if wish.explain {
        let document = match explained.document {
            1 => String::new(),
            number => format!(" document {number}:"),
        };
        writeln!(
            out,
            "{file}:{document} {}: the first that fits decides:",
            explained.path
        )?;
        for (index, step) in explained.explanation.steps.iter().enumerate() {
            writeln!(out, "  {}. {}", index + 1, step.sentence)?;
        }
    }
    if let Some(answer) = &explained.answer {
        writeln!(out, "{file}: {}", answer.sentence)?;
    }
    Ok(())
}

fn istio(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "\nNew traces, as Istio resolves its settings (root namespace {}):",
        summary.root
    )?;
    for row in &summary.workloads {
        let who = match (&row.namespace, &row.workload) {
            (None, None) => "the mesh".to_owned(),
            (None, Some(workload)) => format!("{workload}, in any namespace"),
            (Some(namespace), None) => format!("namespace {namespace}"),
            (Some(namespace), Some(workload)) => format!("namespace {namespace}, {workload}"),
        };
        if row.client == row.server {
            writeln!(out, "  {who}: {}", side(&row.client))?;
        } else {
            writeln!(out, "  {who}, what it sends: {}", side(&row.client))?;
            writeln!(out, "  {who}, what it receives: {}", side(&row.server))?;
        }
    }
    if summary.off {
        writeln!(
            out,
            "Istio's own tracing is off everywhere; these are the percentages that it would have."
        )?;
    }
    writeln!(out, "\nThe same in Sidespan:")?;
    for plugin in &summary.plugins {
        resource(plugin, out)?;
    }
    Ok(())
}

fn side(side: &Percentage) -> String {
    let native = if side.native {
        "; Istio's tracer is on"
    } else {
        ""
    };
    format!("{} by {}{native}", percent(side.percentage), side.by)
}

/// Prints the parts of a WasmPlugin about sampling, as they are to be copied.
fn resource(plugin: &Plugin, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "  # WasmPlugin {}/{}", plugin.namespace, plugin.name)?;
    if let Some(note) = plugin.note {
        writeln!(out, "  # Mind: {note}")?;
    }
    writeln!(out, "  pluginName: {}", plugin.name)?;
    writeln!(out, "  phase: {}", plugin.phase)?;
    writeln!(out, "  priority: {}", plugin.priority)?;
    writeln!(out, "  failStrategy: {}", plugin.fail_strategy)?;
    if let Some(gateway) = plugin.gateway() {
        writeln!(
            out,
            "  targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: {gateway}}}]"
        )?;
    } else if !plugin.selector.is_empty() {
        let labels: Vec<_> = plugin
            .selector
            .iter()
            .map(|(name, value)| format!("{name:?}: {value:?}"))
            .collect();
        writeln!(
            out,
            "  selector: {{matchLabels: {{{}}}}}",
            labels.join(", ")
        )?;
    }
    if let Some(mode) = plugin.mode {
        writeln!(out, "  match: [{{mode: {mode}}}]")?;
    }
    writeln!(out, "  pluginConfig:")?;
    writeln!(out, "    sampling:")?;
    writeln!(out, "      percentage: {}", plugin.sampling.percentage)?;
    if !plugin.sampling.namespaces.is_empty() {
        let entries = plugin.sampling.namespaces.iter();
        let entries: Vec<_> = entries
            .map(|(name, percentage)| format!("{name:?}: {percentage}"))
            .collect();
        writeln!(out, "      namespaces: {{{}}}", entries.join(", "))?;
    }
    Ok(())
}
