//! The plot: a bar for what each candidate adds to the CPU time of a request, and a dot for each round.

use anyhow::anyhow;
use plotters::prelude::{
    ChartBuilder, Circle, Color, EmptyElement, IntoDrawingArea, IntoFont, IntoSegmentedCoord,
    RGBColor, Rectangle, SVGBackend, SegmentValue, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::candidate::{BASELINE, Group};
use super::report::Report;
use super::statistics::{greatest, least};

/// Returns the plot as SVG.
///
/// # Errors
/// When there is nothing to draw.
pub(super) fn svg(report: &Report) -> anyhow::Result<String> {
    let bars = bars(report);
    let mut out = String::new();
    draw(report, &bars, &mut out).map_err(|error| anyhow!("the plot: {error}"))?;
    Ok(out)
}

struct Bar {
    label: String,
    group: Group,
    added: f64,
    rounds: Vec<f64>,
}

/// The bars from top to bottom.
fn bars(report: &Report) -> Vec<Bar> {
    let baseline = report
        .measured
        .iter()
        .find(|it| it.candidate.name == BASELINE);
    let base = baseline.map_or(0.0, |it| least(&it.cost));
    let bar = |measured: &super::report::Measured| {
        Some(Bar {
            label: measured.candidate.title.clone(),
            group: measured.candidate.group,
            added: report.added(measured)?.max(0.0),
            rounds: measured
                .cost
                .iter()
                .map(|cost| (cost - base).max(0.0))
                .collect(),
        })
    };
    report.measured.iter().filter_map(bar).collect()
}

fn draw(report: &Report, bars: &[Bar], out: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let count = bars.len();
    let height = HEAD + FOOT + ROW * u32::try_from(count)?;
    let area = SVGBackend::with_string(out, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let widest: Vec<f64> = bars.iter().flat_map(|bar| &bar.rounds).copied().collect();
    let end = if widest.is_empty() {
        1.0
    } else {
        greatest(&widest) * ROOM
    };
    let heading = (FONT, 20).into_font().color(&INK);
    area.draw_text(
        "CPU time of Envoy that tracing adds to a request",
        &heading,
        (16, 14),
    )?;
    let at = &report.surroundings;
    let small = (FONT, 13).into_font().color(&FAINT);
    let surroundings = format!(
        "bar: least of {} rounds of {} requests; dots: each round. Envoy {}, one worker, {}, {} cores, {}",
        report.rounds,
        report.requests,
        sidespan_envoy::VERSION,
        at.cpu,
        at.cores,
        at.date
    );
    area.draw_text(&surroundings, &small, (16, 42))?;
    let (_, below) = area.split_vertically(LEGEND);
    let mut chart = ChartBuilder::on(&below)
        .margin_right(30)
        .margin_top(8)
        .x_label_area_size(FOOT)
        .y_label_area_size(LABELS)
        .build_cartesian_2d(0.0..end, (0..count.saturating_sub(1)).into_segmented())?;
    // The first bar is the uppermost, and the axis begins below.
    let place = |index: usize| count - 1 - index;
    let label = |at: &SegmentValue<usize>| match at {
        SegmentValue::CenterOf(at) => bars
            .get(place(*at))
            .map_or_else(String::new, |bar| bar.label.clone()),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .axis_style(FAINT)
        .y_labels(count)
        .y_label_formatter(&label)
        .x_label_formatter(&|added| format!("{added:.0}"))
        .x_desc("µs of CPU time added to a request")
        .label_style((FONT, 14).into_font().color(&INK))
        .draw()?;
    chart.draw_series(bars.iter().enumerate().map(|(index, bar)| {
        let at = place(index);
        let corners = [
            (0.0, SegmentValue::Exact(at)),
            (bar.added, SegmentValue::Exact(at + 1)),
        ];
        let mut rectangle = Rectangle::new(corners, colour(bar.group).filled());
        rectangle.set_margin(3, 3, 0, 0);
        rectangle
    }))?;
    for (index, bar) in bars.iter().enumerate() {
        let centre = SegmentValue::CenterOf(place(index));
        let dots = bar
            .rounds
            .iter()
            .map(|added| Circle::new((*added, centre.clone()), 2, INK.mix(0.55).filled()));
        chart.draw_series(dots)?;
        let furthest = bar.rounds.iter().copied().fold(bar.added, f64::max);
        let style = (FONT, 13)
            .into_font()
            .color(&INK)
            .pos(Pos::new(HPos::Left, VPos::Center));
        let value = Text::new(format!("{:.1}", bar.added), (8, 0), style);
        chart.draw_series([EmptyElement::at((furthest, centre)) + value])?;
    }
    drop(chart);
    area.present()?;
    Ok(())
}

fn colour(group: Group) -> RGBColor {
    match group {
        Group::Baseline => FAINT,
        Group::Native => RGBColor(0x4c, 0x78, 0xa8),
        Group::Floor => RGBColor(0xb8, 0xb8, 0xb8),
        Group::Sidespan => RGBColor(0xe4, 0x57, 0x1e),
    }
}

const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const FAINT: RGBColor = RGBColor(0x77, 0x77, 0x77);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const FONT: &str = "sans-serif";

const WIDTH: u32 = 1_000;
const ROW: u32 = 26;
/// The title and the line below it.
const LEGEND: u32 = 62;
const HEAD: u32 = LEGEND + 8;
const FOOT: u32 = 50;
/// The longest title of a candidate.
const LABELS: u32 = 360;
/// So that the figure behind the longest bar has a place.
const ROOM: f64 = 1.12;
