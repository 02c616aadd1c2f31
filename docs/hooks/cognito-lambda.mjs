// The migrate user trigger of an Amazon Cognito user pool: forwards the event to Sterna and returns it with the response.
//
// Node 20 or newer, no packages. Environment: STERNA_HOOK_URL (https://…/hooks/NAME) and STERNA_HOOK_TOKEN (the hook's
// bearer token). Nothing of the event is logged: it has a password in it.

// Cognito waits 5 s and calls up to three times; Sterna answers within 1.2 s.
const PATIENCE_MS = 1400;

// One text whatever went wrong: with the hosted pages it can reach the person, and says nothing about who is there.
const REFUSED = 'Could not sign in. Check what you typed, or try again later.';

export const handler = async (event) => {
  const response = await ask(event).catch(() => null);
  if (!response?.userAttributes) {
    throw new Error(REFUSED);
  }
  event.response = { ...event.response, ...response };
  return event;
};

async function ask(event) {
  const reply = await fetch(process.env.STERNA_HOOK_URL, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(PATIENCE_MS),
    headers: { authorization: `Bearer ${process.env.STERNA_HOOK_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(event),
  });
  return reply.status === 200 ? reply.json() : null;
}
