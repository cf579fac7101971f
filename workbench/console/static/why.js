// Why the assistant said it: each turn of a customer, from the webhook to the log, as the product recorded it.

import { ask, bar, el } from "./dom.js";

const ms = (seconds) => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`);
const percent = (share) => `${Math.round(share * 100)} %`;

/**
 * The panel. `options`: base (where the inspector answers), sent (async wamid → {body, ticks} of what the phone got, or
 * null), prompt (async text → what the stand-in for an LLM was asked about it, or null). Returns {show(customer), refresh(), focus(wamid)}.
 */
export function mount(host, options) {
  const state = { customer: null, turns: [], open: null, about: null, shown: "" };

  async function refresh() {
    const { customer } = state;
    if (!customer) return;
    try {
      state.about ??= await ask(options.base, "about");
      const { turns } = await ask(options.base, `turns?customer=${encodeURIComponent(customer)}`);
      if (state.customer === customer) render(turns);
    } catch (error) {
      if (state.customer === customer) host.replaceChildren(el("p", { class: "soft" }, error.message));
    }
  }

  function render(turns) {
    const newest = turns.at(-1)?.id ?? null;
    if (newest !== state.turns.at(-1)?.id || !turns.some((turn) => turn.id === state.open)) state.open = newest;
    state.turns = turns;
    const now = JSON.stringify([turns, state.open]);
    if (now === state.shown) return;
    state.shown = now;
    const focused = host.contains(document.activeElement) ? document.activeElement.dataset.turn : null;
    host.replaceChildren(...(turns.length
      ? turns.toReversed().map((turn) => card(turn))
      : [el("p", { class: "soft" }, "Nothing yet. Send a message, and see here why it is answered so.")]));
    if (focused) host.querySelector(`[data-turn="${CSS.escape(focused)}"]`)?.focus();
  }

  function card(turn) {
    const open = turn.id === state.open;
    const toggle = () => { state.open = open ? null : turn.id; render(state.turns); };
    return el("section", { class: `turn ${open ? "open" : ""}` },
      el("button", { type: "button", class: "turn-head", "aria-expanded": String(open), dataset: { turn: turn.id }, onclick: toggle },
        el("strong", {}, turn.text || "(the shop wrote)"), el("small", {}, summary(turn))),
      open ? el("ol", { class: "steps" }, steps(turn)) : null,
      open && turn.text ? copying(turn) : null);
  }

  function steps(turn) {
    const [intent, sure] = turn.understood.intents[0] ?? [];
    return [
      step("Webhook → inbox → reply", timeline(turn.timings)),
      intent ? step("Understood as", el("div", {}, turn.understood.intents.map(([name, confidence], place) => el("div", { class: "ranked" },
        el("span", {}, name), bar(confidence, place ? "low" : sure < 0.6 ? "warn" : ""), el("b", {}, percent(confidence)))),
        turn.understood.entities.map(([name, value]) => el("span", { class: "chip" }, `${name} ${value}`)),
        turn.understood.after && turn.understood.after !== "none" ? el("span", { class: "chip" }, `after ${turn.understood.after}`) : null)) : null,
      person(turn),
      turn.decided.length ? step("Decided by", el("div", {}, turn.decided.map(decided))) : null,
      turn.slots.length ? step("Slots that changed", el("table", {}, turn.slots.map(([name, before, after]) =>
        el("tr", {}, el("th", {}, name), el("td", {}, before), el("td", {}, "→"), el("td", {}, after))))) : null,
      ...turn.replies.map((said) => reply(said, turn.text)),
      step("Rows of the log", el("details", {}, el("summary", {}, `${turn.rows.length}`), el("pre", {}, JSON.stringify(turn.rows, null, 1)))),
    ].filter(Boolean);
  }

  function person(turn) {
    if (turn.person) {
      return step("A person was called", el("div", {},
        el("b", { class: "called" }, `${turn.person.reason}, priority ${turn.person.priority}`),
        el("ul", {}, turn.person.why.map(([name, value]) => el("li", {}, `${name}: ${value}`)))));
    }
    if (!turn.text) return null;
    if (!turn.understood.intents.length) return step("A person has the conversation", el("p", { class: "soft" }, "The message went into their ticket; the assistant said nothing."));
    const answer = el("div", {});
    const asking = el("button", { type: "button", class: "link", onclick: async () => {
      asking.disabled = true;
      answer.replaceChildren(...(await ask(options.base, `person?text=${encodeURIComponent(turn.text)}`).then(opinion, (error) => [error.message])));
    } }, "Why not?");
    return step("No person was called", el("div", {}, asking, answer));
  }

  function opinion(found) {
    return [
      ...found.probabilities.map(([name, share]) => el("div", { class: "ranked" }, el("span", {}, name.replaceAll("_", " ")), bar(share, name === "none" ? "low" : "warn"), el("b", {}, percent(share)))),
      el("p", { class: "soft" }, `By itself: needs a person ${percent(found.need)}; one is called from ${Object.entries(found.thresholds).map(([name, value]) => `${name.replaceAll("_", " ")} ${percent(value)}`).join(", ")}. What was understood in the conversation counts against it.`),
      el("p", { class: "soft" }, "Nearest examples:"),
      el("ul", {}, found.nearest.map(([reason, text]) => el("li", {}, `${reason.replaceAll("_", " ")}: ${text}`))),
    ];
  }

  function decided(one) {
    return el("div", { class: "decided" },
      el("b", {}, one.action), el("span", { class: "soft" }, ` ${one.policy}${one.confidence === null || one.confidence === undefined ? "" : ` ${Number(one.confidence).toFixed(2)}`}`),
      one.sources.map((source) => el("div", { class: "source" }, source)));
  }

  function reply(said, text) {
    const body = el("pre", {}, "…");
    const ticks = el("span", { class: "chip" }, said.status ?? "on its way");
    const graph = el("details", { ontoggle: async () => {
      const sent = options.sent ? await options.sent(said.wamid) : null;
      body.textContent = sent ? JSON.stringify(sent.body, null, 1) : "Known to Meta only.";
    } }, el("summary", {}, "Graph body"), body);
    const llm = said.llm && typeof said.llm === "object" ? said.llm : null;
    const asked = el("pre", {}, "…");
    const prompt = llm?.model && options.prompt ? el("details", { ontoggle: async () => {
      const found = await options.prompt(text);
      asked.textContent = found ? JSON.stringify(found, null, 1) : "Known to the LLM's provider only: prompts are not kept.";
    } }, el("summary", {}, "LLM prompt"), asked) : null;
    return step(said.author === "agent" ? "A person wrote" : "Answer", el("div", {},
      el("div", {}, el("b", {}, said.response ?? ""), said.topic ? el("span", { class: "chip" }, said.topic) : null, ticks,
        said.held_back ? el("span", { class: "chip warn" }, "held back: a person speaks") : null, said.error ? el("span", { class: "chip warn" }, said.error) : null),
      said.sections.map((section) => el("div", { class: "source" }, `policy_kb/${section}`)),
      llm ? el("div", { class: "soft" }, `Verifier: ${llm.verdict ?? llm.outcome ?? "–"} · ${llm.provider ?? ""} ${llm.model ?? ""} · ${llm.latency_ms ?? 0} ms · ${llm.input_tokens ?? 0} + ${llm.output_tokens ?? 0} tokens. `) : null,
      prompt,
      el("details", {}, el("summary", {}, "What the action told"), el("pre", {}, JSON.stringify(said.facts, null, 1))),
      graph));
  }

  function copying(turn) {
    const intents = el("select", { "aria-label": "Intent" }, state.about.intents.map((name) => el("option", { value: name, selected: name === turn.understood.intents[0]?.[0] }, name)));
    const reasons = el("select", { "aria-label": "Reason for a person" }, state.about.reasons.map((name) => el("option", { value: name, selected: name === (turn.person?.reason ?? "none") }, name)));
    const told = el("p", { class: "soft", role: "status" });
    const copy = (kind, label) => async () => {
      try {
        const { yaml, file } = await ask(options.base, "copy", { customer: state.customer, id: turn.id, kind, label: label?.value ?? "" });
        const copied = await navigator.clipboard.writeText(yaml).then(() => true, () => false);
        told.replaceChildren(copied ? "Copied. " : "", file ? `Kept for review in ${file}` : "", copied ? "" : el("pre", {}, yaml));
      } catch (error) {
        told.textContent = error.message;
      }
    };
    return el("div", { class: "copying" }, el("h3", {}, "Copy this message as"),
      el("div", {}, intents, el("button", { type: "button", onclick: copy("phrase", intents) }, "Training phrase")),
      el("div", {}, reasons, el("button", { type: "button", onclick: copy("escalation", reasons) }, "Escalation example")),
      el("div", {}, el("button", { type: "button", onclick: copy("story") }, "Test story")),
      told);
  }

  return {
    show(customer) { Object.assign(state, { customer, turns: [], open: null, shown: "" }); return refresh(); },
    refresh,
    focus(wamid) {
      const turn = state.turns.find((known) => known.id === wamid || known.replies.some((said) => said.wamid === wamid));
      if (!turn) return;
      state.open = turn.id;
      render(state.turns);
      host.querySelector(".turn.open")?.scrollIntoView({ block: "nearest" });
    },
  };
}

const step = (title, content) => el("li", {}, el("h3", {}, title), content);

function summary(turn) {
  const [first, last] = [turn.timings[0]?.[1], turn.timings.at(-1)?.[1]];
  const took = turn.timings.length > 1 ? ms(last - first) : null;
  const what = turn.decided.at(-1)?.action ?? (turn.replies[0]?.author === "agent" ? "a person wrote" : turn.text && !turn.replies.length ? "to the ticket" : turn.replies[0]?.response);
  return [turn.understood.intents[0]?.[0], what, took].filter(Boolean).join(" · ");
}

function timeline(timings) {
  const start = timings[0]?.[1] ?? 0;
  const total = Math.max(0.001, (timings.at(-1)?.[1] ?? start) - start);
  return el("div", {}, timings.map(([name, at]) => el("div", { class: "ranked" }, el("span", {}, name), bar((at - start) / total, "time"), el("b", {}, `+${ms(at - start)}`))));
}
