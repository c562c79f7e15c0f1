// The page: what the keys and buttons do, and what is drawn after each.

import { at, drawActs, drawClasses, drawItems, drawPlace, drawPurity, drawQueues } from "./draw.js";
import { askClass, askReason, showLegend } from "./dialogs.js";
import { KEYS, listen } from "./keys.js";
import * as outbox from "./outbox.js";
import { large, picture, prefetch, small } from "./pictures.js";
import { current, isPair, known, move, onPage, open, PAGE, recall, remember, renew, turnPage, view } from "./view.js";

const NEWS_MS = 1200;
let desk = null;

const say = (words) => {
  at("said").textContent = words;
};

const face = () => current()?.pictures[view.side] ?? current()?.pictures[0];
const other = () => current()?.pictures[1 - view.side];

function draw() {
  const focused = mark(document.activeElement);
  drawQueues(desk, chooseQueue);
  drawPlace(desk);
  drawItems(chooseCell, chooseSide);
  drawClasses(desk, (label, event) => afterwards(() => relabel(label, event)), () => act("chooser"));
  drawActs(buttons(), press);
  drawPurity(desk);
  if (document.activeElement !== at("filter")) at("filter").value = view.filter;
  at("decided").checked = view.decided;
  at("stage").dataset.at = current()?.at ?? "";
  if (focused !== null) (document.querySelector(focused) ?? at("stage")).focus({ preventScroll: true });
  remember();
  ahead();
}

/** Names an element that is made anew at each drawing, so that the focus can return to it. */
function mark(element) {
  const [name, value] = Object.entries(element?.dataset ?? {}).find(([it]) => ["act", "queue", "side", "label"].includes(it)) ?? [];
  return name === undefined ? null : `[data-${name}="${CSS.escape(value)}"]:not(:disabled)`;
}

/** Sees to it that what comes next is there before it is asked for. */
function ahead() {
  if (view.mode === "grid") {
    const page = view.items.slice(view.page + PAGE, view.page + 2 * PAGE);
    prefetch(page.slice(0, 10).flatMap((item) => item.pictures.map(small)));
    return;
  }
  const near = [1, 2, 3, -1, 4, 5].map((by) => view.items[view.index + by]).filter(Boolean);
  prefetch(near.slice(0, isPair(near[0] ?? { pictures: [] }) ? 4 : 6).flatMap((item) => item.pictures.map(large)));
}

/** Notes how long it took from the key to the picture on the screen. */
async function measure(event, name) {
  const start = event?.timeStamp ?? performance.now();
  if (view.mode === "focus" && current() !== undefined) {
    await Promise.all(current().pictures.map((it) => picture(large(it)).settled));
  }
  requestAnimationFrame(() => setTimeout(() => performance.measure(name, { start, end: performance.now() })));
}

function buttons() {
  const item = current();
  const pair = item !== undefined && isPair(item);
  const n = onPage().filter((it) => !it.decided).length;
  const acts = [
    { name: "keep", words: item?.keep?.words ?? "Keep", key: "Space", can: Boolean(item?.keep), main: true },
    { name: "reject", words: pair ? `Reject the ${view.side === 0 ? "first" : "second"}…` : "Reject…", key: "x", can: item !== undefined },
  ];
  if (pair) {
    acts.push(
      { name: "keeper", words: `Keep the ${view.side === 0 ? "first" : "second"} copy`, key: "p", can: true },
      { name: "strangers", words: "Not twins", key: "n", can: true },
      { name: "difference", words: "Difference", key: "d", can: view.mode === "focus" },
    );
  }
  acts.push(
    { name: "undo", words: "Undo", key: "u", can: outbox.canUndo() },
    ...(view.mode === "grid" ? [
      { name: "pageBack", words: "Page before", key: "PgUp", can: view.page > 0 || view.previous !== null },
      { name: "pageNext", words: "Next page", key: "PgDn", can: view.page + PAGE < view.items.length || view.next !== null },
      { name: "accept", words: `Accept the page (${n})`, key: "Enter", can: n > 0 },
    ] : [
      { name: "back", words: "Back", key: "←", can: item !== undefined },
      { name: "next", words: "Next", key: "→", can: item !== undefined },
      { name: "accept", words: item?.accept && item.accept.words !== item.keep?.words ? item.accept.words : "Accept", key: "Enter", can: Boolean(item?.accept) },
    ]),
  );
  return acts;
}

/** What a decision is about: it stays that, whatever is loaded while a dialog asks. */
const subject = () => ({ queue: view.queue, item: current(), picture: face()?.id });

const faces = (item) => item?.pictures.map((it) => it.id).join();
const isShown = ({ queue, item }) => queue === view.queue && faces(current()) === faces(item);

