// The page as it stands → elements. Text is always set as text: titles come from the net.

import { current, isPair, onPage, view } from "./view.js";
import { large, picture, small } from "./pictures.js";

export const at = (id) => document.getElementById(id);

/** Makes an element: its name and class, its attributes, what is in it. */
export function make(name, attributes = {}, ...inside) {
  const [tag, kind] = name.split(".");
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "onclick") element.addEventListener("click", value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...inside.filter((it) => it !== null && it !== undefined));
  return element;
}

const numbers = new Intl.NumberFormat("en");
const percent = (share) => `${(share * 100).toFixed(1)} %`;

export function drawQueues(desk, choose) {
  at("queues").replaceChildren(...desk.queues.map((queue) => {
    const { total, decided } = desk.progress.find((it) => it.name === queue.name);
    const count = total === 0 ? "none" : `${numbers.format(decided)} of ${numbers.format(total)}`;
    return make("li", {}, make("button", {
      type: "button", "data-queue": queue.name, "aria-current": queue.name === view.queue ? "true" : null,
      onclick: () => choose(queue.name),
    }, queue.title, make("span.count", {}, count)));
  }));
  at("queues").querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "nearest" });
}

export function drawPlace(desk) {
  const { total, decided } = desk.progress.find((it) => it.name === view.queue);
  at("place").textContent = total === 0 ? "Nothing here" : `${numbers.format(decided)} of ${numbers.format(total)} decided`;
  at("lead").textContent = desk.queues.find((it) => it.name === view.queue).lead;
  at("mode").textContent = view.mode === "grid" ? "Focus" : "Grid";
  at("mode").append(make("kbd", {}, "g"));
  document.title = `${desk.title} – review`;
  at("title").textContent = desk.title;
}

const saidOf = (face) => {
  switch (face.said?.decision) {
    case "keep": return "kept";
    case "reject": return `rejected: ${face.said.reason}`;
    case "relabel": return `→ ${face.said.label}`;
    default: return null;
  }
};

/** Returns what was decided, short enough for a stamp; `null` of nothing. */
function stamp(item, face) {
  if (item.pending) return make("span.stamp new", {}, item.pending);
  const said = saidOf(face);
  const words = [said, face.keeper ? "keeper" : null, item.strangers ? "not twins" : null].filter(Boolean);
  if (words.length === 0) return null;
  return make(`span.stamp${face.said?.decision === "reject" ? " bad" : ""}`, {}, words.join(", "));
}

const titleOf = (face) => face.posts[0]?.title ?? face.id.slice(0, 16);
const classOf = (face) => face.label ?? [...new Set(face.posts.map((it) => it.label))].join(" or ");

export function drawItems(choose, chooseSide) {
  const items = at("items");
  at("stage").dataset.mode = view.mode;
  if (view.items.length === 0) {
    const words = view.filter !== "" ? "Nothing fits the filter."
      : view.decided ? "There is nothing in this queue."
      : "Nothing is left to decide here. “Show decided” shows what was.";
    items.className = "";
    items.replaceChildren(make("p.empty", {}, words));
  } else if (view.mode === "grid") {
    drawGrid(items, choose);
  } else {
    drawFocus(items, chooseSide);
  }
}

let drawn = [];

function drawGrid(items, choose) {
  const shown = onPage();
  const pairs = shown.some(isPair) ? " pairs" : "";
  const fresh = items.firstElementChild?.classList.contains("grid") !== true
    || items.firstElementChild.className !== `grid${pairs}` || drawn.length !== shown.length;
  if (fresh) {
    items.className = "";
    items.replaceChildren(make(`ul.grid${pairs}`, {}, ...shown.map(() => make("li"))));
    drawn = shown.map(() => null);
  }
  const cells = items.firstElementChild.children;
  shown.forEach((item, n) => {
    const key = JSON.stringify(item);
    if (drawn[n] !== key) {
      const had = cells[n].firstElementChild;
      const cell = drawCell(item, () => choose(view.page + n));
      cells[n].replaceChildren(cell);
      if (had !== null && had === document.activeElement) cell.focus({ preventScroll: true });
      drawn[n] = key;
    }
    const cell = cells[n].firstElementChild;
    const isCurrent = view.page + n === view.index;
    if (isCurrent) cell.setAttribute("aria-current", "true");
    else cell.removeAttribute("aria-current");
    cell.tabIndex = isCurrent ? 0 : -1;
    if (isCurrent) cell.scrollIntoView({ block: "nearest" });
  });
}

