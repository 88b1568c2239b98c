// Inputs of the user's own: drawn, dropped, chosen or recorded.

import { byId, complain, html } from "./dom.js";

// A pen draws lines about as thick as those of digits and formulas.
const PEN = 1.6;

export class Pad {
  // A sheet of the input's size; `changed` is called while something is drawn.
  constructor(run, changed) {
    [, this.rows, this.columns] = run.shape;
    this.changed = changed;
    this.canvas = html("canvas", {
      width: this.columns, height: this.rows, class: "pad", "aria-label": "Sheet to draw on",
      onpointerdown: (event) => this.press(event),
    });
    this.clear();
  }

  get context() {
    return this.canvas.getContext("2d", { willReadFrequently: true });
  }

  clear() {
    this.context.fillStyle = "#fff";
    this.context.fillRect(0, 0, this.columns, this.rows);
  }

  under(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [((event.clientX - left) / width) * this.columns, ((event.clientY - top) / height) * this.rows];
  }

  press(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    let last = this.under(event);
    const draw = (moved) => {
      const next = this.under(moved);
      this.line(last, next);
      last = next;
      this.changed();
    };
    draw(event);
    this.canvas.onpointermove = draw;
    this.canvas.onpointerup = this.canvas.onpointercancel = () => {
      this.canvas.onpointermove = null;
    };
  }

  line(from, to) {
    Object.assign(this.context, { lineWidth: PEN, lineCap: "round", strokeStyle: "#000" });
    this.context.beginPath();
    this.context.moveTo(...from);
    this.context.lineTo(...to);
    this.context.stroke();
  }

  // Puts a picture of any size on the sheet, as large as fits.
  async put(file) {
    const picture = await createImageBitmap(file);
    const scale = Math.min(this.columns / picture.width, this.rows / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    this.clear();
    this.context.drawImage(picture, (this.columns - width) / 2, (this.rows - height) / 2, width, height);
  }

  blob() {
    return new Promise((done) => this.canvas.toBlob(done, "image/png"));
  }

  // A bit for each pixel, as it stands in an address.
  packed() {
    const pixels = this.context.getImageData(0, 0, this.columns, this.rows).data;
    const bytes = new Uint8Array(Math.ceil((this.rows * this.columns) / 8));
    for (let at = 0; at < this.rows * this.columns; at++) {
      if (pixels[4 * at] < 128) bytes[at >> 3] |= 128 >> (at & 7);
    }
    const text = btoa(String.fromCharCode(...bytes));
    return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }

  unpack(text) {
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    this.clear();
    this.context.fillStyle = "#000";
    for (let at = 0; at < this.rows * this.columns; at++) {
      const inked = bytes.charCodeAt(at >> 3) & (128 >> (at & 7));
      if (inked) this.context.fillRect(at % this.columns, Math.floor(at / this.columns), 1, 1);
    }
  }
}

// A sound file of any kind that the browser can play, as a WAV file of one channel.
export async function toWav(file) {
  const bytes = await file.arrayBuffer();
  if (new TextDecoder("latin1").decode(bytes.slice(0, 4)) === "RIFF") return file;
  const audio = new AudioContext();
  let sound;
  try {
    sound = await audio.decodeAudioData(bytes);
  } catch {
    throw new Error(`${file.name ?? "this"} is no sound that this browser can play: choose a WAV file`);
  } finally {
    audio.close();
  }
  return wav(sound.getChannelData(0), sound.sampleRate);
}

function wav(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, word) => [...word].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, index) => {
    view.setInt16(44 + 2 * index, Math.max(-1, Math.min(1, sample)) * 32767, true);
  });
  return new Blob([view], { type: "audio/wav" });
}

// Records for as long as the model reads at once, or until the button is pressed again.
export function recorder(button, seconds, done) {
  let running = null;
  button.addEventListener("click", async () => {
    if (running) return running.stop();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      running = new MediaRecorder(stream);
      running.ondataavailable = (event) => done(event.data);
      running.onstop = () => {
        stream.getTracks().forEach((track) => track.stop());
        running = null;
        button.textContent = "Record";
        button.setAttribute("aria-pressed", "false");
      };
      running.start();
      button.textContent = "Stop";
      button.setAttribute("aria-pressed", "true");
      setTimeout(() => running?.stop(), 1000 * seconds);
    } catch (error) {
      complain(new Error(`the microphone cannot be had: ${error.message}`));
    }
  });
}

// Files that are dropped anywhere on the page, or chosen.
export function takeFiles(taken) {
  const input = byId("file");
  byId("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files[0]) taken(input.files[0]);
    input.value = "";
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) taken(event.dataTransfer.files[0]);
  });
}
