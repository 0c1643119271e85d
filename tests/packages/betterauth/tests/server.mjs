// Better Auth in memory, as an application would host it. Prints its base URL when it listens.
import { createServer } from "node:http";
import { oauthProvider } from "@better-auth/oauth-provider";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { bearer, jwt } from "better-auth/plugins";

const { secret, email, password, audience, scopes } = JSON.parse(process.env.BETTERAUTH_TEST);
const models = "user session account verification jwks oauthClient oauthAccessToken oauthRefreshToken oauthConsent oauthResource oauthClientResource oauthClientAssertion";
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const baseURL = `http://127.0.0.1:${server.address().port}`;

const auth = betterAuth({
  baseURL,
  secret,
  database: memoryAdapter(Object.fromEntries(models.split(" ").map((model) => [model, []]))),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [
    jwt(),
    bearer(),
    oauthProvider({
      loginPage: "/login",
      consentPage: "/consent",
      scopes,
      resources: [audience],
      enforcePerClientResources: false,
      clientPrivileges: ({ user }) => user.email === email,
    }),
  ],
});

// The plugin leaves these two to the application, which decides who may: here, as clientPrivileges says.
const administration = {
  "POST /api/auth/admin/oauth2/create-client": auth.api.adminCreateOAuthClient,
  "PATCH /api/auth/admin/oauth2/update-client": auth.api.adminUpdateOAuthClient,
};

async function administer(operation, request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const answer = await operation({ body: JSON.parse(Buffer.concat(chunks)), headers, asResponse: true });
  response.writeHead(answer.status, { "content-type": "application/json" });
  response.end(await answer.text());
}

await auth.api.signUpEmail({ body: { email, password, name: "Archway" } });
const handler = toNodeHandler(auth);
server.on("request", (request, response) => {
  const operation = administration[`${request.method} ${request.url}`];
  if (!operation) return handler(request, response);
  administer(operation, request, response).catch(() => response.writeHead(500).end());
});
console.log(`${baseURL}/api/auth`);
