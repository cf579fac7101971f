// Building the page from elements and text only: nothing that anybody writes is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  send: "M4 12 20 4.5 15.5 20 11.5 13.5ZM20 4.5 11.5 13.5",
  plus: "M12 5v14M5 12h14",
  back: "M14.5 5 8 12l6.5 7",
  idea: "M9 18h6M10 21h4M12 3a6 6 0 0 0-3.6 10.8c.7.6 1.1 1.3 1.1 2.2h5c0-.9.4-1.6 1.1-2.2A6 6 0 0 0 12 3Z",
  down: "M6 9.5 12 15.5l6-6",
  list: "M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5h.01M4.5 12h.01M4.5 17.5h.01",
  reply: "M10 6 4.5 11.5 10 17M5 11.5h8.5c3.5 0 6 2 6 6",
  link: "M14 5h5v5M19 5l-8 8M17 14v4.5H5.5V7H10",
  close: "M6 6l12 12M18 6 6 18",
  pin: "M12 21s6.5-6.2 6.5-11A6.5 6.5 0 0 0 5.5 10c0 4.800 6.500 11 6.500 11ZM12 12.200a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400Z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.500c.6-4 3.700-6 7.500-6s6.900 2 7.500 6",
  picture: "M4.500 5.500h15v13h-15ZM4.500 16l4.500-4.500 4 4 2.500-2.500 4 4M15.500 9.500h.01",
  microphone: "M12 14.500a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3ZM6 11.500a6 6 0 0 0 12 0M12 17.500V21",
  document: "M7 3.500h7l4.500 4.500v12.500H7ZM14 3.500V8h4.500M10 12.500h5.500M10 16h5.500",
  template: "M4.500 5h15v14h-15ZM4.500 9.500h15M8 13h8M8 16h5",
  check: "M4 12.500 9 17.500 20 6.500",
  checks: "M1.500 12.500 6 17 15 7.500M10.500 15.500 12 17 21.500 7.500",
  clock: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 7.500V12l3 2",
  warning: "M12 4 21 19.500H3ZM12 10v4.500M12 17h.01",
  play: "M8 5.500v13l10.500-6.500Z",
  note: "M5 4.500h14v10l-5 5H5ZM14 19.500v-5h5M8.500 9h7M8.500 12.500h4",
  robot: "M6 9.500h12v9H6ZM12 9.500V6M12 5.500h.01M9.500 13.500h.01M14.500 13.500h.01M9.500 16h5",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13ZM15.500 15.500 20.500 20.500",
  parcel: "M4 8l8-4 8 4v8.500l-8 4-8-4ZM4 8l8 4 8-4M12 12v8.500",
  smile: "M12 20.500a8.500 8.500 0 1 0 0-17 8.500 8.500 0 0 0 0 17ZM8.500 14c1.800 2.300 5.200 2.300 7 0M9 9.800h.01M15 9.800h.01",
};

/** An element; `props` are properties, `dataset`, `class` or attributes (aria-…, role); strings become text. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "dataset") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A line-drawn icon; decorative unless it gets a label. */
export function icon(name, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A web address that is safe to follow, or null: javascript:, data: and the like are not. */
export function safeAddress(address) {
  try {
    const url = new URL(address);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

/** A link that opens beside the page and tells the other side nothing. */
export function link(address, ...children) {
  const url = safeAddress(address);
  if (!url) return el("span", {}, ...children);
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

/** The shop's time zone: one clock for the phone, the desk and what the product writes. */
const timeZone = document.documentElement.dataset.zone || "UTC";
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone });

/** A date without a time, "2026-11-30" → "30 Nov". */
export const dateOf = (date) => new Date(`${date}T00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

export const timeOf = (seconds) => CLOCK.format(seconds * 1000);

export function dayOf(seconds) {
  const day = DAY.format(seconds * 1000);
  if (day === DAY.format(Date.now())) return "Today";
  return day === DAY.format(Date.now() - 86400000) ? "Yesterday" : day;
}

/** What stands for a face: "Asha Rao" → "AR". */
export function initials(name) {
  return name.split(/\s+/).map((word) => [...word][0]).slice(0, 2).join("").toUpperCase();
}

/** An order number as the assistant writes it: "#10234", but "WC-1001". */
export const named = (number) => (/^\d+$/.test(number) ? `#${number}` : number);
