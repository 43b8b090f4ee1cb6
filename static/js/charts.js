// Draws each [data-chart] with Plotly in the theme's colours. Plotly is loaded after the first paint.
// In the JSON, a colour written as "--name" is the token of that name; `meta: {label: true}` names a line at its end.
const SOURCE = document.getElementById("charts-module").dataset.plotly;
const CONFIG = { displayModeBar: false, responsive: true, showTips: false, scrollZoom: false, doubleClick: false };
let loading;

function load() {
  loading ||= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = SOURCE;
    script.onload = () => resolve(window.Plotly);
    script.onerror = reject;
    document.head.append(script);
  });
  return loading;
}

// Tokens may be light-dark(…): only a real element knows what they come to.
function tokens() {
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  const read = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  return { read, done: () => probe.remove() };
}

// Markup in texts would become style attributes, which the policy forbids. In the unified label the day is the title already.
const plain = (text) => text.replace(/<\/?(?:b|strong|i|em|u|s|sub|sup|span|a)\b[^>]*>/g, "").replace(/^%\{x[^}]*\}<br>/, "");

function coloured(value, read) {
  if (typeof value === "string") return /^--[a-z0-9-]+$/.test(value) ? read(value) : plain(value);
  if (Array.isArray(value)) return value.map((item) => coloured(item, read));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, read)]));
  return value;
}

const merged = (base, over) => {
  const result = { ...base };
  for (const [key, value] of Object.entries(over || {})) {
    const both = value && typeof value === "object" && !Array.isArray(value) && result[key] && typeof result[key] === "object";
    result[key] = both ? merged(result[key], value) : value;
  }
  return result;
};

const DAY_MS = 86_400_000;
const WIDEST_BAR = 64;
const MANY_DAYS = 120;

// A day that is not over is hatched, or reached by a dotted line.
function barStyle(trace, read, today, width, unit) {
  const share = Math.min(0.72, (WIDEST_BAR * trace.x.length) / width);
  const pattern = { shape: trace.x.map((_, place) => (place === today ? "/" : "")), bgcolor: read("--card"), fgcolor: read("--accent"), size: 6, solidity: 0.3 };
  return { hoverinfo: "none", width: share * unit, marker: { color: read("--accent-bar"), cornerradius: 2, ...(today !== null && { pattern }) } };
}

function lineStyle(trace, read, today) {
  const previous = trace.meta?.previous;
  const ahead = trace.meta?.today;
  return {
    hoverinfo: "none",
    line: { color: read(previous ? "--line-strong" : "--accent"), width: previous ? 1.5 : 2, dash: previous || ahead ? "dot" : "solid", shape: "linear" },
    marker: ahead
      ? { color: read("--card"), size: trace.x.map((_, place) => (place === today ? 7 : 0)), opacity: 1, line: { color: read("--accent"), width: 1.5 } }
      : { color: read("--accent"), size: trace.x.length > MANY_DAYS ? 3 : 6 },
  };
}

function layoutStyle(read, narrow) {
  const axis = { showline: false, gridcolor: read("--line"), linecolor: read("--line-strong"), zerolinecolor: read("--line-strong"), ticks: "", ticklabelstandoff: 4,
    tickfont: { color: read("--muted"), size: 11.5 }, title: { font: { color: read("--muted"), size: 11.5 } }, fixedrange: true, automargin: true };
  const font = getComputedStyle(document.body).fontFamily;
  return {
    font: { family: font, size: 12.5, color: read("--ink") },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 8, r: 8, t: 8, b: 4, pad: 0 }, autosize: true, showlegend: false, dragmode: false, hovermode: "x", hoverdistance: -1,
    xaxis: { ...axis, showgrid: false, zeroline: false, nticks: narrow ? 4 : 8, showspikes: false, tickangle: 0 },
    yaxis: { ...axis, zeroline: true, rangemode: "tozero", nticks: 6 },
    yaxis2: { ...axis, showgrid: false, zeroline: false, rangemode: "tozero", overlaying: "y", side: "right", tickmode: "sync" },
  };
}

function endLabels(data) {
  return data.filter((trace) => trace.meta?.label && trace.x?.length).map((trace) => ({
    x: trace.x[trace.x.length - 1], y: trace.y[trace.y.length - 1], yref: trace.yaxis || "y", text: trace.name, showarrow: false,
    xanchor: "right", yanchor: "bottom", yshift: 4, font: { color: trace.line?.color, size: 11.5 },
  }));
}

// On a phone a name keeps its beginning and its end, which tells it from the others.
const shorter = (name) => (name.length > 18 ? `${name.slice(0, 8)}…${name.slice(-9)}` : name);

