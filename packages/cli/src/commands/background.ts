import { runBackground } from '../background/server.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'

/** `sally background`, which commands start by themselves: holds the links of a profile. */
export async function background(context: Context): Promise<number> {
	process.title = `sally: links of profile ${context.options.profile}`
	const idle = Number(context.env['SALLY_BACKGROUND_IDLE_MS'])
	await runBackground({
		profile: await context.openProfile(),
		...(Number.isSafeInteger(idle) && idle > 0 ? { idleMs: idle } : {}),
	})
	return EXIT.ok
}
