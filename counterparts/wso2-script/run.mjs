// Runs a conditional-authentication script in a stand-in of WSO2's script engine, made from the public documentation of
// its functions. Standard input: {"script", "world"}; standard output: one JSON document with what happened, in order.
//
// Stricter than the real engine where it can be: after everything that waits, all global variables are written out as
// JSON and functions as their source text, and read back in a new context, so whatever lives in a closure is lost.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const { script, world } = JSON.parse(readFileSync(0, "utf8"));
const trace = [];
let pending = null;

class Misuse extends Error {}
const demand = (holds, what) => {
  if (!holds) throw new Misuse(what);
};
const isText = (value) => typeof value === "string";
const plain = (value) => JSON.parse(JSON.stringify(value));

// A user as scripts see one: reading and writing claims goes to the store.
const claimsOf = (record) =>
  new Proxy(
    {},
    {
      get: (_, name) => record.claims[name] ?? null,
      set: (_, name, value) => {
        demand(isText(value), "a claim is a text");
        record.claims[name] = value;
        trace.push(["claim", record.name, name, value]);
        return true;
      },
    },
  );
const userOf = (record) => ({ $user: record.name, uniqueId: record.id, localClaims: claimsOf(record) });
const recordOf = (user) => world.users.find((record) => record.name === user?.$user);

const wait = (handlers, known, outcome, data) => {
  demand(pending === null, "two waits at once");
  demand(handlers !== null && typeof handlers === "object", "handlers are an object");
  for (const name of Object.keys(handlers)) demand(known.includes(name), `no handler ${name}`);
  pending = { source: handlers[outcome] && handlers[outcome].toString(), data };
  if (!pending.source) trace.push(["unhandled", outcome]);
};
const CALLS = ["onSuccess", "onFail", "onTimeout"];

// What the service answers: the world's list, in order.
const serve = (url, payload, handlers, how) => {
  trace.push(["post", url, plain(payload), how]);
  const answer = world.answers.shift();
  demand(answer !== undefined, `nobody foresaw a call of ${url}`);
  if (answer === "timeout") return wait(handlers, CALLS, "onTimeout", {});
  if (answer === "fail") return wait(handlers, CALLS, "onFail", {});
  wait(handlers, CALLS, "onSuccess", answer);
};

// The members of each type, as the code has them, with those that may be left out.
const AUTH = {
  bearer: [["token"], []],
  apikey: [["apiKey", "headerName"], []],
  basic: [["username", "password"], []],
  clientcredential: [["consumerKey", "consumerSecret", "tokenEndpoint"], ["scope"]],
};
const members = (object, required, optional, what) => {
  for (const name of required) demand(isText(object[name]) && object[name] !== "", `${what} needs ${name}`);
  for (const name of Object.keys(object)) demand([...required, ...optional].includes(name), `${what} has no ${name}`);
};

