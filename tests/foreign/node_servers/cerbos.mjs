// Cerbos, a decision point for authorization, as its makers ship it. Ends when its standard input closes.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const name = `cerbos-${process.platform}-${process.arch}`;
const binary = createRequire(import.meta.url).resolve(`@cerbos/${name}/${name}`);
const folder = mkdtempSync(join(tmpdir(), 'cerbos-'));
const configuration = join(folder, 'configuration.json');
// It takes port 0, and does not say which port it got.
const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

async function serve() {
  const port = await freePort();
  writeFileSync(
    configuration,
    JSON.stringify({
      server: {
        httpListenAddr: '127.0.0.1:0',
        grpcListenAddr: `127.0.0.1:${port}`,
        playgroundEnabled: true,
        adminAPI: { enabled: true }, // cerbos / cerbosAdmin, as its handbook says
      },
      storage: { driver: 'sqlite3', sqlite3: { dsn: ':memory:?_fk=true' } },
      audit: { enabled: true, accessLogsEnabled: true, backend: 'local', local: { storagePath: join(folder, 'audit') } },
      telemetry: { disabled: true },
    }),
  );
  const server = spawn(binary, ['server', '--config', configuration], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let ready = false;
  const listen = (chunk) => {
    said = (said + chunk).slice(-5000);
    if (!ready && said.includes('Starting HTTP server')) {
      ready = true;
      console.log(JSON.stringify({ port })); // the gRPC server was started before
    }
  };
  server.stdout.on('data', listen);
  server.stderr.on('data', listen);
  server.on('exit', () => {
    if (!ready) {
      if (attempts-- > 0) return void serve(); // somebody else was faster to take the port
      console.error(said);
    }
    process.exit(1);
  });
  running = server;
}

let attempts = 3;
let running;
process.on('exit', () => {
  running?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
serve();
