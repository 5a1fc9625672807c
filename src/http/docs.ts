import { Elysia } from 'elysia'
import css from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import script from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }

/**
 * The OpenAPI document as a page at `/docs`. Swagger UI's files are inside the executable: the page of
 * @elysiajs/swagger loads them from elsewhere, and many a homelab has no way out.
 */

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Postern API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`

/** Calls tried from the page go to the gateway that served it, whatever server the document names. */
const start = `fetch('openapi.json')
  .then(response => {
    if (!response.ok) throw new Error('openapi.json: HTTP ' + response.status)
    return response.json()
  })
  .then(spec => {
    spec.servers = [{ url: new URL('.', location.href).href.replace(/\\/$/, '') }]
    SwaggerUIBundle({ spec, dom_id: '#page', deepLinking: true, validatorUrl: null, tryItOutEnabled: true, defaultModelsExpandDepth: 0 })
  })
  .catch(error => {
    document.getElementById('page').textContent = String(error)
  })
`

/** Nothing from elsewhere; Swagger UI sets style attributes and draws with `data:` pictures. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const answer = (body: string | Blob, type: string, more: Record<string, string> = {}) =>
  new Response(body, {
    headers: { 'content-type': `${type}; charset=utf-8`, 'x-content-type-options': 'nosniff', ...more },
  })

const kept = { 'cache-control': 'public, max-age=3600' }

/** Serves the page at `/docs` and its files below it. */
export function docsRoutes() {
  const hidden = { detail: { hide: true } }
  return new Elysia({ name: 'docs' })
    .get(
      '/docs',
      ({ request }) => {
        // The page's links are relative, so that it works below a path of a reverse proxy too.
        if (new URL(request.url).pathname.endsWith('/'))
          return new Response(null, { status: 308, headers: { location: '../docs' } })
        return answer(page, 'text/html', { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' })
      },
      hidden,
    )
    .get('/docs/swagger-ui.css', () => answer(Bun.file(css), 'text/css', kept), hidden)
    .get('/docs/swagger-ui-bundle.js', () => answer(Bun.file(script), 'text/javascript', kept), hidden)
    .get('/docs/start.js', () => answer(start, 'text/javascript', kept), hidden)
}
