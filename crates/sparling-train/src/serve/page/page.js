// What the page shows, and the address that says it.

import { ask, byId, chip, complain, html, newest, percent } from "./dom.js";
import { showChannels } from "./channels.js";
import { showFlow, showOutput } from "./flow.js";
import { showList, updateList } from "./list.js";
import { Pad, recorder, takeFiles, toWav } from "./own.js";
import { Stage } from "./stage.js";

const EXAMPLE = /^\/examples\/(\d+)$/;
const CHANNEL = /^\/channels(?:\/([A-Z]+))?$/;

let run;
let stage;
let pad;

// The place on the density ladder, the example's number or the user's own input (which may be on the pad), and
// the motifs.
const now = { rung: 0, index: 0, own: null, drawn: false, shown: null, motifs: [], edited: false, picked: null };

// ---- Addresses -----------------------------------------------------------------------------------

function query() {
  const lowest = run.ladder.length - 1;
  const parts = [];
  if (now.rung !== lowest) parts.push(`density=${run.ladder[now.rung].density.toPrecision(4)}`);
  return parts.length ? `?${parts.join("&")}` : "";
}

function motifsInWords() {
  const places = now.motifs.map((motif) => {
    const { name } = run.channels[motif.channel];
    const at = run.is_sound ? motif.column : `${motif.row},${motif.column}`;
    return `${name}@${at}=${motif.strength.toFixed(4)}`;
  });
  return places.join(";");
}

function writeAddress() {
  let address = (now.own ? "/read" : `/examples/${now.index}`) + query();
  if (now.edited) address += `${address.includes("?") ? "&" : "?"}motifs=${motifsInWords()}`;
  if (now.drawn) address += `#ink=${pad.packed()}`;
  history.replaceState(null, "", address);
  byId("to-channels").href = `/channels${query()}`;
}

