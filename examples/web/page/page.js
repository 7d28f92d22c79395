// The page: orders a video, shows how it goes on, plays it.
//
// 1. A video's id is made here and is its Idempotency-Key. It is in the address and in localStorage before anything is
//    sent, so that a reload, a lost answer or a restarted server find the same video, and none is ordered twice.
// 2. Every event tells the whole state. What is shown follows from the last one alone.
// 3. What a visitor wrote is put on the page as text, never as HTML.

const STORE = "videos";
const KEPT = 30;
const FIELDS = ["prompt", "duration", "aspect_ratio", "output_resolution"];
const byId = (id) => document.getElementById(id);

// What this browser has ordered, the newest first: {id, order, state, sent}.
let videos = readStore();
// The one that is shown: its last state, when that came, and what listens for the next.
let shown = null;

function readStore() {
  try {
    const found = JSON.parse(localStorage.getItem(STORE));
    return Array.isArray(found) ? found.filter((each) => each && typeof each.id === "string") : [];
  } catch {
    return [];
  }
}

function writeStore() {
  try {
    localStorage.setItem(STORE, JSON.stringify(videos));
  } catch {
    // Private windows may have none: the address still names the video.
  }
}

function remember(id, change) {
  // Another tab may have ordered something meanwhile.
  videos = readStore();
  const known = videos.find((each) => each.id === id);
  if (known) Object.assign(known, change);
  else videos.unshift({ id, order: null, state: null, sent: true, ...change });
  videos.length = Math.min(videos.length, KEPT);
  writeStore();
  showList();
}

function newId() {
  // randomUUID exists on https and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const later = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// Ordering

byId("order").addEventListener("submit", (event) => {
  event.preventDefault();
  showProblems([]);
  const form = new FormData(event.target);
  const order = { prompt: form.get("prompt").trim(), duration: Number(form.get("duration")) };
  order.aspect_ratio = form.get("aspect_ratio");
  order.output_resolution = form.get("output_resolution");
  if (!order.prompt) {
    showProblems([{ path: "prompt", message: "Say what the video should show." }]);
    return;
  }
  const id = newId();
  remember(id, { order, sent: false });
  open(id);
  byId("headline").focus();
});

byId("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("order").requestSubmit();
});

// Sends the order until there is an answer; the same key makes that harmless.
async function send(view) {
  const { order } = videos.find((each) => each.id === view.id);
  for (let tries = 0; view === shown; tries += 1) {
    let answer;
    try {
      answer = await fetch("/videos", {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": view.id },
        body: JSON.stringify(order),
      });
    } catch {
      setConnected(view, false);
      await later(Math.min(15, 2 + 2 * tries));
      continue;
    }
    const told = await answer.json().catch(() => ({}));
    if (answer.status >= 500 && !told.error) {
      // A proxy's words for a server that restarts, or is slow: whether the order has arrived is not known.
      setConnected(view, false);
      await later(Math.min(15, 2 + 2 * tries));
      continue;
    }
    setConnected(view, true);
    if (answer.ok) {
      remember(view.id, { sent: true });
      if (byId("prompt").value.trim() === order.prompt) byId("prompt").value = "";
      update(view, told);
      follow(view);
      return;
    }
    if (answer.status === 422 && told.error?.problems) {
      forget(view.id);
      showProblems(told.error.problems);
      return;
    }
    const wait = Number(answer.headers.get("Retry-After"));
    if (!wait) {
      const error = told.error ?? { message: "The application does not answer as it should.", charged: "no" };
      remember(view.id, { sent: true });
      update(view, { id: view.id, prompt: order.prompt, status: "refused", done: true, error });
      return;
    }
    await countDown(view, wait, told.error?.message);
  }
}

async function countDown(view, seconds, message) {
  for (let left = seconds; left > 0 && view === shown; left -= 1) {
    byId("headline").textContent = "Not in the queue yet";
    byId("time").textContent = `${sentence(message ?? "too much is waiting")} Trying again in ${left} s.`;
    await later(1);
  }
}

