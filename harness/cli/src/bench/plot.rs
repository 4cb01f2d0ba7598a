//! The plot: a bar for the CPU time that each candidate adds to a request, and a dot for each process.
//!
//! Another program's work may make a process cost many times the least; the dot of that process is drawn hollow at the
//! edge, because a longer axis would make all bars short.
//!
//! `plotters` draws; the layout is written here because `plotters` has no chart of bars with dots.

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::prelude::{
    ChartBuilder, Circle, Color, DrawingArea, EmptyElement, IntoDrawingArea, IntoFont, RGBColor,
    Rectangle, SVGBackend, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{ShapeStyle, TextStyle};

use super::candidate::{BASELINE, Group};
use super::report::{Measured, Report};
use super::statistics::{by_process, greatest};

/// Returns the plot as SVG.
///
/// # Errors
/// When there is nothing to draw.
pub(super) fn svg(report: &Report) -> anyhow::Result<String> {
    let bars = bars(report);
    let mut out = String::new();
    draw(report, &bars, &mut out).map_err(|error| anyhow!("no plot: {error}"))?;
    Ok(out)
}

struct Bar {
    label: String,
    group: Group,
    added: f64,
    processes: Vec<f64>,
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Returns the bars from top to bottom.
fn bars(report: &Report) -> Vec<Bar> {
    let baseline = report
        .measured
        .iter()
        .find(|it| it.candidate.name == BASELINE);
    let base = baseline.map_or(0.0, |it| report.figures(it).low);
    let bar = |measured: &Measured| {
        let costs = by_process(&measured.cost, report.rounds_of_a_process);
        let processes = costs.iter().map(|cost| (cost - base).max(0.0));
        Some(Bar {
            label: measured.candidate.title.clone(),
            group: measured.candidate.group,
            added: report.added(measured)?.low.max(0.0),
            processes: processes.collect(),
        })
    };
    report.measured.iter().filter_map(bar).collect()
}

fn draw(report: &Report, bars: &[Bar], out: &mut String) -> Drawn {
    let count = u32::try_from(bars.len())?;
    if bars.is_empty() {
        return Err("nobody took part but no tracing".into());
    }
    let height = HEAD + FOOT + ROW * count;
    let area = SVGBackend::with_string(out, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let (head, below) = area.split_vertically(HEAD);
    explain(report, &head)?;
    let longest = bars.iter().map(|bar| bar.added).fold(1.0, f64::max);
    let furthest = bars
        .iter()
        .map(|bar| greatest(&bar.processes))
        .fold(longest, f64::max);
    let edge = furthest.min(longest * 1.3);
    let mut chart = ChartBuilder::on(&below)
        .margin_right(20)
        .x_label_area_size(FOOT)
        .y_label_area_size(LABELS)
        .build_cartesian_2d(0.0..edge * 1.08, 0.0..f64::from(count))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .max_light_lines(1)
        .bold_line_style(GRID)
        .axis_style(FAINT)
        .x_labels(8)
        .x_label_formatter(&|added| format!("{added:.0}"))
        .x_desc("µs of CPU time added to a request")
        .label_style(text(15, INK))
        .draw()?;
    // The first bar is the uppermost, and the axis begins below.
    let mut below = f64::from(count);
    for bar in bars {
        below -= 1.0;
        let centre = below + 0.5;
        let corners = [(0.0, below), (bar.added, below + 1.0)];
        let mut rectangle = Rectangle::new(corners, colour(bar.group).filled());
        rectangle.set_margin(3, 3, 0, 0);
        chart.draw_series([rectangle])?;
        let style = text(15, INK).pos(Pos::new(HPos::Right, VPos::Center));
        let label = Text::new(bar.label.clone(), (-8, 0), style);
        chart.draw_series([EmptyElement::at((0.0, centre)) + label])?;
        let dots = bar.processes.iter().map(|&added| {
            let style = if added > edge {
                ShapeStyle::from(INK)
            } else {
                INK.mix(0.6).filled()
            };
            Circle::new((added.min(edge), centre), 2, style)
        });
        chart.draw_series(dots)?;
        let within = bar.processes.iter().copied().filter(|added| *added <= edge);
        let end = within.fold(bar.added, f64::max);
        let style = text(14, INK).pos(Pos::new(HPos::Left, VPos::Center));
        let figure = Text::new(format!("{:.1}", bar.added), (7, 0), style);
        chart.draw_series([EmptyElement::at((end, centre)) + figure])?;
    }
    drop(chart);
    area.present()?;
    Ok(())
}

/// Draws the title, a line on reading the plot, and the colours.
fn explain(report: &Report, head: &DrawingArea<SVGBackend<'_>, Shift>) -> Drawn {
    let at = &report.surroundings;
    let title = "CPU time of Envoy that tracing adds to a request";
    head.draw_text(title, &text(24, INK), (16, 12))?;
    let reading = format!(
        "bar: the mean of the lowest third of {} processes; dot: a process (hollow: further right). {}; Envoy {}, one worker; {}",
        report.processes,
        at.processor(),
        sidespan_envoy::VERSION,
        at.date
    );
    head.draw_text(&reading, &text(14, FAINT), (16, 42))?;
    let mut x = 16;
    let groups = [
        Group::Native,
        Group::Least,
        Group::Floor,
        Group::Sidespan,
        Group::OtherBuild,
    ];
    let is_there = |group: &Group| {
        let mut measured = report.measured.iter();
        *group != Group::OtherBuild || measured.any(|it| it.candidate.group == *group)
    };
    for group in groups.into_iter().filter(is_there) {
        let square = [(x, 66), (x + 12, 78)];
        head.draw(&Rectangle::new(square, colour(group).filled()))?;
        head.draw_text(group.title(), &text(15, INK), (x + 18, 65))?;
        x += 220;
    }
    Ok(())
}

fn text(size: u32, colour: RGBColor) -> TextStyle<'static> {
    // `plotters` takes this number for the height of a line, and writes a font that is smaller.
    (FONT, f64::from(size)).into_font().color(&colour)
}

fn colour(group: Group) -> RGBColor {
    match group {
        Group::Baseline => FAINT,
        Group::Native => RGBColor(0x4c, 0x78, 0xa8),
        Group::Least => RGBColor(0x59, 0xa1, 0x4f),
        Group::Floor => RGBColor(0xb8, 0xb8, 0xb8),
        Group::Sidespan => RGBColor(0xe4, 0x57, 0x1e),
        Group::OtherBuild => RGBColor(0xb0, 0x7a, 0xa1),
    }
}

const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const FAINT: RGBColor = RGBColor(0x77, 0x77, 0x77);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const FONT: &str = "sans-serif";

const WIDTH: u32 = 1_000;
const ROW: u32 = 26;
const HEAD: u32 = 92;
const FOOT: u32 = 50;
/// Width of the longest title of a candidate.
const LABELS: u32 = 340;

#[cfg(test)]
mod tests {
    use super::super::candidate;
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn draws_a_bar_for_everyone_but_the_one_that_all_are_held_against() {
        let all = candidate::all();
        let costs: Vec<(&str, &[f64])> = all
            .iter()
            .map(|it| (it.name.as_str(), &[40.0, 33.0, 900.0][..]))
            .collect();
        let plot = svg(&report(&costs)).unwrap();
        for candidate in all.iter().filter(|it| it.name != BASELINE) {
            assert!(plot.contains(&candidate.title), "{}", candidate.name);
        }
        assert!(!plot.contains("no tracing"), "{plot}");
        assert!(plot.contains("family 25, model 17"), "{plot}");
    }

    #[test]
    fn draws_one_bar_and_one_that_adds_nothing() {
        for cost in [50.0, 30.0, 20.0] {
            let plot = svg(&report(&[(BASELINE, &[30.0]), ("no-op", &[cost])])).unwrap();
            assert!(plot.contains("a filter that does nothing"), "{plot}");
        }
    }

    #[test]
    fn nobody_is_no_plot() {
        assert!(svg(&report(&[(BASELINE, &[30.0])])).is_err());
    }
}
