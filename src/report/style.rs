//! How the page looks: on paper, in light and in dark, on a telephone and on a wide screen.

/// Text colours keep a contrast of at least 4.5 to 1 on their grounds in both schemes.
pub(super) const CSS: &str = r#"
:root {
  color-scheme: light dark;
  --paper: #f6f6f3; --card: #ffffff; --ink: #1b1f24; --soft: #5a636e; --line: #dfe2e6; --hush: #eceef0;
  --link: #1f55c4; --train: #3a76c4; --val: #c47c12; --test: #1f9377;
  --good: #1a7040; --bad: #b3261e; --warn-ink: #7a4a00; --warn-paper: #fdf0d5; --warn-line: #efd296;
  --hit: #2f9e63; --miss: #d9604f; --heat-max: 58%;
  --plum: #8a56b8; --rose: #c2457a; --slate: #66707c;
  --shade: 0 1px 2px rgb(20 25 30 / .06), 0 4px 14px rgb(20 25 30 / .05);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111418; --card: #191d23; --ink: #e7eaee; --soft: #a3adb9; --line: #2d333c; --hush: #242a32;
    --link: #8fb4ff; --train: #6ea4ea; --val: #e8a84a; --test: #4cc2a3;
    --good: #6bcf94; --bad: #ff8f84; --warn-ink: #f3cd84; --warn-paper: #2c2415; --warn-line: #564420;
    --hit: #2b8f59; --miss: #b34a3c; --heat-max: 72%;
    --plum: #bb93e6; --rose: #ee86b0; --slate: #97a2ae;
    --shade: none;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 3rem) 4rem; max-width: 1240px;
  background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
