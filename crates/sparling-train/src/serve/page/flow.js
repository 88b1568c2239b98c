// The answer, and the graph of which motifs each of its tokens comes from.

import { byId, colour, html, number, percent, svg } from "./dom.js";

// Effects of less, in nats, have no edge; of so much or more the thickest.
const LEAST = 0.05;
const LARGE = 8;

export function showOutput(answer, truth, isEdited) {
  const place = byId("output");
  const label = isEdited ? "With the motifs as you put them" : "Answer";
  const written = answer.typeset
    ? [html("img", { src: answer.typeset.picture, alt: answer.typeset.source, class: "typeset" }),
       html("code", {}, answer.typeset.source)]
    : [html("p", { class: "tokens" }, answer.output || "nothing")];
  const parts = [html("h2", {}, label), ...written];
  if (truth) parts.push(verdict(answer.output === truth.output, truth.output, isEdited));
  place.replaceChildren(...parts);
}

function verdict(isRight, truth, isEdited) {
  if (isRight) return html("p", { class: "verdict right" }, isEdited ? "✓ still the truth" : "✓ right");
  return html("p", { class: "verdict wrong" }, isEdited ? `the truth was ${truth}` : `✗ should be ${truth}`);
}

export function showFlow(run, shown, answer, picked) {
  const place = byId("flow");
  if (!answer.explanation) {
    const count = answer.motifs.length;
    place.replaceChildren(
      html("p", { class: "muted" }, `${count} motifs are too many for a graph: move the density towards sparse.`),
    );
    return;
  }
  const sources = answer.motifs.length;
  const sinks = answer.tokens.length;
  const row = Math.max(sources, sinks) > 12 ? 34 : 58;
  const [width, height] = [place.clientWidth, row * Math.max(sources, sinks, 1)];
  const at = (index, count) => height / 2 + (index - (count - 1) / 2) * row;
  const [from, to] = [row + 78, width - 140];
  const graph = svg("svg", { width, height, role: "img", "aria-label": "Which motifs each token comes from" });
  answer.explanation.without.forEach((effects, motif) => {
    effects.forEach((effect, token) => {
      if (Math.abs(effect) < LEAST) return;
      graph.append(edge([from, at(motif, sources)], [to, at(token, sinks)], answer, motif, token, picked));
    });
  });
  answer.motifs.forEach((motif, index) => graph.append(...source(run, shown, motif, at(index, sources), row)));
  answer.tokens.forEach((token, index) => {
    const likely = Math.exp(answer.explanation.log_probabilities[index]);
    graph.append(
      svg("text", { x: to + 10, y: at(index, sinks), class: token === "end" ? "token end" : "token" }, token),
      svg("text", { x: width, y: at(index, sinks), class: "likely" }, percent(likely, 1)),
    );
  });
  const legend = html("p", { class: "legend muted" });
  legend.append(
    html("span", { class: "for" }), "the token needs the motif ", html("span", { class: "against" }), "the motif speaks against it",
  );
  const isEmpty = sources > 0 && !graph.querySelector(".edge");
  const alone = "No motif matters alone: without any one of them every token is about as likely as before.";
  place.replaceChildren(graph, isEmpty ? html("p", { class: "muted" }, alone) : legend);
}

function source(run, shown, motif, y, row) {
  const side = row - 8;
  const { name, symbol } = shown.channels[motif.channel];
  const badge = svg("rect", { x: side + 10, y: y - 10, width: 22, height: 20, rx: 5 });
  badge.style.fill = colour(motif.channel);
  return [
    patch(run, shown, motif, 0, y - side / 2, side),
    svg("rect", { x: 0.5, y: y - side / 2 + 0.5, width: side - 1, height: side - 1, rx: 3, class: "frame" }),
    badge,
    svg("text", { x: side + 21, y, class: "letter" }, name),
    svg("text", { x: side + 40, y, class: "symbol" }, symbol ?? "–"),
  ];
}

// The part of the input that the motif model sees around a motif.
function patch(run, shown, motif, x, y, side) {
  const [features, rows, columns] = run.shape;
  const { window } = run;
  const left = motif.column + 0.5 - window / 2;
  const [height, box] = run.is_sound
    ? [features, `${left} 0 ${window} ${features}`]
    : [rows, `${left} ${motif.row + 0.5 - window / 2} ${window} ${window}`];
  const picture = svg("image", { href: shown.picture, width: columns, height, preserveAspectRatio: "none", class: "picture" });
  return svg("svg", { x, y, width: side, height: side, viewBox: box, preserveAspectRatio: "none", class: "patch" }, picture);
}

function edge([x, y], [right, down], answer, motif, token, picked) {
  const effect = answer.explanation.without[motif][token];
  const alone = answer.explanation.alone[motif][token];
  const middle = (x + right) / 2;
  const said = `${number(effect)} nats without the motif; with it alone ${percent(Math.exp(alone), 1)}`;
  const line = svg("path", {
    d: `M${x} ${y}C${middle} ${y} ${middle} ${down} ${right} ${down}`,
    class: `edge ${effect < 0 ? "for" : "against"}${picked === null || picked === motif ? "" : " faint"}`,
    "stroke-width": 1 + 8 * Math.min(Math.abs(effect) / LARGE, 1),
  });
  line.append(svg("title", {}, said));
  return line;
}
