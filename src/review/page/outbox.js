// Decisions on their way to the server, in order. They and what can be taken back survive a
// reload; a decision that could not be saved stays until it is, or until a person discards it.

const store = window.sessionStorage;

const box = [];
const stack = [];
const UNDO_MAX = 500;
const GROUP_MAX = 400;
let busy = false;
let file = "";
let hear = () => {};
let complain = () => {};
let known = () => ({ edition: 0, lines: 0 });

const save = () => {
  store.setItem(`outbox ${file}`, JSON.stringify(box));
  store.setItem(`stack ${file}`, JSON.stringify(stack));
};

/**
 * Takes up what was on its way to a file. What is meant for another file, from a page that was at
 * this address before, stays where it is.
 */
export function open(name) {
  file = name;
  const read = (of) => JSON.parse(store.getItem(`${of} ${file}`) ?? "[]");
  box.push(...read("outbox"));
  stack.push(...read("stack"));
}

/** `onNews` hears each answer with its job, `onTrouble` each failure and its end (`null`). */
export function connect({ onNews, onTrouble, state }) {
  hear = onNews;
  complain = onTrouble;
  known = state;
  drain();
}

export const isIdle = () => box.length === 0;
export const canUndo = () => stack.length > 0 || box.some((job) => job.kind === "decide");

export function decide(queue, at, said, words) {
  box.push({ kind: "decide", queue, at, said, words });
  save();
  drain();
}

export function undo(queue) {
  box.push({ kind: "undo", group: crypto.randomUUID(), queue });
  save();
  drain();
}

export function retry() {
  complain(null);
  drain();
}

export function discard() {
  if (busy || box.length === 0) return;
  remove(grouped());
  save();
  complain(null);
  drain();
}

/**
 * Returns the jobs that go together in the next request: where the disk is slow, all that waits.
 * A group that was sent keeps its name and its jobs, so that sending it again changes nothing.
 */
function grouped() {
  const [first] = box;
  if (first.group === undefined) {
    const name = crypto.randomUUID();
    let n = 0;
    for (const job of box) {
      n += job.said?.length ?? 0;
      if (job.kind !== "decide" || job.queue !== first.queue || (job !== first && n > GROUP_MAX)) break;
      job.group = name;
    }
    save();
  }
  return box.filter((job) => job.group === first.group);
}

const remove = (jobs) => box.splice(0, box.length, ...box.filter((job) => !jobs.includes(job)));

async function drain() {
  if (busy) return;
  busy = true;
  while (box.length > 0) {
    const job = box[0];
    if (job.kind === "undo" && job.entry === undefined) {
      job.entry = stack.pop() ?? null;
      save();
    }
    if (job.entry === null) {
      box.shift();
      save();
      hear(null, job);
      continue;
    }
    const jobs = grouped();
    let news;
    try {
      news = await send(jobs);
    } catch (error) {
      complain(error);
      break;
    }
    complain(null);
    remove(jobs);
    settle(jobs, news);
    save();
    hear(news, job);
  }
  busy = false;
}

async function send(jobs) {
  const [job] = jobs;
  const { edition, lines } = known();
  const queue = job.entry?.queue ?? job.queue;
  const body = job.kind === "decide"
    ? { name: job.group, said: jobs.flatMap((it) => it.said) }
    : { name: job.group, made: [...job.entry.made].reverse() };
  let answer;
  try {
    answer = await fetch(`api/${job.kind}/${queue}?edition=${edition}&lines=${lines}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The server does not answer. Is snapset review still running?");
  }
  if (answer.ok) return answer.json();
  const text = await answer.text();
  let message = text;
  try {
    message = JSON.parse(text).error;
  } catch {
    // It was no JSON, and says it itself.
  }
  throw new Error(message);
}

/** Remembers what can be taken back; what was restored stands for the line it restores. */
function settle(jobs, news) {
  const [job] = jobs;
  if (job.kind === "decide") {
    let from = 0;
    for (const { queue, at, words, said } of jobs) {
      stack.push({ queue, at, words, made: news.made.slice(from, from + said.length) });
      from += said.length;
    }
    stack.splice(0, Math.max(0, stack.length - UNDO_MAX));
    return;
  }
  for (const { before } of job.entry.made) {
    if (before === null) continue;
    const restored = news.made.find(({ line }) =>
      line.picture === before.picture && line.decision === before.decision && line.other === before.other
      && line.label === before.label && line.reason === before.reason);
    if (restored === undefined) continue;
    const text = JSON.stringify(before);
    for (const entry of stack) {
      for (const made of entry.made) {
        if (JSON.stringify(made.line) === text) made.line = restored.line;
      }
    }
  }
}