h1, h2, h3 { line-height: 1.2; text-wrap: balance; margin: 0; }
h1 { font-size: clamp(1.9rem, 5vw, 2.9rem); letter-spacing: -.022em; }
h2 { font-size: 1.5rem; letter-spacing: -.012em; }
h3 { font-size: 1.04rem; margin: 1.8rem 0 .7rem; }
p { margin: .4rem 0; max-width: 72ch; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
code { font: .9em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
cite { font-style: normal; }
time { white-space: nowrap; }
ul.plain { margin: .2rem 0; padding-left: 1.1rem; }
ul.plain li { overflow-wrap: anywhere; }
ul.plain li::marker { color: var(--soft); }
.soft { color: var(--soft); }
.empty { color: var(--soft); padding: 1rem 1.2rem; border: 1px dashed var(--line); border-radius: 10px; max-width: none; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; }
.good { color: var(--good); } .bad { color: var(--bad); }

header.page .kicker { color: var(--soft); font-size: .92rem; margin-bottom: .5rem; }
header.page .lead { font-size: 1.16rem; color: var(--soft); margin: .7rem 0 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .9rem; margin: 1.7rem 0 0; }
.cards > div { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .95rem 1.1rem 1rem; box-shadow: var(--shade); }
.cards dt { color: var(--soft); font-size: .86rem; }
.cards dd { margin: 0; }
.cards .value { font-size: 2rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.25; font-variant-numeric: tabular-nums; }
.cards .sub { color: var(--soft); font-size: .84rem; line-height: 1.4; }

nav { display: flex; flex-wrap: wrap; gap: .35rem; margin: 1.6rem 0 0; }
nav a { font-size: .87rem; text-decoration: none; color: var(--ink); background: var(--hush); border-radius: 99px; padding: .24rem .8rem; }
nav a:hover { background: var(--line); }

main > section {
  background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shade);
  padding: clamp(1.1rem, 3vw, 1.9rem); margin-top: 1.5rem; scroll-margin-top: 1rem;
}
section > .lead { color: var(--soft); margin: .35rem 0 1.2rem; }
section > .lead strong { color: var(--ink); }
footer { color: var(--soft); font-size: .87rem; margin-top: 1.6rem; text-align: center; }
footer p { max-width: none; }

.funnel { list-style: none; margin: 0; padding: 0; }
.funnel > li { display: grid; grid-template-columns: 11.5rem minmax(8rem, 1.25fr) minmax(0, 1fr); gap: .3rem 1.3rem; align-items: start; padding: .75rem 0; border-top: 1px solid var(--hush); }
.funnel > li:first-child { border-top: 0; padding-top: 0; }
.funnel .step { font-size: .93rem; color: var(--soft); line-height: 1.3; }
.funnel .step strong { display: block; font-size: 1.32rem; font-weight: 650; color: var(--ink); letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.funnel .track { background: var(--hush); border-radius: 6px; height: 1.7rem; margin-top: .35rem; overflow: hidden; }
.funnel .fill { height: 100%; min-width: 2px; background: color-mix(in srgb, var(--train) 34%, var(--card)); border-radius: 6px; overflow: hidden; }
.funnel .goes { height: 100%; background: var(--train); }
.funnel .reasons { font-size: .88rem; line-height: 1.45; padding-top: .3rem; overflow-wrap: anywhere; }
.funnel ul { list-style: none; margin: 0; padding: 0; }
.funnel ul li { padding-left: 3.4rem; text-indent: -3.4rem; }
.funnel .n { display: inline-block; min-width: 3rem; margin-right: .4rem; text-align: right; text-indent: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.funnel .none, .funnel summary { color: var(--soft); }
.funnel .none { padding-left: 3.4rem; }
summary { cursor: pointer; }

.scroll { overflow-x: auto; position: relative; padding-right: 1px; /* Cells are rounded up to whole pixels. */ }
table { border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums; width: 100%; }
caption { text-align: left; color: var(--soft); font-size: .87rem; padding-bottom: .4rem; }
th, td { padding: .45rem .75rem; text-align: right; border-top: 1px solid var(--hush); vertical-align: middle; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .86rem; vertical-align: bottom; white-space: nowrap; }
tbody th, tfoot th { font-weight: 600; }
th:first-child, td.text, .sources th:nth-child(2), .sources th:nth-child(n+6), .troubles th:nth-child(n+3), .exports th:last-child, .places th:nth-child(2), .trainings th:nth-child(2), .trainings th:nth-child(3) { text-align: left; }
.stack .kept { background: var(--train); }
.key.kept::before { background: var(--train); } .key.lost::before { background: var(--line); }
.below { display: block; color: var(--soft); font-size: .84rem; font-weight: 400; white-space: nowrap; }
.trainings td, .authors td, .days th, .trainings .badge { white-space: nowrap; }
.trainings td.text { white-space: normal; min-width: 9rem; }
.charts.single { grid-template-columns: minmax(0, 44rem); }
tfoot th, tfoot td { border-top: 2px solid var(--line); }
td.text { overflow-wrap: break-word; }
.troubles td.text { overflow-wrap: anywhere; min-width: 9rem; }
td.good, td.bad { white-space: nowrap; text-align: left; }
.wide { width: 32%; min-width: 7rem; }
tr.best { background: var(--hush); }
.stack { display: flex; height: .95rem; border-radius: 4px; overflow: hidden; background: var(--hush); }
.stack span { min-width: 0; }
.stack .train { background: var(--train); } .stack .val { background: var(--val); } .stack .test { background: var(--test); }
.stack .good { background: var(--test); } .stack .bad { background: var(--val); }
.key { white-space: nowrap; }
.key::before { content: ""; display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .4em; background: currentColor; vertical-align: -.02em; }
.key.train::before, .key.kind-0::before { background: var(--train); }
.key.val::before, .key.kind-1::before { background: var(--val); }
.key.test::before { background: var(--test); }
.badge { display: inline-block; font-size: .78rem; line-height: 1.35; padding: .08rem .5rem; border-radius: 99px; background: var(--hush); color: var(--ink); font-weight: 600; }
.badge.warn, .notes, .note { background: var(--warn-paper); color: var(--warn-ink); }
.notes, .note { border: 1px solid var(--warn-line); border-radius: 10px; padding: .7rem 1rem; margin: 1rem 0 0; font-size: .92rem; }
.notes { padding-left: 2.1rem; }
.note { max-width: none; }

img, .gone { display: block; border-radius: 7px; background: var(--hush); }
.gone { display: grid; place-items: center; min-height: 5rem; padding: .5rem; color: var(--soft); font-size: .8rem; text-align: center; border: 1px dashed var(--line); }
figure { margin: 0; }
.thumbs { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.6rem, 1fr)); gap: .6rem; }
.thumb { display: block; position: relative; }
.thumb img, .thumb .gone { width: 100%; aspect-ratio: 1; object-fit: cover; }
a.thumb:hover img { outline: 3px solid var(--link); outline-offset: -3px; }
.thumb figcaption { font-size: .8rem; line-height: 1.35; padding-top: .3rem; overflow-wrap: anywhere; }
.told figcaption span { display: block; }
.told { grid-template-columns: repeat(auto-fill, minmax(7.4rem, 1fr)); gap: .9rem .7rem; }
.told.looked { grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); }
.both { display: grid; grid-template-columns: 1fr 1fr; gap: .3rem; align-items: start; }
.kinds { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1rem 1.6rem; }
.kind p { font-size: .93rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
.kind .thumbs { grid-template-columns: repeat(4, minmax(0, 6.6rem)); gap: .4rem; }
.strip { display: grid; grid-template-columns: 6.5rem 1fr; gap: .9rem; margin: .6rem 0; }
.strip .of { margin: 0; font-size: .9rem; }

.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(25rem, 100%), 1fr)); gap: 1rem; }
.pair { border: 1px solid var(--line); border-radius: 12px; padding: .9rem 1rem 1rem; }
.pair .evidence { margin: 0 0 .7rem; font-size: .92rem; color: var(--soft); }
.pair .evidence strong { color: var(--ink); }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: .9rem; align-items: start; }
.sides img, .sides .gone { width: 100%; aspect-ratio: 4 / 3; object-fit: contain; }
.sides figcaption { font-size: .82rem; line-height: 1.4; padding-top: .5rem; overflow-wrap: anywhere; }
.sides .measures { display: block; margin-top: .3rem; font-variant-numeric: tabular-nums; }
.sides .by { display: block; color: var(--soft); }
.kept .badge { background: color-mix(in srgb, var(--hit) 22%, var(--card)); color: var(--good); }