const stubs = {
  Log: { info: (text) => trace.push(["log", String(text)]) },
  secrets: new Proxy(
    {},
    {
      get: (_, name) => {
        demand(world.secrets.includes(name), `no secret ${String(name)}`);
        return `value of ${name}`;
      },
    },
  ),
  executeStep(step, options, handlers) {
    demand(step === 1, "there is one step");
    if (handlers === undefined) [options, handlers] = [{}, options];
    const given = options.authenticatorParams?.common;
    const { username, password } = given ?? world.typed ?? {};
    const name = world.aliases?.[username] ?? username;
    const record = world.users.find((record) => record.name.split("/")[1] === name);
    const isRight = !!record && record.password === password && !record.barred;
    trace.push(["step", given ? plain(given) : "typed", isRight ? "right" : "wrong"]);
    wait(handlers, ["onSuccess", "onFail"], isRight ? "onSuccess" : "onFail");
  },
  resolveMultiAttributeLoginIdentifier(typed, tenant) {
    demand(isText(typed) && tenant === "carbon.super", "resolve takes a name and the tenant");
    trace.push(["resolve", typed]);
    const name = world.aliases?.[typed] ?? typed;
    return world.users.some((record) => record.name.split("/")[1] === name) ? name : null;
  },
  getUniqueUserWithClaimValues(claims, context) {
    demand(context?.tenantDomain === "carbon.super", "the context is needed");
    demand(Object.keys(claims).join() === "http://wso2.org/claims/username", "the user name's claim");
    const name = claims["http://wso2.org/claims/username"];
    trace.push(["find", name]);
    const record = world.users.find((record) => record.name === name);
    return record ? userOf(record) : null;
  },
  httpPost(url, payload, headers, auth, handlers) {
    demand(isText(url), "a URL is a text");
    demand(headers["Content-Type"] === "application/json", "JSON is said to be JSON");
    demand(auth.type in AUTH, `the code knows no type ${auth.type}`);
    members(auth.properties, ...AUTH[auth.type], auth.type);
    serve(url, payload, handlers, { type: auth.type, ...plain(auth.properties) });
  },
  callChoreo(connection, payload, handlers) {
    const required = ["url", "consumerKeyAlias", "consumerSecretAlias"];
    members(connection, required, ["asgardeoTokenEndpoint"], "callChoreo");
    const { url, ...how } = connection;
    serve(url, payload, handlers, plain(how));
  },
  prompt(template, data, handlers) {
    demand(template === "internalWait" && data.waitingType === "POLLING", "the wait page polls");
    const configs = data.waitingConfigs;
    const texts = ["timeout", "pollingEndpoint", "requestMethod", "requestData", "pollingInterval"];
    // the page casts them to texts, then reads numbers
    for (const name of texts) demand(isText(configs[name]), `${name} is a text`);
    demand(typeof configs.callbackOnFailure === "boolean", "callbackOnFailure is a truth value");
    trace.push(["wait", plain(configs)]);
    if (world.page === "complete") return wait(handlers, CALLS, "onSuccess");
    if (!configs.callbackOnFailure) return trace.push(["own page"]);
    wait(handlers, CALLS, world.page === "timeout" ? "onTimeout" : "onFail", {});
  },
  updateUserPassword(user, password, handlers, skip) {
    const record = recordOf(user);
    demand(record, "a user is needed");
    demand(isText(password) && password !== "", "a password is needed");
    demand(skip === undefined || typeof skip === "boolean", "the fourth argument is a truth value");
    const fits = skip === true || password.length >= 8;
    const isStored = fits && !world.storeFails;
    if (isStored) record.password = password;
    trace.push(["update", record.name, password, skip ?? null]);
    wait(handlers, ["onSuccess", "onFail"], isStored ? "onSuccess" : "onFail");
  },
  sendError(url, parameters) {
    demand(url === null, "the product's own page");
    trace.push(["error", parameters.status, parameters.statusMsg]);
  },
};

const fresh = () => {
  const { typed } = world;
  const params = typed ? { username: [typed.username], password: [typed.password] } : {};
  const context = vm.createContext({ ...stubs });
  return { context, login: { tenantDomain: "carbon.super", request: { params } } };
};

// Everything that the script has put among the globals, as the engine keeps it between two requests.
const save = (context) => {
  const saved = [];
  for (const [name, value] of Object.entries(context)) {
    if (name in stubs) continue;
    if (typeof value === "function") saved.push([name, `(${value.toString()})`]);
    else if (value?.$user) saved.push([name, value]);
    else saved.push([name, JSON.stringify(value)]);
  }
  return saved;
};
const restore = (saved) => {
  const next = fresh();
  for (const [name, value] of saved) {
    if (value?.$user) next.context[name] = userOf(recordOf(value));
    else vm.runInContext(`var ${name} = ${value};`, next.context);
  }
  return next;
};

let ended = "done";
try {
  let { context, login } = fresh();
  vm.runInContext(script, context);
  context.onLoginRequest(login);
  while (pending !== null) {
    const { source, data } = pending;
    pending = null;
    ({ context, login } = restore(save(context)));
    if (source) vm.runInContext(`(${source})`, context)(login, data);
  }
  trace.push(["kept", save(context).filter(([, value]) => isText(value) && world.typed?.password && value === JSON.stringify(world.typed.password)).map(([name]) => name)]);
} catch (error) {
  ended = `${error.name}: ${error.message}`;
}
process.stdout.write(JSON.stringify({ ended, trace, users: world.users }));
