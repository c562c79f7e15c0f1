// Keys → acts. The same table makes the legend.

import { feed, isOpen, meaning } from "./dialogs.js";

export const KEYS = [
  { act: "next", keys: ["→", "l"], codes: ["ArrowRight", "l"], words: "next" },
  { act: "back", keys: ["←", "h"], codes: ["ArrowLeft", "h"], words: "the one before" },
  { act: "down", keys: ["↓", "j"], codes: ["ArrowDown", "j"], words: "down a row; of a pair, the second picture" },
  { act: "up", keys: ["↑", "k"], codes: ["ArrowUp", "k"], words: "up a row; of a pair, the first picture" },
  { act: "keep", keys: ["Space"], codes: [" "], words: "keep; of a pair, what was done is right" },
  { act: "reject", keys: ["x"], codes: ["x"], words: "reject, then a digit for the reason" },
  { act: "class", keys: ["1–9"], codes: [..."123456789"], words: "it shows this class; with more than nine, type on" },
  { act: "chooser", keys: ["c"], codes: ["c"], words: "choose the class by name" },
  { act: "keeper", keys: ["p"], codes: ["p"], words: "pick this one of the pair as the copy to keep" },
  { act: "strangers", keys: ["n"], codes: ["n"], words: "not twins" },
  { act: "difference", keys: ["d"], codes: ["d"], words: "difference of the pair" },
  { act: "undo", keys: ["u"], codes: ["u"], words: "take back the last decision, again and again" },
  { act: "accept", keys: ["Enter"], codes: ["Enter"], words: "accept the page: what was done to all that is undecided on it is right" },
  { act: "mode", keys: ["g"], codes: ["g"], words: "grid or focus" },
  { act: "queueNext", keys: ["]"], codes: ["]"], words: "next queue" },
  { act: "queueBack", keys: ["["], codes: ["["], words: "queue before" },
  { act: "pageNext", keys: ["PgDn"], codes: ["PageDown"], words: "next page" },
  { act: "pageBack", keys: ["PgUp"], codes: ["PageUp"], words: "page before" },
  { act: "filter", keys: ["/"], codes: ["/"], words: "filter; class:NAME for one class" },
  { act: "decided", keys: ["v"], codes: ["v"], words: "show what is decided as well" },
  { act: "legend", keys: ["?"], codes: ["?"], words: "this list" },
];

const acts = new Map(KEYS.flatMap(({ act, codes }) => codes.map((code) => [code, act])));

/** Tells whether a key belongs to the element that has the focus. */
function isTaken(event) {
  const { target, key } = event;
  if (target.closest("input, textarea, select")) return true;
  const presses = key === "Enter" || key === " ";
  if (presses && target.closest("button:not(.cell, .frame), a")) return true;
  return target.closest(".scroll") !== null && key.startsWith("Arrow");
}

/**
 * Calls `act(name, event)` for each key that means something. A key that is pressed while
 * something `isBusy` waits its turn by `afterwards` and then means what it means to what is shown.
 */
export function listen({ act, now, isBusy, afterwards }) {
  const replay = (event) => {
    if (isOpen()) return feed(event);
    const name = acts.get(event.key);
    return name === undefined ? undefined : now(name, event);
  };
  // A key that means something here means nothing to what has the focus.
  const mine = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isOpen()) {
      // What opened the dialog and is still held down does not answer it.
      const isHeld = event.repeat && event.key === "Enter";
      const meant = isHeld ? () => {} : meaning(event);
      if (meant === undefined) return;
      mine(event);
      meant();
      return;
    }
    if (isTaken(event)) return;
    if (isBusy() && (event.key.length === 1 || event.key === "Escape" || acts.has(event.key))) {
      mine(event);
      if (!event.repeat) afterwards(() => replay(event));
      return;
    }
    const name = acts.get(event.key);
    if (name === undefined || (event.repeat && !["next", "back", "up", "down"].includes(name))) return;
    mine(event);
    act(name, event);
  }, { capture: true }); // Before a dialog that this very key closes.
}