function forget(id) {
  videos = readStore().filter((each) => each.id !== id);
  writeStore();
  history.replaceState(null, "", location.pathname);
  open(null);
}

function showProblems(problems) {
  for (const name of FIELDS) {
    const mine = problems.filter((each) => each.path === name);
    byId(name).setAttribute("aria-invalid", String(mine.length > 0));
    show(byId(`${name}-problem`), mine.map((each) => sentence(each.message)).join(" "));
  }
  const others = problems.filter((each) => !FIELDS.includes(each.path));
  show(byId("other-problem"), others.map((each) => sentence(`${each.path}: ${each.message}`)).join(" "));
  const first = FIELDS.find((name) => problems.some((each) => each.path === name));
  if (first) byId(first).focus();
}

// Following

function open(id) {
  shown?.source?.close();
  clearInterval(shown?.clock);
  shown = null;
  byId("player").removeAttribute("src");
  byId("player").load();
  byId("video").hidden = id === null;
  showList();
  if (id === null) return;
  if (location.hash.slice(1) !== id) history.pushState(null, "", `#${id}`);
  const known = videos.find((each) => each.id === id);
  const prompt = known?.order?.prompt ?? "";
  const view = { id, state: null, at: 0, source: null, failures: 0, clock: null };
  shown = view;
  view.clock = setInterval(() => showTime(view), 1000);
  setConnected(view, true);
  update(view, { id, prompt, status: "new", done: false, position: null, elapsed: 0 }, false);
  if (known && known.sent === false) send(view);
  else follow(view);
}

// Listens until the end. A browser connects again by itself after a cut; it gives up where a proxy answers for a server
// that is being restarted, and then this does.
function follow(view) {
  const source = new EventSource(`/videos/${encodeURIComponent(view.id)}/events`);
  view.source = source;
  source.addEventListener("open", () => {
    view.failures = 0;
    setConnected(view, true);
  });
  source.addEventListener("status", (event) => {
    update(view, JSON.parse(event.data));
    if (view.state.done) source.close();
  });
  source.addEventListener("error", async () => {
    if (view !== shown) return;
    setConnected(view, false);
    if (source.readyState !== EventSource.CLOSED) return;
    view.failures += 1;
    await later(Math.min(15, view.failures));
    if (view !== shown || view.state.done) return;
    const answer = await fetch(`/videos/${encodeURIComponent(view.id)}`).catch(() => null);
    if (view !== shown) return;
    if (answer?.status === 404) {
      setConnected(view, true);
      const error = { message: "There is no such video, or it belongs to another browser.", charged: "no" };
      update(view, { ...view.state, done: true, status: "missing", error });
    } else follow(view);
  });
}

function setConnected(view, connected) {
  if (view === shown) byId("connection").hidden = connected;
}

// Showing

function update(view, state, keep = true) {
  if (view !== shown) return;
  view.state = state;
  view.at = performance.now();
  if (keep) {
    const outcome = state.done ? (state.error ? "failed" : "ready") : "going";
    const known = videos.find((each) => each.id === view.id);
    const order = known?.order ?? { prompt: state.prompt ?? "" };
    remember(view.id, { state: outcome, order });
  }
  const headline = headlineOf(state);
  // A screen reader says what changes, and not what is the same.
  if (byId("headline").textContent !== headline) byId("headline").textContent = headline;
  if (state.prompt) byId("words").textContent = state.prompt;
  else if (state.status === "new") byId("words").textContent = "";
  document.title = state.done && !state.error ? "Ready: Videos from words" : "Videos from words";
  byId("going").hidden = state.done;
  byId("cancel").hidden = state.position === null || state.position === undefined;
  byId("cancel").disabled = false;
  const failed = state.done && Boolean(state.error);
  byId("failure").hidden = !failed;
  if (failed) showFailure(state.error);
  const ready = state.done && !failed;
  byId("result").hidden = !ready;
  if (ready && byId("player").getAttribute("src") !== state.file) {
    byId("player").src = state.file;
    byId("player").setAttribute("aria-label", state.prompt ?? "The video");
    byId("save").href = `${state.file}?download=1`;
  }
  showTime(view);
}

