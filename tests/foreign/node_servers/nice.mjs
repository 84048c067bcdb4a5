// Two services of the shop on nice-grpc: `node nice.mjs DESCRIPTOR_SET`. Ends when its standard input closes.
import { readFileSync } from 'node:fs';
import { createServer } from 'nice-grpc';
import { ServerReflection, ServerReflectionService } from 'nice-grpc-server-reflection';
import { Echo, shop } from './shop_services.mjs';

const server = createServer();
server.add(Echo.service, { Say: async (words) => words });
server.add(shop.v1.payments.Till.service, { Pay: async (payment) => ({ payment, number: '3' }) });
const descriptors = readFileSync(process.argv[2]);
server.add(ServerReflectionService, ServerReflection(descriptors, ['Echo', 'shop.v1.payments.Till']));
console.log(JSON.stringify({ port: await server.listen('127.0.0.1:0') }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
