// Shows the document of this registry, and sends nothing to anyone else.
"use strict";

// The viewer shows its dark colors on a class, and nobody sets it.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// The viewer's own layout has a second <main>, and says again what the page says.
const Layout = ({ React }) => {
  const make = React.createElement;
  const ReferenceLayout = ({ getComponent, specSelectors }) => {
    const part = (name) => make(getComponent(name, true));
    const view = (...parts) => make("div", { className: "swagger-ui" }, ...parts);
    if (specSelectors.loadingStatus() !== "success") return view(part("errors"));
    const source = specSelectors.info().get("description");
    const schemes = make("div", { className: "schemes" }, part("ServersContainer"), part("AuthorizeBtnContainer"));
    return view(
      make(getComponent("SvgAssets")),
      part("errors"),
      make("div", { className: "info" }, make(getComponent("Markdown", true), { source })),
      make("div", { className: "scheme-container" }, schemes),
      part("FilterContainer"),
      part("operations"),
      part("Models"),
    );
  };
  // A link within a button is two things to a screen reader. The address says what is open anyway.
  const DeepLink = ({ text }) => make("span", null, text);
  return { components: { ReferenceLayout, DeepLink } };
};

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [Layout],
  layout: "ReferenceLayout",
  // Its label has no words.
  onComplete: () => document.getElementById("servers")?.setAttribute("aria-label", "Server"),
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // The one of its themes whose colors all have the contrast.
  syntaxHighlight: { theme: "tomorrow-night" },
  // A token is forgotten when the page is left.
  persistAuthorization: false,
  // Else a picture of another host's judgment of the document would be loaded.
  validatorUrl: null,
});
