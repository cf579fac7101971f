// The inspector beside the phone: there when the product that the twin plays against has one.

import { el, icon } from "./dom.js";

const BASE = "/console/";
const LOOK_AGAIN_MS = [350, 900, 2500]; // the log is a moment behind the chat

/** Sets up the panel in `tips`; null without an inspector. Returns {show(customer), heard(), focus(wamid)}. */
export async function inspector(tips, button) {
  const { mount } = await import(`${BASE}why.js`).catch(() => ({}));
  if (!mount) return null;
  document.head.append(el("link", { rel: "stylesheet", href: `${BASE}why.css` }));
  const host = el("div", { class: "why" });
  const panel = el("section", { id: "why", "aria-label": "Why the assistant answered so", hidden: true }, host);
  const tabs = ["What to try", "Why?"].map((name, place) =>
    el("button", { type: "button", role: "tab", "aria-selected": String(!place), onclick: () => choose(Boolean(place)) }, name));
  const close = el("button", { type: "button", class: "icon-button close-tips", "aria-label": "Back to the chat", onclick: () => choose(false, true) }, icon("close"));
  const others = [...tips.children];
  tips.prepend(el("div", { class: "tips-head" }, el("div", { class: "tabs", role: "tablist" }, tabs), close));
  tips.append(panel);
  button.hidden = false;
  button.append(icon("search"));

  function choose(why, away = false) {
    tabs.forEach((tab, place) => tab.setAttribute("aria-selected", String(Boolean(place) === why)));
    for (const node of others) node.classList.toggle("behind", why);
    panel.hidden = !why;
    document.body.classList.toggle("asks-why", why && !away);
    if (why) view.refresh();
  }
  const view = mount(host, { base: BASE, sent, prompt });
  button.addEventListener("click", () => choose(true));
  let timers = [];
  return {
    show: (customer) => view.show(customer),
    heard() {
      timers.forEach(clearTimeout);
      timers = LOOK_AGAIN_MS.map((wait) => setTimeout(() => panel.hidden || view.refresh(), wait));
    },
    async focus(wamid) {
      if (panel.hidden) return;
      view.focus(wamid);
    },
  };
}

/** What the stand-in for an LLM (make run LLM=1) was last asked about these words. */
async function prompt(text) {
  const response = await fetch("/llm/requests").catch(() => null);
  const found = response?.ok ? await response.json() : [];
  const words = JSON.stringify(text).slice(1, -1);
  return found.findLast((one) => JSON.stringify(one).includes(words)) ?? null;
}

/** What Graph took of a message of the shop. */
async function sent(wamid) {
  const response = await fetch("/control/sent").catch(() => null);
  const found = response?.ok ? (await response.json()).sent : [];
  return found.find((one) => one.wamid === wamid) ?? null;
}
