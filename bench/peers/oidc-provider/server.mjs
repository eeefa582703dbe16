// oidc-provider, unmodified, in two processes with its own in-memory adapter: client credentials as a JWT by ES256.
import cluster from 'node:cluster'
import Provider from 'oidc-provider'

const { PORT, CLIENT_ID, CLIENT_SECRET, JWK } = process.env

if (cluster.isPrimary) {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', privateKey)
  const jwk = JSON.stringify({ kty, crv, x, y, d, alg: 'ES256', use: 'sig' })
  for (let each = 0; each < 2; each++) cluster.fork({ JWK: jwk })
  process.on('SIGTERM', () => process.exit(0))
} else {
  const provider = new Provider(`http://localhost:${PORT}`, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [JSON.parse(JWK)] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:bench',
        getResourceServerInfo: () => ({
          scope: 'api',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  })
  provider.listen(Number(PORT), '127.0.0.1')
}
