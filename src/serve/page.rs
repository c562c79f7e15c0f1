//! The page to drop pictures on; it needs nothing from elsewhere.

pub(super) const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>snapset: ask the model</title>
<style>
  :root { color-scheme: light dark; --line: #8886; --bar: #3b7dd8; }
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  h1 { font-size: 1.3rem; margin: 0; }
  #about { margin: 0 0 1.5rem; opacity: .75; overflow-wrap: anywhere; }
  label { border: 2px dashed var(--line); border-radius: .75rem; cursor: pointer; display: block; padding: 2.5rem 1rem; text-align: center; }
  label.over, label:focus-within { border-color: var(--bar); }
  input { height: 1px; opacity: 0; position: absolute; width: 1px; }
  article { border-top: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: 1rem; margin-top: 1.5rem; padding-top: 1.5rem; }
  article img { border-radius: .4rem; height: 9rem; object-fit: contain; width: 9rem; }
  article div { flex: 1 1 18rem; min-width: 0; }
  h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
  p { margin: .2rem 0 .6rem; }
  table { border-collapse: collapse; width: 100%; }
  td { padding: .1rem .5rem .1rem 0; }
  td:nth-child(2) { text-align: right; font-variant-numeric: tabular-nums; }
  td:last-child { width: 55%; }
  meter { accent-color: var(--bar); height: 1rem; width: 100%; }
</style>
<h1>Ask the model</h1>
<p id="about"></p>
<label id="drop">Drop pictures here, or press to choose some
  <input id="files" type="file" accept="image/*" multiple></label>
<main aria-live="polite"></main>
<script>
  const main = document.querySelector("main"), drop = document.getElementById("drop");
  const add = (parent, tag, text) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const percent = (share) => (100 * share).toFixed(1) + " %";

  fetch("/model").then((it) => it.json()).then(({ run, card }) => {
    document.getElementById("about").textContent =
      `${card.architecture}, model ${run}, ${card.classes.length} classes: ${card.classes.join(", ")}`;
  });

  async function ask(file) {
    const article = document.createElement("article");
    main.prepend(article);
    const picture = add(article, "img");
    picture.alt = "";
    picture.src = URL.createObjectURL(file);
    const text = add(article, "div");
    add(text, "h2", file.name);
    const said = add(text, "p", "asking …");
    const query = new URLSearchParams({ top: 10, name: file.name });
    try {
      const answered = await (await fetch("/predict?" + query, { method: "POST", body: file })).json();
      if (answered.error) throw new Error(answered.error);
      const { answer } = answered.predictions[0];
      if (answer.unreadable) { said.textContent = answer.unreadable; return; }
      const classes = answer.classes ?? answer.none_of_these;
      said.textContent = answer.classes ? classes[0][0] : "none of these; the nearest are";
      const table = add(text, "table");
      for (const [name, share] of classes) {
        const row = add(table, "tr");
        add(row, "td", name);
        add(row, "td", percent(share));
        const meter = add(add(row, "td"), "meter");
        meter.value = share;
        meter.setAttribute("aria-label", name + " " + percent(share));
      }
    } catch (error) {
      said.textContent = "no answer: " + error.message;
    }
  }

  const askAll = (files) => [...files].forEach(ask);
  document.getElementById("files").addEventListener("change", (event) => askAll(event.target.files));
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") askAll(event.dataTransfer.files);
    });
  }
</script>
</html>
"#;
