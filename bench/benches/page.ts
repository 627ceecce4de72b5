import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runChild } from '../../test/e2e/harness/child.ts'
import { launchChromium } from '../../test/e2e/harness/chromium.ts'
import type { Scope } from '../../test/e2e/harness/scope.ts'
import { type Row, spreadOf } from '../lib/figures.ts'
import type { World } from '../lib/world.ts'
import type { Size } from '../main.ts'
import type { PageTask } from '../parts/page.ts'

/** The same echo from a page of the relay in Chromium, by the page's own client library; drawing is not in it. */
export async function page(scope: Scope, world: World, { rounds, keys }: Size): Promise<readonly Row[]> {
	const [command = '', ...args] = world.sally
	const made = await runChild(scope, command, [...args, 'agent', 'invite'], { env: world.agentHome.env })
	const invite = /sly_invite_v1\.[A-Za-z0-9_-]+/.exec(made.stdout)?.[0]
	if (invite === undefined) throw new Error(`no invite: ${made.stderr}`)
	const browser = await launchChromium(scope)
	const context = await browser.newContext()
	const opened = await context.newPage()
	await opened.goto(world.origin)
	await opened.evaluate(readFileSync(join(import.meta.dirname, 'parts/page.js'), 'utf8'))
	const { origin, email, password } = world
	const task: PageTask = { origin, email, password, invite, rounds, keys: Math.ceil(keys / 2) }
	const times = await opened.evaluate<number[][]>(`pageEcho(${JSON.stringify(task)})`)
	await browser.close()
	const { p50, p99 } = spreadOf(times)
	return [
		{ what: 'keystroke echo, page in Chromium, p50', unit: 'ms', ours: p50 },
		{ what: 'keystroke echo, page in Chromium, p99', unit: 'ms', ours: p99 },
	]
}
