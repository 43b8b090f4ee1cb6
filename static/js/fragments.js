// What htmx swaps in: the URL keeps the whole state, focus stays, readers are told, failures say so.
const announcer = document.getElementById("announcer");
let refocus = "";

function toast(level, text) {
  document.dispatchEvent(new CustomEvent("toast", { detail: { level, text } }));
}

// A link in one card was written before another card changed the URL. It owns some parameters
// (data-owns); all others are taken from the address as it is now.
document.body.addEventListener("htmx:configRequest", (event) => {
  const owner = event.detail.elt.closest("[data-owns]");
  if (!owner || event.detail.verb !== "get") return;
  const owned = owner.dataset.owns.split(" ");
  const wanted = new URL(event.detail.path, location.href);
  const state = new URLSearchParams(location.search);
  for (const key of owned) state.delete(key);
  const sent = [...wanted.searchParams, ...event.detail.formData.entries()];
  for (const [key, value] of sent) if (owned.includes(key)) state.append(key, value);
  for (const key of [...event.detail.formData.keys()]) event.detail.formData.delete(key);
  const query = state.toString();
  event.detail.path = wanted.pathname + (query ? `?${query}` : "");
});

// What live.js asks for by itself: it takes no focus, closes no menu and says nothing; live.js tells when it fails.
const isTick = (event) => event.detail.requestConfig?.triggeringEvent?.type === "tick";

document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (isTick(event)) return;
  event.detail.target?.setAttribute("aria-busy", "true");
  const menu = document.activeElement?.closest("details[data-menu]");
  refocus = menu?.querySelector("summary")?.id || "";
  // A form stays until its answer comes: what it holds may be refused.
  if (menu && !event.detail.elt.matches("form")) menu.open = false;
});

// A whole page instead of a fragment (signed out, or an unknown target) is opened as a page.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target, pathInfo } = event.detail;
  if (xhr.status >= 400) return;
  if (/^\s*<!doctype/i.test(xhr.response)) {
    event.detail.shouldSwap = false;
    location.assign(pathInfo.finalRequestPath || location.href);
  }
  target?.removeAttribute("aria-busy");
});

document.body.addEventListener("htmx:afterSettle", (event) => {
  const news = event.detail.elt.querySelector?.("[data-announce]");
  if (news && !isTick(event)) announcer.textContent = `${news.textContent} shown`;
  if (refocus) document.getElementById(refocus)?.focus({ preventScroll: true });
  refocus = "";
  revealCurrent();
});

// In a row that is wider than the screen, the current choice is brought into view; the page itself stays.
function revealCurrent() {
  for (const current of document.querySelectorAll(".segmented > [aria-current]")) {
    const row = current.parentElement;
    row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
  }
}
revealCurrent();

// What was wrong is said in the form that sent it.
function refuse(form, reason) {
  const place = document.getElementById(form.dataset.refusals);
  place.textContent = reason;
  place.hidden = false;
  const inputs = form.querySelectorAll(`[aria-describedby="${place.id}"]`);
  for (const input of inputs) input.setAttribute("aria-invalid", "true");
  inputs[0]?.focus();
}

const reasonIn = (page) => new DOMParser().parseFromString(page, "text/html").querySelector("[data-reason]")?.textContent;

function failed(event, text) {
  if (isTick(event)) return;
  event.detail.target?.removeAttribute("aria-busy");
  toast("error", text);
}
document.body.addEventListener("htmx:responseError", (event) => {
  const { status, response } = event.detail.xhr;
  const reason = status === 400 && reasonIn(response);
  const form = event.detail.elt.closest("form[data-refusals]");
  if (reason && form) {
    event.detail.target?.removeAttribute("aria-busy");
    refuse(form, reason);
    return;
  }
  failed(event, status === 403 || status === 404
    ? "You no longer have access to this. Reload the page."
    : reason || `The figures could not be loaded (error ${status}). What you see is unchanged; try again in a moment.`);
});
document.body.addEventListener("htmx:sendError", (event) => failed(event, "No connection. What you see is unchanged; try again when you are online."));
document.body.addEventListener("htmx:timeout", (event) => failed(event, "The answer took longer than 30 seconds. Try a shorter range."));
