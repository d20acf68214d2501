"use strict";

const at = (id) => document.getElementById(id);
const query = at("query"), variables = at("variables"), answer = at("answer"), key = at("key");
let socket = null;

const EXAMPLES = {
  "Who am I": ["{\n  viewer {\n    user { name }\n    organization { name }\n    scopes\n    brands { nodes { id name timezone } }\n  }\n}"],
  "Newest mentions": [
    "query Newest($brand: ID!, $first: Int = 10) {\n  brand(id: $brand) {\n    name\n    mentions(first: $first) {\n      nodes {\n        id\n        network\n        kind\n        text\n        publishedAt\n        author { name handle }\n        channel { name }\n        engagement { likes replies }\n      }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n}",
    { brand: "" },
  ],
  "Search": [
    "query Search($brand: ID!, $words: String!) {\n  brand(id: $brand) {\n    mentions(where: { search: $words }) {\n      nodes { text language publishedAt history { text editedAt } }\n    }\n  }\n}",
    { brand: "", words: "" },
  ],
  "Volume by day": [
    "query Volume($brand: ID!, $from: DateTime!, $to: DateTime!) {\n  brand(id: $brand) {\n    metrics(keys: [MENTIONS], from: $from, to: $to, interval: DAY, groupBy: [NETWORK]) {\n      key\n      dimensions { name value }\n      points { start value complete }\n      freshAt\n    }\n  }\n}",
    { brand: "", from: new Date(Date.now() - 7 * 864e5).toISOString(), to: new Date().toISOString() },
  ],
  "Publish a post": [
    "mutation Publish($input: CreatePostInput!) {\n  createPost(input: $input) {\n    post { id status variants { channel { name } status } }\n    errors { code message path }\n  }\n}",
    { input: { brandId: "", text: "Hello", channelIds: [] } },
  ],
  "Listen": [
    "subscription Listen($brand: ID!) {\n  mentions(brandId: $brand) {\n    seq\n    type\n    mention { text author { name } }\n  }\n}",
    { brand: "" },
  ],
};

const INTROSPECTION = "{ __schema { types { name kind description enumValues { name } fields { name description type { ...T } args { name type { ...T } } } inputFields { name type { ...T } } } } } fragment T on __Type { name kind ofType { name kind ofType { name kind ofType { name kind } } } }";

async function post(body) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer " + key.value.trim() },
    body: JSON.stringify(body),
  });
  return { status: response.status, value: await response.json() };
}

function show(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  answer.replaceChildren();
  const token = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;
  let from = 0;
  for (const found of text.matchAll(token)) {
    answer.append(text.slice(from, found.index));
    const part = document.createElement("span");
    part.className = found[2] ? "key" : found[1] ? "text" : "word";
    part.textContent = found[0];
    answer.append(part);
    from = found.index + found[0].length;
  }
  answer.append(text.slice(from));
}

function asked() {
  const text = variables.value.trim();
  return { query: query.value, variables: text ? JSON.parse(text) : {} };
}

