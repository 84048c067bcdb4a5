// A shop for a server of @grpc/grpc-js: what it sells, and what it answers.
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const FILES = ['shop/v1/catalog.proto', 'shop/v1/orders.proto', 'shop/v1/payments/payment.proto', 'plain.proto'];
export const definition = protoLoader.loadSync(FILES, {
  includeDirs: [new URL('protos', import.meta.url).pathname],
  keepCase: true,
  longs: String,
  enums: String,
  oneofs: true,
});
export const { shop, Echo } = grpc.loadPackageDefinition(definition);

const products = Array.from({ length: 500 }, (_, index) => ({
  sku: `sku${index}`,
  price: { currency: 'EUR', hundredths: String(index * 100 - 50) },
  shelf: index % 2 ? 'SHELF_TOP' : 'SHELF_FLOOR',
  ...(index % 3 ? { kilograms: index / 4 } : {}),
  parts: index ? [{ sku: `sku${index - 1}`, parts: [{ sku: 'screw' }] }] : [],
  prices_abroad: { NO: { currency: 'NOK', hundredths: String(index * 1100) } },
  labels: { fields: { colour: { stringValue: 'red' }, sizes: { listValue: { values: [{ numberValue: 42 }] } } } },
  stock: { value: '18446744073709551615' },
  ...(index % 2 ? { months: 24 } : { words: 'for ever' }),
  picture: Buffer.from([0x89, 0x50, index % 256]),
}));
const bySku = new Map(products.map((product) => [product.sku, product]));

function refusal(code, details, extra = {}) {
  const metadata = new grpc.Metadata();
  metadata.set('shop-mood', 'sorry');
  for (const [key, value] of Object.entries(extra)) metadata.set(key, value);
  return { code, details, metadata };
}

const catalog = {
  GetProduct(call, answer) {
    const product = bySku.get(call.request.sku);
    if (!product) return answer(refusal(grpc.status.NOT_FOUND, `no ${call.request.sku}`));
    const metadata = new grpc.Metadata();
    metadata.set('shop-mood', 'glad');
    call.sendMetadata(metadata);
    answer(null, product);
  },
  ListProducts(call) {
    for (const product of products) call.write(product);
    call.end();
  },
  WatchPrices(call) {
    let hundredths = 0;
    const timer = setInterval(() => call.write({ currency: 'EUR', hundredths: String(hundredths++) }), 5);
    call.on('cancelled', () => clearInterval(timer));
  },
};

const orders = {
  Place(call, answer) {
    const items = [];
    call.on('data', (item) => items.push(item));
    call.on('end', () => {
      if (!items.length) {
        // A status with details that are no google.rpc.Status.
        const garbage = { 'grpc-status-details-bin': Buffer.from([0xff, 0xfe, 0x00, 0x08]) };
        return answer(refusal(grpc.status.FAILED_PRECONDITION, 'an empty basket', garbage));
      }
      answer(null, {
        items,
        payment: { amount: { currency: 'EUR', hundredths: String(items.length * 100) }, card: { last_four: '4242' } },
        placed: { seconds: '1700000000', nanos: 500000000 },
        delivery: { seconds: '86400' },
        shelves: { 1: 'SHELF_TOP' },
      });
    });
  },
  Haggle(call) {
    call.on('data', ({ sku }) => call.write(bySku.has(sku) ? { product: bySku.get(sku) } : { refusal: `no ${sku}` }));
    call.on('end', () => call.end());
  },
};

const till = {
  Pay(call, answer) {
    if (!call.metadata.get('authorization').length) return answer(refusal(grpc.status.UNAUTHENTICATED, 'who are you?'));
    answer(null, { payment: call.request, number: '9007199254740993' });
  },
};

export function addTo(server) {
  server.addService(shop.v1.Catalog.service, catalog);
  server.addService(shop.v1.Orders.service, orders);
  server.addService(shop.v1.payments.Till.service, till);
  server.addService(Echo.service, { Say: (call, answer) => answer(null, call.request) });
}
