// The official client of the Model Context Protocol: `node client.mjs SERVER`
// lists the tools, calls them, and prints each exchange on a line.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';

const server = new URL(process.argv[2]);

// told does what fetch does, and tells it.
async function told(url, init) {
  const response = await fetch(url, init);
  const { method, params } = typeof init?.body === 'string' && init.body[0] === '{' ? JSON.parse(init.body) : {};
  const what = [method, params?.name].filter(Boolean).join(' ');
  console.log(`${init?.method ?? 'GET'} ${new URL(url).pathname} ${what ? `(${what}) ` : ''}-> ${response.status}`);
  const challenge = response.headers.get('www-authenticate');
  if (challenge) console.log(`    ${challenge.replaceAll(server.origin, '')}`);
  return response;
}

let tokens, verifier, state, code;

// provider is who the client asks for tokens. A browser would follow the
// redirect; here the authorization server says yes at once.
const provider = {
  redirectUrl: 'http://127.0.0.1:9/callback',
  clientMetadata: { client_name: 'example', redirect_uris: ['http://127.0.0.1:9/callback'] },
  clientInformation: () => ({ client_id: 'example' }),
  state: () => (state = crypto.randomUUID()),
  tokens: () => tokens,
  saveTokens: (given) => (tokens = given),
  codeVerifier: () => verifier,
  saveCodeVerifier: (given) => (verifier = given),
  async redirectToAuthorization(url) {
    console.log(`browser: scope=${url.searchParams.get('scope')} resource=${new URL(url.searchParams.get('resource')).pathname}`);
    const answer = await fetch(url, { redirect: 'manual' });
    const back = new URL(answer.headers.get('location')).searchParams;
    if (back.get('state') !== state) throw new Error('the state is another one');
    code = back.get('code');
  },
};

const transport = () => new StreamableHTTPClientTransport(server, { authProvider: provider, fetch: told });
const client = new Client({ name: 'example', version: '1' });

let current = transport();
try {
  await client.connect(current);
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  await current.finishAuth(code);
  current = transport();
  await client.connect(current);
}

// call calls a tool, and once more with the token that it turns out to need.
async function call(name, args) {
  try {
    return await client.callTool({ name, arguments: args });
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await current.finishAuth(code);
    return client.callTool({ name, arguments: args });
  }
}

const { tools } = await client.listTools();
console.log(`tools: ${tools.map((tool) => tool.name).join(' ')}`);
for (const [name, args] of [['reports_list', {}], ['reports_delete', { id: '7' }], ['reports_list', {}]]) {
  const result = await call(name, args);
  console.log(`${name}: ${result.content[0].text}`);
}
await client.close();
