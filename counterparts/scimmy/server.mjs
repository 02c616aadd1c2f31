// A SCIM 2.0 service made of SCIMMY, with users and groups in memory: PORT and TOKEN come from the environment. EXPRESS=5 runs it
// in Express 5, where SCIMMY Routers 1.3 pages no more: every list is its first 20. GET /held gives all that is held.
import { randomUUID } from "node:crypto";
import express4 from "express";
import express5 from "express5";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const { PORT, TOKEN, EXPRESS } = process.env;

// Declares a type of resources, of which each has a name of its own.
const declare = (type, name) => {
  const held = new Map();
  const find = (id) => {
    if (!held.has(id)) throw new SCIMMY.Types.Error(404, null, `There is no ${id}`);
    return held.get(id);
  };
  const same = (one, other) => String(one[name]).toLowerCase() === String(other[name]).toLowerCase();
  SCIMMY.Resources.declare(type)
    .ingress(({ id }, data) => {
      const before = id ? find(id) : { id: randomUUID(), meta: { created: new Date().toISOString() } };
      if ([...held.values()].some((other) => other.id !== before.id && same(other, data))) {
        throw new SCIMMY.Types.Error(409, "uniqueness", `This ${name} is taken`);
      }
      const meta = { ...before.meta, lastModified: new Date().toISOString() };
      const resource = { ...JSON.parse(JSON.stringify(data)), id: before.id, meta };
      held.set(resource.id, resource);
      return resource;
    })
    .egress(({ id, filter }) => {
      const all = [...held.values()];
      return id ? find(id) : (filter?.match(all) ?? all);
    })
    .degress(({ id }) => void held.delete(find(id).id));
  return held;
};

const users = declare(SCIMMY.Resources.User, "userName");
const groups = declare(SCIMMY.Resources.Group, "displayName");
SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);

const handler = (request) => {
  if (request.header("Authorization") !== `Bearer ${TOKEN}`) throw new Error("a wrong token");
  return "tests";
};
const app = EXPRESS === "5" ? express5() : express4();
app.get("/held", (_, response) => response.json({ users: [...users.values()], groups: [...groups.values()] }));
app.use("/scim", new SCIMMYRouters({ type: "bearer", handler }));
app.listen(Number(PORT), "127.0.0.1");
