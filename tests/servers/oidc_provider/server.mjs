// A real npm oidc-provider, configured from environment variables; tests/servers/oidc_provider.py documents them.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';

import { storage } from './storage.mjs';

const env = process.env;
const { default: Provider, errors } = await import(
  pathToFileURL(`${env.OIDC_PROVIDER_MODULES}/oidc-provider/lib/index.js`),
);

const port = Number(env.PORT);
const issuer = env.ISSUER || `http://127.0.0.1:${port}`;
const jwtTokens = env.TOKEN_FORMAT === 'jwt';
const scopes = env.SCOPES.split(' ').filter(Boolean);
const apiScopes = scopes.filter((scope) => scope !== 'openid' && scope !== 'offline_access');
const resources = env.RESOURCES.split(' ').filter(Boolean);
const tokenSeconds = Number(env.TOKEN_SECONDS);
const people = JSON.parse(env.PEOPLE || '{}');
const profile = ['preferred_username', 'given_name', 'family_name', 'groups', 'roles'];
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(issuer, {
  adapter: storage(env.CLIENTS_FILE),
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: randomBytes(8).toString('hex') }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  scopes,
  clients: [
    {
      client_id: env.GATEWAY_CLIENT_ID,
      client_secret: env.GATEWAY_CLIENT_SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  extraClientMetadata: { properties: env.EXTRA_CLIENT_METADATA.split(' ').filter(Boolean) },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ preferred_username: id, ...people[id], sub: id }) }),
  ...(Object.keys(people).length ? { claims: { openid: ['sub'], profile, email: ['email'] } } : {}),
  ttl: {
    AccessToken: tokenSeconds,
    AuthorizationCode: 60,
    ClientCredentials: tokenSeconds,
    Grant: 86400,
    IdToken: 600,
    Interaction: 600,
    RefreshToken: 86400,
    Session: 3600,
  },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    introspection: {
      enabled: true,
      // The gateway's client sees every token, any other client its own.
      allowedPolicy: (_ctx, client, token) =>
        client.clientId === env.GATEWAY_CLIENT_ID || token.clientId === client.clientId,
    },
    registration: { enabled: true, initialAccessToken: env.INITIAL_ACCESS_TOKEN },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: env.RAT_ROTATION === 'on' },
    resourceIndicators: {
      enabled: true,
      // Only a resource server makes oidc-provider issue JWT access tokens, so in JWT mode there is always one.
      defaultResource: (_ctx, _client, oneOf) => oneOf?.[0] ?? (jwtTokens ? resources[0] : undefined),
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, identifier) => {
        if (!resources.includes(identifier)) throw new errors.InvalidTarget();
        return {
          scope: apiScopes.join(' '),
          audience: identifier,
          accessTokenTTL: tokenSeconds,
          accessTokenFormat: jwtTokens ? 'jwt' : 'opaque',
          jwt: { sign: { alg: 'RS256' } },
        };
      },
    },
    revocation: { enabled: true },
  },
});

provider.on('server_error', (_ctx, error) => console.error(error));
provider.listen(port, '127.0.0.1', () => console.log(`oidc-provider listens at ${issuer}`));
