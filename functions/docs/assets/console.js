// What the console does in the browser. Everything else is rendered by the server.
"use strict";

/** How often a part of a page is fetched anew: at first, and after a while, in milliseconds. */
const SOON = 1000;
const LATE = 5000;

/** Fetches a part of a page again and again for as long as it asks to be. */
function refresh(part, wait = SOON) {
  setTimeout(async () => {
    if (!part.isConnected) return;
    // Nobody looks; each time costs a request.
    if (document.hidden) return refresh(part, LATE);
    const later = Math.min(wait * 1.2, LATE);
    try {
      const reply = await fetch(part.dataset.refresh, { headers: { accept: "text/html" } });
      // Signed out meanwhile: the page says so itself.
      if (reply.status === 401) return location.reload();
      if (reply.ok) return replace(part, await fragment(reply), later);
      if (reply.status < 500 && reply.status !== 429) return;
    } catch {
      // The network may come back.
    }
    refresh(part, later);
  }, wait);
}

/** Puts a fragment of the server's in the place of an element, and keeps what a person is at. */
function replace(element, html, wait) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.firstElementChild;
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  // A screen reader speaks what changes in a status, not a status that is new.
  const status = element.querySelector("[role=status]");
  const next = fresh?.querySelector("[role=status]");
  if (status && next) {
    if (status.textContent !== next.textContent) status.replaceChildren(...next.childNodes);
    next.replaceWith(status);
  }
  element.replaceWith(template.content);
  if (focused) document.getElementById(focused)?.focus();
  if (fresh) watch(fresh, wait);
  return fresh;
}

function watch(root, wait) {
  if (root.matches?.("[data-refresh]")) refresh(root, wait);
  for (const part of root.querySelectorAll("[data-refresh]")) refresh(part, wait);
}

/** A reply's fragment of HTML; an error if it is anything else. */
async function fragment(reply) {
  const html = await reply.text();
  const isPage = /^\s*<!doctype/i.test(html);
  if (isPage || !(reply.headers.get("content-type") || "").startsWith("text/html")) {
    throw new Error("no fragment");
  }
  return html;
}

// The back button shows pages as they were, also to whoever comes after a sign-out: browsers keep
// them in memory in spite of `no-store`. Going there anew asks the server, without sending a form.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.replace(location.href);
});

watch(document.body);

// ---- importing a file ----

/** How much of a file is sent for a preview: what a function can be handed, and text's beginning. */
const WHOLE = 4 * 1024 * 1024;
const HEAD = 512 * 1024;