function headlineOf(state) {
  if (state.done) {
    if (state.status === "withdrawn") return "Taken back";
    return state.error ? "There is no video" : "Ready";
  }
  switch (state.status) {
    case "new": return "One moment";
    case "queued": return state.position ? `In the queue, number ${state.position}` : "On its way to the service";
    case "waiting": return "Accepted, about to begin";
    case "generating": return "Being made";
    default: return `Under way (${state.status})`;
  }
}

function showTime(view) {
  const { state } = view;
  if (view !== shown || state.done || state.status === "new") return;
  const bar = byId("progress");
  const passed = state.elapsed + (performance.now() - view.at) / 1000;
  const waits = state.status === "queued";
  if (waits || !state.typical) {
    bar.removeAttribute("value");
    byId("time").textContent = `Waiting for ${span(passed)}` + (state.typical ? `; then it takes about ${span(state.typical)}` : "");
    return;
  }
  // Close to the end of the usual time it slows down and never arrives: nobody knows.
  const part = passed / state.typical;
  bar.value = part < 0.8 ? part : 1 - 0.2 * Math.exp(-(part - 0.8) / 0.2);
  const left = state.typical - passed;
  byId("time").textContent = left > 5 ? `About ${span(left)} left` : "Any moment now";
}

function showFailure(error) {
  byId("reason").textContent = sentence(error.message);
  const charged = { no: "Nothing was charged.", yes: "It is paid for.", maybe: "It may have been charged. Nothing is sent again by itself." };
  byId("charged").textContent = charged[error.charged] ?? "";
  byId("again").hidden = error.charged !== "no";
}

function showList() {
  byId("recent").hidden = videos.length === 0;
  byId("list").replaceChildren(...videos.map((each) => {
    const link = document.createElement("a");
    link.href = `#${each.id}`;
    if (shown?.id === each.id || location.hash.slice(1) === each.id) link.setAttribute("aria-current", "true");
    const prompt = document.createElement("span");
    prompt.className = "prompt";
    prompt.textContent = each.order?.prompt || each.id;
    const state = document.createElement("span");
    state.className = `state ${each.state ?? ""}`;
    state.textContent = { ready: "Ready", failed: "No video" }[each.state] ?? "Under way";
    link.append(prompt, state);
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
}

function show(place, text) {
  place.textContent = text;
  place.hidden = !text;
}

function sentence(text) {
  const trimmed = String(text).trim();
  const ended = /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return ended.charAt(0).toUpperCase() + ended.slice(1);
}

function span(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 90 ? `${whole} s` : `${Math.round(whole / 60)} min`;
}

// Buttons and addresses

byId("cancel").addEventListener("click", async () => {
  const view = shown;
  byId("cancel").disabled = true;
  const answer = await fetch(`/videos/${encodeURIComponent(view.id)}`, { method: "DELETE" }).catch(() => null);
  // Taken back: the stream says so. Too late: so it does. No answer: it can be tried again.
  if (!answer?.ok) byId("cancel").disabled = false;
});

byId("again").addEventListener("click", () => {
  const { order } = videos.find((each) => each.id === shown.id) ?? {};
  for (const name of FIELDS) {
    if (order?.[name] !== undefined) byId(name).value = order[name];
  }
  byId("prompt").focus();
});

const named = () => (/^#[\w-]{1,64}$/.test(location.hash) ? location.hash.slice(1) : null);
for (const moved of ["hashchange", "popstate"]) {
  addEventListener(moved, () => {
    if (named() !== (shown?.id ?? null)) open(named());
  });
}
addEventListener("storage", () => { videos = readStore(); showList(); });
open(named() ?? videos.find((each) => each.state !== "ready" && each.state !== "failed")?.id ?? null);
