"use strict";

// Draws the reference from /openapi.json. Everything is set as text: nothing in the document is trusted as markup.

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

// Sentences in the document may hold `code`.
const prose = (text) => {
  const span = make("span");
  text.split(/(`[^`]+`)/).forEach((part) =>
    span.append(part.startsWith("`") && part.length > 2 ? make("code", {}, part.slice(1, -1)) : part));
  return span;
};

const resolve = (api, schema) => {
  let found = schema ?? {};
  while (found.$ref) found = found.$ref.slice(2).split("/").reduce((at, key) => at[key], api);
  return found;
};

const typeOf = (api, schema) => {
  const named = schema?.$ref?.split("/").pop();
  const found = resolve(api, schema);
  const options = found.anyOf ?? found.oneOf;
  if (options) return options.map((option) => typeOf(api, option)).join(" | ");
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (found.const !== undefined) return JSON.stringify(found.const);
  if (found.type === "array") return `${typeOf(api, found.items)}[]`;
  if (named) return named;
  return found.format ? `${found.type}, ${found.format}` : found.type ?? "any";
};

const example = (api, schema, depth = 0) => {
  const found = resolve(api, schema);
  if (depth > 6) return null;
  if (found.examples?.length) return found.examples[0];
  if (found.default !== undefined) return found.default;
  const options = found.anyOf ?? found.oneOf;
  if (options) return example(api, options[0], depth + 1);
  if (found.enum) return found.enum[0];
  if (found.const !== undefined) return found.const;
  if (found.type === "array") return [example(api, found.items, depth + 1)];
  if (found.type === "object" || found.properties) {
    return Object.fromEntries(Object.entries(found.properties ?? {})
      .map(([name, value]) => [name, example(api, value, depth + 1)]));
  }
  if (found.format === "date-time") return "2026-12-01T09:00:00Z";
  return { string: "…", integer: 1, number: 1.5, boolean: true }[found.type] ?? null;
};

const table = (heads, rows) => make("table", {},
  make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
  make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))))));

const fieldName = (name, required) => {
  const cell = make("span", {}, make("code", {}, name));
  if (required) cell.append(make("span", { class: "required" }, "required"));
  return cell;
};

const fields = (api, schema) => {
  const found = resolve(api, schema);
  const rows = Object.entries(found.properties ?? {}).map(([name, value]) => [
    fieldName(name, found.required?.includes(name)), make("code", {}, typeOf(api, value)),
    prose(value.description ?? resolve(api, value).description ?? "")]);
  return rows.length ? table(["Field", "Type", ""], rows) : make("p", { class: "quiet" }, typeOf(api, schema));
};

const curl = (api, method, path, body) => {
  const address = location.origin + path.replaceAll(/\{(\w+)_id\}/g, (_, name) => `$${name.toUpperCase()}_ID`);
  const lines = [`curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}"${address}"`,
    `  -H "Authorization: Bearer $PARVIS_KEY"`];
  if (body) {
    lines.push(`  -H "Content-Type: application/json"`);
    lines.push(`  -d '${JSON.stringify(example(api, body)).replaceAll("'", "'\\''")}'`);
  }
  return lines.join(" \\\n");
};

const operationBox = (api, method, path, operation) => {
  const inside = make("div");
  const parameters = (operation.parameters ?? []).map((parameter) => resolve(api, parameter));
  if (parameters.length) {
    inside.append(make("h4", {}, "Parameters"), table(["Name", "In", "Type", ""], parameters.map((parameter) => [
      fieldName(parameter.name, parameter.required), parameter.in,
      make("code", {}, typeOf(api, parameter.schema)), prose(parameter.description ?? "")])));
  }
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  if (body) inside.append(make("h4", {}, "Body"), fields(api, body));
  for (const [status, answer] of Object.entries(operation.responses)) {
    const schema = resolve(api, answer).content?.["application/json"]?.schema;
    if (!status.startsWith("2")) continue;
    inside.append(make("h4", {}, `Answer ${status}`));
    if (!schema) inside.append(make("p", { class: "quiet" }, "Nothing."));
    else inside.append(make("pre", {}, JSON.stringify(example(api, schema), null, 2)));
  }
  const problems = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
  inside.append(make("h4", {}, "Problems"), table(["Status", ""], problems.map(([status, answer]) => [
    make("code", {}, status), prose(resolve(api, answer).description)])));
  inside.append(make("h4", {}, "curl"), make("pre", {}, curl(api, method, path, body)));
  return make("details", { class: "operation", id: operation.operationId },
    make("summary", {}, make("span", { class: `method ${method}` }, method.toUpperCase()), make("code", {}, path),
      make("span", { class: "said" }, operation.summary ?? "")), inside);
};

const draw = (api) => {
  const reference = make("div");
  const contents = document.getElementById("contents");
  reference.append(...api.info.description.trim().split("\n\n").map((part) => make("p", {}, prose(part))));
  for (const tag of api.tags) {
    const section = make("section", { id: `tag-${tag.name}` }, make("h2", {}, tag.name),
      make("p", { class: "quiet" }, tag.description));
    const list = make("ul");
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (!operation.tags?.includes(tag.name)) continue;
        section.append(operationBox(api, method, path, operation));
        list.append(make("li", {}, make("a", { href: `#${operation.operationId}` }, operation.operationId)));
      }
    }
    contents.append(make("div", {}, make("h2", {}, tag.name), list));
    reference.append(section);
  }
  const answers = Object.values(api.components.responses);
  const rows = Object.keys(api.components.responses).map((name, index) => [
    make("code", {}, name.replace("Problem", "")), prose(answers[index].description)]);
  reference.append(make("section", { id: "problems" }, make("h2", {}, "problems"),
    make("p", {}, prose("Each problem's `code` is stable; `errors` names every place that is wrong.")),
    table(["Status", ""], rows)));
  document.getElementById("reference").replaceChildren(reference);
};

const unfold = () => {
  const name = decodeURIComponent(location.hash.slice(1));
  const asked = document.getElementById(name.startsWith("problem-") ? "problems" : name);
  if (asked?.tagName === "DETAILS") asked.open = true;
  asked?.scrollIntoView({ behavior: "instant" });
};

const search = (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const item of document.querySelectorAll("#contents li")) {
    item.hidden = !item.textContent.toLowerCase().includes(wanted);
  }
};

fetch("/openapi.json")
  .then((answer) => answer.json())
  .then((api) => { draw(api); unfold(); })
  .catch((error) => document.getElementById("reference").replaceChildren(
    make("p", { class: "error" }, `The reference could not be drawn: ${error.message}`)));
addEventListener("hashchange", unfold);
document.getElementById("find").addEventListener("input", search);