async function readAddress() {
  complain(null);
  const asked = new URLSearchParams(location.search);
  const density = Number(asked.get("density"));
  const distance = ({ density: own }) => Math.abs(Math.log(own / density));
  const nearest = (best, rung, index) => (distance(rung) < distance(run.ladder[best]) ? index : best);
  now.rung = density > 0 ? run.ladder.reduce(nearest, 0) : run.ladder.length - 1;
  const channel = location.pathname.match(CHANNEL);
  byId("look").hidden = Boolean(channel);
  byId("channels").hidden = !channel;
  byId("to-channels").setAttribute("aria-current", channel ? "page" : "false");
  byId("to-look").setAttribute("aria-current", channel ? "false" : "page");
  byId("to-channels").href = `/channels${query()}`;
  if (channel) return showChannels(channel[1], query(), follow);
  const ink = location.hash.match(/^#ink=([\w-]+)$/);
  now.own = null;
  now.drawn = Boolean(ink) && !run.is_sound;
  penDown(false);
  if (now.drawn) {
    pad.unpack(ink[1]);
    now.own = await pad.blob();
  } else {
    now.index = Number(location.pathname.match(EXAMPLE)?.[1] ?? 0);
  }
  return load(asked.get("motifs"));
}

function follow(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  history.pushState(null, "", event.currentTarget.getAttribute("href"));
  readAddress().catch(complain);
}

// ---- What is shown -------------------------------------------------------------------------------

// Reads the input at the density; with `motifs` as they stand in an address, those in place of its own.
async function load(motifs = null) {
  const asked = motifs === null ? query() : `${query() || "?"}&motifs=${encodeURIComponent(motifs)}`;
  const body = now.own;
  const shown = body
    ? await ask(`/read${asked}`, { method: "POST", body })
    : await ask(`/examples/${now.index}${asked}`);
  Object.assign(now, { shown, motifs: shown.motifs, edited: motifs !== null, picked: null });
  byId("index").value = now.index;
  byId("sound").hidden = !run.is_sound || Boolean(body);
  if (run.is_sound && !body) byId("sound").src = `/examples/${now.index}/sound`;
  showDensity();
  showAll(shown);
}

const reload = newest(() => load());

function showDensity() {
  const rung = run.ladder[now.rung];
  byId("density").value = now.rung;
  byId("density-text").textContent = rung.density.toExponential(2);
  const right = rung.validation?.exact_match;
  byId("validated").textContent = right === undefined || right === null ? "" : `${percent(right, 1)} of outputs right here`;
}

function showAll(answer) {
  stage.show(now.shown, now.motifs, { truth: !now.edited });
  showAnswer(answer);
  listMotifs();
  listChannels();
  writeAddress();
}

function showAnswer(answer) {
  now.answer = answer;
  showOutput(answer, now.shown.truth, now.edited);
  showFlow(run, now.shown, answer, now.picked);
  byId("reset").hidden = !now.edited;
  byId("clear").hidden = !now.drawn;
}

// Asks what the decoder makes of the motifs as they are now.
const answerAnew = newest(async (begun = performance.now()) => {
  const body = JSON.stringify(now.motifs);
  const answer = await ask(`/answer${query()}`, { method: "POST", body });
  showAnswer(answer);
  performance.measure("answer", { start: begun, end: performance.now() });
  writeAddress();
});

function edited() {
  if (!now.edited) {
    now.edited = true;
    stage.hideTruth();
  }
  answerAnew(performance.now());
}

// ---- Motifs --------------------------------------------------------------------------------------

const listMotifs = () => showList(run, now.shown, now.motifs, { changed: edited, pick, removed });

function pick(motif) {
  now.picked = motif === null ? null : now.motifs.indexOf(motif);
  showFlow(run, now.shown, now.answer, now.picked);
}

function moved(motif) {
  updateList(run, now.motifs, motif);
  edited();
}

function removed(motif) {
  now.motifs = now.motifs.filter((other) => other !== motif);
  restage();
}

function added(channel, row, column) {
  const strengths = now.shown.found.map((motif) => motif.strength).sort((one, other) => one - other);
  const strength = strengths[Math.floor(strengths.length / 2)] ?? 1;
  const motif = { channel, row, column, strength };
  now.motifs = [...now.motifs, motif];
  stage.adding = null;
  restage();
  stage.focus(motif);
}

// Shows motifs that have become more or fewer.
function restage() {
  now.edited = true;
  now.picked = null;
  stage.show(now.shown, now.motifs, { truth: false });
  listMotifs();
  listChannels();
  answerAnew(performance.now());
}

// A button for each channel: the next place pressed gets a motif of it; by keyboard, the middle.
function listChannels() {
  const buttons = now.shown.channels.map(({ name, symbol }, channel) => {
    const button = html("button", {
      class: "add", "aria-pressed": String(stage.adding === channel), title: `Add a motif of ${name}`,
      onclick: (event) => {
        if (event.detail === 0) return added(channel, stage.rows >> 1, stage.columns >> 1);
        stage.adding = stage.adding === channel ? null : channel;
        stage.draw();
        stage.place.scrollIntoView({ block: "nearest", behavior: "smooth" });
        listChannels();
      },
    }, chip(now.shown.channels, channel), symbol ?? "–");
    return button;
  });
  byId("adding").replaceChildren(html("span", { class: "muted" }, "Add"), ...buttons);
  const how = matchMedia("(pointer: coarse)").matches
    ? "Drag a motif; below it can be made stronger or removed."
    : "Drag a motif, or move it with the arrow keys; Delete removes it, + and − change its strength.";
  const hint = stage.adding === null
    ? how
    : `Press a place to put a motif of ${now.shown.channels[stage.adding].name} there.`;
  byId("hint").textContent = drawing() ? "Draw; the model reads along. Press Draw again to move motifs." : hint;
}

// ---- The user's own inputs ------------------------------------------------------------------------

const drawing = () => byId("draw").getAttribute("aria-pressed") === "true";

const readSheet = newest(async () => {
  now.own = await pad.blob();
  await load();
});

// Takes the pen, with which the sheet is drawn on in place of moving motifs, or puts it down.
function penDown(isDown) {
  byId("draw").setAttribute("aria-pressed", String(isDown));
  stage.lay(isDown ? pad.canvas : null);
}

function draw() {
  if (drawing()) {
    penDown(false);
    return listChannels();
  }
  if (!now.drawn) pad.clear();
  now.drawn = true;
  penDown(true);
  readSheet();
}

async function take(file) {
  if (byId("look").hidden) return;
  const { own, drawn } = now;
  try {
    if (run.is_sound) {
      now.own = await toWav(file);
    } else {
      Object.assign(now, { own: file, drawn: false });
      // A model of the user's own pictures knows how to scale them; greys and colours have no place on the pad.
      if (file.type.startsWith("image/") && run.domain !== "folder") {
        await pad.put(file);
        Object.assign(now, { own: await pad.blob(), drawn: true });
      }
      penDown(false);
    }
    await load();
    complain(null);
  } catch (error) {
    Object.assign(now, { own, drawn });
    complain(error);
  }
}

// ---- Beginning ------------------------------------------------------------------------------------

function toExample(index) {
  const most = (run.examples ?? 2 ** 32) - 1;
  now.index = Math.max(0, Math.min(most, Math.round(index) || 0));
  now.own = null;
  now.drawn = false;
  penDown(false);
  reload();
}

function switchTheme() {
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = document.documentElement.dataset.theme ?? (isDark ? "dark" : "light");
  const other = theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = other;
  localStorage.setItem("theme", other);
}

function listen() {
  byId("theme").addEventListener("click", switchTheme);
  byId("before").addEventListener("click", () => toExample(now.index - 1));
  byId("after").addEventListener("click", () => toExample(now.index + 1));
  byId("index").addEventListener("change", (event) => toExample(Number(event.target.value)));
  byId("reset").addEventListener("click", () => reload());
  byId("density").max = run.ladder.length - 1;
  byId("density").addEventListener("input", (event) => {
    now.rung = Number(event.target.value);
    showDensity();
    reload();
  });
  byId("draw").hidden = run.is_sound;
  byId("draw").addEventListener("click", draw);
  byId("clear").addEventListener("click", () => {
    pad.clear();
    readSheet();
  });
  byId("record").hidden = !run.is_sound;
  byId("file").accept = run.is_sound ? "audio/*" : "image/*";
  takeFiles(take);
  if (run.is_sound) recorder(byId("record"), run.sound[2] / run.sound[0], take);
  for (const id of ["to-look", "to-channels"]) byId(id).addEventListener("click", follow);
  addEventListener("popstate", () => readAddress().catch(complain));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || stage.adding === null) return;
    stage.adding = null;
    stage.draw();
    listChannels();
  });
  new ResizeObserver(() => now.answer && showFlow(run, now.shown, now.answer, now.picked)).observe(byId("flow"));
}

async function begin() {
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  run = await ask("/");
  document.title = `${run.name} – sparling`;
  byId("run").textContent = run.name;
  if (!run.is_sound) pad = new Pad(run, () => readSheet());
  stage = new Stage(run, { changed: moved, picked: pick, removed, added });
  listen();
  await readAddress();
}

begin().catch(complain);
