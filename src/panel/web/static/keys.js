"use strict";
// Keys for editors. Every key leads to something on the page that also works without this script.

const one = (selector, within = document) => within.querySelector(selector);
const seen = (element) => element.checkVisibility();
const stops = () => [...document.querySelectorAll("[data-stop]")].filter(seen);
const here = () => document.activeElement?.closest("[data-stop]");

function arrive(element) {
  for (let box = element.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  element.focus({ preventScroll: true });
  const frame = element.getBoundingClientRect();
  if (frame.top < 0 || frame.bottom > innerHeight) element.scrollIntoView({ block: frame.height < innerHeight ? "center" : "start" });
}

function step(by) {
  const all = stops();
  const at = all.indexOf(here());
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
  if (all[next]) arrive(all[next]);
}

function use(element) {
  if (element.matches("details")) {
    element.open = !element.open || !element.contains(document.activeElement);
    if (element.open) arrive(one("textarea, input:not([type=hidden])", element));
    else element.querySelector("summary").focus();
  } else if (element.matches("input, [data-hold]")) {
    arrive(element);
    element.select?.();
  } else {
    element.click();
  }
}

function leave(field) {
  const reasoned = field.closest(".reasoned");
  if (reasoned) reasoned.open = false;
  const place = reasoned ? one("summary", reasoned) : field.closest("[tabindex='-1']");
  (place ?? one("#main")).focus({ preventScroll: true });
}

function press(key) {
  const seat = document.activeElement?.closest("[data-seat]") ?? document;
  const wanted = (within) => [...within.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(seen);
  const found = wanted(seat) ?? wanted(document);
  if (found) use(found);
  return Boolean(found);
}

function help() {
  const dialog = one("#help");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

const ways = {
  j: () => step(1),
  k: () => step(-1),
  o: () => here()?.matches("a") && here().click(),
  "?": help,
  "/": () => press("/") || location.assign("/#f-search"),
};

function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.isComposing || event.altKey) return;
  if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
    if (target.matches("textarea") && !event.repeat) target.form.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey) return;
  if (isTyping(target)) {
    if (key === "Escape") leave(target);
    return;
  }
  const isListed = Object.hasOwn(ways, key) || one(`[data-key="${CSS.escape(key)}"]`);
  if (!isListed || (event.repeat && key !== "j" && key !== "k")) return;
  if (one("#help").open && key !== "?") return;
  event.preventDefault();
  if (Object.hasOwn(ways, key)) ways[key]();
  else press(key);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-key='?'], [data-edit], a[href^='#']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.dataset.key === "?") {
    event.preventDefault();
    help();
  } else if (link.dataset.edit) {
    const box = document.getElementById(`edit-${link.dataset.edit}`);
    if (!box) return;
    event.preventDefault();
    box.open = true;
    arrive(one("textarea", box));
  } else {
    const place = document.getElementById(link.hash.slice(1));
    if (!place) return;
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    arrive(place);
  }
});

// A form is sent once: what a second click would send is on its way.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  else if (event.target.dataset.wait) wait(event.target);
  event.target.dataset.sent = "yes";
});

function wait(form) {
  const words = document.createElement("p");
  words.className = "soft waiting";
  words.textContent = one("#said").textContent = form.dataset.wait;
  form.append(words);
}

// Whoever leaves the page with words that were not sent is asked first.
const isWritten = (field) => field.matches("textarea, input:not([type=hidden])") && field.value !== field.defaultValue;
addEventListener("beforeunload", (event) => {
  const left = [...document.forms].filter((form) => form.method === "post" && !form.dataset.sent);
  if (left.some((form) => [...form.elements].some(isWritten))) event.preventDefault();
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
  for (const words of document.querySelectorAll(".waiting")) words.remove();
});

const place = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
if (place) {
  if (place.matches("input")) place.focus();
  else if (place.matches("details")) {
    place.open = true;
    arrive(one("textarea, input:not([type=hidden])", place));
  } else arrive(place);
}
// Readers of the screen hear what changes after a page is there, not what it begins with.
const said = one("[data-say]");
if (said) setTimeout(() => (one("#said").textContent = said.textContent), 100);
