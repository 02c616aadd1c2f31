// The official JavaScript Graph client, signed in by msal-node, against the emulator over TLS: creates, lists, pages,
// batches and deletes users, and fails on the first thing that is not as Graph would have it.
import assert from "node:assert/strict";
import { ConfidentialClientApplication, ProtocolMode } from "@azure/msal-node";
import { BatchRequestContent, BatchResponseContent, Client, PageIterator } from "@microsoft/microsoft-graph-client";

const { GRAPH_URL, LOGIN_URL, TENANT, TENANT_ID, CLIENT_ID, CLIENT_SECRET } = process.env;

const application = new ConfidentialClientApplication({
  auth: {
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    authority: `${LOGIN_URL}/${TENANT_ID}/v2.0`,
    knownAuthorities: [new URL(LOGIN_URL).host],
  },
  system: { protocolMode: ProtocolMode.OIDC },
});

const client = Client.initWithMiddleware({
  baseUrl: GRAPH_URL,
  customHosts: new Set([new URL(GRAPH_URL).hostname]),
  authProvider: {
    getAccessToken: async () => {
      const scopes = ["https://graph.microsoft.com/.default"];
      return (await application.acquireTokenByClientCredential({ scopes })).accessToken;
    },
  },
});

const person = (number) => ({
  displayName: `Person ${number}`,
  identities: [{ signInType: "emailAddress", issuer: TENANT, issuerAssignedId: `person${number}@example.com` }],
  passwordProfile: { password: `Str0ng-${number}-Passw0rd`, forceChangePasswordNextSignIn: false },
  passwordPolicies: "DisablePasswordExpiration",
});

// The urls of a batch are relative to the version; the client takes away no more than the host.
const make = (number) =>
  new Request(`${GRAPH_URL}/users`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(person(number)),
  });

// Create one by one.
let created = 0;
for (let number = 0; number < 23; number += 1) {
  const user = await client.api("/users").post(person(number));
  assert.match(user.id, /^[0-9a-f-]{36}$/);
  created += 1;
}

// Create in a batch; the others depend on the first, and the second is refused.
const batch = new BatchRequestContent([
  { id: "1", request: make(23) },
  { id: "2", request: make(0), dependsOn: ["1"] },
  { id: "3", request: make(24), dependsOn: ["1"] },
]);
const answers = new BatchResponseContent(await client.api("/$batch").post(await batch.getContent()));
assert.equal(answers.getResponseById("2").status, 400);
assert.equal((await answers.getResponseById("2").json()).error.details[0].code, "ObjectConflict");
const batched = ["1", "3"].filter((id) => answers.getResponseById(id).status === 201).length;
created += batched;

// A refused request is an error with Graph's code.
await assert.rejects(client.api("/users").post(person(1)), { statusCode: 400, code: "Request_BadRequest" });

// List and page.
const users = [];
let pages = 0;
const counting = { onPage: () => (pages += 1) };
let page = await client.api("/users").select("id,displayName,identities").top(10).get();
counting.onPage();
const iterator = new PageIterator(client, page, (user) => users.push(user) > 0);
await iterator.iterate();
while (page["@odata.nextLink"]) {
  page = await client.api(page["@odata.nextLink"]).get();
  counting.onPage();
}
assert.equal(new Set(users.map((user) => user.id)).size, users.length);

// Find, change, read back.
const found = await client
  .api("/users")
  .filter(`identities/any(c:c/issuerAssignedId eq 'person7@example.com' and c/issuer eq '${TENANT}')`)
  .get();
assert.equal(found.value.length, 1);
await client.api(`/users/${found.value[0].id}`).update({ jobTitle: "Pilot" });
assert.equal((await client.api(`/users/${found.value[0].id}`).get()).jobTitle, "Pilot");

// Delete.
let deleted = 0;
for (const user of users) {
  await client.api(`/users/${user.id}`).delete();
  deleted += 1;
}
assert.equal((await client.api("/users").get()).value.length, 0);

console.log(`created ${created}, listed ${users.length} on ${pages} pages, batched ${batched}, deleted ${deleted}`);
