// Prints an OpenAPI 3.1 document of Discord's interface. The package discord-api-spec
// is made from the document that Discord publishes, but carries it as Zod schemas and TypeScript types only:
// the schemas are turned back here, and the operations are read from the types.
//
// usage: node spec.mjs FOLDER, in which node_modules lies
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const modules = join(process.argv[2], "node_modules");
const load = (file) => import(pathToFileURL(join(modules, file)));
const z = await load("zod/index.js");
const exported = await load("discord-api-spec/build/discord-api-spec.zod.js");

const ref = (name) => ({ $ref: "#/components/schemas/" + name });
const registry = z.registry();
for (const [name, schema] of Object.entries(exported)) {
  if (name.endsWith("Schema") && schema?._zod) registry.add(schema, { id: name.slice(0, -"Schema".length) });
}
const { schemas } = z.toJSONSchema(registry, {
  uri: (id) => "#/components/schemas/" + id,
  io: "input",
  unrepresentable: "any",
});
for (const s of Object.values(schemas)) {
  delete s.$id;
  delete s.$schema;
  plainFormats(s);
}

// Zod adds patterns of its own to formats; for times a stricter one than Discord's, which writes +00:00.
function plainFormats(node) {
  if (node === null || typeof node !== "object") return;
  if (typeof node.format === "string") delete node.pattern;
  Object.values(node).forEach(plainFormats);
}

// The document gives errors inside a form the numeric code of the whole; by the vendor's reference (and
// as clients find it) it is a word there, such as BASE_TYPE_REQUIRED.
schemas.InnerErrors.properties._errors.items = { type: "object", properties: { code: { type: "string" }, message: { type: "string" } }, required: ["code", "message"] };

// It also demands a code of every 429, which by the same reference only some limits have.
schemas.RatelimitedResponse = {
  type: "object",
  properties: { message: { type: "string" }, code: { type: "integer" }, retry_after: { type: "number" }, global: { type: "boolean" } },
  required: ["message", "retry_after", "global"],
};

// A type as it is written in the operations: names, arrays, unions, and objects, which are taken as they come.
function typeSchema(text) {
  text = text.trim().replace(/^\|/, "").trim();
  if (text.startsWith("{") || text === "unknown" || text === "") return {};
  const parts = split(text);
  if (parts.length > 1) return { anyOf: parts.map(typeSchema) };
  if (text.endsWith("[]")) return { type: "array", items: typeSchema(text.slice(0, -2)) };
  if (text.startsWith("(")) return typeSchema(text.slice(1, -1));
  if (text === "null") return { type: "null" };
  if (["string", "number", "boolean"].includes(text)) return { type: text };
  if (!schemas[text]) throw new Error("no schema for the type " + text);
  return ref(text);
}

function split(text) {
  const parts = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if ("({[<".includes(text[i])) depth++;
    if (")}]>".includes(text[i])) depth--;
    if (text[i] === "|" && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

const content = (text) => ({ "application/json": { schema: typeSchema(text) } });
const types = readFileSync(join(modules, "discord-api-spec/build/discord-api-spec.ts"), "utf8").replace(/^ *\/\*\*.*?\*\/\n/gms, "");
const start = types.indexOf("export interface Paths {");
const block = types.slice(start, types.indexOf("\n}\n", start));
const paths = {};
for (const [, path, inside] of block.matchAll(/^  "(\/[^"]*)": \{\n(.*?)^  \};/gms)) {
  paths[path] = {};
  for (const [, method, operation] of inside.matchAll(/^    (get|put|post|patch|delete): \{\n(.*?)^    \};/gms)) {
    const op = { responses: {} };
    const body = operation.match(/^      requestBody\??:(.*?);\n(?=      \w)/ms)?.[1].trim();
    if (body && body !== "undefined") op.requestBody = { content: content(body) };
    const responses = operation.match(/^      responses: \{\n(.*?)^      \};/ms)?.[1] ?? "";
    for (const [, status, type] of responses.matchAll(/^        "(\w+)":(.*?);\n(?=        "|$(?![\s\S]))/gms)) {
      op.responses[status] = { description: status, ...(type.trim() !== "unknown" && { content: content(type) }) };
    }
    op.parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true, schema: { type: "string" } }));
    paths[path][method] = op;
  }
}
process.stdout.write(JSON.stringify({ openapi: "3.1.0", info: { title: "Discord HTTP API", version: "10" }, paths, components: { schemas } }));
