// What the console does in the browser. Everything else is rendered by the server.
"use strict";

/** Fetches a part of a page again and again for as long as it asks to be. */
function refresh(part) {
  const wait = Number(part.dataset.every || 1000);
  setTimeout(async () => {
    if (!part.isConnected) return;
    try {
      const reply = await fetch(part.dataset.refresh, { headers: { accept: "text/html" } });
      if (!reply.ok) throw new Error(reply.status);
      replace(part, await reply.text());
    } catch {
      // The network may come back.
      part.dataset.every = String(Math.min(wait * 2, 30000));
      refresh(part);
    }
  }, wait);
}

/** Puts a fragment of the server's in the place of an element. */
function replace(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.firstElementChild;
  element.replaceWith(template.content);
  if (fresh) watch(fresh);
  return fresh;
}

function watch(root) {
  if (root.matches?.("[data-refresh]")) refresh(root);
  for (const part of root.querySelectorAll("[data-refresh]")) refresh(part);
}

// The back button shows pages as they were, also to whoever comes after a sign-out: browsers keep
// them in memory in spite of `no-store`.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
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
    if (event.dataTransfer.files.length) {
      file.files = event.dataTransfer.files;
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
    const source = form.elements.source;
    source.disabled = Boolean(chosen.dataset.source);
    source.value = chosen.dataset.source || (source.disabled ? "" : source.value);
    for (const group of form.elements.group.options) {
      const fits = !group.dataset.dataset || group.dataset.dataset === chosen.value;
      group.hidden = group.disabled = !fits;
      if (!fits && group.selected) form.elements.group.value = "";
    }
  }

  /** Shows what the file's columns would become. */
  async function look() {
    const chosen = file.files[0];
    preview.replaceChildren();
    result.replaceChildren();
    if (!chosen) return;
    const turn = ++shown;
    const zip = new Uint8Array(await chosen.slice(0, 2).arrayBuffer());
    const isWorkbook = zip[0] === 0x50 && zip[1] === 0x4b;
    // A workbook can only be read whole; a larger one shows its columns in the dry run.
    if (isWorkbook && chosen.size > WHOLE) return;
    const isCut = !isWorkbook && chosen.size > HEAD;
    const query = new URLSearchParams({ dataset: form.elements.dataset.value, filename: chosen.name });
    if (isCut) query.set("cut", "");
    preview.textContent = told("looking");
    let html;
    try {
      const reply = await fetch(`${told("preview")}?${query}`, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: isCut ? chosen.slice(0, HEAD) : chosen,
      });
      html = await content(reply);
    } catch {
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
      const reply = await fetch(`${page}/status?alone`);
      result.innerHTML = "";
      const part = document.createElement("section");
      result.append(part);
      replace(part, await content(reply));
    } catch (error) {
      fail(error.shown || told("failed"));
    } finally {
      for (const button of buttons) button.disabled = false;
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
    if (reply.redirected || !(reply.headers.get("content-type") || "").includes("json")) {
      location.reload();
      throw new Error("signed out");
    }
    const answer = await reply.json();
    if (!reply.ok) throw Object.assign(new Error("refused"), { shown: answer.message });
    await put(answer.url, answer.headers, chosen);
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

/** A fragment of the server's; a whole page means that it wants something else, to sign in for one. */
async function content(reply) {
  const html = await reply.text();
  if (/^\s*<!doctype/i.test(html)) {
    if (reply.status === 401) location.reload();
    const page = new DOMParser().parseFromString(html, "text/html");
    return page.querySelector("main").innerHTML;
  }
  return html;
}
