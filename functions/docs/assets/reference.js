// Shows the document of this registry, and sends nothing to anyone else.
"use strict";

// The viewer shows its dark colors on a class, and nobody sets it.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // A token is forgotten when the page is left.
  persistAuthorization: false,
  // Else a picture of another host's judgment of the document would be loaded.
  validatorUrl: null,
});
