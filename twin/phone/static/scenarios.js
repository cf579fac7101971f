// Scenarios that play by themselves on this phone, each step ticked or crossed; and a recording of what one just did.

import { el, icon } from "./dom.js";
import { server } from "./server.js";

const SAID = { says: "writes", taps: "taps", reads: "reads", agent: "Agent writes", ticket: "Ticket is", solves: "Agent solves it", hears_nothing: "hears nothing for (s)", breaks: "Broken:" };

/** Draws the list into `host`. `current()` is the customer's key, `tell` shows an error. Returns {show(played)}. */
export async function scenarios(host, current, tell) {
  const found = await server.scenarios().catch(() => ({ scenarios: [] }));
  if (!found.scenarios.length) return { show() {} };
  const progress = el("div", { class: "played", role: "status" });
  const recording = el("textarea", { class: "recording", readOnly: true, rows: 8, "aria-label": "Recorded scenario", hidden: true });
  const record = async () => {
    const { yaml } = await server.record(current());
    recording.value = yaml;
    recording.hidden = false;
    navigator.clipboard?.writeText(yaml).catch(() => {});
  };
  host.replaceChildren(
    el("h2", {}, "Watch it play"),
    el("ul", { class: "scenes" }, found.scenarios.map((one) => el("li", {},
      el("button", { type: "button", class: "scene", onclick: () => server.play(one.key).catch((error) => tell(error.message)) },
        icon("play"), el("span", {}, el("strong", {}, one.name), el("small", {}, one.tells)))))),
    progress,
    el("button", { type: "button", class: "quiet", onclick: () => record().catch((error) => tell(error.message)) }, "Record what I just did"),
    recording);
  host.hidden = false;
  const show = (played) => progress.replaceChildren(
    el("strong", {}, played.name, played.over ? (played.problem ? " ✗" : " ✓") : " …"),
    el("ol", {}, played.steps.map(([what, how, held]) => el("li", { class: held === true ? "held" : held === false ? "broken" : "" },
      el("span", { "aria-label": held === true ? "held" : held === false ? "did not hold" : "to come" }, held === true ? "✓" : held === false ? "✗" : "·"),
      ` ${SAID[what] ?? what} ${what === "solves" ? "" : typeof how === "object" ? Object.values(how).join(", ") : how}`))),
    played.problem ? el("p", { class: "trouble" }, played.problem) : null);
  if (found.played) show(found.played);
  return { show };
}