const form = document.getElementById("import");
if (form) {
  const file = form.elements.file;
  const drop = document.getElementById("drop");
  const preview = document.getElementById("preview");
  const result = document.getElementById("result");
  // Its field of that name hides the form's own `dataset`.
  const told = (name) => form.getAttribute(`data-${name}`);
  let shown = 0;
  // What somebody has typed, while a dataset has a source of its own.
  let source = "";

  file.addEventListener("change", look);
  form.elements.dataset.addEventListener("change", () => {
    adapt();
    look();
  });
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) {
    drop.addEventListener(kind, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    const dropped = event.dataTransfer.files;
    if (dropped.length > 1) return fail(told("several"));
    if (dropped.length) {
      file.files = dropped;
      look();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.submitter?.value || "dry_run");
  });
  adapt();

  /** Offers what goes with the dataset: its groups, and no source where it has only one. */
  function adapt() {
    const chosen = form.elements.dataset.selectedOptions[0];
    const field = form.elements.source;
    if (!field.disabled) source = field.value;
    field.disabled = Boolean(chosen.dataset.source);
    field.value = chosen.dataset.source || source;
    // Where there are too many groups to choose from, theirs is a field for text.
    for (const group of form.elements.group.options ?? []) {
      const fits = !group.dataset.dataset || group.dataset.dataset === chosen.value;
      group.hidden = group.disabled = !fits;
      if (!fits && group.selected) form.elements.group.value = "";
    }
  }

  /** Lets go of a file that cannot be imported, and says so. */
  function refuse(message) {
    file.value = "";
    fail(message);
  }

  /** Shows what the file's columns would become. */
  async function look() {
    const chosen = file.files[0];
    const turn = ++shown;
    preview.replaceChildren();
    result.replaceChildren();
    if (!chosen) return;
    let zip;
    try {
      zip = new Uint8Array(await chosen.slice(0, 2).arrayBuffer());
    } catch {
      // A folder, or a file that is gone.
      if (turn === shown) refuse(told("unreadable"));
      return;
    }
    if (turn !== shown) return;
    const isWorkbook = zip[0] === 0x50 && zip[1] === 0x4b;
    // A workbook can only be read whole; a larger one shows its columns in the dry run.
    if (isWorkbook && chosen.size > WHOLE) return;
    const isCut = !isWorkbook && chosen.size > HEAD;
    const query = new URLSearchParams({ dataset: form.elements.dataset.value });
    if (isCut) query.set("cut", "");
    preview.textContent = told("looking");
    let html;
    try {
      const reply = await fetch(`${told("preview")}?${query}`, {
        method: "POST",
        headers: {
          accept: "text/html",
          "content-type": "application/octet-stream",
          "x-filename": encodeURIComponent(chosen.name),
        },
        body: isCut ? chosen.slice(0, HEAD) : chosen,
      });
      if (reply.status === 401) return location.reload();
      html = await fragment(reply);
    } catch {
      // It can be imported all the same.
      html = "";
    }
    if (turn === shown) preview.innerHTML = html;
  }

  /** Sends the file to the bucket and follows its job. */
  async function send(mode) {
    const buttons = form.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    result.replaceChildren(document.getElementById("sending").content.cloneNode(true));
    result.focus();
    try {
      const page = await upload(mode === "write" && form.elements.all.checked ? "all_or_nothing" : mode);
      await follow(page);
    } catch (error) {
      fail(error.shown || told("failed"));
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  /** Shows a job as it goes on; on its own page if not here. */
  async function follow(page) {
    try {
      const reply = await fetch(`${page}/status?alone`, { headers: { accept: "text/html" } });
      const part = document.createElement("section");
      const html = await fragment(reply);
      result.replaceChildren(part);
      replace(part, html);
    } catch {
      location.assign(page);
    }
  }

  /** Asks where the file is to be put, puts it there, and returns its job's page. */
  async function upload(mode) {
    const chosen = file.files[0];
    const fields = new URLSearchParams({
      dataset: form.elements.dataset.value,
      source: form.elements.source.disabled ? "" : form.elements.source.value,
      group: form.elements.group.value,
      filename: chosen.name,
      mode,
    });
    const reply = await fetch(told("upload"), { method: "POST", body: fields });
    if (reply.status === 401 || reply.redirected) {
      location.reload();
      throw new Error("signed out");
    }
    if (!(reply.headers.get("content-type") || "").includes("json")) throw new Error("no answer");
    const answer = await reply.json();
    if (!reply.ok) throw Object.assign(new Error("refused"), { shown: answer.message });
    try {
      await put(answer.url, answer.headers, chosen);
    } catch (error) {
      // Nobody would send the file that the job waits for.
      fetch(`${answer.page}/cancel`, { method: "POST", redirect: "manual" }).catch(() => {});
      throw error;
    }
    return answer.page;
  }

  /** Puts the file. Only XMLHttpRequest tells how much has been sent. */
  function put(url, headers, content) {
    const bar = result.querySelector("progress");
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("PUT", url);
      for (const [name, value] of Object.entries(headers)) {
        if (name.toLowerCase() !== "host") request.setRequestHeader(name, value);
      }
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
      });
      request.addEventListener("load", () => (request.status < 300 ? resolve() : reject(new Error(request.status))));
      request.addEventListener("error", () => reject(new Error("not sent")));
      request.send(content);
    });
  }

  function fail(message) {
    const notice = document.createElement("div");
    notice.className = "notice bad";
    notice.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = message;
    notice.append(text);
    result.replaceChildren(notice);
  }
}
