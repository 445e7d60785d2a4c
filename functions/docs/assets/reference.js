// Shows the document of this registry, and sends nothing to anyone else.
"use strict";

// The viewer shows its dark colors on a class, and nobody sets it.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// The viewer makes a second <main> of its list, in the page's own.
const WithoutMain = ({ React }) => {
  const redone = (element) => {
    if (!React.isValidElement(element)) return element;
    const { children, ...properties } = element.props;
    const type = element.type === "main" ? "div" : element.type;
    const within = React.Children.map(children, redone) ?? [];
    return React.createElement(type, { ...properties, key: element.key }, ...within);
  };
  const layout = (Original) =>
    class extends Original {
      render() {
        return redone(super.render());
      }
    };
  return { wrapComponents: { BaseLayout: layout } };
};

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [WithoutMain],
  layout: "BaseLayout",
  // Its label has no words.
  onComplete: () => document.getElementById("servers")?.setAttribute("aria-label", "Server"),
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
