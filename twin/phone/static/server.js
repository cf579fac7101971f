// Speaking with the twin: requests, and the stream of what changes.

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) {
    const reason = await response.json().catch(() => ({}));
    throw new Error(reason.error ?? `The twin answered ${response.status}.`);
  }
  return response.json();
}

const of = (key) => `/phone/api/chats/${encodeURIComponent(key)}`;

export const server = {
  state: () => call("GET", "/phone/api/state"),
  chat: (key) => call("GET", of(key)),
  write: (key, message) => call("POST", `${of(key)}/messages`, message),
  seen: (key) => call("POST", `${of(key)}/seen`, {}),
  startOver: (key) => call("POST", `${of(key)}/start-over`, {}),
  shops: () => call("GET", "/control/shop"),
  goOnWith: (folder) => call("POST", "/control/shop", { folder }),
  scenarios: () => call("GET", "/scenarios"),
  play: (key) => call("POST", `/scenarios/${encodeURIComponent(key)}/play`, { speed: 1 }),
  record: (key) => call("GET", `/scenarios/record?customer=${encodeURIComponent(key)}`),
  addCustomer: (phone) => call("POST", "/phone/api/customers", { phone }),
};

/** Listen; `on.open` after every (re)connection, `on.lost` when the twin is away, `on.event` for what it tells. */
export function listen(on) {
  const stream = new EventSource("/phone/api/events");
  stream.onopen = on.open;
  stream.onerror = on.lost;
  stream.onmessage = (message) => on.event(JSON.parse(message.data));
}
