/**
 * The relay's HTTP interface: every route of `@sallyport/protocol`'s `http-api.ts`. Mount it below the path prefix, if
 * there is one; it answers everything under `/api` and `/v1`, and leaves other paths to the page.
 */
import { Hono } from 'hono'
import { ApiFailure, answerFailure } from './failures.ts'
import type { ApiDeps, ApiEnv } from './ports.ts'
import { addConnectionRoutes } from './routes/connections.ts'
import { addNodeRoutes } from './routes/nodes.ts'
import { addOpenRoutes } from './routes/open.ts'
import { addSessionRoutes } from './routes/session.ts'
import { addSignInRoutes } from './routes/sign-in.ts'
import { addTokenRoutes } from './routes/tokens.ts'

const PREFLIGHT_S = 600

export function createApiApp(deps: ApiDeps): Hono<ApiEnv> {
	const app = new Hono<ApiEnv>()
	app.onError((thrown, context) => answerFailure(context, thrown, deps.log))
	for (const paths of ['/api/*', '/v1/*', '/healthz', '/readyz', '/version', '/stats']) {
		app.use(paths, async (context, next) => {
			const isPreflight = allowConfiguredOrigin(deps, context.req.raw, (name, value) => context.header(name, value))
			if (isPreflight) return context.body(null, 204)
			await next()
			setSecurityHeaders(context.res.headers)
			return undefined
		})
	}
	addOpenRoutes(app, deps)
	addSignInRoutes(app, deps)
	addSessionRoutes(app, deps)
	addTokenRoutes(app, deps)
	addNodeRoutes(app, deps)
	addConnectionRoutes(app, deps)
	for (const paths of ['/api/*', '/v1/*']) {
		app.all(paths, () => {
			throw new ApiFailure(
				'not_found',
				'this relay has no such address in its interface, or not with this method; docs/api.md lists them',
			)
		})
	}
	return app
}

function setSecurityHeaders(headers: Headers): void {
	if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
	headers.set('x-content-type-options', 'nosniff')
	headers.set('referrer-policy', 'no-referrer')
	headers.set('cross-origin-resource-policy', 'same-origin')
}

/**
 * Pages of listed origins may call with a bearer token. Credentials are never allowed, so no cookie comes along. True
 * when the request was the browser's question beforehand.
 */
function allowConfiguredOrigin(deps: ApiDeps, request: Request, setHeader: (name: string, value: string) => void): boolean {
	const origin = request.headers.get('origin')
	if (origin === null || origin === deps.origin || !deps.allowedOrigins.includes(origin)) return false
	setHeader('access-control-allow-origin', origin)
	setHeader('vary', 'origin')
	setHeader('access-control-expose-headers', 'retry-after')
	if (request.method !== 'OPTIONS' || !request.headers.has('access-control-request-method')) return false
	setHeader('access-control-allow-methods', 'GET, POST, PATCH, DELETE')
	setHeader('access-control-allow-headers', 'authorization, content-type')
	setHeader('access-control-max-age', String(PREFLIGHT_S))
	return true
}
