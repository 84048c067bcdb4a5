// The certified oidc-provider on a loopback port of the system's choice, with its own pages for development.
// Says {"issuer", "control"} on standard output, and ends with its standard input. Its issuer has the path given.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

import { Provider, errors } from 'oidc-provider';

const path = process.argv[2] ?? '';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const DIRECTORY = 'https://directory.example/';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(origin + path, {
  clients: [
    {
      client_id: 'notebook',
      client_name: 'A notebook',
      application_type: 'native', // any port of the loopback address (RFC 8252, section 7.3)
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', DEVICE],
      redirect_uris: ['http://127.0.0.1/callback'],
    },
    ...['basic', 'post'].map((style) => ({
      client_id: `robot ${style}+%`, // characters that form-encoding changes (RFC 6749, section 2.3.1)
      client_secret: 'a secret: +%/& =',
      token_endpoint_auth_method: `client_secret_${style}`,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    })),
    {
      client_id: 'signer',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [pair.publicKey.export({ format: 'jwk' })] },
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    },
  ],
  scopes: ['openid', 'offline_access', 'read:users'],
  claims: { openid: ['sub'], profile: ['preferred_username'] },
  conformIdTokenClaims: false, // the name comes with the ID token, not from the userinfo endpoint alone
  findAccount: (_, login) => ({
    accountId: login,
    claims: () => ({ sub: login, preferred_username: login.toUpperCase() }),
  }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 300, ClientCredentials: 300, DeviceCode: 300, RefreshToken: 3600, Grant: 3600, Session: 3600,
    IdToken: 300, Interaction: 300, AuthorizationCode: 60 },
  cookies: { keys: ['of one run'] },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo(_, resource) {
        if (resource !== DIRECTORY) throw new errors.InvalidTarget();
        return { scope: 'read:users', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 300 };
      },
    },
  },
});

// What was asked of its endpoints, for a test to count.
const seen = [];
provider.use(async (ctx, next) => {
  await next();
  seen.push({ path: ctx.path, grant_type: ctx.oidc?.params?.grant_type, status: ctx.status, error: ctx.body?.error });
});

// A refresh token as somebody brings it from elsewhere.
async function refreshToken(accountId) {
  const client = await provider.Client.find('notebook');
  const scope = 'openid profile offline_access';
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  return new provider.RefreshToken({ accountId, client, grantId, scope, gty: 'authorization_code' }).save();
}

const ours = {
  '/control/seen': () => seen,
  '/control/private_key': () => pair.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  '/control/refresh_token': () => refreshToken('grace'),
};
const theirs = provider.callback();

server.on('request', async (request, response) => {
  if (ours[request.url]) {
    response.end(JSON.stringify(await ours[request.url]()));
  } else if (request.url.startsWith(`${path}/`)) {
    request.originalUrl = request.url; // from which oidc-provider learns where it is mounted
    request.url = request.url.slice(path.length);
    theirs(request, response);
  } else {
    response.writeHead(404).end();
  }
});

process.stdin.on('end', () => process.exit()).resume();
console.log(JSON.stringify({ issuer: provider.issuer, control: `${origin}/control` }));