async function draw(element) {
  const source = document.getElementById(element.dataset.chart);
  if (!source) return;
  const { data, layout } = JSON.parse(source.textContent);
  let Plotly;
  try {
    Plotly = await load();
  } catch {
    element.classList.remove("chart-waiting");
    element.innerHTML = '<p class="chart-fail">The chart could not be loaded. The table below holds the same figures.</p>';
    return;
  }
  if (!element.isConnected) return;
  const { read, done } = tokens();
  const { today, labels } = layout.meta;
  const narrow = element.clientWidth < 520;
  const style = (trace) => (trace.type === "bar" ? barStyle(trace, read, today, element.clientWidth, layout.xaxis.type === "category" ? 1 : DAY_MS) : lineStyle(trace, read, today));
  const traces = data.map((trace) => merged(style(trace), coloured(trace, read)));
  const whole = merged(layoutStyle(read, narrow), coloured(layout, read));
  if (narrow && labels.length > 4 && whole.xaxis.dtick) whole.xaxis.dtick = 2 * DAY_MS;
  if (narrow && whole.yaxis.ticktext) whole.yaxis.ticktext = whole.yaxis.ticktext.map(shorter);
  if (!traces.some((trace) => trace.yaxis === "y2")) delete whole.yaxis2;
  whole.annotations = [...(whole.annotations || []), ...endLabels(traces)];
  done();
  element.querySelector("noscript")?.remove();
  await Plotly.react(element, traces, whole, CONFIG);
  element.classList.remove("chart-waiting");
  explainPoints(element);
}

// The day and its value in the page's own words, beside the point; Plotly's box has neither padding nor our formats.
function explainPoints(element) {
  if (element.querySelector(".chart-tip")) return;
  const tip = document.createElement("p");
  tip.className = "chart-tip";
  tip.hidden = true;
  element.append(tip);
  element.on("plotly_hover", ({ points }) => {
    const [point] = points;
    const { labels, words } = element.layout.meta;
    const label = labels[point.pointIndex];
    if (point.data.meta?.words) {
      tip.replaceChildren(label, ...linesAt(points));
    } else {
      const value = document.createElement("b");
      value.textContent = words[point.pointIndex];
      tip.replaceChildren(value, label);
    }
    tip.hidden = false;
    place(tip, element, point);
  });
  element.on("plotly_unhover", () => { tip.hidden = true; });
}

// Several lines, each with words of its own; the dotted way to an unfinished step says nothing twice.
function linesAt(points) {
  const inOrder = [...points].sort((one, other) => one.curveNumber - other.curveNumber);
  const told = new Map(inOrder.map(({ data, pointIndex }) => [data.name, data.meta.words[pointIndex]]));
  return [...told].map(([name, words]) => {
    const line = document.createElement("b");
    line.textContent = name ? `${words} ${name}` : words;
    return line;
  });
}

function place(tip, element, { xaxis, yaxis, x, y }) {
  const left = xaxis._offset + xaxis.d2p(x) - tip.offsetWidth / 2;
  const top = yaxis._offset + yaxis.d2p(y) - tip.offsetHeight - 10;
  tip.style.left = `${Math.max(0, Math.min(left, element.clientWidth - tip.offsetWidth))}px`;
  tip.style.top = `${Math.max(0, top)}px`;
}

const drawAll = (root = document) => root.querySelectorAll("[data-chart]").forEach(draw);

const PNG = { width: 1200, height: 500, head: 68, scale: 2 };

function picture(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = url;
  });
}

// Drawn here from Plotly's SVG: its own PNG goes through a blob: image, which the policy does not allow.
async function savePng(id) {
  const Plotly = await load();
  const element = document.getElementById(id);
  const { read, done } = tokens();
  const [ground, ink, muted] = ["--card", "--ink", "--muted"].map(read);
  done();
  const layout = { ...element.layout, paper_bgcolor: ground, margin: { ...element.layout.margin, l: 16, r: 16, b: 16 }, width: PNG.width, height: PNG.height, autosize: false };
  // The page says in words beside the chart which colour is what; a picture goes alone.
  if (element.data.some((trace) => trace.meta?.words && trace.name)) Object.assign(layout, { showlegend: true, legend: { orientation: "h", y: 1.08, font: { color: ink } } });
  const svg = await Plotly.toImage({ data: element.data, layout }, { format: "svg", width: PNG.width, height: PNG.height });
  const canvas = document.createElement("canvas");
  canvas.width = PNG.width * PNG.scale;
  canvas.height = (PNG.height + PNG.head) * PNG.scale;
  const pen = canvas.getContext("2d");
  pen.scale(PNG.scale, PNG.scale);
  pen.fillStyle = ground;
  pen.fillRect(0, 0, PNG.width, PNG.height + PNG.head);
  pen.drawImage(await picture(svg), 0, PNG.head, PNG.width, PNG.height);
  const { picture: title, note, file } = element.dataset;
  const family = getComputedStyle(document.body).fontFamily;
  pen.fillStyle = ink;
  pen.font = `620 18px ${family}`;
  pen.fillText(title, 16, 32);
  pen.fillStyle = muted;
  pen.font = `450 14px ${family}`;
  pen.fillText(note, 16, 54);
  const link = document.createElement("a");
  link.href = canvas.toDataURL("image/png");
  link.download = `${file}.png`;
  link.click();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-chart-png]");
  if (button) savePng(button.dataset.chartPng);
});
document.addEventListener("themechange", () => drawAll());
document.body.addEventListener("htmx:beforeCleanupElement", (event) => {
  if (event.target.matches?.("[data-chart]")) window.Plotly?.purge(event.target);
});
document.body.addEventListener("htmx:afterSettle", (event) => {
  const element = event.detail.elt;
  drawAll(element.id === "overview" ? element : element.parentElement || document);
});
// The first paint comes first: wait for load and one idle moment.
const idle = window.requestIdleCallback || ((act) => setTimeout(act, 60));
if (document.readyState === "complete") idle(() => drawAll());
else addEventListener("load", () => idle(() => drawAll()));
