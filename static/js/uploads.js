// Files on their way up: dropped or chosen, in pieces, paused and resumed. The protocol is tus; the page works without this.
const form = document.getElementById("drop");
const input = document.getElementById("drop-input");
const list = document.getElementById("transfers");
const template = document.getElementById("transfer-template");
const announcer = document.getElementById("announcer");
const most = Number(form?.dataset.most);
const PIECE = 2 * 1024 * 1024;
const AT_ONCE = 2;
const SPEED_OVER_MS = 5000;
const EDGE = 65536;
const waiting = [];
const transfers = new Set();

function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} byte${bytes === 1 ? "" : "s"}`;
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1e6).toFixed(1).replace(/\.0$/, "")} MB`;
}

function timeText(seconds) {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s left` : `${Math.round(seconds / 60)} min left`;
}

// The same file: name, size, time of change, and what stands at its beginning and end (cyrb53 by bryc, public domain).
async function fingerprint(file) {
  const ends = [file.slice(0, EDGE), file.slice(Math.max(EDGE, file.size - EDGE))];
  let one = 0xdeadbeef, two = 0x41c6ce57;
  for (const part of ends) {
    for (const byte of new Uint8Array(await part.arrayBuffer())) {
      one = Math.imul(one ^ byte, 2654435761);
      two = Math.imul(two ^ byte, 1597334677);
    }
  }
  const digest = `${(one >>> 0).toString(16)}${(two >>> 0).toString(16)}`;
  return [form.dataset.endpoint, file.name, file.size, file.lastModified, digest].join("|");
}

function refusal(file, isFolder) {
  if (isFolder) return "This is a folder. Drop the files that are in it.";
  if (file.size === 0) return "The file is empty; there is nothing to import.";
  if (file.size > most) return `The file has ${sizeText(file.size)}; at most ${form.dataset.mostText} are taken. Compress it with gzip, or send it in parts. Nothing was sent.`;
  return "";
}

class Transfer {
  constructor(file, isFolder = false) {
    this.file = file;
    this.row = template.content.firstElementChild.cloneNode(true);
    this.parts = Object.fromEntries([...this.row.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.bar = this.row.querySelector("progress");
    this.bar.setAttribute("aria-label", `Upload of ${file.name}`);
    this.parts.name.textContent = file.name;
    for (const name of ["pause", "resume", "cancel"]) {
      this.parts[name].setAttribute("aria-label", `${this.parts[name].getAttribute("aria-label")} ${file.name}`);
      this.parts[name].addEventListener("click", () => this[name]());
    }
    list.append(this.row);
    list.hidden = false;
    transfers.add(this);
    const why = refusal(file, isFolder);
    if (why) this.fail(why, false);
    else this.wait();
  }

  get isRunning() { return this.state === "running"; }

  show(state, text, { mayResume = false, mayPause = false } = {}) {
    this.state = state;
    this.row.dataset.state = state;
    this.parts.state.textContent = text;
    const hadFocus = this.row.contains(document.activeElement) && document.activeElement;
    this.parts.pause.hidden = !mayPause;
    this.parts.resume.hidden = !mayResume;
    // A button that goes while it has the focus hands it to its counterpart.
    if (hadFocus && hadFocus.hidden) [this.parts.resume, this.parts.pause, this.parts.open, this.parts.cancel].find((one) => !one.hidden)?.focus();
  }

  wait() {
    this.show("waiting", "Waits for its turn");
    waiting.push(this);
    next();
  }

  async start() {
    this.show("running", "Starting", { mayPause: true });
    try {
      this.upload ??= await this.prepare();
      if (this.isRunning) this.upload.start();
    } catch {
      this.fail("The file cannot be read: it was moved, changed or is locked. Choose it again.", false);
    }
  }

  async prepare() {
    const mark = await fingerprint(this.file);
    const upload = new tus.Upload(this.file, {
      endpoint: form.dataset.endpoint,
      chunkSize: PIECE,
      retryDelays: [0, 1000, 3000, 5000, 10000, 20000],
      removeFingerprintOnSuccess: true,
      metadata: { filename: this.file.name },
      headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      fingerprint: async () => mark,
      onShouldRetry: (error) => [0, 409, 423].includes(error.originalResponse?.getStatus() ?? 0) || error.originalResponse?.getStatus() >= 500,
      onProgress: (sent, total) => this.progress(sent, total),
      onSuccess: () => this.done(),
      onError: (error) => this.stumble(error),
    });
    const earlier = await upload.findPreviousUploads();
    if (earlier.length) upload.resumeFromPreviousUpload(earlier.at(-1));
    return upload;
  }

  progress(sent, total) {
    if (!this.isRunning) return;
    const now = performance.now();
    this.samples = [...(this.samples ?? []).filter(([at]) => now - at < SPEED_OVER_MS), [now, sent]];
    const [since, before] = this.samples[0];
    const speed = now > since ? ((sent - before) * 1000) / (now - since) : 0;
    this.bar.value = sent / total;
    const pace = speed > 0 ? ` · ${sizeText(Math.round(speed))}/s · ${timeText((total - sent) / speed)}` : "";
    this.parts.state.textContent = `${sizeText(sent)} of ${sizeText(total)}${pace}`;
  }

  async pause() {
    this.samples = [];
    this.show("paused", `Paused at ${Math.round(this.bar.value * 100)} %`, { mayResume: true });
    await this.upload?.abort();
    next();
  }

  resume() {
    this.samples = [];
    this.start();
  }

  async cancel() {
    const url = this.upload?.url;
    const wasOpen = this.state !== "done" && url;
    this.state = "gone";
    transfers.delete(this);
    const place = waiting.indexOf(this);
    if (place >= 0) waiting.splice(place, 1);
    this.row.remove();
    list.hidden = transfers.size === 0;
    input.focus();
    announcer.textContent = wasOpen ? `Upload of ${this.file.name} cancelled` : `${this.file.name} taken off the list`;
    if (wasOpen) {
      try { await this.upload.abort(true); } catch { /* What is left on the server is removed within a day. */ }
      document.body.dispatchEvent(new CustomEvent("uploaded"));
    }
    next();
  }

  done() {
    const page = this.upload.url.replace(/bytes\/$/, "");
    this.bar.value = 1;
    this.parts.open.href = page;
    this.parts.open.hidden = false;
    this.show("done", `${sizeText(this.file.size)} uploaded`);
    this.parts.cancel.hidden = true;
    announcer.textContent = `${this.file.name} is uploaded`;
    document.body.dispatchEvent(new CustomEvent("uploaded"));
    // One file on the desk: what it holds is what comes next.
    if (transfers.size === 1) location.assign(page);
    next();
  }

  stumble(error) {
    const answer = error.originalResponse;
    const status = answer?.getStatus() ?? 0;
    if (status === 0) this.fail("The connection is lost. It goes on by itself once you are online.", true, "offline");
    else if (answer.getHeader("Content-Type")?.startsWith("text/plain")) this.fail(answer.getBody() || `The upload was refused (error ${status}).`, status >= 500);
    else if (status < 500) this.fail("You are signed out, or no longer have access. Sign in and choose the file again; it goes on where it stopped.", false);
    else this.fail(`The upload does not get through (error ${status}). Try again in a moment.`, true);
  }

  fail(why, mayResume, state = "failed") {
    this.show(state, why, { mayResume });
    announcer.textContent = `${this.file.name}: ${why}`;
    next();
  }
}

function next() {
  const running = [...transfers].filter((one) => one.isRunning).length;
  for (const one of waiting.splice(0, Math.max(0, AT_ONCE - running))) one.start();
}

function dropped(event) {
  const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  for (const item of items) {
    const isFolder = item.webkitGetAsEntry?.()?.isDirectory ?? false;
    const file = item.getAsFile();
    if (file) new Transfer(file, isFolder);
  }
}

if (form && window.tus) {
  // Anywhere on the page, so that a file which misses the zone does not replace the page.
  let depth = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => { if (hasFiles(event)) { depth += 1; form.dataset.over = ""; } });
  addEventListener("dragleave", (event) => { if (hasFiles(event) && (depth -= 1) <= 0) delete form.dataset.over; });
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    delete form.dataset.over;
    dropped(event);
  });
  input.addEventListener("change", () => {
    for (const file of input.files) new Transfer(file);
    input.value = "";
  });
  addEventListener("online", () => { for (const one of transfers) if (one.state === "offline") one.resume(); });
}
