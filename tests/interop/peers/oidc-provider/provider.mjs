// oidc-provider, unmodified, as a hospital's own provider: its in-memory adapter, and a page of ours for login and password.
import Provider from 'oidc-provider'

const { PORT, CREDENCE, CLIENTS, JWKS, LOGIN, PASSWORD, SUBJECT, EMAIL } = process.env
const issuer = `http://localhost:${PORT}`
const asked = []

const provider = new Provider(issuer, {
  clients: JSON.parse(CLIENTS),
  jwks: JSON.parse(JWKS),
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: EMAIL, email_verified: true, given_name: 'Grace', family_name: 'Hopper' }),
  }),
  claims: {
    openid: ['sub', 'acr', 'amr'],
    email: ['email', 'email_verified'],
    profile: ['given_name', 'family_name'],
    auth_time: null,
    sid: null,
  },
  conformIdTokenClaims: false,
  acrValues: ['urn:hospital:one', 'urn:hospital:two'],
  enabledJWA: {
    idTokenEncryptionAlgValues: ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'],
    idTokenEncryptionEncValues: ['A256GCM', 'A128CBC-HS256'],
  },
  // its own guard closes every loopback address, and the whole test is on one
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    encryption: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        const leave = form.replace('</form>', '<button class="primary" name="logout" value="yes">Out</button></form>')
        ctx.body = `<main>${leave}</main>`
      },
      postLogoutSuccessSource: (ctx) => (ctx.body = '<main><p>out</p></main>'),
    },
  },
})

async function body(request) {
  const parts = []
  for await (const part of request) parts.push(part)
  return new URLSearchParams(Buffer.concat(parts).toString())
}

async function granted(details, accountId) {
  const found = details.grantId && (await provider.Grant.find(details.grantId))
  const grant = found || new provider.Grant({ accountId, clientId: details.params.client_id })
  grant.addOIDCScope(details.params.scope)
  grant.addOIDCClaims(['acr', 'amr', 'auth_time', 'sid'])
  return { consent: { grantId: await grant.save() } }
}

provider.use(async (ctx, next) => {
  if (ctx.path === '/asked') {
    ctx.body = asked
    return
  }
  if (!ctx.path.startsWith('/interaction/')) {
    await next()
    return
  }
  const details = await provider.interactionDetails(ctx.req, ctx.res)
  if (ctx.method === 'POST') {
    const typed = await body(ctx.req)
    if (typed.get('login') !== LOGIN || typed.get('secret') !== PASSWORD) ctx.throw(403)
    const login = { accountId: SUBJECT, acr: 'urn:hospital:two', amr: ['pwd', 'otp', 'mfa'], remember: true }
    const result = { login, ...(await granted(details, SUBJECT)) }
    await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false })
    ctx.respond = false
  } else if (details.prompt.name === 'login') {
    asked.push(details.params)
    ctx.body = `<main><form method="post" action="/interaction/${details.uid}"><input name="login"><input name="secret">
      <button class="primary">In</button></form></main>`
  } else {
    await provider.interactionFinished(ctx.req, ctx.res, await granted(details, details.session.accountId))
    ctx.respond = false
  }
})

provider.on('server_error', (_ctx, error) => console.error(error))
for (const event of ['authorization.error', 'grant.error', 'backchannel.error', 'end_session.error']) {
  provider.on(event, (_ctx, error, ...more) => console.error(event, error, more.map((each) => each?.clientId ?? '')))
}
provider.listen(Number(PORT), 'localhost', () => console.log(issuer, 'for', CREDENCE))
