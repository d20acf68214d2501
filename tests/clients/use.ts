// What a frontend would write against the generated types: it compiles, or the document has lost its meaning.
import type { components, paths } from "./schema.js";

type Get<Path extends keyof paths> = paths[Path] extends { get: infer Operation } ? Operation : never;
type Answer<Operation, Status extends number, Media extends string> =
  Operation extends { responses: { [S in Status]: { content: { [M in Media]: infer Body } } } } ? Body : never;

type Mentions = Answer<Get<"/v1/brands/{brand_id}/mentions">, 200, "application/json">;
type Missing = Answer<Get<"/v1/brands/{brand_id}/mentions/{mention_id}">, 404, "application/problem+json">;
type NewPost = components["schemas"]["PostDraft"];

export function texts(page: Mentions): string[] {
  return page.data.flatMap((mention) => (typeof mention.text === "string" ? [mention.text] : []));
}

export function next(page: Mentions): string | null {
  const cursor: string | null | undefined = page.next_cursor;
  return page.has_more ? (cursor ?? null) : null;
}

export function said(problem: Missing): string {
  const code: string = problem.code;
  const retryable: boolean = problem.retryable;
  return `${code}: ${problem.title}${retryable ? " (again later)" : ""}`;
}

export const post: NewPost = { text: "Bonjour", channel_ids: ["chan_01h2xcejqtf2nbrexx3vqjhp41"] };
