// The script "Login" of an Auth0 custom database in import mode: asks Sterna whether it is the old password.
//
// Settings of the connection: STERNA_HOOK_URL (https://…/hooks/NAME) and STERNA_HOOK_TOKEN (the hook's bearer token). With
// Organizations the function has a parameter `context` before `callback`.
function login(userNameOrEmail, password, callback) {
  async function ask() {
    const reply = await fetch(configuration.STERNA_HOOK_URL + '/login', {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(5000),
      headers: { authorization: 'Bearer ' + configuration.STERNA_HOOK_TOKEN, 'content-type': 'application/json' },
      body: JSON.stringify({ identifier: userNameOrEmail, password: password }),
    });
    if (reply.status === 401) {
      return [new WrongUsernameOrPasswordError(userNameOrEmail, 'Wrong e-mail or password.')];
    }
    if (reply.status === 423) {
      return [new UnauthorizedError('You cannot sign in with this password now. Reset it, or ask for help.')];
    }
    const profile = reply.status === 200 ? await reply.json() : null;
    if (!profile || typeof profile.user_id !== 'string') {
      throw new Error();
    }
    return [null, profile];
  }

  ask()
    // whatever else happens says nothing about the password
    .catch(() => [new Error('Signing in is not possible at the moment. Try again later.')])
    .then((result) => callback(...result));
}
