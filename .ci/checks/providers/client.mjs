// An OAuth client: `node client.mjs ISSUER TASK [ARGUMENT...]` prints one line
// of JSON.
//
//   token CLIENT RESOURCE [SCOPE]  an access token by client_credentials
//   user NAME RESOURCE             tokens of a user, by an authorization code
//   dpop CLIENT URL                what URL answers to a bound token: the first
//                                  answer, and the one after its nonce is used
//   revoke CLIENT TOKEN            revokes a token
import * as oauth from 'oauth4webapi';

const [issuer, task, ...rest] = process.argv.slice(2);
const plain = { [oauth.allowInsecureRequests]: true };
const as = await oauth
  .discoveryRequest(new URL(issuer), plain)
  .then((response) => oauth.processDiscoveryResponse(new URL(issuer), response));

const auth = (id) => oauth.ClientSecretBasic(`secret of ${id}`);

async function token(id, resource, scope = 'reports:read', options = {}) {
  const client = { client_id: id };
  const parameters = new URLSearchParams({ resource, scope });
  const response = await oauth.clientCredentialsGrantRequest(as, client, auth(id), parameters, { ...plain, ...options });
  return oauth.processClientCredentialsResponse(as, client, response);
}

// browse follows redirects and forms as a browser does, keeping cookies, until
// it is sent to callback.
async function browse(url, callback, form) {
  const jar = new Map();
  let request = { method: 'GET' };
  for (let steps = 0; steps < 20; steps++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...request, redirect: 'manual', headers: { ...request.headers, cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      jar.set(name, value);
    }
    const location = response.headers.get('location');
    if (location) {
      url = new URL(location, url);
      if (url.href.startsWith(callback)) return url;
      request = { method: 'GET' };
      continue;
    }
    const page = await response.text();
    const [, action] = /<form[^>]* action="([^"]+)"/.exec(page) ?? [];
    const [, prompt] = /name="prompt" value="([^"]+)"/.exec(page) ?? [];
    if (!action) throw new Error(`${url}: ${response.status}: no form in ${page}`);
    url = new URL(action, url);
    request = {
      method: 'POST',
      body: new URLSearchParams({ prompt, ...form }),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    };
  }
  throw new Error('too many steps');
}

async function user(name, resource) {
  const [id_token_signed_response_alg] = as.id_token_signing_alg_values_supported;
  const client = { client_id: 'page', id_token_signed_response_alg };
  const redirect_uri = 'http://127.0.0.1/callback';
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const start = new URL(as.authorization_endpoint);
  start.search = new URLSearchParams({
    client_id: 'page', redirect_uri, response_type: 'code', scope: 'openid reports:read', resource, state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const back = await browse(start, redirect_uri, { login: name, password: 'any' });
  const answer = oauth.validateAuthResponse(as, client, back, state);
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth('page'), answer, redirect_uri, verifier, plain);
  return oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
}

async function dpop(id, url) {
  const client = { client_id: id };
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const { access_token } = await token(id, 'urn:jwt', 'reports:read', { DPoP });
  const ask = async () => {
    const options = { ...plain, DPoP };
    try {
      const response = await oauth.protectedResourceRequest(access_token, 'GET', new URL(url), undefined, null, options);
      return { status: response.status, body: await response.text() };
    } catch (error) {
      if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
      return { status: error.response.status, nonce: oauth.isDPoPNonceError(error), challenges: error.cause };
    }
  };
  const stolen = await fetch(url, { headers: { authorization: `Bearer ${access_token}` } });
  return { stolen: stolen.status, first: await ask(), second: await ask() };
}

async function revoke(id, value) {
  const client = { client_id: id };
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth(id), value, plain));
  return {};
}

console.log(JSON.stringify(await { token, user, dpop, revoke }[task](...rest)));
