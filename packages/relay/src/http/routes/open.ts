import type { HealthAnswer, RelayInfo, VersionAnswer } from '@sallyport/protocol'
import type { Hono } from 'hono'
import type { ApiDeps, ApiEnv } from '../ports.ts'

const PROTOCOL_VERSIONS = [1] as const

/** Whether the relay is there, and which one it is: for anybody. */
export function addOpenRoutes(app: Hono<ApiEnv>, deps: ApiDeps): void {
	app.get('/healthz', (context) => context.json({ status: 'ok' } satisfies HealthAnswer))
	app.get('/readyz', async (context) => {
		try {
			await deps.store.ping()
			return context.json({ status: 'ok' } satisfies HealthAnswer)
		} catch (failure) {
			deps.log.error('not ready', { failure })
			return context.json({ status: 'unavailable', reason: 'the database does not answer' } satisfies HealthAnswer, 503)
		}
	})
	app.get('/version', (context) =>
		context.json({
			name: 'sallyport-relay',
			version: deps.version,
			protocol_versions: PROTOCOL_VERSIONS,
		} satisfies VersionAnswer),
	)
	app.get('/api/info', async (context) =>
		context.json({
			relay_id: deps.relayId,
			origin: deps.origin,
			url: deps.publicUrl,
			version: deps.version,
			setup_needed: await deps.firstRun.isNeeded(),
		} satisfies RelayInfo),
	)
}