function drawCell(item, choose) {
  const [face] = item.pictures;
  const images = item.pictures.map((it) => make("img", { src: small(it), alt: titleOf(it), loading: "eager" }));
  const words = item.pictures.map(classOf).join(" · ");
  const mark = stamp(item, face);
  return make(`button.cell${item.decided ? " done" : ""}`, {
    type: "button", "data-at": item.at, title: item.why, onclick: choose,
  }, make("span.faces", {}, ...images), mark, make("span.what", {}, words));
}

function drawFocus(items, chooseSide) {
  const item = current();
  drawn = [];
  const figures = item.pictures.map((face, side) => drawSide(item, face, side, chooseSide));
  if (isPair(item) && view.difference) figures.push(drawDifference(item));
  items.className = "focus";
  items.replaceChildren(make("p.why", {}, item.why), make("div.sides", {}, ...figures));
}

function drawSide(item, face, side, chooseSide) {
  const image = picture(large(face), `${classOf(face)}: ${titleOf(face)}`);
  const inside = [stamp(item, face), image];
  const frame = isPair(item)
    ? make("button.frame", {
      type: "button", "data-side": side, "aria-pressed": String(view.side === side),
      onclick: () => chooseSide(side),
    }, ...inside)
    : make("div.frame", {}, ...inside);
  image.settled.then((whole) => {
    if (!whole) frame.replaceChildren(make("span.gone", {}, "This picture can no longer be shown: its file is gone or broken."));
  });
  return make("figure.side", {}, frame, make("figcaption", {},
    make("span.facts", {},
      make("span.badge", {}, classOf(face)),
      make("span", {}, `${face.width} × ${face.height}`),
      make("span", {}, face.fate),
      face.split ? make("span", {}, `in ${face.split}`) : null,
      make("span.soft", {}, face.id.slice(0, 12))),
    make("ul.posts", {}, ...face.posts.map(drawPost),
      face.more_posts > 0 ? make("li.soft", {}, `and ${face.more_posts} more posts`) : null)));
}

function drawPost(post) {
  const title = post.link === null ? post.title
    : make("a", { href: post.link, target: "_blank", rel: "noopener noreferrer" }, post.title);
  return make("li", {}, title, make("span.soft", {}, ` in ${post.place}, as ${post.label}`));
}

/** Lays both over each other: what is black is equal. */
function drawDifference(item) {
  const [a, b] = item.pictures.map((face) => make("img", { src: large(face), alt: "" }));
  const over = make("div.over", {}, a, b);
  over.style.aspectRatio = `${item.pictures[0].width || 1} / ${item.pictures[0].height || 1}`;
  return make("figure.side", {}, make("div.frame difference", { role: "img", "aria-label": "Difference of the two, black where they are equal" }, over),
    make("figcaption", {}, "Difference, three times as bright; black where they are equal. The right one is stretched to the left."));
}

export function drawClasses(desk, relabel, choose) {
  const item = current();
  const row = at("classes");
  if (item === undefined) return row.replaceChildren();
  if (desk.labels.length > 9) {
    return row.replaceChildren(make("button", { type: "button", onclick: () => choose("") }, "Class…", make("kbd", {}, "1–9")));
  }
  const face = item.pictures[view.side] ?? item.pictures[0];
  row.replaceChildren(...desk.labels.map((label, n) => make(
    `button${label === item.likely ? ".hint" : ""}`,
    {
      type: "button", "data-label": label, "aria-pressed": String(face.said?.label === label),
      title: label === item.likely ? "What the models say" : null, onclick: (event) => relabel(label, event),
    },
    label, make("kbd", {}, String(n + 1)),
  )));
}

export function drawActs(acts, press) {
  at("acts").replaceChildren(...acts.map((act) => make(
    `button${act.main ? ".main" : ""}`,
    { type: "button", "data-act": act.name, disabled: !act.can, onclick: (event) => press(act.name, event) },
    act.words, make("kbd", {}, act.key),
  )));
}

export function drawPurity(desk) {
  const section = at("purity");
  section.hidden = view.queue !== "audit" || (view.mode === "focus" && view.items.length > 0 && innerWidth < 641);
  if (section.hidden) return;
  const interval = (row) => row.low === null ? "–" : `${percent(row.low)} to ${percent(row.high)}`;
  const more = (row) => row.more === 0 ? "enough"
    : row.more === row.pictures - row.seen ? `all ${numbers.format(row.more)}` : numbers.format(row.more);
  at("purities").replaceChildren(...desk.purity.map((row) => make("tr", { "data-class": row.class },
    make("th", { scope: "row" }, row.class),
    make("td", {}, `${numbers.format(row.seen)} of ${numbers.format(row.pictures)}`),
    make("td", {}, numbers.format(row.right)),
    make("td", {}, row.share === null ? "–" : percent(row.share)),
    make("td", {}, interval(row)),
    make("td", {}, more(row)),
  )));
}
