// Fragments that follow what happens: each [data-live] asks again after so many seconds ("tick" is its htmx trigger), while
// the page is seen, nobody pauses it, and nobody reads or points at what would change under their hands.
const BEAT_MS = 1000;
const LONGEST_WAIT = 60;
const state = document.getElementById("live-state");
const words = state?.querySelector("[data-live-words]");
const pause = document.querySelector("[data-live-pause]");
const due = new Map();
let paused = false;
let failures = 0;

const time = () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const isHeld = (part) => part.matches(":hover") || part.contains(document.activeElement) || Boolean(part.querySelector("details[open]"));

function tell(text, kind) {
  if (!words || words.textContent === text) return;
  words.textContent = text;
  state.dataset.kind = kind;
}

function beat() {
  if (paused || document.visibilityState !== "visible") return;
  let held = false;
  for (const part of document.querySelectorAll("[data-live]")) {
    const every = Math.min(Number(part.dataset.live) * 2 ** failures, LONGEST_WAIT);
    const key = part.id;
    const left = Math.min(due.get(key) ?? every, every) - 1;
    due.set(key, left);
    if (left > 0) continue;
    if (isHeld(part)) { held = true; continue; }
    due.set(key, every);
    part.dispatchEvent(new Event("tick"));
  }
  if (!failures) tell(held ? "Held while you read" : "Live", held ? "held" : "live");
}

pause?.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Go on" : "Pause";
  tell(paused ? `Paused at ${time()}` : "Live", paused ? "held" : "live");
  if (!paused) due.clear();
});

const isLive = (event) => event.detail.elt.matches?.("[data-live]") && event.detail.requestConfig?.triggeringEvent?.type === "tick";
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (!isLive(event)) return;
  if (event.detail.successful) {
    failures = 0;
  } else {
    if (!failures) tell(`Not updated since ${time()}`, "failed");
    failures = Math.min(failures + 1, 4);
  }
});

setInterval(beat, BEAT_MS);