dl.reasons { margin: 0; display: grid; gap: 1.2rem 2.4rem; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); }
dl.reasons > div { border-top: 1px solid var(--line); padding-top: .8rem; min-width: 0; }
dl.reasons dd { margin: .35rem 0 0; font-size: .92rem; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.6rem; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: .2rem 1rem; justify-content: space-between; font-size: .93rem; margin-bottom: .4rem; }
.legend { display: flex; gap: 1rem; color: var(--soft); }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--soft); font-size: 13px; font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg line.mark { stroke: var(--soft); stroke-dasharray: 3 4; }
svg text.mark { fill: var(--ink); font-weight: 600; }
svg text { pointer-events: none; }
svg .hit { fill: transparent; pointer-events: all; }
svg .shown { visibility: hidden; pointer-events: none; }
svg .reading:hover .shown { visibility: visible; }
svg .guide { stroke: var(--soft); stroke-width: 1; }
svg .plate { fill: var(--card); stroke: var(--line); }
svg .shown text { fill: var(--ink); font-size: 12px; }
svg .name { fill: var(--ink); font-weight: 600; font-size: 12px; paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
details.numbers { font-size: .93rem; }
details.numbers table { width: auto; margin-top: .4rem; }
svg .bar { fill: var(--train); } svg .bar.kind-1 { fill: var(--val); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.8rem 2.2rem; align-items: start; margin-top: 1rem; }
.plots > * { min-width: 0; max-width: 34rem; }
.plot figcaption { font-size: .93rem; margin-bottom: .3rem; }
.plot ul.keys { list-style: none; margin: .3rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; font-size: .88rem; color: var(--soft); }
.plot ul.keys li { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.plot svg.swatch { display: inline-block; width: 2rem; height: .7rem; margin-right: .4rem; vertical-align: 0; overflow: hidden; }
svg .curve { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
svg .curve-0 { stroke: var(--train); }
svg .curve-1 { stroke: var(--val); stroke-dasharray: 9 4; }
svg .curve-2 { stroke: var(--test); stroke-dasharray: 2 3; }
svg .curve-3 { stroke: var(--plum); stroke-dasharray: 10 3 2 3; }
svg .curve-4 { stroke: var(--rose); stroke-dasharray: 5 3; }
svg .curve-5 { stroke: var(--slate); stroke-dasharray: 14 3 2 3 2 3; }
svg .ahead { stroke-dasharray: 6 4; }
svg .band { fill: var(--train); fill-opacity: .17; stroke: none; }
svg .whisker { stroke: var(--ink); stroke-width: 1.4; fill: none; }
svg .point { fill: var(--train); stroke: var(--card); stroke-width: 1; }
svg .point.forecast { fill: var(--card); stroke: var(--train); stroke-width: 2; }
svg .share { fill: var(--train); fill-opacity: .55; stroke: var(--train); }
svg .share.wrong { fill: var(--val); stroke: var(--val); }
svg .cell { stroke: var(--card); stroke-width: 2; }
svg .cell.right { fill: color-mix(in srgb, var(--hit) calc(var(--heat) * var(--heat-max)), var(--hush)); }
svg .cell.wrong { fill: color-mix(in srgb, var(--miss) calc(var(--heat) * var(--heat-max)), var(--hush)); }
svg text.inside { fill: var(--ink); } svg text.strong { fill: var(--ink); font-weight: 600; }
.measures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1.2rem 1.6rem; }
.measure { border-top: 1px solid var(--line); padding-top: .8rem; min-width: 0; }
.measure h3 { margin: 0; } .measure h3::first-letter { text-transform: uppercase; }
.measure .evidence { font-size: .86rem; color: var(--soft); margin: .15rem 0 .5rem; } .measure .evidence strong { color: var(--ink); }
.measure .side { font-size: .8rem; color: var(--soft); margin: .6rem 0 .25rem; }
.measure .thumbs { grid-template-columns: repeat(4, 1fr); gap: .4rem; }
.measure img { outline: 1px solid var(--line); outline-offset: -1px; }
svg .limit { stroke: var(--bad); stroke-width: 1.6; stroke-dasharray: 4 2; }
.journey th { width: 7.5rem; vertical-align: top; }
.sides.alone { grid-template-columns: minmax(0, 40rem); }
details { margin: .6rem 0; }
.funnel details { margin: 0; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1.2rem 2.4rem; margin-top: 1rem; align-items: start; }
.beside > * { min-width: 0; }
.beside h3:first-child { margin-top: 0; font-size: .93rem; }
.confusion { width: auto; }
.confusion th, .confusion thead td { border: 0; }
.confusion td, .confusion thead th { text-align: center; min-width: 5rem; }
.confusion thead th { font-weight: 600; color: var(--ink); }
.confusion tbody td { border: 2px solid var(--card); border-radius: 6px; padding: .55rem .75rem; font-weight: 600; }
.confusion td .soft { display: block; font-size: .78rem; font-weight: 400; color: inherit; }
.confusion .right { background: color-mix(in srgb, var(--hit) calc(var(--heat) * var(--heat-max)), var(--hush)); }
.confusion .wrong { background: color-mix(in srgb, var(--miss) calc(var(--heat) * var(--heat-max)), var(--hush)); }
.settings pre { overflow-x: auto; background: var(--hush); border-radius: 10px; padding: 1rem; font-size: .87rem; line-height: 1.5; }

@media (max-width: 760px) {
  .funnel > li { grid-template-columns: 1fr; gap: .35rem; }
  .funnel .step strong { display: inline; }
  .funnel .track { height: 1.1rem; margin-top: 0; }
  .strip { grid-template-columns: 1fr; gap: .4rem; }
  .thumbs { grid-template-columns: repeat(auto-fill, minmax(5rem, 1fr)); }
  th, td { padding: .4rem .5rem; }
  .wide { min-width: 5rem; }
  svg .tick { font-size: 16px; }
  svg .name, svg .shown text { font-size: 14px; }
  .counts .wide { display: none; }
  .cards { grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); }
  .cards .value { font-size: 1.6rem; }
}
@media print {
  :root { color-scheme: light; }
  body { padding: 0; max-width: none; font-size: 11pt; background: none; }
  nav, .skip, details.numbers:not([open]) { display: none; }
  main > section { box-shadow: none; border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 1rem 0; }
  .pair, figure, .funnel > li, tr, .cards > div { break-inside: avoid; }
  h2, h3, section > .lead, .strip .of { break-after: avoid; }
  tfoot { display: table-row-group; }
  .pairs { grid-template-columns: 1fr 1fr; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"#;
