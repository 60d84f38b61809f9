// An OpenID provider on loopback: `node provider.mjs PORT KEYS.json APPS`.
//
// KEYS.json is the private JWK set it signs with; the first key that fits signs.
// The resource urn:jwt gets JWT access tokens, urn:opaque gets opaque ones. The
// clients "alice" and "service" use client_credentials, "page" the
// authorization code flow, for any user whose password is not empty. APPS is a
// JSON object of applications that people sign in to: the client ID of each, and its
// address as browsers see it. They are told of logouts. Everybody is an editor. Prints
// "listening" once it does, and ends when its standard input closes.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [port, file, apps] = process.argv.slice(2);
const jwks = JSON.parse(readFileSync(file, 'utf8'));
const { alg } = jwks.keys[0];
const issuer = `http://127.0.0.1:${port}`;
const scope = 'reports:read reports:write';

const machine = (client_id, more = {}) => ({
  client_id,
  client_secret: `secret of ${client_id}`,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  ...more,
});

// The second redirect URI is for an attack that needs two.
const app = ([client_id, address]) => ({
  client_id,
  client_secret: `secret of ${client_id}`,
  redirect_uris: [`${address}/openid/callback/default`, `${address}/openid/callback/evil`],
  post_logout_redirect_uris: [`${address}/`],
  backchannel_logout_uri: `${address}/openid/logout/default`,
  backchannel_logout_session_required: true,
  grant_types: ['authorization_code'],
  response_types: ['code'],
});

const provider = new Provider(issuer, {
  jwks,
  clientDefaults: { id_token_signed_response_alg: alg },
  clients: [
    machine('alice'),
    machine('service', { introspection_endpoint_auth_method: 'client_secret_basic' }),
    {
      client_id: 'page',
      client_secret: 'secret of page',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
    ...Object.entries(JSON.parse(apps)).map(app),
  ],
  enabledJWA: { idTokenSigningAlgValues: [alg] },
  cookies: { keys: ['only for these tests'] },
  scopes: ['openid', ...scope.split(' ')],
  // The account is whom the sign-in form names.
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, roles: ['editor'] }) }),
  claims: { openid: ['sub', 'roles'] },
  // Logout tokens go to this machine, which the default refuses, and take their time.
  fetch: (url, { method, headers, body }) => fetch(url, { method, headers, body }),
  features: {
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        audience: resource,
        scope,
        accessTokenFormat: resource === 'urn:jwt' ? 'jwt' : 'opaque',
        jwt: { sign: { alg } },
      }),
      useGrantedResource: () => true,
    },
  },
});

provider.on('backchannel.error', (_, err, client) => console.error(`logout token for ${client.clientId}: ${err}`));

const server = createServer(provider.callback());
server.listen(Number(port), '127.0.0.1', () => console.log('listening'));
process.stdin.resume().on('end', () => process.exit(0));
