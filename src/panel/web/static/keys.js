"use strict";
// Keyboard commands. Each one uses a control on the page that also works without this script.

const find = (selector, within = document) => within.querySelector(selector);
const isVisible = (element) => element.checkVisibility();
const steps = () => [...document.querySelectorAll("[data-step]")].filter(isVisible);
const currentStep = () => document.activeElement?.closest("[data-step]");

function focusOn(element) {
  for (let box = element.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  element.focus({ preventScroll: true });
  const frame = element.getBoundingClientRect();
  if (frame.top < 0 || frame.bottom > innerHeight) element.scrollIntoView({ block: frame.height < innerHeight ? "center" : "start" });
}

function move(by) {
  const all = steps();
  const at = all.indexOf(currentStep());
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
  if (all[next]) focusOn(all[next]);
}

function activate(element) {
  if (element.matches("details")) {
    element.open = !element.open || !element.contains(document.activeElement);
    if (element.open) focusOn(find("textarea, input:not([type=hidden])", element));
    else element.querySelector("summary").focus();
  } else if (element.matches("input, [data-hold]")) {
    focusOn(element);
    element.select?.();
  } else {
    element.click();
  }
}

function leave(field) {
  const decision = field.closest(".with-reason");
  if (decision) decision.open = false;
  const place = decision ? find("summary", decision) : field.closest("[tabindex='-1']");
  (place ?? find("#main")).focus({ preventScroll: true });
}

function press(key) {
  const seat = document.activeElement?.closest("[data-seat]") ?? document;
  const matching = (within) => [...within.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(isVisible);
  const found = matching(seat) ?? matching(document);
  if (found) activate(found);
  return Boolean(found);
}

function toggleHelp() {
  const dialog = find("#help");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

const commands = {
  j: () => move(1),
  k: () => move(-1),
  o: () => currentStep()?.matches("a") && currentStep().click(),
  "?": toggleHelp,
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
  const isListed = Object.hasOwn(commands, key) || find(`[data-key="${CSS.escape(key)}"]`);
  if (!isListed || (event.repeat && key !== "j" && key !== "k")) return;
  if (find("#help").open && key !== "?") return;
  event.preventDefault();
  if (Object.hasOwn(commands, key)) commands[key]();
  else press(key);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-key='?'], [data-edit], a[href^='#']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.dataset.key === "?") {
    event.preventDefault();
    toggleHelp();
  } else if (link.dataset.edit) {
    const box = document.getElementById(`edit-${link.dataset.edit}`);
    if (!box) return;
    event.preventDefault();
    box.open = true;
    focusOn(find("textarea", box));
  } else {
    const place = document.getElementById(link.hash.slice(1));
    if (!place) return;
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    focusOn(place);
  }
});

// A form is sent once; a second click does nothing.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  else if (event.target.dataset.wait) showWaiting(event.target);
  event.target.dataset.sent = "yes";
});

function showWaiting(form) {
  const message = document.createElement("p");
  message.className = "soft waiting";
  message.textContent = find("#status").textContent = form.dataset.wait;
  form.append(message);
}

// Ask before the page is left with unsaved text.
const isChanged = (field) => field.matches("textarea, input:not([type=hidden])") && field.value !== field.defaultValue;
addEventListener("beforeunload", (event) => {
  const left = [...document.forms].filter((form) => form.method === "post" && !form.dataset.sent);
  if (left.some((form) => [...form.elements].some(isChanged))) event.preventDefault();
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
  for (const message of document.querySelectorAll(".waiting")) message.remove();
});

const place = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
if (place) {
  if (place.matches("input")) place.focus();
  else if (place.matches("details")) {
    place.open = true;
    focusOn(find("textarea, input:not([type=hidden])", place));
  } else focusOn(place);
}
// Screen readers announce changes after loading, not the first content of a page.
const notice = find("[data-announce]");
if (notice) setTimeout(() => (find("#status").textContent = notice.textContent), 100);
