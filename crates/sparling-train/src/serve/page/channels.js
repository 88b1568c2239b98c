// Every channel, and the page of one.

import { ask, byId, chip, colour, html, number, percent, svg } from "./dom.js";

// Shows all channels, or the one of a name, at the density of a query; links are followed by `follow`.
export async function showChannels(name, query, follow) {
  const place = byId("channels");
  if (!place.firstChild) place.replaceChildren(html("p", { class: "muted" }, "Looking at test examples …"));
  const pages = await ask(`/channels${query}`);
  const { channels } = await ask(`/examples/0${query}`);
  const link = (channel, ...inside) => {
    const path = channel === null ? "" : `/${pages[channel].name}`;
    return html("a", { href: `/channels${path}${query}`, onclick: follow }, ...inside);
  };
  draw(pages, channels, name, link);
}

// Shows the channels of a page that was saved with them.
export function showSaved() {
  const { pages, channels } = JSON.parse(byId("saved").textContent);
  const link = (channel, ...inside) => html("a", { href: channel === null ? "#" : `#${pages[channel].name}` }, ...inside);
  const show = () => draw(pages, channels, location.hash.slice(1), link);
  addEventListener("hashchange", show);
  show();
}

function draw(pages, channels, name, link) {
  const index = pages.findIndex((page) => page.name === name);
  if (name && index < 0) throw new Error(`there is no channel ${name}`);
  byId("channels").replaceChildren(...(name ? one(pages, channels, index, link) : all(pages, channels, link)));
}

function all(pages, channels, link) {
  const cards = pages.map((page, channel) => {
    const card = link(channel,
      html("h2", {}, chip(channels, channel), ` ${channels[channel].symbol ?? "nothing"}`),
      patches(page, page.patches.slice(-4), false),
      html("p", { class: "muted" }, counted(page)),
    );
    card.classList.add("card");
    return card;
  });
  const [first] = pages;
  return [
    html("h1", {}, "What each channel stands for"),
    html("p", { class: "muted" }, `Measured on ${first.examples} test examples, with the strongest motifs of each.`),
    html("div", { class: "cards" }, ...cards),
  ];
}

function one(pages, channels, index, link) {
  const page = pages[index];
  const { symbol, confidence } = channels[index];
  const beside = (offset, text) => (pages[index + offset] ? [link(index + offset, text)] : []);
  const sure = confidence === null ? "" : ` Without one of them ${symbol ?? "that"} goes from the output in ${percent(confidence)} of cases.`;
  return [
    html("nav", { class: "bar" },
      link(null, "All channels"),
      html("span", { class: "group" }, ...beside(-1, "‹ before"), ...beside(1, "next ›")),
    ),
    html("h1", {}, chip(channels, index), ` stands for ${symbol ?? "nothing"}`),
    html("p", { class: "muted" }, `${counted(page)} in ${page.examples} test examples.${sure}`),
    html("div", { class: "columns" },
      section("How strong its motifs are", histogram(page.strengths, index)),
      section("From the weakest to the strongest", patches(page, page.patches, true)),
      section("In whose true places they lie", shares(page, index)),
      section("What tokens lose without them", effects(page)),
    ),
  ];
}

function counted({ activations }) {
  return activations === 1 ? "1 motif" : `${activations} motifs`;
}

function section(title, ...inside) {
  return html("section", {}, html("h2", {}, title), ...inside);
}

function patches(page, chosen, told) {
  const pictures = chosen.map((patch) => {
    const strength = patch.strength.toFixed(2);
    const picture = html("img", { src: patch.picture, alt: `strength ${strength}`, class: "picture" });
    const tall = patch.height > 2 * patch.width;
    if (tall) picture.classList.add("tall");
    return html("figure", {}, picture, ...(told ? [html("figcaption", {}, strength)] : []));
  });
  if (!pictures.length) return html("p", { class: "muted" }, "It is never active.");
  return html("div", { class: "patches" }, ...pictures);
}

function histogram({ from, to, counts }, channel) {
  if (!counts.length) return html("p", { class: "muted" }, "It is never active.");
  const [width, height] = [480, 140];
  const most = Math.max(...counts);
  const bar = width / counts.length;
  const graph = svg("svg", { viewBox: `0 0 ${width} ${height + 20}`, class: "histogram", role: "img", "aria-label": "Histogram of strengths" });
  counts.forEach((count, index) => {
    const tall = (count / most) * height;
    const low = from + ((to - from) * index) / counts.length;
    const rect = svg("rect", { x: index * bar + 1, y: height - tall, width: bar - 2, height: tall, fill: colour(channel) });
    rect.append(svg("title", {}, `${count} from ${number(low)} on`));
    graph.append(rect);
  });
  graph.append(
    svg("line", { x1: 0, x2: width, y1: height, y2: height, class: "axis" }),
    svg("text", { x: 0, y: height + 16 }, number(from)),
    svg("text", { x: width, y: height + 16, "text-anchor": "end" }, number(to)),
  );
  return graph;
}

function shares({ symbols, outside }, channel) {
  const rows = symbols.slice(0, 8).map(({ symbol, share }) => bar(symbol, share, percent(share, 1), colour(channel)));
  if (outside > 0) rows.push(bar("nowhere", outside, percent(outside, 1), "var(--muted)"));
  return rows.length ? html("div", { class: "bars" }, ...rows) : html("p", { class: "muted" }, "Nobody has said where symbols are.");
}

function effects({ effects: all }) {
  const largest = Math.max(...all.map((effect) => Math.abs(effect.change)), 1e-9);
  const rows = all.slice(0, 8).map(({ token, change }) => {
    const row = bar(token, Math.abs(change) / largest, `${number(change)}`, change < 0 ? "var(--for)" : "var(--against)");
    if (change >= 0) row.classList.add("dashed");
    return row;
  });
  const said = "In nats of log-probability, on average where the token is written; below 0 it needs them.";
  return rows.length
    ? html("div", { class: "bars" }, ...rows, html("p", { class: "muted" }, said))
    : html("p", { class: "muted" }, "There are too many motifs at this density to take each away.");
}

function bar(name, share, text, paint) {
  const filled = html("span", { class: "filled" });
  filled.style.width = `${100 * share}%`;
  filled.style.background = paint;
  return html("div", { class: "row" }, html("span", { class: "name" }, name), html("span", { class: "track" }, filled), html("span", { class: "value" }, text));
}
