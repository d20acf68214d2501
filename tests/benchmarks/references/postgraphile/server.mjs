// PostGraphile 5 on Parvis' database, as its own row-secured role: `node server.mjs PORT BRAND_UUID`, DATABASE_URL set.
// Every request runs in a transaction whose scope is set by pgSettings, which is how PostGraphile does it. It asks for
// no key: checking one would come on top.
// PostGraphile asks for Node 22; what it uses of that is given to Node 20 here.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((a, b) => ((resolve = a), (reject = b)));
  return { promise, resolve, reject };
};
import { createServer } from "node:http";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { addPgTableCondition } from "postgraphile/utils";

const [port, brand] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

// The list that Parvis shows: what was heard and is not deleted, in words that its index serves.
const standing = addPgTableCondition(
  { schemaName: "public", tableName: "mention" },
  "standing",
  (build) => ({ description: "Heard, and not deleted.", type: build.graphql.GraphQLBoolean }),
  (value, { sql, sqlTableAlias }) => sql`${sqlTableAlias}.heard and ${sqlTableAlias}.deleted_at is null`,
);

const server = createServer();
server.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
const pgl = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [standing],
  disablePlugins: ["NodePlugin", "PgIndexBehaviorsPlugin"],
  schema: { defaultBehavior: "-insert -update -delete" },
  pgServices: [makePgService({ pool, schemas: ["public"] })],
  grafast: { explain: false, context: { pgSettings: { "parvis.brands": brand } } },
  grafserv: { graphqlPath: "/graphql", graphiql: false, maxRequestLength: 100000, watch: false, dangerouslyAllowAllCORSRequests: false },
});
await pgl.createServ(grafserv).addTo(server);
server.listen(Number(port), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
