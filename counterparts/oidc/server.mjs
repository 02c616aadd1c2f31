// An OpenID provider with the password grant: PORT, CLIENT_ID, CLIENT_SECRET and USERS ({"name":"password"}) come from
// the environment. Nothing secret is printed.
import { generateKeyPairSync } from "node:crypto";
import Provider, { errors } from "oidc-provider";

const { PORT, CLIENT_ID, CLIENT_SECRET, USERS } = process.env;
const users = new Map(Object.entries(JSON.parse(USERS)));
const jwk = { ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), use: "sig", kid: "k" };
const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, grant_types: ["password"], redirect_uris: [], response_types: [] }],
  jwks: { keys: [jwk] },
});
provider.registerGrantType(
  "password",
  async (ctx) => {
    const { username, password } = ctx.oidc.params;
    if (!users.has(username) || users.get(username) !== password) throw new errors.InvalidGrant("wrong name or password");
    const grant = new provider.Grant({ accountId: username, clientId: ctx.oidc.client.clientId });
    grant.addOIDCScope("openid");
    const token = new provider.AccessToken({
      accountId: username,
      client: ctx.oidc.client,
      grantId: await grant.save(),
      gty: "password",
      scope: "openid",
    });
    ctx.body = { access_token: await token.save(), expires_in: token.expiration, token_type: "Bearer", scope: "openid" };
  },
  ["username", "password", "scope"],
);
provider.on("server_error", (_, error) => console.error(error.stack));
provider.listen(Number(PORT), "127.0.0.1");
