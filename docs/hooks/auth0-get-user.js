// The script "Get User" of an Auth0 custom database in import mode: asks Sterna whether somebody is still to be moved.
//
// Settings of the connection: as for "Login". With Organizations the function has a parameter `context` before `callback`.
function getUser(email, callback) {
  async function ask() {
    const reply = await fetch(configuration.STERNA_HOOK_URL + '/get-user', {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(5000),
      headers: { authorization: 'Bearer ' + configuration.STERNA_HOOK_TOKEN, 'content-type': 'application/json' },
      body: JSON.stringify({ email: email }),
    });
    if (reply.status === 404) {
      return [null];
    }
    const profile = reply.status === 200 ? await reply.json() : null;
    if (!profile || typeof profile.user_id !== 'string') {
      throw new Error();
    }
    return [null, profile];
  }

  ask()
    // an outage is not "nobody": at a sign-up Auth0 would make a second user
    .catch(() => [new Error('Users cannot be looked up at the moment. Try again later.')])
    .then((result) => callback(...result));
}
