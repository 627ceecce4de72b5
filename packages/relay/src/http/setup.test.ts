import { beforeEach, describe, expect, it } from 'vitest'
import type { Fixture } from './api.fixture.ts'
import { cookieOf, createFixture, newMachine, ORIGIN, OWNER } from './api.fixture.ts'

describe('set-up', () => {
	let relay: Fixture
	beforeEach(async () => {
		relay = await createFixture()
		return () => relay.close()
	})

	const begin = async () => {
		const setup = await relay.control.createSetup()
		if (setup === undefined) throw new Error('there is an owner already')
		return setup
	}
	const attempt = (setup_secret: string, changes = {}) =>
		relay.ask('POST', '/api/setup', { body: { setup_secret, ...OWNER, ...changes }, origin: ORIGIN })

	it('makes the owner once when twenty ask at the same time, signs them in, and hands over the machine that is there', async () => {
		const { setupSecret, enrolToken } = await begin()
		const enrolled = await relay.enrol(enrolToken)
		expect(enrolled).not.toHaveProperty('owner')
		const answers = await Promise.all(Array.from({ length: 20 }, () => attempt(setupSecret)))
		const statuses = answers.map((answer) => answer.status).sort((left, right) => left - right)
		expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)])
		const winner = answers.find((answer) => answer.status === 200)
		if (winner === undefined) throw new Error('nobody won')
		expect(await winner.json()).toMatchObject({
			user: { email: OWNER.email, username: OWNER.username, roles: ['user', 'admin', 'owner'] },
			node_id: enrolled.node_id,
		})
		const web = await relay.webTokenOf(cookieOf(winner))
		const nodes = await (await relay.ask('GET', '/api/nodes', { token: web })).json()
		expect(nodes.nodes).toMatchObject([{ id: enrolled.node_id, owner: { username: 'Ada' }, access: 'admin' }])
	})

	it('refuses a wrong secret and makes nobody', async () => {
		await begin()
		const answer = await attempt('A'.repeat(43))
		expect(answer.status).toBe(401)
		expect((await answer.json()).error.code).toBe('setup_invalid')
		expect((await (await relay.ask('GET', '/api/info')).json()).setup_needed).toBe(true)
	})

	it('refuses the secret of an earlier start', async () => {
		const earlier = await begin()
		await begin()
		expect((await attempt(earlier.setupSecret)).status).toBe(401)
	})

	it('is over once there is an owner: no new secrets, and the old one says so', async () => {
		const { setupSecret } = await begin()
		expect((await attempt(setupSecret)).status).toBe(200)
		expect(await relay.control.createSetup()).toBeUndefined()
		const again = await attempt(setupSecret)
		expect(again.status).toBe(409)
		expect((await again.json()).error.code).toBe('setup_done')
	})

	it('says what is wrong with a short password, and the secret stays good', async () => {
		const { setupSecret } = await begin()
		const answer = await attempt(setupSecret, { password: 'too short' })
		expect(answer.status).toBe(400)
		expect((await answer.json()).error.message).toBe(
			'the password has 9 characters: choose one of at least 10, for example four words',
		)
		expect((await attempt(setupSecret)).status).toBe(200)
	})

	it('lets the machine enrol after set-up with the token of this start', async () => {
		const { setupSecret, enrolToken } = await begin()
		expect((await attempt(setupSecret)).status).toBe(200)
		expect(await relay.enrol(enrolToken, newMachine())).toMatchObject({ owner: { username: 'Ada' } })
	})

	it('is refused from a page of another origin', async () => {
		const { setupSecret } = await begin()
		const answer = await relay.ask('POST', '/api/setup', {
			body: { setup_secret: setupSecret, ...OWNER },
			origin: 'https://evil.example',
		})
		expect(answer.status).toBe(403)
		expect((await answer.json()).error.code).toBe('forbidden')
	})
})
