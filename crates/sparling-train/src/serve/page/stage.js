// The input with its motifs over it, which can be moved by mouse, touch and keyboard.

import { byId, colour, svg } from "./dom.js";

// More motifs than this are dots without names and boxes.
const NAMED = 60;
const BOXED = 14;

export class Stage {
  // `changed` is called when a motif was moved, `picked` when one was focused, `added` with a place.
  constructor(run, { changed, picked, removed, added }) {
    Object.assign(this, { run, changed, picked, removed, added });
    [this.features, this.rows, this.columns] = run.shape;
    this.adding = null;
    this.sheet = null;
    this.place = byId("stage");
    this.svg = svg("svg", { onpointerdown: (event) => this.press(event) });
    this.place.replaceChildren(this.svg);
    new ResizeObserver(() => this.draw()).observe(this.place);
  }

  show(shown, motifs, { truth = true } = {}) {
    Object.assign(this, { shown, motifs, truth });
    this.draw();
  }

  // Takes the true places away, without redrawing what may be held.
  hideTruth() {
    this.truth = false;
    this.svg.querySelectorAll(".box.true").forEach((box) => box.remove());
  }

  // Lays a sheet to draw on in the picture's place, under the motifs; `null` takes it away.
  lay(sheet) {
    this.sheet?.remove();
    this.sheet = sheet;
    if (sheet) this.place.prepend(sheet);
    this.svg.classList.toggle("drawing", Boolean(sheet));
    this.draw();
  }

  // Pixels of the page for each position of the input.
  measure() {
    const width = this.place.clientWidth;
    const height = this.run.is_sound ? 240 : Math.min((width * this.rows) / this.columns, 560);
    const across = this.run.is_sound ? width : (height * this.columns) / this.rows;
    this.size = [across, height];
    this.scale = [across / this.columns, height / (this.run.is_sound ? 1 : this.rows)];
  }

  draw() {
    if (!this.shown || !this.place.clientWidth) return;
    this.measure();
    const [width, height] = this.size;
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    if (this.sheet) Object.assign(this.sheet.style, { width: `${width}px`, height: `${height}px` });
    this.svg.classList.toggle("adding", this.adding !== null);
    const picture = svg("image", {
      href: this.shown.picture, width, height, preserveAspectRatio: "none", class: "picture",
    });
    this.groups = this.motifs.map((motif) => this.group(motif));
    // The strongest on top.
    const order = this.motifs.map((motif, index) => [motif.strength, index]).sort(([one], [other]) => one - other);
    this.svg.replaceChildren(picture, ...this.footprints(), ...order.map(([, index]) => this.groups[index]));
  }

  footprints() {
    if (!this.truth || !this.shown.truth) return [];
    return this.shown.truth.footprints.map((at) => this.box([at.top, at.bottom], [at.left, at.right], "true"));
  }

  box([top, bottom], [left, right], kind) {
    const [x, y] = this.scale;
    return svg("rect", {
      x: left * x, y: top * y, width: (right - left) * x, height: (bottom - top) * y, class: `box ${kind}`,
    });
  }

  group(motif) {
    const channel = this.shown.channels[motif.channel];
    const many = this.motifs.length > NAMED;
    const group = svg("g", {
      class: many ? "motif small" : "motif",
      tabindex: 0,
      role: "button",
      onpointerdown: (event) => this.grab(event, motif, group),
      // Else a finger on a motif would scroll the page.
      ontouchstart: (event) => event.preventDefault(),
      onkeydown: (event) => this.key(event, motif),
      onfocus: () => this.picked(motif),
      onblur: () => this.picked(null),
    });
    group.style.setProperty("--channel", colour(motif.channel));
    if (channel.support) {
      const { rows, columns } = channel.support;
      const boxed = this.motifs.length <= BOXED ? "support" : "support rare";
      const { top, left } = { top: rows.start - 0.5, left: columns.start - 0.5 };
      group.append(this.box([top, rows.end - 0.5], [left, columns.end - 0.5], boxed));
    }
    const name = channel.symbol ?? channel.name;
    group.append(svg("circle", { r: many ? 4 : 12 }));
    if (!many) {
      group.append(svg("text", name.length > 2 ? { x: 16, class: "beside" } : { class: "inside" }, name));
    }
    this.label(group, motif);
    return group;
  }

  // Puts a motif's group where it is.
  label(group, motif) {
    const [x, y] = this.scale;
    const down = this.run.is_sound ? this.size[1] / 2 : (motif.row + 0.5) * y;
    group.setAttribute("transform", `translate(${(motif.column + 0.5) * x} ${down})`);
    const { name, symbol } = this.shown.channels[motif.channel];
    const row = this.run.is_sound ? "" : `row ${motif.row}, `;
    group.setAttribute(
      "aria-label",
      `${symbol ?? "nothing"}, channel ${name}, ${row}column ${motif.column}, strength ${motif.strength.toFixed(2)}`,
    );
  }

  move(motif, row, column) {
    const within = (at, size) => Math.max(0, Math.min(size - 1, at));
    const to = [within(row, this.rows), within(column, this.columns)];
    if (to[0] === motif.row && to[1] === motif.column) return;
    [motif.row, motif.column] = to;
    this.label(this.groups[this.motifs.indexOf(motif)], motif);
    this.changed(motif);
  }

  // The position under the pointer.
  under(event) {
    const { left, top } = this.svg.getBoundingClientRect();
    const [x, y] = this.scale;
    const row = this.run.is_sound ? 0 : Math.floor((event.clientY - top) / y);
    return [row, Math.floor((event.clientX - left) / x)];
  }

  grab(event, motif, group) {
    if (this.adding !== null || event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    group.focus();
    group.setPointerCapture(event.pointerId);
    const [row, column] = this.under(event);
    const [down, right] = [motif.row - row, motif.column - column];
    const drag = (moved) => {
      const [row, column] = this.under(moved);
      this.move(motif, row + down, column + right);
    };
    const end = () => group.removeEventListener("pointermove", drag);
    group.addEventListener("pointermove", drag);
    group.addEventListener("pointerup", end, { once: true });
    group.addEventListener("pointercancel", end, { once: true });
  }

  press(event) {
    if (this.adding === null || event.button !== 0) return;
    event.preventDefault();
    this.added(this.adding, ...this.under(event));
  }

  key(event, motif) {
    const step = event.shiftKey ? 5 : 1;
    const { row, column } = motif;
    const keys = {
      ArrowLeft: () => this.move(motif, row, column - step),
      ArrowRight: () => this.move(motif, row, column + step),
      ArrowUp: () => this.move(motif, row - step, column),
      ArrowDown: () => this.move(motif, row + step, column),
      "+": () => this.strengthen(motif, 1.1),
      "-": () => this.strengthen(motif, 1 / 1.1),
      Delete: () => this.removed(motif),
      Backspace: () => this.removed(motif),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  strengthen(motif, factor) {
    motif.strength *= factor;
    this.label(this.groups[this.motifs.indexOf(motif)], motif);
    this.changed(motif);
  }

  focus(motif) {
    this.groups[this.motifs.indexOf(motif)]?.focus();
  }
}
