/** How the server is, looked at every two seconds while the page is seen. */

import { $, make, message, note } from "./dom.js";

const EVERY = 2000;
/** Where it does not answer, it is asked less and less. */
const SELDOM = 15_000;

const STATES = { healthy: "ready", degraded: "on a fallback", failing: "cannot speak" };
const CIRCUITS = { closed: "in use", "half-open": "being tried", open: "left alone" };

export class Status {
  #api;
  #timer = 0;
  #failures = 0;
  #hasStarted = false;

  /** @param {import("./api.js").Api} api */
  constructor(api) {
    this.#api = api;
    document.addEventListener("visibilitychange", () => this.#hasStarted && this.#look());
  }

  /** Look from now on. */
  start() {
    this.#hasStarted = true;
    this.#look();
  }

  async #look() {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    try {
      this.#show(await this.#api.status());
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      this.#lost(error);
    }
    clearTimeout(this.#timer);
    const wait = this.#failures ? Math.min(SELDOM, EVERY * 2 ** (this.#failures - 1)) : EVERY;
    this.#timer = setTimeout(() => this.#look(), wait);
  }

  #lost(error) {
    pill("lost", error.status === 401 ? "needs a key" : "not reachable");
    note($("server-note"), `${message(error)} What you see is from before.`, "bad");
  }

  #show(status) {
    const first = status.backends.find((one) => one.circuit !== "open");
    const isLoading = status.status === "healthy" && first && !first.loaded;
    const state = isLoading ? "loading" : status.status;
    pill(state, STATES[state] ?? state);
    note($("server-note"), "");
    $("server-facts").replaceChildren(...this.#facts(status));
    refill($("server-backends"), status.backends.map(backendItem));
    if (status.costs.length) refill($("server-costs"), [costTable(status.costs)]);
  }

  #facts({ requests, wyoming_connections, backends, version, wyoming }) {
    const sum = (key) => backends.reduce((total, one) => total + one[key], 0);
    const facts = [
      ["Listeners over HTTP", requests],
      ["Connections over Wyoming", wyoming_connections],
      ["Sentences computing", sum("running")],
      ["Waiting", sum("queued")],
      ["Version", version],
      ["Sentences kept", bytes(Math.max(0, ...backends.map((one) => one.cache_bytes)))],
      ["Wyoming", wyoming || "off"],
    ];
    return facts.map(([name, value]) => fact(name, String(value)));
  }
}

function pill(state, text) {
  $("server-pill").dataset.state = state;
  if ($("server-state").textContent !== text) $("server-state").textContent = text;
}

const fact = (name, value) => make("div", {}, make("dt", {}, name), make("dd", {}, value));

/** Change only what is another, so that a selection or a reader's place stays. */
function refill(list, fresh) {
  fresh.forEach((element, place) => {
    const old = list.children[place];
    if (!old) list.append(element);
    else if (!old.isEqualNode(element)) old.replaceWith(element);
  });
  while (list.children.length > fresh.length) list.lastElementChild.remove();
}

function backendItem(backend) {
  const asked = backend.cache_hits + backend.cache_misses;
  const isReady = backend.circuit === "closed" && backend.loaded;
  const isLoading = backend.circuit === "closed" && !backend.loaded;
  const text = isLoading ? "loading" : CIRCUITS[backend.circuit] ?? backend.circuit;
  const kind = isReady ? "good" : backend.circuit === "open" ? "bad" : "fair";
  const badge = make("span", { class: `badge ${kind}` }, text);
  const facts = [
    fact("Voices", String(backend.voices)),
    fact("Computing", String(backend.running)),
    fact("Waiting", String(backend.queued)),
    fact("From the cache", asked ? `${backend.cache_hits} of ${asked}` : "–"),
  ];
  const item = make("li", {}, make("div", { class: "row" },
    make("strong", {}, backend.name), badge), make("p", { class: "hint" }, backend.engine),
  make("dl", { class: "facts" }, ...facts));
  if (backend.reason) item.append(make("p", { class: "note bad" }, reasonOf(backend)));
  return item;
}

function reasonOf({ reason, retry_seconds: seconds }) {
  return seconds ? `${reason}. Asked again in ${Math.ceil(seconds)} s.` : reason;
}

function costTable(costs) {
  const money = (value, currency) => value == null ? "–" : `${value.toFixed(4)} ${currency}`;
  const head = ["Backend", "Today", "a day at most", "This month", "a month at most"];
  const heads = head.map((text) => make("th", { scope: "col" }, text));
  const rows = costs.map((one) => {
    const values = [one.today, one.daily_budget, one.month, one.monthly_budget];
    const cells = values.map((value) => make("td", {}, money(value, one.currency)));
    return make("tr", {}, make("th", { scope: "row" }, one.backend), ...cells);
  });
  return make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
}

function bytes(count) {
  if (!count) return "none";
  return count < 1e6 ? `${Math.ceil(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}
