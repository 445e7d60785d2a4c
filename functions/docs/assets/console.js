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

watch(document.body);