/** Takes note of decisions at once, sends them, and goes on. */
async function decide(said, words, event, about = subject()) {
  outbox.decide(about.queue, about.item.at, said, words);
  say(`${words}.`);
  if (isShown(about)) {
    const item = current();
    const chosen = view.side;
    item.pending = words;
    // Another class for one of a pair does not settle the pair, but settles what it is in conflict about.
    item.decided = about.queue === "conflicts"
      ? said[0].picture === item.pictures[0].id || said[0].decision === "not-twins"
      : !(isPair(item) && said[0].decision === "relabel");
    if (item.decided) await move(1);
    else view.side = chosen;
  }
  draw();
  measure(event, "next");
}

function relabel(label, event, about = subject()) {
  if (about.item === undefined) return undefined;
  return decide([{ picture: about.picture, decision: "relabel", label }], `→ ${label}`, event, about);
}

function chooseClass(begun) {
  const about = subject();
  if (about.item !== undefined) askClass(desk.labels, begun, (label, event) => inTurn(() => relabel(label, event, about)));
}

async function accept(event) {
  const open = (view.mode === "grid" ? onPage() : [current()]).filter((item) => item && !item.decided);
  const ready = open.filter((item) => item.accept);
  const left = open.length - ready.length;
  if (ready.length > 0) {
    // Two pairs of a page may say the same of the copy they share.
    const wishes = new Map(ready.map(({ accept: { words: _, ...it } }) => [JSON.stringify(it), it]));
    const said = [...wishes.values()];
    outbox.decide(view.queue, ready[0].at, said, ready.length === 1 ? ready[0].accept.words : `${ready.length} accepted`);
    for (const item of ready) {
      item.pending = "accepted";
      item.decided = true;
    }
  }
  say([ready.length > 0 ? `${ready.length} accepted.` : "", left > 0 ? `${left} need a word of yours: which class?` : ""].join(" "));
  if (left === 0) await (view.mode === "grid" ? turnPage(1) : move(1));
  else if (view.mode === "grid") view.index = view.items.indexOf(open.find((item) => !item.accept));
  draw();
  measure(event, "next");
}

const columns = () => {
  const grid = at("items").firstElementChild;
  return grid?.classList.contains("grid") ? getComputedStyle(grid).gridTemplateColumns.split(" ").length : 1;
};

async function go(by, event) {
  const moved = await move(by);
  if (!moved) say(by > 0 ? "This is the last one." : "This is the first one.");
  draw();
  focusCell();
  measure(event, "next");
}

function focusCell() {
  if (view.mode !== "grid") return;
  document.querySelector(".cell[aria-current]")?.focus({ preventScroll: true });
}

const ACTS = {
  next: (event) => go(1, event),
  back: (event) => go(-1, event),
  down: (event) => step(1, event),
  up: (event) => step(-1, event),
  keep(event) {
    const item = current();
    if (!item?.keep) return item && say("It was posted under several classes: say which one it shows.");
    const { words, ...said } = item.keep;
    return decide([said], words, event);
  },
  reject() {
    const about = subject();
    if (about.item === undefined) return;
    askReason(desk.reasons, (reason, event) => inTurn(() => decide(
      [{ picture: about.picture, decision: "reject", reason: reason.slug }], `rejected: ${reason.words}`, event, about,
    )));
  },
  class(event) {
    if (desk.labels.length > 9) return chooseClass(event.key);
    if (desk.labels[Number(event.key) - 1]) return relabel(desk.labels[Number(event.key) - 1], event);
    return undefined;
  },
  chooser: () => chooseClass(""),
  keeper(event) {
    if (!other()) return undefined;
    // Where they are not taken for twins, none gives way to the other unless it is rejected.
    if (current().keep?.decision === "not-twins") {
      return decide([{ picture: other().id, decision: "reject", reason: "duplicate" }], "the other one rejected as a duplicate", event);
    }
    return decide([{ picture: face().id, decision: "keeper" }], "keeper picked", event);
  },
  strangers(event) {
    return other() && decide([{ picture: face().id, decision: "not-twins", other: other().id }], "not twins", event);
  },
  difference() {
    view.difference = !view.difference;
    draw();
  },
  undo() {
    if (!outbox.canUndo()) say("Nothing is left to take back.");
    else outbox.undo(view.queue);
  },
  accept,
  async mode(event) {
    view.mode = view.mode === "grid" ? "focus" : "grid";
    view.page = Math.floor(view.index / PAGE) * PAGE;
    draw();
    focusCell();
    measure(event, "mode");
  },
  queueNext: () => besideQueue(1),
  queueBack: () => besideQueue(-1),
  pageNext: (event) => leaf(1, event),
  pageBack: (event) => leaf(-1, event),
  filter: () => at("filter").select(),
  decided() {
    view.decided = !view.decided;
    return enter(current()?.at ?? 0);
  },
  legend: () => showLegend(KEYS),
};

function step(by, event) {
  if (view.mode === "grid") return go(by * columns(), event);
  const item = current();
  if (item && isPair(item)) return chooseSide(by > 0 ? 1 : 0);
  return go(by, event);
}

async function leaf(by, event) {
  await turnPage(by);
  draw();
  focusCell();
  measure(event, "page");
}

