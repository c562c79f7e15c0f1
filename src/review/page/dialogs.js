// What is asked before a decision: a reason, a class; and the legend of keys.

import { at, make } from "./draw.js";

const opened = () => document.querySelector("dialog[open]");
export const isOpen = () => opened() !== null;

/** Closes a dialog. What had the focus in it must not hear the next key, drawn away or not. */
function shut(dialog) {
  dialog.close();
  if (dialog.contains(document.activeElement)) at("stage").focus({ preventScroll: true });
}

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.querySelector("[data-close]").addEventListener("click", () => shut(dialog));
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) shut(dialog); // Beside it.
  });
}

/** Returns what a key means to the open dialog, to be called; nothing if only what a browser does. */
export function meaning(event) {
  const dialog = opened();
  return event.key === "Escape" ? () => shut(dialog) : dialog.keys?.(event);
}

/** Gives the open dialog a key that was pressed before it was there, and so never typed into it. */
export const feed = (event) => (meaning(event) ?? opened().typed?.(event))?.();

/** Asks why; a digit or Enter chooses. */
export function askReason(reasons, chosen) {
  const dialog = at("reasons");
  const take = (n, event) => {
    shut(dialog);
    return chosen(reasons[n], event);
  };
  at("reason-list").replaceChildren(...reasons.map((reason, n) => make("li", {}, make("button", {
    type: "button", onclick: (event) => take(n, event),
  }, make("kbd", {}, String((n + 1) % 10)), reason.words))));
  dialog.keys = (event) => {
    const n = event.key.length === 1 ? "1234567890".indexOf(event.key) : -1;
    return reasons[n] && (() => take(n, event));
  };
  dialog.typed = (event) => event.key === "Enter" ? () => take(0, event) : undefined;
  dialog.showModal();
  at("reason-list").querySelector("button").focus();
}

/** Asks for a class by its number or a part of its name; Enter takes the first that fits. */
export function askClass(labels, begun, chosen) {
  const dialog = at("chooser");
  const text = at("chooser-text");
  const fits = () => {
    const wanted = text.value.trim().toLowerCase();
    return labels.map((label, n) => ({ label, number: String(n + 1) }))
      .filter(({ label, number }) => number.startsWith(wanted) || label.includes(wanted))
      .sort((a, b) => (b.number === wanted) - (a.number === wanted) || b.label.startsWith(wanted) - a.label.startsWith(wanted));
  };
  const take = (label, event) => {
    shut(dialog);
    return chosen(label, event);
  };
  const draw = () => at("chooser-list").replaceChildren(...fits().map(({ label, number }) => make("li", {}, make("button", {
    type: "button", onclick: (event) => take(label, event),
  }, make("kbd", {}, number), label))));
  text.value = begun;
  text.oninput = draw;
  const takeFirst = (event) => {
    const [first] = fits();
    return first && take(first.label, event);
  };
  // Enter on one of the buttons is for that button.
  dialog.keys = (event) => event.key === "Enter" && event.target === text ? () => takeFirst(event) : undefined;
  dialog.typed = (event) => () => {
    if (event.key === "Enter") return takeFirst(event);
    if (event.key.length === 1) text.value += event.key;
    return draw();
  };
  draw();
  dialog.showModal();
  text.focus();
}

export function showLegend(keys) {
  at("legend-list").replaceChildren(...keys.flatMap(({ keys: names, words }) => [
    make("dt", {}, ...names.map((name) => make("kbd", {}, name))), make("dd", {}, words),
  ]));
  at("legend").showModal();
}
