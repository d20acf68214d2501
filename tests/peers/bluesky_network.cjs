// A whole Bluesky network on this machine: directory, personal data server, AppView and moderation service.
// `node bluesky_network.cjs MODULES PORTS` takes the folder of its packages and five ports, with commas between them;
// DB_POSTGRES_URL and REDIS_HOST name its servers. It prints READY once it answers, and ends at SIGTERM.
const path = require('node:path')
const [modules, ports] = process.argv.slice(2)
const [plc, pds, bsky, ozone, introspect] = ports.split(',').map(Number)
const { TestNetwork } = require(path.join(modules, '@atproto', 'dev-env'))

async function main() {
  const network = await TestNetwork.create({
    plc: { port: plc },
    pds: { port: pds, hostname: 'localhost', enableDidDocWithSession: true, inviteRequired: false },
    bsky: { port: bsky, dbPostgresSchema: 'bsky', publicUrl: `http://localhost:${bsky}` },
    ozone: { port: ozone, dbMaterializedViewRefreshIntervalMs: 30000 },
    introspect: { port: introspect },
  })
  process.on('SIGTERM', async () => {
    await network.close()
    process.exit(0)
  })
  console.log('READY')
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
