// What is asked before a decision: a reason, a class; and the legend of keys.

import { at, make } from "./draw.js";

export const isOpen = () => document.querySelector("dialog[open]") !== null;

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // Beside it.
  });
}

/** Gives the open dialog a key that was pressed before it was there. */
export function feed(event) {
  const dialog = document.querySelector("dialog[open]");
  if (event.key === "Escape") return dialog.close();
  return dialog.feed?.(event);
}

/** Asks why; a digit or Enter chooses. */
export function askReason(reasons, chosen) {
  const dialog = at("reasons");
  const take = (n, event) => {
    dialog.close();
    return chosen(reasons[n], event);
  };
  at("reason-list").replaceChildren(...reasons.map((reason, n) => make("li", {}, make("button", {
    type: "button", onclick: (event) => take(n, event),
  }, make("kbd", {}, String((n + 1) % 10)), reason.words))));
  dialog.onkeydown = (event) => {
    const n = event.key.length === 1 ? "1234567890".indexOf(event.key) : -1;
    if (n < 0) return;
    event.preventDefault();
    take(n, event);
  };
  dialog.feed = (event) => {
    const n = event.key === "Enter" ? 0 : event.key.length === 1 ? "1234567890".indexOf(event.key) : -1;
    return n < 0 ? undefined : take(n, event);
  };
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
    dialog.close();
    return chosen(label, event);
  };
  const draw = () => at("chooser-list").replaceChildren(...fits().map(({ label, number }) => make("li", {}, make("button", {
    type: "button", onclick: (event) => take(label, event),
  }, make("kbd", {}, number), label))));
  text.value = begun;
  text.oninput = draw;
  text.onkeydown = (event) => {
    const [first] = fits();
    if (event.key === "Enter" && first) {
      event.preventDefault();
      take(first.label, event);
    }
  };
  dialog.feed = (event) => {
    const [first] = fits();
    if (event.key === "Enter" && first) return take(first.label, event);
    if (event.key.length === 1) text.value += event.key;
    draw();
    return undefined;
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
