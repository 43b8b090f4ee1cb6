// The grid of hours by keyboard: one stop for the Tab key, arrows within it. Without script each cell is a stop.
const grid = () => document.querySelector("[data-hours]");
const cells = () => [...grid().querySelectorAll("button.hour")];

function settle(current) {
  for (const cell of cells()) cell.tabIndex = cell === current ? 0 : -1;
}

// The cell that stands in the wanted direction nearest on the screen: rows are days, or columns on a phone.
function neighbour(from, x, y) {
  const at = from.getBoundingClientRect();
  let best = null;
  let least = Infinity;
  for (const cell of cells()) {
    const to = cell.getBoundingClientRect();
    const right = (to.left + to.width / 2 - at.left - at.width / 2) * (x || 0);
    const down = (to.top + to.height / 2 - at.top - at.height / 2) * (y || 0);
    const along = x ? right : down;
    const aside = Math.abs(x ? to.top + to.height / 2 - at.top - at.height / 2 : to.left + to.width / 2 - at.left - at.width / 2);
    if (along <= 1 || aside > Math.max(at.width, at.height) / 2) continue;
    if (along + aside < least) [best, least] = [cell, along + aside];
  }
  return best;
}

const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.("[data-hours] .hour");
  if (!cell) return;
  const all = cells();
  const wanted = event.key === "Home" ? all[0] : event.key === "End" ? all.at(-1) : STEPS[event.key] && neighbour(cell, ...STEPS[event.key]);
  if (!wanted) return;
  event.preventDefault();
  settle(wanted);
  wanted.focus();
});

document.addEventListener("focusin", (event) => {
  const cell = event.target.closest?.("[data-hours] .hour");
  if (cell) settle(cell);
});

function begin() {
  if (grid()) settle(cells().findLast((cell) => !cell.matches(".hour-expected")) || cells()[0]);
}
begin();
document.body.addEventListener("htmx:afterSettle", begin);