async function run() {
  remember();
  stop();
  let body;
  try {
    body = asked();
  } catch (error) {
    at("took").textContent = "The variables are not JSON: " + error.message;
    return;
  }
  if (/^\s*(#.*\n\s*)*subscription\b/.test(body.query)) return listen(body);
  at("took").textContent = "Asking…";
  const began = performance.now();
  try {
    const { status, value } = await post(body);
    const cost = value.extensions ? ", cost " + value.extensions.cost : "";
    const wrong = value.errors && value.errors.length ? ", " + value.errors.length + " errors" : "";
    at("took").textContent = "HTTP " + status + ", " + Math.round(performance.now() - began) + " ms" + cost + wrong;
    show(value);
  } catch (error) {
    at("took").textContent = "No answer: " + error.message;
  }
}

function listen(body) {
  const heard = [];
  socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/[?#].*/, ""), "graphql-transport-ws");
  const say = (message) => socket.send(JSON.stringify(message));
  at("stop").hidden = false;
  at("took").textContent = "Connecting…";
  socket.onopen = () => say({ type: "connection_init", payload: { authorization: "Bearer " + key.value.trim() } });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "connection_ack") {
      say({ id: "1", type: "subscribe", payload: body });
      at("took").textContent = "Listening…";
      show("Nothing yet.");
    } else if (message.type === "ping") say({ type: "pong" });
    else if (message.type === "next" || message.type === "error") {
      heard.unshift(message.payload);
      at("took").textContent = "Listening: " + heard.length + " heard, the newest first.";
      show(heard.slice(0, 50));
    }
  };
  socket.onclose = ({ code, reason }) => {
    at("stop").hidden = true;
    at("took").textContent = "Closed (" + code + (reason ? ": " + reason : "") + ").";
  };
}

function stop() {
  if (socket) socket.close(1000);
  socket = null;
  at("stop").hidden = true;
}

function tidy() {
  let depth = 0;
  const lines = query.value.replace(/([{}])/g, "\n$1\n").split("\n").map((line) => line.trim()).filter(Boolean);
  const parts = lines.map((line) => {
    if (line.startsWith("}")) depth = Math.max(0, depth - 1);
    const part = "  ".repeat(depth) + line;
    if (line === "{") depth += 1;
    return part;
  });
  query.value = parts.join("\n").replace(/\n\s*\{/g, " {");
}

const typeName = (type) => (type.kind === "NON_NULL" ? typeName(type.ofType) + "!" : type.kind === "LIST" ? "[" + typeName(type.ofType) + "]" : type.name);
const base = (type) => (type.ofType ? base(type.ofType) : type.name);

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function link(type) {
  const made = element("a", typeName(type));
  made.href = "#type-" + base(type);
  made.onclick = () => {
    const there = at("type-" + base(type));
    if (there) there.open = true;
  };
  return made;
}

function drawSchema(types) {
  const order = ["Query", "Mutation", "Subscription", "Brand", "Mention"];
  const rank = (type) => (order.indexOf(type.name) + 1 || 99);
  const shown = types.filter((type) => !type.name.startsWith("__") && type.kind !== "SCALAR");
  shown.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  at("schema").replaceChildren(...shown.map((type) => {
    const items = (type.fields || type.inputFields || []).map((field) => {
      const item = element("li", field.name);
      const args = field.args || [];
      if (args.length) item.append("(", ...args.flatMap((arg, n) => [(n ? ", " : "") + arg.name + ": ", link(arg.type)]), ")");
      item.append(": ", link(field.type));
      if (field.description) item.append(element("p", field.description));
      return item;
    });
    const words = (type.enumValues || []).map((value) => element("li", value.name));
    const summary = element("summary", type.name + " ", element("small", type.kind.toLowerCase().replace("_", " ")));
    const block = element("details", "", summary, element("p", type.description || ""), element("ul", "", ...items, ...words));
    block.id = "type-" + type.name;
    block.open = type.name === "Query";
    return block;
  }));
}

function find() {
  const wanted = at("find").value.trim().toLowerCase();
  for (const block of at("schema").children) {
    const matches = block.textContent.toLowerCase().includes(wanted);
    block.hidden = Boolean(wanted) && !matches;
    if (wanted.length > 2) block.open = matches;
  }
}

async function meet() {
  if (!key.value.trim()) {
    at("who").textContent = "Paste an API key.";
    return;
  }
  sessionStorage.setItem("parvis.key", key.value.trim());
  try {
    const { status, value } = await post({ query: "{ viewer { user { name } brands(first: 1) { nodes { id name } } } }" });
    if (status !== 200) {
      at("who").textContent = value.detail || "This key is not taken.";
      return;
    }
    const [brand] = value.data.viewer.brands.nodes;
    at("who").textContent = value.data.viewer.user.name + (brand ? " · " + brand.name : "");
    if (brand) {
      for (const [, values] of Object.values(EXAMPLES)) {
        if (values && "brand" in values) values.brand = brand.id;
        if (values && values.input) values.input.brandId = brand.id;
      }
      if (!query.value.trim() || query.value === EXAMPLES["Who am I"][0]) choose("Newest mentions");
    }
    const introspected = await post({ query: INTROSPECTION });
    if (introspected.value.data) drawSchema(introspected.value.data.__schema.types);
  } catch (error) {
    at("who").textContent = "No answer: " + error.message;
  }
}

function choose(name) {
  const [text, values] = EXAMPLES[name];
  at("examples").value = name;
  query.value = text;
  variables.value = values ? JSON.stringify(values, null, 2) : "";
}

function remember() {
  sessionStorage.setItem("parvis.query", query.value);
  sessionStorage.setItem("parvis.variables", variables.value);
}

for (const name of Object.keys(EXAMPLES)) at("examples").append(element("option", name));
at("examples").onchange = (event) => choose(event.target.value);
at("run").onclick = run;
at("stop").onclick = stop;
at("pretty").onclick = tidy;
at("find").oninput = find;
key.onchange = meet;
document.onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
};
query.onkeydown = (event) => {
  if (event.key !== "Tab" || event.shiftKey) return;
  event.preventDefault();
  query.setRangeText("  ", query.selectionStart, query.selectionEnd, "end");
};
key.value = sessionStorage.getItem("parvis.key") || "";
query.value = sessionStorage.getItem("parvis.query") || EXAMPLES["Who am I"][0];
variables.value = sessionStorage.getItem("parvis.variables") || "";
meet();
