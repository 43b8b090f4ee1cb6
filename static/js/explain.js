// Explain this number: the popover of a name opens on press without script; here also on hover and on focus.
const OPEN_MS = 180;
const CLOSE_MS = 160;
const GAP = 6;
let shown = null; // { term, popover, pinned }
let timer = 0;

function popoverOf(term) {
  return document.getElementById(term.getAttribute("popovertarget") || term.dataset.explains);
}

function place(term, popover) {
  const at = term.getBoundingClientRect();
  const size = popover.getBoundingClientRect();
  const below = at.bottom + GAP + size.height <= innerHeight;
  popover.style.positionArea = "none";
  popover.style.margin = "0";
  popover.style.top = `${below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - size.height)}px`;
  popover.style.left = `${Math.max(12, Math.min(at.left - 2, innerWidth - size.width - 12))}px`;
}

function show(term, pinned) {
  const popover = popoverOf(term);
  if (!popover) return;
  hide();
  popover.showPopover();
  place(term, popover);
  term.setAttribute("aria-expanded", "true");
  shown = { term, popover, pinned };
}

function hide() {
  clearTimeout(timer);
  if (!shown) return;
  const { term, popover } = shown;
  shown = null;
  term.removeAttribute("aria-expanded");
  if (popover.isConnected && popover.matches(":popover-open")) popover.hidePopover();
}

function later(act, ms) {
  clearTimeout(timer);
  timer = setTimeout(act, ms);
}

const SELECTOR = ".term[popovertarget], [data-explains]";

document.addEventListener("pointerover", (event) => {
  if (event.pointerType !== "mouse") return;
  const term = event.target.closest(SELECTOR);
  if (term && shown?.term !== term) later(() => { if (term.matches(":hover")) show(term, false); }, OPEN_MS);
  else if (term || (shown && shown.popover.contains(event.target))) clearTimeout(timer);
  else if (shown && !shown.pinned) later(hide, CLOSE_MS);
  else if (!shown) clearTimeout(timer);
});

document.addEventListener("focusin", (event) => {
  const term = event.target.closest(SELECTOR);
  if (term?.matches(":focus-visible")) show(term, true);
  else if (shown?.term !== term && !shown?.popover.contains(event.target)) hide();
});
// The way from a name into what explains it leaves it open.
document.addEventListener("focusout", (event) => {
  if (shown?.term === event.target && !shown.popover.contains(event.relatedTarget)) hide();
});

// A press pins it, a second press closes it. The browser's own toggle would close what hover has just opened.
document.addEventListener("click", (event) => {
  const term = event.target.closest(".term[popovertarget]");
  if (!term) return;
  event.preventDefault();
  clearTimeout(timer);
  if (shown?.term === term && shown.pinned) hide();
  else if (shown?.term === term) shown.pinned = true;
  else show(term, true);
});

// Light dismissal and Escape are the browser's: only the state follows.
document.addEventListener("toggle", (event) => {
  if (event.newState === "closed" && shown?.popover === event.target) {
    shown.term.removeAttribute("aria-expanded");
    shown = null;
  }
}, true);

// Scrolling leads away from what the pointer had explained. What the keyboard reached is scrolled to by the very step
// that reached it, so it stays; and what is about to open has been hovered since.
function isInSight(term) {
  const at = term.getBoundingClientRect();
  return at.bottom > 0 && at.top < innerHeight && at.right > 0 && at.left < innerWidth;
}
addEventListener("scroll", () => {
  if (!shown) return;
  if (shown.term.matches(":focus-visible") && isInSight(shown.term)) place(shown.term, shown.popover);
  else hide();
}, { capture: true, passive: true });
addEventListener("resize", hide);
