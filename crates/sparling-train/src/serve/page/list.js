// The motifs one below the other: what each stands for, where it is, and how strong.

import { byId, chip, html, number } from "./dom.js";

// More than this are not listed one by one.
const LISTED = 30;

// `changed` is called when a strength was changed, `pick` with the motif that is pointed at, `removed` with one
// that is to go.
export function showList(run, shown, motifs, told) {
  const count = motifs.length;
  byId("count").textContent = count === 1 ? "1 motif" : `${count} motifs`;
  const most = Math.max(...motifs.map((motif) => motif.strength), 1) * 1.5;
  const rows = count > LISTED ? [] : motifs.map((motif) => row(run, shown, motif, most, told));
  byId("motifs").replaceChildren(...rows);
}

// Says anew where a motif is and how strong.
export function updateList(run, motifs, motif) {
  const item = byId("motifs").children[motifs.indexOf(motif)];
  if (!item) return;
  item.querySelector(".place").textContent = place(run, motif);
  item.querySelector(".value").textContent = number(motif.strength);
  item.querySelector("input").value = motif.strength;
}

function row(run, shown, motif, most, { changed, pick, removed }) {
  const { symbol } = shown.channels[motif.channel];
  const value = html("span", { class: "value" }, number(motif.strength));
  const strength = html("input", {
    type: "range", min: 0.05, max: most, step: 0.01, value: motif.strength, "aria-label": "Strength",
    oninput: (event) => {
      motif.strength = Number(event.target.value);
      value.textContent = number(motif.strength);
      changed(motif);
    },
  });
  const remove = html("button", { class: "quiet", "aria-label": "Remove", onclick: () => removed(motif) }, "×");
  return html("li", { onpointerenter: () => pick(motif), onpointerleave: () => pick(null) },
    chip(shown.channels, motif.channel), html("span", { class: "symbol" }, symbol ?? "nothing"),
    html("span", { class: "place muted" }, place(run, motif)), strength, value, remove);
}

function place(run, motif) {
  if (!run.is_sound) return `${motif.row}, ${motif.column}`;
  const [rate, hop] = run.sound;
  return `${((motif.column * hop) / rate).toFixed(2)} s`;
}
