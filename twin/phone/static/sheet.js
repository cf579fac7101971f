// What slides up from the bottom of the phone: a list to pick from, or what can be attached.

import { el, icon } from "./dom.js";

const host = document.getElementById("sheet");
let close = () => {};

/** Show a sheet; focus moves in, Escape and the backdrop close it, focus returns to where it was. */
function show(title, ...content) {
  close();
  const goBack = wayBack(document.activeElement);
  const others = [...host.parentElement.children].filter((node) => node !== host);
  const dismiss = el("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => close() }, icon("close"));
  const panel = el(
    "div",
    { class: "sheet-panel", role: "dialog", "aria-modal": "true", "aria-label": title },
    el("div", { class: "sheet-title" }, dismiss, el("h2", {}, title)),
    content,
  );
  const onKey = (event) => event.key === "Escape" && close();
  close = () => {
    close = () => {};
    host.hidden = true;
    host.replaceChildren();
    others.forEach((node) => (node.inert = false));
    document.removeEventListener("keydown", onKey);
    goBack().focus();
  };
  others.forEach((node) => (node.inert = true));
  host.replaceChildren(el("div", { class: "backdrop", onclick: () => close() }), panel);
  host.hidden = false;
  document.addEventListener("keydown", onKey);
  (panel.querySelector("input, .option") ?? dismiss).focus();
}

/** Finds the focused control again, also when its bubble was redrawn meanwhile. */
function wayBack(control) {
  const row = control?.closest("li[id]")?.id;
  const controls = () => [...(document.getElementById(row)?.querySelectorAll("button, a") ?? [])];
  const place = row ? controls().indexOf(control) : -1;
  return () => (control?.isConnected ? control : controls()[place]) ?? document.getElementById("text");
}

/** A WhatsApp list: pick one row, then send. `pick` gets the row. */
export function showList(action, pick) {
  const rows = new Map();
  const send = el("button", { type: "submit", class: "primary", disabled: true }, "Send");
  const choice = (row) => {
    const radio = el("input", { type: "radio", name: "row", value: row.id, onchange: () => (send.disabled = false) });
    rows.set(row.id, row);
    return el(
      "label",
      { class: "list-row" },
      el("span", {}, el("strong", {}, row.title), row.description ? el("small", {}, row.description) : null),
      radio,
    );
  };
  const sections = action.sections.map((section) =>
    el("fieldset", {}, section.title ? el("legend", {}, section.title) : null, section.rows.map(choice)),
  );
  const form = el("form", { class: "list-form" }, el("div", { class: "list-rows" }, sections), send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = new FormData(form).get("row");
    close();
    if (chosen !== null) pick(rows.get(chosen));
  });
  show(action.button, form);
}

/** Things to do, each {icon, label, run}. */
export function showOptions(title, options) {
  const buttons = options.map(({ icon: name, label, run }) =>
    el("button", { type: "button", class: "option", onclick: () => { close(); run(); } }, icon(name), label),
  );
  show(title, el("div", { class: "options" }, buttons));
}

export const closeSheet = () => close();