// One thing after the other: a key pressed while more is loaded means what is shown then.
let queued = Promise.resolve();
let waiting = 0;
let atWork = false;

function afterwards(work) {
  waiting += 1;
  queued = queued.then(async () => {
    atWork = true;
    try {
      await work();
    } catch (error) {
      trouble(error);
    }
    atWork = false;
    waiting -= 1;
  });
  return queued;
}

/** Does what a dialog led to: at once if a waiting key did, else when its turn comes. */
const inTurn = (work) => atWork ? work() : afterwards(work);

const act = (name, event) => afterwards(() => ACTS[name](event));

/** A button was pressed; after a pointer the keys belong to the pictures again. */
async function press(name, event) {
  if (event.detail > 0) at("stage").focus({ preventScroll: true });
  await act(name, event);
}

function chooseCell(index) {
  if (view.index === index) view.mode = "focus";
  view.index = index;
  view.side = 0;
  draw();
  focusCell();
}

function chooseSide(side) {
  view.side = side;
  draw();
  document.querySelector(`.frame[data-side="${side}"]`)?.focus({ preventScroll: true });
}

async function chooseQueue(name) {
  view.queue = name;
  await enter(0);
}

function besideQueue(by) {
  const names = desk.queues.map((it) => it.name);
  return chooseQueue(names[(names.indexOf(view.queue) + by + names.length) % names.length]);
}

/** Opens the queue at a place. */
async function enter(from) {
  try {
    const page = await open(from);
    if (page !== null) hearStanding(page);
    draw();
    measure(null, "enter");
  } catch (error) {
    trouble(error);
  }
}

function hearStanding({ progress, purity }) {
  Object.assign(desk, { progress, purity });
}

function hearNews(news, job) {
  if (news === null) {
    say("Nothing is left to take back.");
    draw();
    return;
  }
  hearStanding(news);
  const queue = job?.entry?.queue ?? job?.queue ?? view.queue;
  if (news.anew) {
    Object.assign(known, news.state);
    enter(current()?.at ?? 0);
    return;
  }
  // What is new to another queue says nothing of this one, which asks for itself.
  if (queue === view.queue) {
    Object.assign(known, news.state);
    renew(news.items);
  }
  if (job?.kind === "undo") {
    goBackTo(job, news);
    return;
  }
  draw();
}

/** Shows what was taken back. */
async function goBackTo(job, news) {
  const { queue, at: place, words } = job.entry;
  say(news.passed_over > 0 ? `Not taken back: something else was decided since (${words}).` : `Taken back: ${words}.`);
  const index = queue === view.queue ? view.items.findIndex((it) => it.at === place) : -1;
  if (index < 0) {
    view.queue = queue;
    await enter(place);
    return;
  }
  await move(index - view.index);
  draw();
}

function trouble(error) {
  const isThere = error !== null;
  at("trouble").hidden = !isThere;
  at("trouble-text").textContent = isThere ? `Not saved, or not loaded: ${error.message}` : "";
}

async function ask() {
  if (document.visibilityState === "hidden" || !outbox.isIdle()) return;
  try {
    const queue = view.queue;
    const answer = await fetch(`api/news/${queue}?edition=${known.edition}&lines=${known.lines}`);
    if (answer.status === 200 && queue === view.queue && outbox.isIdle()) hearNews(await answer.json(), null);
  } catch {
    // The server is gone; the next decision says so.
  }
}

async function start() {
  const answer = await fetch("api/desk");
  if (!answer.ok) throw new Error((await answer.json()).error);
  desk = await answer.json();
  outbox.open(desk.file);
  const { at: from, named } = recall(desk.queues.map((it) => it.name));
  if (!named) {
    const first = desk.progress.find((it) => it.decided < it.total);
    view.queue = first?.name ?? view.queue;
  }
  await enter(from);
  listen({ act, now: (name, event) => ACTS[name](event), isBusy: () => waiting > 0, afterwards });
  outbox.connect({ onNews: hearNews, onTrouble: (error) => trouble(error), state: () => known });
  setInterval(ask, NEWS_MS);
  document.addEventListener("visibilitychange", ask);
  document.documentElement.dataset.ready = "true";
}

at("search").addEventListener("submit", (event) => {
  event.preventDefault();
  view.filter = at("filter").value.trim();
  at("stage").focus({ preventScroll: true });
  enter(0);
});
at("filter").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.preventDefault();
  at("filter").value = view.filter;
  at("stage").focus({ preventScroll: true });
});
at("decided").addEventListener("change", () => act("decided"));
for (const button of document.querySelectorAll(".views [data-act]")) {
  button.addEventListener("click", (event) => press(button.dataset.act, event));
}
at("retry").addEventListener("click", () => outbox.retry());
at("discard").addEventListener("click", () => {
  outbox.discard();
  enter(current()?.at ?? 0);
});
window.addEventListener("resize", () => desk && drawPurity(desk));
start().catch(trouble);
