// A map: what is pointed at is named, a press leads on, and PNG saves it. The table below it has all of this without script.
const tip = document.createElement("p");
tip.className = "chart-tip map-tip";
tip.hidden = true;

function tell(place, x, y) {
  const { name, words } = place.dataset;
  const value = document.createElement("b");
  value.textContent = words || name;
  tip.replaceChildren(value, words ? name : "");
  const box = place.closest(".map");
  if (tip.parentElement !== box) box.append(tip);
  tip.hidden = false;
  const { left, top } = box.getBoundingClientRect();
  tip.style.left = `${Math.max(0, Math.min(x - left - tip.offsetWidth / 2, box.clientWidth - tip.offsetWidth))}px`;
  tip.style.top = `${Math.max(0, y - top - tip.offsetHeight - 12)}px`;
}

document.addEventListener("pointermove", (event) => {
  const place = event.target.closest?.(".map [data-name]");
  if (place) tell(place, event.clientX, event.clientY);
  else tip.hidden = true;
});
document.addEventListener("click", (event) => {
  const place = event.target.closest(".map [data-url]");
  if (place) location.assign(place.dataset.url);
});

const PNG = { width: 1200, head: 68, legend: 44, scale: 2 };
const STYLES = ["fill", "stroke", "stroke-width", "fill-opacity", "vector-effect"];

// Colours come from the stylesheet, which a picture by itself has not: each shape takes its own along.
function standalone(svg, height) {
  const copy = svg.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", PNG.width);
  copy.setAttribute("height", height);
  const originals = svg.querySelectorAll("path, circle");
  copy.querySelectorAll("path, circle").forEach((shape, place) => {
    const style = getComputedStyle(originals[place]);
    for (const name of STYLES) shape.setAttribute(name, style.getPropertyValue(name));
  });
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
}

async function savePng(svg) {
  const { width, height } = svg.viewBox.baseVal;
  const tall = Math.round((PNG.width * height) / width);
  const image = new Image();
  image.src = standalone(svg, tall);
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = PNG.width * PNG.scale;
  canvas.height = (tall + PNG.head + PNG.legend) * PNG.scale;
  const pen = canvas.getContext("2d");
  pen.scale(PNG.scale, PNG.scale);
  const style = getComputedStyle(document.body);
  const card = getComputedStyle(svg.closest(".card"));
  pen.fillStyle = card.backgroundColor;
  pen.fillRect(0, 0, PNG.width, tall + PNG.head + PNG.legend);
  pen.drawImage(image, 0, PNG.head, PNG.width, tall);
  pen.fillStyle = style.color;
  pen.font = `620 18px ${style.fontFamily}`;
  pen.fillText(svg.dataset.picture, 16, 32);
  pen.font = `450 14px ${style.fontFamily}`;
  pen.fillText(svg.dataset.note, 16, 54);
  drawLegend(pen, svg, tall + PNG.head + 16, style.color);
  const link = document.createElement("a");
  link.href = canvas.toDataURL("image/png");
  link.download = `${svg.dataset.file}.png`;
  link.click();
}

function drawLegend(pen, svg, top, ink) {
  let left = 16;
  for (const item of svg.closest(".map").querySelectorAll(".map-legend li")) {
    const swatch = item.querySelector("rect");
    if (!swatch) continue;
    pen.fillStyle = getComputedStyle(swatch).fill;
    pen.fillRect(left, top - 1, 14, 14);
    pen.fillStyle = ink;
    pen.fillText(item.textContent.trim(), left + 20, top + 11);
    left += 40 + pen.measureText(item.textContent.trim()).width;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-map-png]");
  if (button) savePng(document.getElementById(button.dataset.mapPng));
});
