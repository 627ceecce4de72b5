/** A relay on a real PostgreSQL, and what people notice when the database goes away for a while. */
import { expect, it } from 'vitest'
import { createWorld, ownerToken } from './cli-world.ts'
import { startSally, usePostgres, useScope, waitFor } from './harness/index.ts'

const scope = useScope()

it('sets up, opens terminals, lets nobody in while the database is away, and recovers by itself', async () => {
	const postgres = await usePostgres(scope)
	const world = await createWorld(scope, { DATABASE_URL: postgres.createDatabase('relay') })
	const { origin } = world.up
	const token = await ownerToken(origin)
	const nodes = () => fetch(`${origin}/api/nodes`, { headers: { authorization: `Bearer ${token}` } })
	expect((await nodes()).status).toBe(200)
	expect(await world.run(['exec', world.node.name, '--', 'echo', 'first'])).toMatchObject({ status: 0, stdout: 'first\n' })

	const open = startSally(scope, world.laptop, ['exec', world.node.name, '--', 'cat'])
	open.write('before\n')
	await open.waitForOutput(/before/)
	await postgres.halt()

	const refused = await waitFor('the refusal', async () => {
		const answer = await nodes()
		return answer.status === 503 && answer
	})
	const { error } = (await refused.json()) as { error: { code: string; message: string } }
	expect(error.message).toMatch(/database/)
	expect((await fetch(`${origin}/readyz`)).status).toBe(503)
	expect((await fetch(`${origin}/healthz`)).status).toBe(200)
	const entry = await world.run(['--no-share', 'exec', world.node.name, '--', 'true'])
	expect(entry.status).toBe(255)
	expect(entry.stderr).toMatch(/^sally: .+\n$/)
	open.write('meanwhile\n')
	await open.waitForOutput(/before\nmeanwhile/)

	await postgres.restart()
	await waitFor('the relay to be ready', async () => (await fetch(`${origin}/readyz`)).status === 200, 20_000)
	expect((await nodes()).status).toBe(200)
	const again = await world.run(['--no-share', 'exec', world.node.name, '--', 'echo', 'again'])
	expect(again).toMatchObject({ status: 0, stdout: 'again\n' })
	open.write('after\n')
	await open.waitForOutput(/meanwhile\nafter/)
	open.endInput()
	expect(await open.exited).toEqual({ status: 0, signal: null })
})
