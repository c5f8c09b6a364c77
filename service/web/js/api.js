/** The REST API: one function a call. What goes wrong is a `Problem`. */

import { askForKey, authorization } from "./auth.js";

/** Formats that a file's type names well; any other file is known by its first bytes. */
const FORMATS = new Set(["text/html", "application/xhtml+xml", "application/pdf"]);

/** An error as the service tells it, or `unreachable` where it does not answer. */
export class Problem extends Error {
  constructor({ status = 0, detail, code, hint = "", request_id: requestId = "", errors = [] }) {
    super(detail);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.requestId = requestId;
    this.errors = errors;
  }
}

/** Send a request, with the key if there is one; ask for it where the service wants one. */
export async function send(path, { headers = {}, ...options } = {}) {
  for (;;) {
    const reply = await attempt(path, { ...options, headers: { ...headers, ...authorization() } });
    if (reply.ok) return reply;
    if (reply.status === 401 && (await askForKey())) continue;
    throw new Problem(await problemOf(reply));
  }
}

async function attempt(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ code: "unreachable", detail: "The service does not answer.",
      hint: "Is it running, and is this machine connected to it?" });
  }
}

async function problemOf(reply) {
  const unnamed = { status: reply.status, code: `http_${reply.status}`,
    detail: `The service answered ${reply.status}.` };
  try {
    return { ...unnamed, ...(await reply.json()) };
  } catch {
    return unnamed;
  }
}

async function json(path, options) {
  return (await send(path, options)).json();
}

function post(path, body, headers = {}) {
  return json(path, { method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers } });
}

const solvePath = (id, part = "") => `/solve/${encodeURIComponent(id)}${part}`;

export const api = {
  submit: (request, key) => post("/solve", request,
    { Prefer: "respond-async", "Idempotency-Key": key }),
  estimate: (request) => post("/solve/estimate", request),
  models: () => json("/v1/models"),
  solve: (id) => json(solvePath(id)),
  solves: (query) => json(`/solve?${new URLSearchParams(query)}`),
  node: (id, path, signal) => json(solvePath(id, `/nodes/${encodeURIComponent(path)}`), { signal }),
  cancel: (id) => post(solvePath(id, "/cancel"), {}),
  resume: (id, request) => post(solvePath(id, "/resume"), request,
    { Prefer: "respond-async", "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) }),
  trace: async (id) => (await send(solvePath(id, "/trace"))).blob(),
  document: (id) => json(`/documents/${encodeURIComponent(id)}`),
  upload: (file) => json(`/documents?${new URLSearchParams({ title: file.name })}`, {
    method: "POST", body: file,
    headers: { "Content-Type": FORMATS.has(file.type) ? file.type : "application/octet-stream" },
  }),
  description: () => json("/openapi.json"),
  notices: () => json("/assets/notices.json"),
};
