// What a person would find: what is visible, by the name that is read or announced.
// Arguments: a kind of element, a name, and an element to look in (or null).
const [kind, name, within] = arguments;

const SELECTORS = {
  button: "button, input[type=submit], summary, [role=button]",
  link: "a[href]",
  action: "button, input[type=submit], summary, [role=button], a[href]",
  field: "input, select, textarea",
  heading: "h1, h2, h3, h4",
  row: "tr",
  dialog: "dialog, [role=dialog], [role=alertdialog]",
};

const plain = (text) => (text ?? "").replace(/\s+/g, " ").trim();

const texts = (element) => [element.innerText, element.textContent].map(plain);

const names = (element) => {
  const labelled = element.getAttribute("aria-labelledby");
  const parts = labelled?.split(/\s+/).map((id) => document.getElementById(id)?.textContent);
  const announced = [parts?.join(" "), element.getAttribute("aria-label")].map(plain);
  const labels = [...(element.labels ?? [])].flatMap(texts);
  const own = element.matches("input[type=submit]") ? [plain(element.value)] : texts(element);
  return [...announced, ...(kind === "field" ? labels : own)].filter((text) => text !== "");
};

// A field for files may be hidden behind a label that is prettier.
const isThere = (element) =>
  element.checkVisibility({ visibilityProperty: true }) || element.matches("input[type=file]");

const isAnnounced = (element) => !element.closest("[aria-hidden=true]");

const found = [...(within ?? document).querySelectorAll(SELECTORS[kind])];
const all = found.filter((element) => isThere(element) && isAnnounced(element));
const called = (matches) => all.filter((element) => names(element).some(matches));
const exactly = called((text) => text === name);
return exactly.length > 0 ? exactly : called((text) => text.includes(name));
