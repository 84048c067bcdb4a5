// A shop, served by @grpc/grpc-js: `node shop.mjs REFLECTION [CERTIFICATE KEY]`. Ends when its standard input closes.
import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import wrapped from 'grpc-node-server-reflection';
import { addTo, definition } from './shop_services.mjs';

const servers = {
  // grpc-js's own package: a file for each package, without imports
  own() {
    const server = new grpc.Server();
    new ReflectionService(definition).addToServer(server);
    return server;
  },
  // answers to v1alpha alone, and to some questions not at all
  wrapped: () => wrapped.default(new grpc.Server()),
};

const [reflection, ...files] = process.argv.slice(2);
const server = servers[reflection]();
addTo(server);
const [certificate, key] = files.map((path) => readFileSync(path));
const credentials = certificate
  ? grpc.ServerCredentials.createSsl(null, [{ cert_chain: certificate, private_key: key }])
  : grpc.ServerCredentials.createInsecure();
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) throw error;
  console.log(JSON.stringify({ port }));
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
