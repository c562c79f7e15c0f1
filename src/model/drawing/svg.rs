//! The blocks of a network as a picture: boxes from top to bottom, lines for what they take.

use std::fmt::Write as _;

use super::{Block, Drawing, grouped, size};

/// All in pixels; a row is a box and the gap below it.
const WIDTH: usize = 640;
const LEFT: usize = 64;
const BOX: usize = 40;
const ROW: usize = 54;
const TOP: usize = 8;

/// Ways beside the boxes that do not hide each other.
const LANES: usize = 6;

/// Colours of the report, which rule where the picture is part of it.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:var(--ink,#1b1f24)}\
.soft{fill:var(--soft,#5a636e)}.end{text-anchor:end}.name{font-weight:600}\
rect{fill:var(--hush,#eceef0);stroke:var(--line,#dfe2e6)}\
path{fill:none;stroke:var(--soft,#5a636e)}";

pub(super) fn draw(drawing: &Drawing) -> String {
    let n = drawing.blocks.len();
    let height = TOP + n * ROW + 28;
    let sums = format!(
        "{} parameters, {} multiply-adds for one picture",
        grouped(drawing.n_parameters()),
        grouped(drawing.n_multiply_adds())
    );
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="a network of {n} blocks, {sums}"><style>{STYLE}</style>"#
    );
    let mut n_ways = 0;
    for (at, block) in drawing.blocks.iter().enumerate() {
        for source in &block.inputs {
            write!(svg, r#"<path d="{}"/>"#, line(*source, at, n_ways))
                .expect("a string takes all");
            n_ways += usize::from(source + 1 < at);
        }
        svg.push_str(&labelled(at, block));
    }
    let bottom = TOP + n * ROW + 14;
    let end = WIDTH - 8;
    write!(svg, r#"<text class="soft end" x="{end}" y="{bottom}">{sums}</text></svg>"#)
        .expect("a string takes all");
    svg
}

/// Leads from the bottom of a box to the top of another, or around those between them, as so many
/// do before.
fn line(source: usize, at: usize, n_ways: usize) -> String {
    let from = TOP + source * ROW + BOX;
    let to = TOP + at * ROW;
    if at == source + 1 {
        let middle = LEFT + (WIDTH - LEFT) / 2;
        return format!("M{middle} {from}V{to}");
    }
    let (start, end) = (from - BOX / 2, to + BOX / 2);
    let out = LEFT - 12 - 8 * (n_ways % LANES);
    format!("M{LEFT} {start}H{out}V{end}H{LEFT}")
}

fn labelled(at: usize, block: &Block) -> String {
    let top = TOP + at * ROW;
    let (upper, lower) = (top + 17, top + 33);
    let (start, end, width) = (LEFT + 12, WIDTH - 20, WIDTH - LEFT - 8);
    let counts = match block.n_parameters {
        0 => String::new(),
        n => format!("{} parameters", grouped(n)),
    };
    format!(
        r#"<g><rect x="{LEFT}" y="{top}" width="{width}" height="{BOX}" rx="7"/><text class="name" x="{start}" y="{upper}">{}</text><text class="soft" x="{start}" y="{lower}">{}</text><text class="end" x="{end}" y="{upper}">{}</text><text class="soft end" x="{end}" y="{lower}">{counts}</text></g>"#,
        escaped(&block.name),
        escaped(&block.kind),
        size(block.shape),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
