// openid-client, unmodified, as a relying party. It prints the authorization URL, waits on standard input for the
// address that the browser was sent back to, and prints what it was told: everything as one JSON line each.
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, METHOD, CREDENTIALS, REDIRECT_URI, SCOPE } = process.env
const say = (value) => console.log(JSON.stringify(value))
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function authentication() {
  const content = (await readFile(CREDENTIALS, 'utf8')).trim()
  if (METHOD === 'client_secret_basic') return client.ClientSecretBasic(content)
  if (METHOD === 'client_secret_post') return client.ClientSecretPost(content)
  const jwk = JSON.parse(content)
  const algorithm = { name: 'ECDSA', namedCurve: jwk.crv }
  const { kty, crv, x, y, d } = jwk
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x, y, d }, algorithm, false, ['sign'])
  return client.PrivateKeyJwt({ key, kid: jwk.kid })
}

const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, await authentication(), {
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
})
const verifier = client.randomPKCECodeVerifier()
const [state, nonce] = [client.randomState(), client.randomNonce()]
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: REDIRECT_URI,
  scope: SCOPE,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
})
say({ url: url.href })

const answer = new URL((await lines.next()).value)
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
const tokens = await client.authorizationCodeGrant(config, answer, checks)
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
const refreshed = tokens.refresh_token ? await client.refreshTokenGrant(config, tokens.refresh_token) : undefined
let again = null
try {
  await client.authorizationCodeGrant(config, answer, checks)
} catch (error) {
  again = error.error ?? error.code
}
say({ claims, userinfo, refreshed: refreshed?.claims() ?? null, again })
process.exit(0)
