// The frame: menus that close, the organisation filter, toasts, copying. Pages are whole without it.
const TOAST_MS = 8000;
const ICONS = { success: "circle-check", error: "alert-circle", warning: "alert-triangle" };

// Menus: one open at a time, closed by Escape or by a press elsewhere.
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) if (menu !== except) menu.open = false;
}

document.addEventListener("click", (event) => {
  const menu = event.target.closest("details[data-menu]");
  // The scrim behind a sheet is drawn by the summary, so a press on it toggles the sheet closed by itself.
  closeMenus(menu);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.preventDefault();
});

document.addEventListener("focusout", (event) => {
  const menu = event.target.closest?.("details[data-menu][open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

// Filter of a list by what is typed
document.addEventListener("input", (event) => {
  const list = event.target.dataset?.filter && document.getElementById(event.target.dataset.filter);
  if (!list) return;
  const wanted = event.target.value.trim().toLocaleLowerCase();
  let shown = 0;
  for (const item of list.children) {
    item.hidden = !item.textContent.toLocaleLowerCase().includes(wanted);
    shown += item.hidden ? 0 : 1;
  }
  const empty = document.querySelector(`[data-filter-empty="${list.id}"]`);
  if (empty) empty.hidden = shown > 0;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.dataset?.filter) return;
  const list = document.getElementById(event.target.dataset.filter);
  list?.querySelector("li:not([hidden]) a")?.click();
  event.preventDefault();
});

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details[data-menu][open]")) event.target.querySelector("[data-filter]")?.focus();
}, true);

// Toasts: errors stay until closed, the others leave after a while unless read with pointer or focus.
function keepOrLeave(toast) {
  if (toast.dataset.toast === "error" || toast.dataset.toast === "warning") return;
  let timer = setTimeout(() => toast.remove(), TOAST_MS);
  const hold = () => clearTimeout(timer);
  const release = () => { clearTimeout(timer); timer = setTimeout(() => toast.remove(), TOAST_MS / 2); };
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("pointerleave", release);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", release);
}

function showToast({ level = "info", text = "" }) {
  const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  toast.classList.replace("toast-info", `toast-${level}`);
  toast.dataset.toast = level;
  toast.querySelector("p").textContent = text;
  const use = toast.querySelector("use");
  if (ICONS[level]) use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${ICONS[level]}`));
  document.getElementById("toasts").append(toast);
  keepOrLeave(toast);
}

document.querySelectorAll("[data-toast]").forEach(keepOrLeave);
document.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest("[data-toast]")?.remove());
// htmx fires an event of this name for the response header `HX-Trigger: {"toast": {level, text}}`; modules dispatch it themselves.
document.addEventListener("toast", (event) => showToast(event.detail));

// Copying
async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    showToast({ level: "success", text: said });
  } catch {
    showToast({ level: "warning", text: "The browser did not allow copying. Select the text and copy it yourself." });
  }
}

document.addEventListener("click", (event) => {
  const source = event.target.closest("[data-copy]");
  if (source) copy(document.getElementById(source.dataset.copy).textContent.trim(), "Copied");
  if (event.target.closest("[data-copy-link]")) copy(location.href, "Link to this view copied");
});
