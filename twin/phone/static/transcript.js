// What the assistant writes into tickets, read back: the first note with its conversation, and its marks for machines.

const FOOT = /\n*\((?:WhatsApp, ([^()]*), )?([A-Z]+-\d+\/[\w-]+)\)\s*$/;
const BEGINS = /^(?:Conversation|Meanwhile with the assistant):$/m;
const LINE = /^\[([^\]\n]{4,30})\] (customer|assistant|agent): ?(.*)$/;

/** A comment without the mark by which the assistant finds it again: {words, when}. */
export function withoutFoot(body) {
  const found = FOOT.exec(body);
  return found ? { words: body.slice(0, found.index), when: found[1] ?? "" } : { words: body, when: "" };
}

const FILE = /\[(\w+)([^\]:\n]*): (https?:\/\/[^\s\]]+\/webhooks\/zendesk\/media\/[^\s\]]+)\]/g;

/** Customers' files that the text links to: {words, files: [{kind, name, url}]}. */
export function withoutFiles(text) {
  const files = [...text.matchAll(FILE)].map(([, kind, name, url]) => ({ kind, name: `${kind}${name}`.trim(), url }));
  return { words: text.replace(FILE, "").replace(/\n{3,}/g, "\n\n").trim(), files };
}

/** A note as {head, lines: [{at, author, text}]}; lines are empty when it holds no conversation. */
export function readNote(body) {
  const { words } = withoutFoot(body);
  const start = BEGINS.exec(words);
  if (!start) return { head: words, lines: [] };
  const lines = [];
  for (const raw of words.slice(start.index + start[0].length).trim().split("\n")) {
    const said = LINE.exec(raw);
    if (said) lines.push({ at: said[1], author: said[2], text: said[3] });
    else if (lines.length) lines.at(-1).text += `\n${raw}`;
  }
  return { head: words.slice(0, start.index).trim(), lines };
}
