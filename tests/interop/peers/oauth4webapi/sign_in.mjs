// oauth4webapi, unmodified, as a relying party and as a resource server. It prints the authorization URL, waits on standard
// input for the address that the browser was sent back to, and prints what it was told: everything as one JSON line each.
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import * as oauth from 'oauth4webapi'

const { ISSUER, CLIENT_ID, METHOD, CREDENTIALS, REDIRECT_URI, SCOPE } = process.env
const say = (value) => console.log(JSON.stringify(value))
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const plain = { [oauth.allowInsecureRequests]: true }

async function authentication() {
  const content = (await readFile(CREDENTIALS, 'utf8')).trim()
  if (METHOD === 'client_secret_basic') return oauth.ClientSecretBasic(content)
  if (METHOD === 'client_secret_post') return oauth.ClientSecretPost(content)
  const { kid, kty, crv, x, y, d } = JSON.parse(content)
  const algorithm = { name: 'ECDSA', namedCurve: crv }
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x, y, d }, algorithm, false, ['sign'])
  return oauth.PrivateKeyJwt({ key, kid })
}

const issuer = new URL(ISSUER)
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, plain))
const client = { client_id: CLIENT_ID }
const verifier = oauth.generateRandomCodeVerifier()
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
const url = new URL(as.authorization_endpoint)
url.search = new URLSearchParams({
  client_id: CLIENT_ID,
  redirect_uri: REDIRECT_URI,
  response_type: 'code',
  scope: SCOPE,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
})
say({ url: url.href })

const params = oauth.validateAuthResponse(as, client, new URL((await lines.next()).value), state)
const exchange = async () =>
  oauth.authorizationCodeGrantRequest(as, client, await authentication(), params, REDIRECT_URI, verifier, plain)
const response = await exchange()
const checks = { expectedNonce: nonce, requireIdToken: true }
const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, checks)
await oauth.validateApplicationLevelSignature(as, response, plain)
const claims = oauth.getValidatedIdTokenClaims(tokens)
const asked = await oauth.userInfoRequest(as, client, tokens.access_token, plain)
const userinfo = await oauth.processUserInfoResponse(as, client, claims.sub, asked)

// As a resource server: RFC 9068 by its own checks, then what introspection says, before and after revocation.
const request = new Request('http://localhost/', { headers: { authorization: `Bearer ${tokens.access_token}` } })
const accessToken = await oauth.validateJwtAccessToken(as, request, ISSUER, plain)
const introspect = async () =>
  oauth.processIntrospectionResponse(
    as,
    client,
    await oauth.introspectionRequest(as, client, await authentication(), tokens.access_token, plain),
  )
const before = await introspect()
const revoked = oauth.revocationRequest(as, client, await authentication(), tokens.access_token, plain)
await oauth.processRevocationResponse(await revoked)
const after = await introspect()

let again = null
try {
  await oauth.processAuthorizationCodeResponse(as, client, await exchange(), checks)
} catch (error) {
  again = error.error ?? error.code
}
say({ claims, userinfo, accessToken, introspected: { before, after }, again })
process.exit(0)
