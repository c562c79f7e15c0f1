// What is looked at: the queue, the part of it that is loaded, and the place in it.

export const PAGE = 30;
const AHEAD = 15;

export const view = {
  queue: "conflicts", mode: "focus", filter: "", decided: false,
  items: [], index: 0, page: 0, side: 0, next: null, previous: null, difference: false,
};
export const known = { edition: 0, lines: 0 };

let loading = null;
let opened = 0;

export const current = () => view.items[view.index];
export const onPage = () => view.items.slice(view.page, view.page + PAGE);
export const isPair = (item) => item.pictures.length === 2;

async function ask(part) {
  const words = new URLSearchParams({ n: PAGE, decided: view.decided ? "all" : "left", ...part });
  if (view.filter !== "") words.set("filter", view.filter);
  const answer = await fetch(`api/queue/${view.queue}?${words}`);
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer.json();
}

/** Loads the queue from a place on. Returns the answer, or nothing if another was opened since. */
export async function open(from) {
  const turn = ++opened;
  loading = null;
  const page = await ask({ from });
  if (turn !== opened) return null;
  if (page.items.length === 0 && page.previous !== null) {
    return open(page.previous);
  }
  Object.assign(known, page.state);
  Object.assign(view, { items: page.items, index: 0, page: 0, side: 0, next: page.next, previous: page.previous });
  return page;
}

/** Loads more behind what is loaded. */
async function more() {
  if (view.next === null) return;
  const turn = opened;
  loading ??= ask({ from: view.next });
  const mine = loading;
  let page;
  try {
    page = await mine;
  } catch (error) {
    if (loading === mine) loading = null;
    throw error;
  }
  if (turn !== opened || loading !== mine) return;
  loading = null;
  view.items.push(...page.items);
  view.next = page.next;
}

/** Loads what lies before what is loaded. */
async function earlier() {
  if (view.previous === null) return;
  const turn = opened;
  const page = await ask({ before: view.items[0]?.at ?? view.previous + 1 });
  if (turn !== opened) return;
  view.items.unshift(...page.items);
  view.index += page.items.length;
  view.page += page.items.length;
  view.previous = page.previous;
}

/** Goes some items on or back; returns whether there was somewhere to go. */
export async function move(by) {
  const wanted = view.index + by;
  if (wanted >= view.items.length && view.next !== null) await more();
  if (wanted < 0 && view.previous !== null) {
    const before = view.items.length;
    await earlier();
    return place(wanted + view.items.length - before);
  }
  return place(wanted);
}

function place(wanted) {
  const index = Math.max(0, Math.min(wanted, view.items.length - 1));
  const moved = index !== view.index;
  view.index = index;
  view.side = 0;
  while (index >= view.page + PAGE) view.page += PAGE;
  while (index < view.page) view.page = Math.max(0, view.page - PAGE);
  if (view.items.length - index < AHEAD + (view.mode === "grid" ? PAGE : 0)) more().catch(() => {});
  return moved;
}

/** Goes to the first item of the next page or the one before. */
export async function turnPage(by) {
  if (by < 0 && view.page === 0) {
    await earlier();
    return place(Math.max(0, view.page - PAGE));
  }
  if (by > 0 && view.page + PAGE >= view.items.length) {
    await more();
    if (view.page + PAGE >= view.items.length) return false;
  }
  return place(Math.max(0, view.page + by * PAGE));
}

/** Takes items as the server now has them. */
export function renew(items) {
  for (const item of items) {
    const index = view.items.findIndex((it) => it.at === item.at);
    if (index >= 0) view.items[index] = item;
  }
}

// Browsers refuse to change the address too often.
const REMEMBER_MS = 200;
let remembering = null;

/** Keeps the place in the address, so that a reload comes back to it. */
export function remember() {
  remembering ??= setTimeout(noteDown, REMEMBER_MS);
}

addEventListener("pagehide", () => remembering !== null && noteDown());

function noteDown() {
  clearTimeout(remembering);
  remembering = null;
  const words = new URLSearchParams({ queue: view.queue, mode: view.mode });
  const item = current();
  if (item !== undefined) words.set("at", item.at);
  if (view.filter !== "") words.set("filter", view.filter);
  if (view.decided) words.set("decided", "1");
  history.replaceState(null, "", `#${words}`);
}

export function recall(names) {
  const words = new URLSearchParams(location.hash.slice(1));
  if (names.includes(words.get("queue"))) view.queue = words.get("queue");
  if (words.get("mode") === "grid") view.mode = "grid";
  view.filter = words.get("filter") ?? "";
  view.decided = words.get("decided") === "1";
  return { at: Number(words.get("at") ?? 0) || 0, named: words.has("queue") };
}
