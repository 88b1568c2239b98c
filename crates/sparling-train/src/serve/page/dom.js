// Elements, requests, and what the whole page says of channels and numbers.

export const byId = (id) => document.getElementById(id);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function html(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

// What the server answers; what stands in its way is thrown as it says it.
export async function ask(path, options = {}) {
  const headers = { accept: "application/json" };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    throw new Error("the program that serves this page does not answer: is it still running?");
  }
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

export function complain(error) {
  const place = byId("error");
  place.textContent = error ? error.message : "";
  place.hidden = !error;
}

// One call of a job at a time; of the calls that come meanwhile the newest alone follows.
export function newest(job) {
  let busy = false;
  let next = null;
  return async function call(...given) {
    if (busy) {
      next = given;
      return;
    }
    busy = true;
    try {
      await job(...given);
      complain(null);
    } catch (error) {
      complain(error);
    } finally {
      busy = false;
      const waiting = next;
      next = null;
      if (waiting) call(...waiting);
    }
  };
}

export const colour = (channel) => `var(--channel-${channel % 10})`;

export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;

export const number = (value) => (Math.abs(value) >= 0.01 ? value.toFixed(2) : value.toExponential(1));

// A channel's letter in its colour.
export function chip(channels, channel) {
  const badge = html("span", { class: "chip" }, channels[channel].name);
  badge.style.background = colour(channel);
  return badge;
}
